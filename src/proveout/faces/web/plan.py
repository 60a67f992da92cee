"""The release plan: open claims in the order in which they are to be closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One open claim with its place in the plan.

    Attributes:
        now: its status and why, in a sentence.
        drill: how long its drill takes, in words.
        needs: the time to plan for, in words.
        left: where its bar begins, as a share of the line.
        width: how long it is.
    """

    claim: str
    title: str
    status: str
    now: str
    owner: str
    command: str
    drill: str
    needs: str
    by: datetime
    fits: bool
    left: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage:
    """The way to production, laid against a declared window.

    Attributes:
        rows: in the order in which they are to be closed.
        kept: count of claims that pass already.
        window: where on the line the window ends, as a share; 1 where it is its end.
        ends: the end of the window.
        done: when the last claim is closed at this pace.
    """

    template: ClassVar[str] = "plan.html.j2"
    section: ClassVar[Section] = Section.READINESS

    release: str
    rows: tuple[PlanRow, ...]
    kept: int
    made: datetime
    ends: datetime
    done: datetime
    window: float

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Release plan"

    @property
    def cut(self) -> int:
        """Count of claims that do not fit into the window."""
        return sum(not one.fits for one in self.rows)
