"""What the console found out of late, for it is dear to find out again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.release import Stage
from proveout.faces.web.lately import PAYS, Lately

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from proveout.domain.run import RunState
    from proveout.faces.readiness import Readiness
    from proveout.faces.web.datasets import DatasetCard
    from proveout.faces.web.traffic import Hour
    from proveout.faces.web.verdict import VerdictPage
    from proveout.ports.clock import Clock
    from proveout.ports.measure import Judged, Spent

FRESH = 15.0
"""Seconds for which readiness found out once will do for a page about something else."""

LONGEST = 600.0
"""Seconds after which the count of claims is no longer shown beside the navigation."""

REST = 4.0
"""How many times as long as it took to draw up a growing verdict it is left as it is."""


class _Drawn(NamedTuple):
    """The page of a verdict, with what it was drawn up from, and until when it will do."""

    state: tuple[object, object, object]
    page: VerdictPage
    until: float


@dataclass(slots=True)
class Known:
    """Keeps the last readiness, the last counts, and the page of each verdict.

    Attributes:
        stage: the one that was seen last.
        datasets: by file, each with what told that it was the same.
        hour: what ended within the last hour.
        spent: what models cost within the last day.
        judged: what people said within the last thirty days.
    """

    clock: Clock
    stage: Stage = Stage.PROOF_OF_CONCEPT
    datasets: dict[Path, tuple[object, DatasetCard]] = field(
        default_factory=dict["Path", "tuple[object, DatasetCard]"]
    )
    hour: Lately[Hour] = field(init=False)
    spent: Lately[Spent] = field(init=False)
    judged: Lately[Judged] = field(init=False)
    _verdicts: dict[str, _Drawn] = field(default_factory=dict[str, "_Drawn"])
    _readiness: Readiness | None = None
    _looking: asyncio.Future[Readiness] | None = None
    _found: float = 0.0
    _lasts: float = 0.0
    _counts: Mapping[RunState, int] | None = None
    _counted: float = 0.0
    _counts_last: float = 0.0

    def __post_init__(self) -> None:
        """Know nothing yet of what is counted behind pages."""
        self.hour, self.spent = Lately(self.clock), Lately(self.clock)
        self.judged = Lately(self.clock)

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

    async def verdict(
        self,
        name: str,
        state: tuple[object, object, object],
        draw: Callable[[], Awaitable[VerdictPage]],
    ) -> VerdictPage:
        """Return the page of an experiment in this state, drawn up now or of late.

        Args:
            name: of the experiment.
            state: which look it is, what its verdict is, and what it has used; where only the
                last has changed, a page of late may do.
            draw: draws it up.
        """
        start = self.clock.monotonic()
        kept = self._verdicts.get(name)
        if (
            kept is None
            or kept.state[:2] != state[:2]
            or (kept.state != state and start >= kept.until)
        ):
            page = await draw()
            now = self.clock.monotonic()
            kept = _Drawn(state, page, now + REST * (now - start))
            self._verdicts[name] = kept
        return kept.page

    async def of_late(self, version: int, find: Callable[[], Awaitable[Readiness]]) -> Readiness:
        """Return readiness for this version of the pointer as it was of late.

        Where it is old it is found out again behind the page, which does not wait for it; only
        where none is known for that version does the page wait.
        """
        found = self._readiness
        if found is None or found.pointer.version != version:
            return await self.look(find)
        if self.readiness(version) is None and (self._looking is None or self._looking.done()):
            self._looking = asyncio.ensure_future(self.look(find))
            self._looking.add_done_callback(_say_nothing)
        return found

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


def _say_nothing(looking: asyncio.Future[Readiness]) -> None:
    """Leave a look behind a page that failed; the next page that asks tries again, and says so."""
    if not looking.cancelled():
        looking.exception()
