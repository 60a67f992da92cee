"""A worker: claims runs, drives them, and settles what follows."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.journal import Pending
from proveout.domain.release import DRAFT
from proveout.domain.unit import Done
from proveout.errors import Outage
from proveout.ports.store import Held, Want
from proveout.run.attempt import Attempt
from proveout.run.branch import task_factory
from proveout.run.ending import HandedBack, Lost
from proveout.run.lease import Heartbeat
from proveout.run.permit import Permits, keep_asking
from proveout.run.pulse import Pulse
from proveout.run.spend import Resources
from proveout.run.turn import end_turn, heeding
from proveout.run.world import Threads, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from structlog.typing import FilteringBoundLogger

    from proveout.domain.experiment import ExperimentId
    from proveout.domain.review_queue import Queue
    from proveout.domain.run import RunId, RunState
    from proveout.domain.unit import Settle
    from proveout.domain.workflow import Workflow
    from proveout.ports.clock import Clock, Dice, Ids
    from proveout.ports.rehearsal import Rehearsal
    from proveout.ports.store import Claimed, Store
    from proveout.run.meter import ModelMeter
    from proveout.run.pulse import Blocked
    from proveout.run.turn import Turns

POLL = 1.0
"""Seconds after which a worker looks for work although nothing woke it."""

SOON = timedelta(seconds=1)
"""What is due within this time keeps a worker from being idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a worker works.

    Attributes:
        concurrency: most runs in flight at once.
        lease: how long a run stays this worker's without a sign of life.
        drain: how long runs in flight may take to finish once it is told to stop.
        captures: effects are journaled and not carried out.
        experiment: work on the trials of this experiment only.
        release: digest of the release that the workflows belong to, or "draft".
        suspects: True to work only on runs that were in flight when their worker died,
            False to leave those to a process of their own, None for both.
        rehearsal: what stands in for steps and effects while the workflow is drilled.
        most_running: most runs of each workflow at once under all workers; None for any.
        queues: what holds for the queues of reviews that have rules.
    """

    concurrency: int = 16
    lease: timedelta = timedelta(seconds=30)
    drain: timedelta = timedelta(seconds=20)
    captures: bool = True
    experiment: ExperimentId | None = None
    release: str = DRAFT
    suspects: bool | None = None
    rehearsal: Rehearsal | None = None
    most_running: int | None = None
    queues: tuple[Queue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a worker works with.

    Attributes:
        meter: counts the calls of models; None where they are not metered.
    """

    store: Store
    clock: Clock
    ids: Ids
    dice: Dice
    log: FilteringBoundLogger
    meter: ModelMeter | None = None


