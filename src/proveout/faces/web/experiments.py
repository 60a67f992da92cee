"""Experiments: every look at the cases that was ever locked, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LookRow:
    """One look of an experiment.

    Attributes:
        look: which look at these cases it is, from 1.
        status: "GO", "NO-GO", "UNDECIDED", "RUNNING" or "OPEN".
        cases: that its verdict read; the trials made so far where none has fallen.
        in_flight: trials that run at this moment.
        spent: what its calls of models cost, in words; "" where that is not known.
        is_newest: whether the verdict's page shows this one.
    """

    experiment: str
    look: int
    status: str
    cases: int
    calls: int
    in_flight: int
    spent: str
    dataset: str
    locked: datetime
    is_newest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """An experiment of the settings of which no look was locked.

    Attributes:
        asks: what it is to find out; "" where that was not said.
    """

    name: str
    asks: str
    criteria: int
    candidates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentsPage:
    """All looks, the newest first, and what is still to begin."""

    template: ClassVar[str] = "experiments.html.j2"
    section: ClassVar[Section] = Section.EXPERIMENTS
    is_live: ClassVar[bool] = True

    question: str
    rows: tuple[LookRow, ...]
    ahead: tuple[Ahead, ...]

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Experiments"
