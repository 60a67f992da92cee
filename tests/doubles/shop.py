"""A workshop for tests of the engine: one store, its clock, and workers on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import structlog

from doubles.clock import FixedDice
from proveout.domain.review import Answer, ReviewState
from proveout.domain.unit import Cancel, Decide, Decided, Requeue, Resolve, UnitId
from proveout.run.enqueue import Request, enqueue
from proveout.run.send import send
from proveout.run.work import Bench, Manner, Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from doubles.clock import CountedIds, ManualClock
    from proveout.domain.journal import Entry, Returned
    from proveout.domain.review import Review
    from proveout.domain.run import Run, RunId
    from proveout.domain.unit import Answered
    from proveout.domain.workflow import Workflow
    from proveout.ports.store import Store
    from proveout.run.meter import ModelMeter

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

PATIENCE = 20.0
"""Seconds after which a test gives up instead of hanging."""


def top(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function that a test wrote in its own body pass for one of a module's."""
    function.__qualname__ = function.__name__
    return function


async def until(condition: Callable[[], T | Awaitable[T]], within: float = PATIENCE) -> T:
    """Return what `condition` gives once that is true, or fail when it is not in time."""
    async with asyncio.timeout(within):
        while True:
            found = condition()
            if isinstance(found, Awaitable):
                found = await cast("Awaitable[T]", found)
            if found:
                return found
            await asyncio.sleep(0.001)  # noqa: TID251 - real threads and processes need real time


class HurriedClock:
    """Shows a manual clock's time, and lets it pass at once for a worker that sleeps.

    Attributes:
        slept: seconds of each sleep, in order.
    """

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._clock.advance(timedelta(seconds=seconds))


@dataclass
class Shop:
    """Enqueues runs, works on them, and plays the person who answers.

    Attributes:
        slept: seconds of each wait between two tries of a step, which passes at once.
    """

    store: Store
    clock: ManualClock
    ids: CountedIds
    dice: FixedDice = field(default_factory=FixedDice)

    def __post_init__(self) -> None:
        self._hurried = HurriedClock(self.clock)
        self.slept = self._hurried.slept

    async def enqueue(self, workflow: Workflow[..., Any], value: object = None) -> RunId:
        """Return the id of a new run on `value`."""
        data = json.dumps(value).encode()
        request = Request(workflow=workflow.name, value=data)
        return (await enqueue(self.store, self.clock, self.ids, request)).run.id

    def worker(
        self, *workflows: Workflow[..., Any], meter: ModelMeter | None = None, **manner: Any
    ) -> Worker:
        """Return a worker on the store; its effects are live unless it is told otherwise."""
        bench = Bench(
            store=self.store,
            clock=self._hurried,
            ids=self.ids,
            dice=self.dice,
            log=structlog.get_logger(),
            meter=meter,
        )
        named = {workflow.name: workflow for workflow in workflows}
        usual: dict[str, Any] = {"captures": False}
        return Worker(bench, named, Manner(**{**usual, **manner}))

    async def work(self, *workflows: Workflow[..., Any], **manner: Any) -> None:
        """Work until nothing is left to do now."""
        async with asyncio.timeout(PATIENCE):
            await self.worker(*workflows, **manner).work(until_idle=True)

    async def done(self, workflow: Workflow[..., Any], value: object = None, **manner: Any) -> Run:
        """Return a new run on `value` as it stands when nothing is left to do now."""
        run = await self.enqueue(workflow, value)
        await self.work(workflow, **manner)
        return await self.run(run)

    async def again(self, workflow: Workflow[..., Any], run: RunId, **manner: Any) -> Run:
        """Return a run as it stands when nothing is left to do now."""
        await self.work(workflow, **manner)
        return await self.run(run)

    async def run(self, run: RunId) -> Run:
        found = await self.store.run(run)
        assert found is not None
        return found

    async def result(self, run: RunId) -> Any:
        """Return what a run returned, as plain data."""
        result = (await self.run(run)).result
        assert result is not None
        return json.loads(result)

    async def entry(self, run: RunId, name: str) -> Entry:
        """Return the one entry of that name in a run's journal."""
        [found] = [entry for entry in await self.store.journal(run) if entry.place.name == name]
        return found

    async def reviews(self) -> list[Review]:
        """Return the open reviews in the order of their runs and branches."""
        found = await self.store.reviews(ReviewState.OPEN)
        return sorted(found, key=lambda review: (review.run, review.place))

    async def answer(self, review: Review, **changes: Any) -> None:
        """Decide a review: approve the draft, unless `changes` say otherwise."""
        usual: dict[str, Any] = {"approved": True, "content": review.content, "by": "ada"}
        unit = Decide(
            id=self._unit(),
            review=review.id,
            digest=review.digest,
            answer=Answer(**{**usual, **changes}),
        )
        assert isinstance(await self.store.write(unit), Decided)

    async def cancel(self, run: RunId) -> Answered:
        return await self.store.write(Cancel(id=self._unit(), run=run))

    async def requeue(self, run: RunId) -> Answered:
        return await self.store.write(Requeue(id=self._unit(), run=run))

    async def send(self, run: RunId, name: str, value: object = None) -> None:
        """Send a run a signal."""
        await send(self.store, self.ids, await self.run(run), name, value)

    async def resolve(self, run: RunId, entry: Entry, outcome: Returned | None) -> Answered:
        """Say what became of an effect in doubt."""
        unit = Resolve(id=self._unit(), run=run, place=entry.place, outcome=outcome)
        return await self.store.write(unit)

    def _unit(self) -> UnitId:
        return UnitId(self.ids.new())
