"""Measures: what production did within a time, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from proveout.domain.money import Usd

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What ended since a moment. Trials, drafts and cancelled runs are left out.

    Attributes:
        failed: ended for good without a result.
        late: succeeded, but took longer than asked, without the time that people took.
        dead: of those that failed, the ones that nobody tries again.
        reviews: reviews that were answered or expired since then.
        expired: those that nobody answered.
    """

    ended: int = 0
    failed: int = 0
    late: int = 0
    dead: int = 0
    reviews: int = 0
    expired: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What ended within one minute on one release; leaves out what `Measured` leaves out.

    Attributes:
        start: when the minute began, in UTC.
        failed: ended for good without a result.
    """

    start: datetime
    release: str
    ended: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What people said of results since a moment; leaves out what `Measured` leaves out.

    Attributes:
        ended: runs that ended since then.
        broken: those that ended without a result although no person turned one down.
        reviews: drafts that people decided since then.
        accepted: those that they approved as they were.
    """

    ended: int = 0
    broken: int = 0
    reviews: int = 0
    accepted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the models of the runs cost that ended since a moment.

    Attributes:
        cost: as far as it is known.
        priced: how many of them have a known cost.
    """

    cost: Usd = field(default_factory=lambda: Usd(0))
    priced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelHealth:
    """How the calls of models went since a moment; those of trials are left out.

    Attributes:
        failed: answered by an error of the vendor's, by a refusal for too many calls, or not.
    """

    calls: int = 0
    failed: int = 0


class Measures(Protocol):
    """What production did."""

    async def measured(self, workflow: str, since: datetime, within: timedelta) -> Measured:
        """Return what ended since a moment; late is what took longer than `within`."""
        ...

    async def by_minute(self, workflow: str, since: datetime) -> list[Minute]:
        """Return what ended since a moment, the oldest minute first; quiet ones are left out."""
        ...

    async def judged(self, workflow: str, since: datetime) -> Judged:
        """Return what people said of the results of runs since a moment."""
        ...

    async def spent(self, workflow: str, since: datetime) -> Spent:
        """Return what the models of the runs cost that ended since a moment."""
        ...

    async def newest_outcomes(self, workflow: str, since: datetime, limit: int) -> list[bool]:
        """Return whether each of the runs that ended last has succeeded, the newest first."""
        ...

    async def newest_arrival(self, workflow: str, apart: str) -> datetime | None:
        """Return when a run was last asked for, those apart whose keys begin with `apart`."""
        ...

    async def model_health(self, since: datetime) -> ModelHealth:
        """Return how the calls of models went that began since a moment."""
        ...
