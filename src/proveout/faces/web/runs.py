"""Runs: the list, page after page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.domain.run import RunState
from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime

STATES = tuple(RunState)
"""What the list can be narrowed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run in a list.

    Attributes:
        release: name of the release that it runs on; "" before its first claim.
        elapsed: seconds that its last attempt took; None before its end.
        start: the beginning of the input, as text.
    """

    id: str
    state: RunState
    release: str
    created: datetime
    elapsed: float | None
    start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage:
    """A page of runs, the newest first.

    Attributes:
        state: what the list is narrowed to; None for all.
        before: the cursor with which this page was asked for; "" for the first page.
        older: the cursor of the next page; "" where there is none.
    """

    template: ClassVar[str] = "runs.html.j2"
    section: ClassVar[Section] = Section.RUNS

    rows: tuple[RunRow, ...]
    state: RunState | None = None
    before: str = ""
    older: str = ""
    states: ClassVar[tuple[RunState, ...]] = STATES

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Runs" if self.state is None else f"Runs, {self.state.lower()}"
