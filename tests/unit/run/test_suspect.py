"""Suspects: which end of a child counts against its run, and which does not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from doubles.clock import ManualClock
from doubles.given import LEASE, Given, want
from doubles.shop import PATIENCE, Shop, top, until
from proveout.adapters.troubles import StoreUnavailable
from proveout.domain.run import RunState
from proveout.run import suspect
from proveout.run.define import workflow
from proveout.run.suspect import MAX_CRASHES, go_when_idle, keep_apart
from proveout.run.work import Bench

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proveout.domain.run import RunId
    from proveout.run.work import Worker as RealWorker


class Actor:
    """A child that does what its part says: a process, as its supervisor sees it.

    Attributes:
        stopped: count of times it was told to go.
        killed: count of times it was ended.
    """

    def __init__(self) -> None:
        self.stopped = 0
        self.killed = 0
        self.end: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def gone(self) -> bool:
        return await asyncio.shield(self.end)

    def stop(self) -> None:
        self.stopped += 1

    def kill(self) -> None:
        self.killed += 1
        self.end.set_result(False)


class Obedient(Actor):
    """One that dies at once when it is told to go, as a process does without a handler."""

    def stop(self) -> None:
        super().stop()
        self.end.set_result(False)


class PolitePause(ManualClock):
    """Lets everybody else have a turn in the place of every pause.

    Attributes:
        pauses: count of pauses.
    """

    pauses = 0

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 - a clock's words
        self.pauses += 1
        await asyncio.sleep(0.001)  # noqa: TID251 - real threads need real time


class Stage:
    """Lets children play on a real store.

    Attributes:
        children: those that were started, in order.
    """

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.given = Given(shop.store, shop.clock, shop.ids)
        self.told = asyncio.Event()
        self.children: list[Actor] = []
        self.clock = PolitePause()

    @property
    def bench(self) -> Bench:
        return Bench(
            store=self.shop.store,
            clock=self.clock,
            ids=self.shop.ids,
            dice=self.shop.dice,
            log=structlog.get_logger(),
        )

    async def lost(self) -> RunId:
        """Return a run whose worker died."""
        claimed = await self.given.claimed()
        self.given.clock.advance(LEASE + timedelta(seconds=1))
        await self.given.store.tend()
        return claimed.run.id

    async def keep(self, play: Callable[[str], Awaitable[Actor]]) -> None:
        """Keep suspects apart until told, each child playing `play`."""

        async def spawn(worker: str) -> Actor:
            child = await play(worker)
            self.children.append(child)
            return child

        async with asyncio.timeout(PATIENCE):
            await keep_apart(
                self.bench, want(), spawn, drain=timedelta(seconds=PATIENCE), told=self.told
            )

    async def claim(self, worker: str) -> None:
        """Claim the suspect, as the child of that id does."""
        assert len(await self.given.store.claim(want(worker=worker, suspects=True))) == 1

    async def poisoned(self, worker: str) -> Actor:
        """Play a child that claims the suspect and dies of it."""
        await self.claim(worker)
        child = Actor()
        child.end.set_result(False)
        return child


@pytest.fixture
def stage(shop: Shop) -> Stage:
    """Return a stage on an empty store."""
    return Stage(shop)


async def test_without_suspects_there_is_no_child(stage: Stage) -> None:
    """A queue of innocent runs starts no process."""
    await stage.given.queued()
    keeping = asyncio.create_task(stage.keep(stage.poisoned))

    await until(lambda: stage.clock.pauses > 3)
    stage.told.set()
    await keeping

    assert stage.children == []


async def test_a_child_that_dies_alone_is_counted(stage: Stage) -> None:
    """Three children in a row, each dead of the run, and it is over; no fourth is started."""
    run = await stage.lost()
    keeping = asyncio.create_task(stage.keep(stage.poisoned))

    await until(lambda: _has_ended(stage, run))
    stage.told.set()
    await keeping

    found = await stage.given.known(run)
    assert (found.state, found.crashes) == (RunState.DEAD, MAX_CRASHES)
    assert len(stage.children) == MAX_CRASHES


async def _has_ended(stage: Stage, run: RunId) -> bool:
    return (await stage.given.state(run)).is_final


async def test_a_child_that_goes_by_itself_counts_against_nobody(stage: Stage) -> None:
    """Not even when it left its run behind, because the store was out of reach."""
    run = await stage.lost()

    async def leave(worker: str) -> Actor:
        await stage.claim(worker)
        child = Actor()
        child.end.set_result(True)
        stage.told.set()
        return child

    await stage.keep(leave)

    found = await stage.given.known(run)
    assert (found.state, found.crashes) == (RunState.RUNNING, 0)


async def test_a_child_that_was_told_to_go_counts_against_nobody(stage: Stage) -> None:
    """However it ends then: we asked for it."""
    run = await stage.lost()

    async def work_on(worker: str) -> Actor:
        await stage.claim(worker)
        return Obedient()

    keeping = asyncio.create_task(stage.keep(work_on))
    await until(lambda: bool(stage.children))
    stage.told.set()
    await keeping

    found = await stage.given.known(run)
    assert (found.state, found.crashes) == (RunState.RUNNING, 0)
    assert [(child.stopped, child.killed) for child in stage.children] == [(1, 0)]


async def test_a_child_that_will_not_go_is_ended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that leaves does not wait for ever, and leaves no child behind."""
    await stage.lost()
    monkeypatch.setattr(suspect, "GRACE", -PATIENCE)

    async def work_on(worker: str) -> Actor:
        await stage.claim(worker)
        return Actor()

    keeping = asyncio.create_task(stage.keep(work_on))
    await until(lambda: bool(stage.children))
    stage.told.set()
    await keeping

    assert [(child.stopped, child.killed) for child in stage.children] == [(1, 1)]


