"""A query finds the same runs on the console, on the command line and in the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.given import START
from proveout.domain.run import RunId, RunState
from proveout.faces.queried import FIRST, asked_for
from proveout.ports.store import RunFilter
from proveout.release.create import NoSuchRelease

if TYPE_CHECKING:
    from proveout.ports.store import Store


@pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
async def test_names_become_what_the_store_knows(store: Store) -> None:
    """A time ago becomes a moment; a release that does not exist is named with those that do."""
    found = await asked_for(
        store, "state:dead since:2h release:draft", "mails", START, before="r-1"
    )

    assert found == RunFilter(
        states=(RunState.DEAD,),
        workflow="mails",
        release="draft",
        created=START - timedelta(hours=2),
        before=RunId("r-1"),
    )
    assert await asked_for(store, "", None, START) == RunFilter()
    assert (await asked_for(store, "workflow:x", "mails", START)).workflow == "x"
    assert (await asked_for(store, "since:0001-01-01", None, START)).created == FIRST
    with pytest.raises(NoSuchRelease, match="r9"):
        await asked_for(store, "release:r9", "mails", START)
