"""Drills: what was rehearsed, what it showed, and what is under way now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A drill that is under way, or whose process fell silent.

    Attributes:
        told: when its process last gave a sign of life.
        is_silent: that is too long ago; the process is gone, and nothing more will come.
    """

    claim: str
    title: str
    release: str
    by: str
    started: datetime
    told: datetime
    lines: tuple[str, ...]
    takes: timedelta
    is_silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRow:
    """One drill of the bar, and how it last went.

    Attributes:
        does: what it does, in a line.
        result: "PASSED", "FAILED" or "ABORTED"; "" where it never ran.
        control: how it went without its protection, in the evidence's words.
        summary: what it showed.
        is_made: whether this engine can conduct it.
    """

    claim: str
    does: str
    takes: timedelta
    command: str
    result: str = ""
    control: str = ""
    summary: str = ""
    release: str = ""
    at: datetime | None = None
    by: str = ""
    is_made: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillsPage:
    """What is under way, and every drill with how it last went."""

    template: ClassVar[str] = "drills.html.j2"
    section: ClassVar[Section] = Section.DRILLS
    is_live: ClassVar[bool] = True

    going: tuple[Going, ...]
    rows: tuple[DrillRow, ...]

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Drills"

    @property
    def has_any(self) -> bool:
        """Whether any of them was ever performed."""
        return bool(self.going) or any(one.result for one in self.rows)
