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
        elapsed: seconds that its last attempt took; None before the end of the first.
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
        query: what the list is narrowed to, as it was typed; "" for all.
        problem: why the query cannot be read; "" where it can.
        before: the cursor with which this page was asked for; "" for the first page.
        older: the cursor of the next page; "" where there is none.
    """

    template: ClassVar[str] = "runs.html.j2"
    section: ClassVar[Section] = Section.RUNS
    is_live: ClassVar[bool] = True

    rows: tuple[RunRow, ...]
    query: str = ""
    problem: str = ""
    before: str = ""
    older: str = ""
    states: ClassVar[tuple[RunState, ...]] = STATES

    @property
    def title(self) -> str:
        """What the page is called."""
        return f"Runs, {self.query}" if self.query else "Runs"

    @property
    def only(self) -> tuple[RunState, ...]:
        """The states that the list is narrowed to; empty where it is by anything else."""
        word, _, value = self.query.strip().partition(":")
        known = [RunState.__members__.get(one.upper()) for one in value.split(",")]
        return tuple(one for one in known if one) if word == "state" and all(known) else ()

    @property
    def state(self) -> RunState | None:
        """The one state that the list is narrowed to; None where it is by anything else."""
        return self.only[0] if len(self.only) == 1 else None
