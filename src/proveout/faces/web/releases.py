"""Releases: what serves, what there is, and how the pointer moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from proveout.faces.web.overview import ServingCard


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One release.

    Attributes:
        name: such as "r13".
        state: "CREATED", "CANARY", "STABLE", "DRAINING" or "RETIRED".
        share: of new runs, 0 to 1; 0 where it gets none.
        in_flight: count of runs that have begun on it and not ended.
        oldest: age of the oldest of them; None where there are none.
    """

    name: str
    digest: str
    created: datetime
    by: str
    state: str
    share: float = 0.0
    in_flight: int = 0
    oldest: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerMove:
    """One change of what serves.

    Attributes:
        act: what was done, in the ledger's words: "promote", "canary 10%", "rollback".
        before: what served until then; "" where nothing did.
        after: what served from then on.
        note: the reason, and what became of the runs in flight; "" where nothing was said.
    """

    at: datetime
    by: str
    act: str
    before: str
    after: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One share on the way of a canary to everything.

    Attributes:
        status: "DONE", "NOW" or "AHEAD".
        at: since when it had that share; None where it lies ahead.
    """

    share: float
    status: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryCard:
    """What is known of the canary so far.

    Attributes:
        ladder: the shares that it had, and those it may get next.
        requests: runs of both releases that ended since it has been a canary.
        evidence: that it fails more often, as a share of what takes it back.
        to_find: about how many requests find a canary that fails twice as often.
        hours: how long that takes at the traffic of the last day; None without traffic.
        hold: when it has been a canary for too long; None where nothing was declared.
    """

    release: str
    share: float
    since: datetime
    ladder: tuple[Rung, ...]
    requests: int
    of_canary: int
    failures: int
    canary_failures: int
    evidence: float
    is_worse: bool
    to_find: int
    hours: float | None
    hold: datetime | None = None
    overdue: bool = False

    @property
    def next_share(self) -> float:
        """The next share that it may get; 1 where only everything is left."""
        return next((one.share for one in self.ladder if one.status == "AHEAD"), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasesPage:
    """All releases, the newest first, and the history of the pointer, the newest first.

    Attributes:
        canary: None where there is none.
        candidates: names of releases of which a canary can be started.
    """

    template: ClassVar[str] = "releases.html.j2"
    section: ClassVar[Section] = Section.RELEASES
    is_live: ClassVar[bool] = True

    serving: ServingCard
    rows: tuple[ReleaseRow, ...]
    history: tuple[PointerMove, ...]
    canary: CanaryCard | None = None
    candidates: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Releases"
