"""The overview: where the workflow stands on its path, what serves, what needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section, Tone

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from proveout.domain.run import RunState
    from proveout.faces.web.runs import RunRow
    from proveout.faces.web.traffic import Tile, Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """One of the five verbs, and how far the workflow came with it.

    Attributes:
        status: "DONE", "NOW", "BLOCKED" or "AHEAD".
        note: what is known of it, in a few words: "GO after 294 cases".
        href: the page that tells more, or "".
    """

    name: str
    status: str
    note: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """The one command with which the path goes on, and why."""

    command: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlightRow:
    """The runs that have begun on the release that a rollback would leave.

    Attributes:
        oldest: age of the oldest of them; None where there are none.
    """

    release: str
    runs: int
    oldest: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingCard:
    """Which releases serve new runs now, and the way back.

    Attributes:
        stable: name of the release that serves, such as "r13"; "" before the promotion.
        canary: name of the canary; "" where there is none.
        share: the canary's share, 0 to 1.
        since: when this began.
        back_to: name of the release to which a rollback returns; "" where none served before.
        waiting: name of the newest release where none serves yet; "" where there is none.
    """

    stable: str = ""
    canary: str = ""
    share: float = 0.0
    since: datetime | None = None
    back_to: str = ""
    waiting: str = ""
    in_flight: InFlightRow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many runs are in a state.

    Attributes:
        is_least: counting stopped there; there may be more.
    """

    state: RunState
    number: int
    is_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Something that needs a person, and where to look at it.

    Attributes:
        note: how urgent it is: "the nearest deadline in 8 min".
    """

    title: str
    note: str
    href: str
    tone: Tone = Tone.WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a person wants to know first.

    Attributes:
        summary: where the workflow stands, in one sentence.
        counts: of every state, in the order of a run's life.
        queue_age: how long the oldest queued run has waited; None where none is due.
        recent: the newest runs, the newest first.
        tiles: figures of now, in production.
        traffic: the last hour, in production; None while it is counted the first time, too.
    """

    template: ClassVar[str] = "overview.html.j2"
    section: ClassVar[Section] = Section.OVERVIEW
    is_live: ClassVar[bool] = True

    summary: str
    path: tuple[PathStep, ...]
    next: NextStep
    serving: ServingCard
    counts: tuple[Count, ...]
    queue_age: timedelta | None
    concerns: tuple[Concern, ...]
    recent: tuple[RunRow, ...]
    tiles: tuple[Tile, ...] = ()
    traffic: Traffic | None = None

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Overview"
