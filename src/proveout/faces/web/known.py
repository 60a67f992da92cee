"""What the console found out of late, for it is dear to find out again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proveout.domain.release import Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from proveout.domain.run import RunState
    from proveout.faces.readiness import Readiness
    from proveout.faces.web.verdict import VerdictPage
    from proveout.ports.clock import Clock

FRESH = 15.0
"""Seconds for which readiness found out once will do for a page about something else."""

LONGEST = 600.0
"""Seconds after which the count of claims is no longer shown beside the navigation."""

PAYS = 20.0
"""What took a second to find out is kept for that many: at most one page in so many waits."""


@dataclass(slots=True)
class Known:
    """Keeps the last readiness, the last counts, and the page of each verdict.

    Attributes:
        stage: the one that was seen last.
        verdicts: by experiment, each with what it was drawn up from.
    """

    clock: Clock
    stage: Stage = Stage.PROOF_OF_CONCEPT
    verdicts: dict[str, tuple[object, VerdictPage]] = field(
        default_factory=dict[str, "tuple[object, VerdictPage]"]
    )
    _readiness: Readiness | None = None
    _found: float = 0.0
    _lasts: float = 0.0
    _counts: Mapping[RunState, int] | None = None
    _counted: float = 0.0
    _counts_last: float = 0.0

    async def look(self, find: Callable[[], Awaitable[Readiness]]) -> Readiness:
        """Find readiness out now, and keep it."""
        start = self.clock.monotonic()
        found = await find()
        self._readiness, self._found = found, self.clock.monotonic()
        self._lasts = max(FRESH, PAYS * (self._found - start))
        return found

    def readiness(self, version: int) -> Readiness | None:
        """Return readiness that is fresh, for this version of the pointer; None for none."""
        found = self._readiness
        age = self.clock.monotonic() - self._found
        is_fresh = found is not None and age <= self._lasts and found.pointer.version == version
        return found if is_fresh else None

    @property
    def claims(self) -> tuple[int, int] | None:
        """How many claims of the bar pass, and how many there are; None where not known."""
        found = self._readiness
        if found is None or self.clock.monotonic() - self._found > LONGEST:
            return None
        return sum(not one.is_open for one in found.standings), len(found.standings)

    async def counts(
        self, find: Callable[[], Awaitable[Mapping[RunState, int]]]
    ) -> Mapping[RunState, int]:
        """Return how many runs are in each state, now or, where that takes long, of late."""
        start = self.clock.monotonic()
        if self._counts is None or start - self._counted >= self._counts_last:
            self._counts = await find()
            self._counted = self.clock.monotonic()
            self._counts_last = PAYS * (self._counted - start)
        return self._counts