class Worker:
    """Works on the runs of some workflows until it is told to stop.

    Attributes:
        id: names this worker in the store.
        claimed: count of claims it has made.
        settled: count of runs that it has settled, by the state they went to.
        news: set whenever a run was settled; whoever waits for it clears it.
        on_stuck: called in a thread when the loop was blocked for half a lease, to end the
            process; None to only report it, and keep the runs.
        turns: how many runs of a workflow may go on, where less than its concurrency decides.
    """

    def __init__(
        self, bench: Bench, workflows: Mapping[str, Workflow[..., Any]], manner: Manner
    ) -> None:
        self.id = bench.ids.new()
        self.claimed = 0
        self.settled: Counter[RunState] = Counter()
        self.news = asyncio.Event()
        self.on_stuck: Callable[[Blocked], None] | None = None
        self.turns: Mapping[str, Turns] = {}
        self._bench = bench
        self._workflows = workflows
        self._manner = manner
        self._wanted = set(workflows)
        self._permits = {
            name: Permits(bench.store, bench.clock, name, manner.release) for name in workflows
        }
        self._resources = Resources(bench.store, bench.clock, bench.dice, bench.log)
        self._attempts: dict[RunId, Attempt] = {}
        self._settling: set[RunId] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._room = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def busy(self) -> bool:
        """Whether it has runs in flight."""
        return bool(self._attempts)

    @property
    def in_flight(self) -> int:
        """How many runs it has in flight."""
        return len(self._attempts)

    def retire(self, workflow: str) -> None:
        """Claim no further runs of `workflow`."""
        self._wanted.discard(workflow)

    def stop(self) -> None:
        """Claim nothing more; `work` returns when the runs in flight are done or handed back."""
        self._stopping.set()

    async def work(
        self, *, until_idle: bool = False, allowance: Callable[[], int] | None = None
    ) -> None:
        """Claim and drive runs until `stop` is called, or until nothing is left to do.

        Args:
            until_idle: return once nothing is queued or running under any worker, and
                nothing is due within a second.
            allowance: asked before each claim how many runs may still be claimed.
        """
        loop = asyncio.get_running_loop()
        # It stays when we go: another worker may need it, and outside a run it changes nothing.
        loop.set_task_factory(task_factory)
        pulse = Pulse(loop, self._manner.lease, self.on_stuck, self._bench.log)
        heartbeat = Heartbeat(
            self._bench.store.keeper(),
            self._manner.lease,
            lambda lost: loop.call_soon_threadsafe(self._lose, lost) and None,
            self._bench.log,
            lambda: pulse.is_stuck,
        )
        threads = Threads(
            workflows=ThreadPoolExecutor(self._manner.concurrency, "workflow"),
            steps=ThreadPoolExecutor(self._manner.concurrency, "step"),
        )
        asking = await self._start_asking()
        try:
            with heeding(self._bench.meter, self.turns, self._attempts.get):
                await self._serve(heartbeat, threads, until_idle, allowance)
                await self._drain()
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            if self._bench.meter is not None:
                with suppress(Outage):
                    await self._bench.meter.charge_rest()
            await asyncio.to_thread(heartbeat.stop)
            await asyncio.to_thread(pulse.stop)
            threads.workflows.shutdown(wait=False)
            threads.steps.shutdown(wait=False)
        if self._failure is not None:
            raise self._failure

    async def _start_asking(self) -> list[asyncio.Task[None]]:
        """Ask what is halted, and keep asking, unless no effect is carried out.

        The first answer comes before the first claim: code that cannot wait finds it there.
        """
        if self._manner.captures:
            return []
        for each in self._permits.values():
            await each.ask()
        return [asyncio.create_task(keep_asking(self._permits.values()))]

    async def _serve(
        self,
        heartbeat: Heartbeat,
        threads: Threads,
        until_idle: bool,
        allowance: Callable[[], int] | None,
    ) -> None:
        tended = -POLL
        while not self._stopping.is_set():
            try:
                if self._bench.clock.monotonic() - tended >= min(POLL, self._beat):
                    await self._bench.store.tend()
                    tended = self._bench.clock.monotonic()
                room = self._manner.concurrency - len(self._attempts)
                if allowance is not None:
                    room = min(room, allowance())
                wanted = self._wanted_now(room)
                room = min(wanted.values(), default=0)
                want = self._want(room, wanted)
                claimed = await self._bench.store.claim(want) if room > 0 else []
                self.claimed += len(claimed)
                for one in claimed:
                    self._take(one, heartbeat, threads)
                if claimed:
                    continue
                if until_idle and not self._attempts and await self._is_idle():
                    return
                await self._wait(room > 0)
            except Outage as outage:
                self._bench.log.warning("store.unreachable", error=str(outage))
                await self._bench.clock.sleep(min(POLL, self._beat))

    @property
    def _beat(self) -> float:
        return self._manner.lease.total_seconds() / 3

    def _wanted_now(self, room: int) -> dict[str, int]:
        """Return how many runs of each workflow may be claimed, where any may."""
        turns = ((name, self.turns.get(name)) for name in self._wanted)
        rooms = {name: room if one is None else min(room, one.room()) for name, one in turns}
        return {name: most for name, most in rooms.items() if most > 0}

    def _want(self, limit: int, workflows: Iterable[str]) -> Want:
        return Want(
            worker=self.id,
            workflows=tuple(sorted(workflows)),
            limit=limit,
            lease=self._manner.lease,
            experiment=self._manner.experiment,
            release=self._manner.release,
            suspects=self._manner.suspects,
            most_running=self._manner.most_running,
        )

    async def _is_idle(self) -> bool:
        return await self._bench.store.is_idle(self._want(1, self._wanted), SOON)

    async def _wait(self, has_room: bool) -> None:
        """Return when there may be something to claim, or a slot became free."""
        self._room.clear()
        waits: set[asyncio.Task[Any]] = {
            asyncio.create_task(self._room.wait()),
            asyncio.create_task(self._stopping.wait()),
        }
        if has_room:
            waits.add(asyncio.create_task(self._bench.store.changed(min(POLL, self._beat))))
        try:
            await asyncio.wait(
                waits, return_when=asyncio.FIRST_COMPLETED, timeout=min(POLL, self._beat)
            )
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _take(self, claimed: Claimed, heartbeat: Heartbeat, threads: Threads) -> None:
        world = World(
            store=self._bench.store,
            clock=self._bench.clock,
            ids=self._bench.ids,
            dice=self._bench.dice,
            threads=threads,
            log=self._bench.log,
            captures=self._manner.captures,
            permits=self._permits[claimed.run.workflow],
            resources=self._resources,
            rehearsal=self._manner.rehearsal,
            meter=self._bench.meter,
            turns=self.turns.get(claimed.run.workflow),
            queues=self._manner.queues,
        )
        if former := self._attempts.get(claimed.run.id):
            former.end(Lost())
        attempt = Attempt(claimed, self._workflows[claimed.run.workflow], world)
        self._attempts[claimed.run.id] = attempt
        held = Held(claimed.run.id, claimed.run.fence)
        heartbeat.hold(held)
        if world.turns is not None:
            world.turns.begin()
        task = asyncio.create_task(self._drive(attempt, held, heartbeat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drive(self, attempt: Attempt, held: Held, heartbeat: Heartbeat) -> None:
        unit = None
        try:
            with suppress(Outage):  # then nothing that it does now can be kept, either
                await self._recall(attempt)
            unit = await attempt.drive()
            if self._is_unwired(attempt, unit):
                unit = None  # what is not settled is tried again
            if unit is not None:
                await self._settle(attempt, unit)
            else:
                with suppress(Outage):
                    await self._charge(attempt)
        except BaseException as error:
            self._failure = error
            self._stopping.set()
            raise
        finally:
            heartbeat.let_go(held)
            if attempt.turns is not None:
                end_turn(attempt.turns, unit)
            if self._attempts.get(held.run) is attempt:
                del self._attempts[held.run]
            self._room.set()
            self.news.set()

    def _is_unwired(self, attempt: Attempt, unit: Settle | None) -> bool:
        """Whether a trial failed while no vendor of models is reached; then the work ends."""
        if self._bench.meter is None or attempt.run.trial is None:
            return False
        if unit is not None and unit.failure is None:
            return False
        if (error := self._bench.meter.unreached(attempt.run.id)) is None:
            return False
        self._failure = error
        self._stopping.set()
        return True

    async def _recall(self, attempt: Attempt) -> None:
        """Know what the run has spent on models before this attempt."""
        if self._bench.meter is not None and attempt.run.fence > 1:
            entries = attempt.journal.entries.items()
            ended = {place for place, one in entries if not isinstance(one.outcome, Pending)}
            await self._bench.meter.recall(attempt.run.id, ended)

    async def _charge(self, attempt: Attempt) -> None:
        """Make durable what the attempt has spent on models, whatever became of its run."""
        if self._bench.meter is not None:
            await self._bench.meter.charge(attempt.run.id)

    async def _settle(self, attempt: Attempt, unit: Settle) -> None:
        self._settling.add(unit.run)  # from here on its lease may end before we hear of it
        try:
            await self._charge(attempt)
            answer = await self._bench.store.write(unit)
        except Outage as outage:
            attempt.log.warning("run.not_settled", error=str(outage))
            return
        finally:
            self._settling.discard(unit.run)
        if not isinstance(answer, Done):
            attempt.log.warning("run.lost", why="its lease lapsed, or it was cancelled")
            return
        self.settled[unit.state] += 1
        if (failure := unit.failure) is not None:
            run, said = attempt.run, failure.message[:200]
            log = attempt.log.bind(workflow=run.workflow, release=run.release, state=unit.state)
            log.info("run.failed", step=failure.step, type=failure.type, error=said)
        if unit.note:
            attempt.log.warning("run.parked", note=unit.note)

    def _lose(self, lost: set[RunId]) -> None:
        for run in lost - self._settling:
            if attempt := self._attempts.get(run):
                attempt.log.warning("run.lost", why="its lease lapsed, or it was cancelled")
                attempt.end(Lost())

    async def _drain(self) -> None:
        """Let the runs in flight finish; hand back those that do not."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._manner.drain.total_seconds())
        for attempt in self._attempts.values():
            attempt.end(HandedBack())
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
