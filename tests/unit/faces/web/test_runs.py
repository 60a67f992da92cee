"""The list of runs says what it is narrowed to."""

from __future__ import annotations

import pytest

from proveout.domain.run import RunState
from proveout.faces.web.runs import RunsPage

FAILED, DEAD = RunState.FAILED, RunState.DEAD


@pytest.mark.parametrize(
    ("query", "only", "state"),
    [
        ("", (), None),
        ("state:failed", (FAILED,), FAILED),
        ("state:failed,dead", (FAILED, DEAD), None),
        ("state:failed,nothing", (), None),
        ("state:failed since:2h", (), None),
        ("release:failed", (), None),
    ],
)
def test_states_alone_light_their_links(
    query: str, only: tuple[RunState, ...], state: RunState | None
) -> None:
    """A query that asks for more is none of them."""
    page = RunsPage(rows=(), query=query)

    assert (page.only, page.state) == (only, state)
