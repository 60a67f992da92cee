"""The course of a race: begin its entrants as branches, and record which ended first."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from proveout.domain.journal import Entry, EntryKind, Returned
from proveout.run.doubt import in_doubt
from proveout.run.ending import GRACE
from proveout.run.payload import digest, to_json
from proveout.run.race import Winner, discard
from proveout.run.step import find

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from proveout.domain.journal import Place
    from proveout.run.branch import Branch


async def run_race(branch: Branch, entrants: tuple[Awaitable[Any], ...]) -> Winner[Any]:
    """Return the winner: the one that the journal names, else the first to end now."""
    try:
        branch.check()
        # No step can be called that: the name holds a space.
        place = branch.place(f"race of {len(entrants)}")
        arguments = to_json(len(entrants), "the count of entrants")
        entry = find(branch, place, digest(arguments))
    except BaseException:
        discard(entrants)
        raise
    # Each has its number, begun or not: a resumed run must count as this one does.
    lanes = [branch.child() for _ in entrants]
    if entry is not None and isinstance(entry.outcome, Returned):
        index: int = json.loads(entry.outcome.value)
        discard((*entrants[:index], *entrants[index + 1 :]))
        return Winner(index, await lanes[index].start(_awaiting(entrants[index])))
    entry = Entry(
        place=place,
        kind=EntryKind.RACE,
        digest=digest(arguments),
        arguments=arguments.decode(),
        outcome=Returned(b""),
        started=branch.attempt.now(),
        tries=0,
    )
    return await Course(branch, lanes, entry).run(entrants)


async def _awaiting(entrant: Awaitable[Any]) -> Any:
    return await entrant


class Course:
    """One race that is being run."""

    def __init__(self, branch: Branch, lanes: Sequence[Branch], entry: Entry) -> None:
        self._attempt = branch.attempt
        self._branch = branch
        self._lanes = lanes
        self._entry = entry
        self._clock = self._attempt.clock.monotonic()
        self._first: asyncio.Future[int] = self._attempt.loop.create_future()
        self._busy = ExitStack()

    async def run(self, entrants: Sequence[Awaitable[Any]]) -> Winner[Any]:
        """Begin all, and return the first to end once the journal names it."""
        tasks = [
            lane.start(self._compete(index, entrant))
            for index, (lane, entrant) in enumerate(zip(self._lanes, entrants, strict=True))
        ]
        with self._busy:
            try:
                index = await self._first
            except BaseException:
                self._stop(tasks, None)
                raise
            self._stop(tasks, index)
            await asyncio.wait(tasks, timeout=GRACE)
            _look_at(tasks)
            await self._record(index)
        return Winner(index, await tasks[index])

    async def _compete(self, index: int, entrant: Awaitable[Any]) -> Any:
        """Run one entrant; from its end until that is recorded the attempt cannot suspend."""
        lane = self._lanes[index]
        try:
            value = await entrant
        except BaseException:
            if not self._attempt.is_over and not lane.is_lost:
                self._arrive(index)
            raise
        self._arrive(index)
        return value

    def _arrive(self, index: int) -> None:
        if not self._first.done():
            self._busy.enter_context(self._attempt.busy())
            self._first.set_result(index)

    def _stop(self, tasks: Sequence[asyncio.Task[Any]], winner: int | None) -> None:
        for index, (lane, task) in enumerate(zip(self._lanes, tasks, strict=True)):
            if index != winner:
                lane.lost = True
                task.cancel()

    async def _record(self, index: int) -> None:
        """Make the winner durable, together with what nobody waits for any more."""
        attempt = self._attempt
        self._branch.check()
        gives_up: list[Place] = []
        for lane in self._lanes:
            if lane.lost:
                if doubtful := attempt.journal.in_doubt(lane.path):
                    attempt.park(in_doubt(attempt.run.id, doubtful))
                gives_up += attempt.journal.given_up(lane.path)
        won = Returned(to_json(index, "the winner of a race"))
        await attempt.record(self._named(won), gives_up=tuple(gives_up))
        for place in gives_up:
            attempt.journal.pending.pop(place, None)

    def _named(self, outcome: Returned) -> Entry:
        took = self._attempt.clock.monotonic() - self._clock
        entry = self._entry
        return Entry(
            place=entry.place,
            kind=entry.kind,
            digest=entry.digest,
            arguments=entry.arguments,
            outcome=outcome,
            started=entry.started,
            tries=entry.tries,
            elapsed=took,
        )


def _look_at(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Take note of how tasks ended, so that the loop does not report it."""
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()
