"""Dead letters: runs that nobody will try again by themselves, and how each can be run again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.run import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadRow:
    """One run that is DEAD.

    Attributes:
        error: type and message of what it died of, in one line.
        step: in which step; "" in the workflow's own code.
        start: the beginning of the input.
        ended: when it died.
        is_pruned: its input is gone, so it cannot be run again.
        replay: id of the run that replays it; "" where none does.
        replayed: the state of that run.
    """

    id: str
    error: str
    step: str
    start: str
    release: str
    attempts: int
    ended: datetime | None
    is_pruned: bool
    replay: str = ""
    replayed: RunState | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has run it again, and it can be."""
        return not self.replay and not self.is_pruned


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became, or would become, of one run that was to be run again.

    Attributes:
        said: in a sentence.
        new: id of the run that replays it; "" where there is none.
        is_refused: nothing is run again.
        is_edited: the new run has another input.
    """

    run: str
    said: str
    new: str = ""
    is_refused: bool = False
    is_edited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadPage:
    """A page of dead letters: what nobody has run again, then the others, the newest first.

    Attributes:
        told: what came of the replay that was just asked for.
        was_dry: nothing was written for it.
        before: the cursor with which this page was asked for; "" for the first page.
        older: the cursor of the next page; "" where there is none.
    """

    template: ClassVar[str] = "dead.html.j2"
    section: ClassVar[Section] = Section.DEAD

    rows: tuple[DeadRow, ...]
    told: tuple[Told, ...] = ()
    was_dry: bool = False
    before: str = ""
    older: str = ""

    @property
    def is_open(self) -> bool:
        """Whether any of them is left to be run again."""
        return any(one.is_open for one in self.rows)

    @property
    def is_live(self) -> bool:
        """Whether it follows the store; what came of a form stays until it was read."""
        return not self.told

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Dead letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPage:
    """Where one run is run again, on the same input or another.

    Attributes:
        error: what it ended with, in one line; "" where it was cancelled.
        value: the input as it was; `typed` is what the form holds now.
        releases: names of those that a replay can be pinned to.
        told: what would come of it, where that was asked for.
        problem: why what was sent does not do; "" at first.
    """

    template: ClassVar[str] = "replay.html.j2"
    section: ClassVar[Section] = Section.DEAD

    id: str
    state: RunState
    error: str
    value: str
    typed: str
    releases: tuple[str, ...]
    release: str = ""
    is_again: bool = False
    told: Told | None = None
    problem: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return f"Replay of run {self.id}"
