"""What an attempt writes into its run's journal while it goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proveout.domain.journal import Raised
from proveout.domain.unit import Close, Closed, Record, Stale, UnitId
from proveout.errors import Outage
from proveout.run.ending import Lost, Over

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.domain.journal import Entry, Place
    from proveout.domain.review import Review
    from proveout.domain.unit import Answered
    from proveout.run.attempt import Attempt
    from proveout.run.meter import ModelMeter


class Pen:
    """Writes for one attempt, under its fence."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._decided: dict[Place, Entry] = {}

    def decide(self, change: Entry) -> None:
        """Let a decision stand; it becomes durable with whatever is recorded next."""
        self._attempt.journal.entries[change.place] = change
        self._decided[change.place] = change

    async def record(
        self, *entries: Entry, review: Review | None = None, gives_up: tuple[Place, ...] = ()
    ) -> None:
        """Make `entries` durable, or learn that the run is no longer ours.

        Raises:
            Over: another attempt has the run, or the store is out of reach.
        """
        attempt = self._attempt
        decided = tuple(self._decided.values())
        unit = Record(
            id=UnitId(attempt.ids.new()),
            run=attempt.run.id,
            fence=attempt.run.fence,
            entries=(*decided, *entries),
            review=review,
            gives_up=gives_up,
        )
        await self._write(unit)
        for entry in decided:
            self._decided.pop(entry.place, None)
        for entry in entries:
            attempt.journal.note(entry)

    async def close(self, entry: Entry) -> Entry:
        """Make the outcome of a pending entry durable; return it with the one that stands.

        Raises:
            Over: another attempt has the run, or the store is out of reach.
        """
        attempt = self._attempt
        unit = Close(
            id=UnitId(attempt.ids.new()), run=attempt.run.id, fence=attempt.run.fence, entry=entry
        )
        answer = await self._write(unit)
        closed = replace(entry, outcome=answer.outcome) if isinstance(answer, Closed) else entry
        attempt.journal.note(closed)
        return closed

    async def _charge(self, unit: Record | Close) -> None:
        """Make durable what the steps of `unit` have spent, before their results are."""
        if (meter := self._attempt.meter) is not None:
            entries = unit.entries if isinstance(unit, Record) else (unit.entry,)
            for entry in entries:
                await meter.charge(unit.run, entry.place)
            self._check_wired(meter, entries)

    def _check_wired(self, meter: ModelMeter, entries: Iterable[Entry]) -> None:
        """Leave quietly, unless a step of a trial failed and no vendor of models is reached.

        Its failure would stand in the journal, and the trial would fail again once it is.

        Raises:
            NoVendor: none is.
        """
        run = self._attempt.run
        if run.trial is None or not any(isinstance(one.outcome, Raised) for one in entries):
            return
        if (error := meter.unreached(run.id)) is not None:
            raise error

    async def _write(self, unit: Record | Close) -> Answered:
        attempt = self._attempt
        try:
            await self._charge(unit)
            answer = await attempt.store.write(unit)
        except Outage as outage:
            attempt.log.warning("run.abandoned", error=str(outage))
        else:
            if not isinstance(answer, Stale):
                return answer
            attempt.log.warning("run.lost", why="its lease lapsed, or it was cancelled")
        attempt.end(Lost())
        raise Over