async def test_one_child_lives_at_a_time(stage: Stage) -> None:
    """While one lives no other is started, however many suspects wait."""
    await stage.lost()
    stage.given.clock.advance(LEASE)

    async def idle(_: str) -> Actor:
        return Obedient()

    keeping = asyncio.create_task(stage.keep(idle))
    await until(lambda: bool(stage.children))
    looks = [await stage.given.store.has_suspects(want()) for _ in range(50)]
    stage.told.set()
    await keeping

    assert looks == [True] * 50
    assert len(stage.children) == 1


async def test_a_death_is_counted_when_the_store_is_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage at the wrong moment spares nobody."""
    run = await stage.lost()
    blame = stage.shop.store.blame
    outages = [StoreUnavailable("gone"), StoreUnavailable("gone")]

    async def blame_later(*arguments: Any) -> Any:
        if outages:
            raise outages.pop()
        return await blame(*arguments)

    monkeypatch.setattr(stage.shop.store, "blame", blame_later)
    keeping = asyncio.create_task(stage.keep(stage.poisoned))
    await until(lambda: _has_ended(stage, run))
    stage.told.set()
    await keeping

    assert (await stage.given.known(run)).crashes == MAX_CRASHES


async def test_a_child_that_cannot_be_started_is_tried_again(stage: Stage) -> None:
    """No process table is full for ever."""
    run = await stage.lost()
    troubles: list[Exception] = [BlockingIOError("no more processes"), StoreUnavailable("gone")]

    async def start(worker: str) -> Actor:
        if troubles:
            raise troubles.pop()
        return await stage.poisoned(worker)

    keeping = asyncio.create_task(stage.keep(start))
    await until(lambda: _has_ended(stage, run))
    stage.told.set()
    await keeping

    assert (await stage.given.known(run)).state == RunState.DEAD


async def test_a_childs_worker_goes_when_there_are_no_suspects(shop: Shop) -> None:
    """It finishes those there are, leaves all others alone, and stops."""
    calls: list[int] = []

    @workflow
    @top
    async def triage(n: int) -> int:
        calls.append(n)
        return n

    for n in range(3):
        await shop.enqueue(triage, n)
    stage = Stage(shop)
    await shop.store.claim(want(limit=2))
    shop.clock.advance(LEASE * 2)
    await shop.store.tend()
    worker: RealWorker = shop.worker(triage, suspects=True, concurrency=1)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(worker.work(), go_when_idle(stage.bench, want(), worker))

    assert calls == [0, 1]
    assert await shop.store.count() == {RunState.QUEUED: 1, RunState.SUCCEEDED: 2}


async def test_a_childs_worker_stays_while_it_works(shop: Shop) -> None:
    """Negative control: a suspect that runs keeps it, however often it looks."""
    go_on = asyncio.Event()

    @workflow
    @top
    async def triage() -> str:
        await go_on.wait()
        return "done"

    run = await shop.enqueue(triage)
    stage = Stage(shop)
    await shop.store.claim(want())
    shop.clock.advance(LEASE * 2)
    await shop.store.tend()
    worker = shop.worker(triage, suspects=True, concurrency=1, lease=timedelta(days=10))
    working = asyncio.create_task(worker.work())
    await until(lambda: worker.busy)
    going = asyncio.create_task(go_when_idle(stage.bench, want(), worker))
    await until(lambda: stage.clock.pauses > 10)
    stays = not working.done() and not going.done()
    go_on.set()
    await asyncio.gather(working, going)

    assert stays
    assert await shop.result(run) == "done"
