"""A worker: how much it takes on, when it lets go, and what it does when a run is lost."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from doubles.models import ListedPrices
from doubles.shop import PATIENCE, Shop, top, until
from proveout.adapters.troubles import StoreUnavailable
from proveout.domain.journal import EntryKind
from proveout.domain.run import RunState
from proveout.domain.unit import Done
from proveout.ports.meter import Asked, Begun, Said
from proveout.prove.pace import Pace, Sign
from proveout.prove.turns import PacedTurns
from proveout.run.caller import current_caller
from proveout.run.define import effect, step, workflow
from proveout.run.meter import ModelMeter
from proveout.run.work import Manner

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from doubles.stores import Open
    from proveout.domain.run import RunId
    from proveout.domain.unit import Unit

LEASE = timedelta(seconds=30)
AT_ONCE = timedelta(0)


async def lapse(shop: Shop, run: RunId) -> None:
    """Let the lease of a running run lapse, and return it to the queue."""

    async def lapsed() -> bool:
        shop.clock.advance(2 * LEASE)
        await shop.store.tend()
        return await state(shop, run) == RunState.QUEUED

    await until(lapsed)


async def state(shop: Shop, run: RunId) -> RunState:
    return (await shop.run(run)).state


def test_effects_are_captured_unless_a_worker_is_told_otherwise() -> None:
    """Nothing leaves by default."""
    assert Manner().captures


async def test_no_more_runs_are_in_flight_than_allowed(shop: Shop) -> None:
    """The limit holds for both colours together; whoever ends makes room for the next."""
    running: list[int] = []
    most: list[int] = []
    opened = asyncio.Event()

    @workflow
    @top
    async def triage() -> None:
        running.append(1)
        most.append(len(running))
        if len(running) == 3:
            opened.set()
        await opened.wait()
        await asyncio.sleep(0)  # noqa: TID251 - lets another one in, were there room
        running.pop()

    for _ in range(20):
        await shop.enqueue(triage)
    await shop.work(triage, concurrency=3)

    assert max(most) == 3
    assert await shop.store.count() == {RunState.SUCCEEDED: 20}


async def test_threads_are_as_many_as_runs(shop: Shop) -> None:
    """As many plain workflows run at once as there are slots, and no more."""
    together = threading.Barrier(3)
    running: list[int] = []
    most: list[int] = []

    @workflow
    @top
    def triage() -> None:
        running.append(1)
        most.append(len(running))
        together.wait(10)
        running.pop()

    for _ in range(9):
        await shop.enqueue(triage)
    await shop.work(triage, concurrency=3)

    assert max(most) == 3


async def test_a_worker_takes_only_what_it_was_allowed(shop: Shop) -> None:
    """The allowance is asked before each claim."""
    left = [2]

    @workflow
    @top
    async def triage() -> None:
        left[0] -= 1

    for _ in range(5):
        await shop.enqueue(triage)
    worker = shop.worker(triage, concurrency=1)
    working = asyncio.create_task(worker.work(allowance=lambda: left[0]))
    await until(lambda: worker.settled.total() == 2)
    worker.stop()
    await working

    assert await shop.store.count() == {RunState.QUEUED: 3, RunState.SUCCEEDED: 2}


async def test_a_worker_leaves_what_it_does_not_know(shop: Shop) -> None:
    """It is idle although others have work to do."""

    @workflow
    @top
    async def known() -> None: ...

    @workflow
    @top
    async def unknown() -> None: ...

    run = await shop.enqueue(unknown)
    await shop.done(known)

    assert await state(shop, run) == RunState.QUEUED


async def test_a_worker_that_stops_lets_its_runs_finish(shop: Shop) -> None:
    """Nothing new is claimed; what is in flight has its time."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    @workflow
    @top
    async def triage() -> str:
        begun.set()
        await go_on.wait()
        return "done"

    run = await shop.enqueue(triage)
    worker = shop.worker(triage, concurrency=1)
    working = asyncio.create_task(worker.work())
    await begun.wait()
    later = await shop.enqueue(triage)
    worker.stop()
    go_on.set()
    await working

    assert [await state(shop, one) for one in (run, later)] == [
        RunState.SUCCEEDED,
        RunState.QUEUED,
    ]


@pytest.mark.parametrize("colour", ["async", "plain"])
async def test_a_worker_that_stops_hands_back_what_takes_too_long(shop: Shop, colour: str) -> None:
    """At once, without waiting for the lease; the next worker resumes from the journal."""
    calls: list[str] = []
    begun = asyncio.Event()
    go_on = threading.Event()

    @step
    @top
    async def read(mail: str) -> str:
        calls.append(mail)
        return mail

    @step
    @top
    def read_plainly(mail: str) -> str:
        calls.append(mail)
        return mail

    @workflow
    @top
    async def triage(mail: str) -> str:
        await read(mail)
        begun.set()
        await asyncio.to_thread(go_on.wait, PATIENCE)
        return await read("again")

    @workflow
    @top
    def plain(mail: str) -> str:
        read_plainly(mail)
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(PATIENCE)
        return read_plainly("again")

    loop = asyncio.get_running_loop()
    chosen = triage if colour == "async" else plain
    run = await shop.enqueue(chosen, "x")
    worker = shop.worker(chosen, drain=AT_ONCE)
    working = asyncio.create_task(worker.work())
    await begun.wait()
    worker.stop()
    await working
    handed_back = await state(shop, run)
    go_on.set()
    await shop.work(chosen)

    assert handed_back == RunState.QUEUED
    assert (await state(shop, run), await shop.result(run)) == (RunState.SUCCEEDED, "again")
    assert calls == ["x", "again"]


async def test_a_run_is_not_handed_back_while_a_thread_works_on_it(shop: Shop) -> None:
    """A thread cannot be stopped: another worker's try beside it would overlap."""
    begun = asyncio.Event()
    go_on = threading.Event()
    calls: list[str] = []

    @step
    @top
    def read(mail: str) -> str:
        calls.append(mail)
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(PATIENCE)
        return mail

    @workflow
    @top
    def plain(mail: str) -> str:
        return read(mail)

    @workflow
    @top
    async def threaded(mail: str) -> str:
        return await asyncio.to_thread(read, mail)

    loop = asyncio.get_running_loop()
    for chosen in (plain, threaded):
        begun.clear()
        go_on.clear()
        run = await shop.enqueue(chosen, "x")
        worker = shop.worker(chosen, drain=AT_ONCE)
        working = asyncio.create_task(worker.work())
        await begun.wait()
        worker.stop()
        await asyncio.wait({working}, timeout=0.05)
        in_thread = await state(shop, run)
        go_on.set()
        await working
        ended = await state(shop, run)
        await shop.work(chosen)

        assert (in_thread, ended) == (RunState.RUNNING, RunState.QUEUED)
        assert await shop.result(run) == "x"
    assert calls == ["x", "x"]


async def test_a_worker_that_finds_its_lease_lost_stops(shop: Shop) -> None:
    """At the next heartbeat its attempt ends; the other worker's result stands."""
    calls: list[str] = []
    begun = asyncio.Event()

    @step
    @top
    async def read() -> str:
        calls.append("called")
        if len(calls) > 1:
            return "by the second"
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            calls.append("stopped")
        return "by the first"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    run = await shop.enqueue(triage)
    first = shop.worker(triage, lease=timedelta(seconds=0.3))
    working = asyncio.create_task(first.work())
    await begun.wait()
    first.stop()
    await lapse(shop, run)
    await shop.work(triage)
    await working

    assert await shop.result(run) == "by the second"
    assert sorted(calls) == ["called", "called", "stopped"]
    assert first.settled.total() == 0


async def test_a_step_that_is_refused_by_the_fence_says_so(shop: Shop) -> None:
    """Whichever hears first of the loss, the heartbeat or the step's own write, it is logged."""
    begun, cancelled = asyncio.Event(), asyncio.Event()

    @step
    @top
    async def read() -> str:
        begun.set()
        await cancelled.wait()
        return "late"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    run = await shop.enqueue(triage)
    with capture_logs() as said:
        worker = shop.worker(triage)
        working = asyncio.create_task(worker.work(until_idle=True))
        await begun.wait()
        await shop.cancel(run)
        cancelled.set()
        await working

    assert [(one["event"], one["run"]) for one in said] == [("run.lost", run)]
    assert worker.settled.total() == 0


async def test_a_worker_that_claims_its_own_lost_run_ends_the_old_attempt(shop: Shop) -> None:
    """Two attempts at one run never stand side by side, not even in one worker."""
    begun = asyncio.Event()
    calls: list[str] = []

    @step
    @top
    async def read() -> str:
        calls.append("called")
        if len(calls) > 1:
            return "by the second"
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            calls.append("stopped")
        return "by the first"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    run = await shop.enqueue(triage)
    worker = shop.worker(triage)
    working = asyncio.create_task(worker.work())
    await begun.wait()
    shop.clock.advance(2 * LEASE)
    await until(lambda: worker.settled)
    worker.stop()
    async with asyncio.timeout(PATIENCE):
        await working

    assert await shop.result(run) == "by the second"
    assert sorted(calls) == ["called", "called", "stopped"]
    assert worker.settled.total() == 1


async def test_a_late_write_is_refused(shop: Shop) -> None:
    """A worker that does not know yet that it lost a run changes nothing about it."""
    calls: list[str] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    @step
    @top
    async def read() -> str:
        calls.append("called")
        if len(calls) > 1:
            return "by the second"
        begun.set()
        await go_on.wait()
        return "by the first"

    @workflow
    @top
    async def triage() -> str:
        try:
            return await read()
        except BaseException:  # noqa: BLE001 - as stubborn as code can be
            return "settled by the first"

    run = await shop.enqueue(triage)
    first = shop.worker(triage)
    working = asyncio.create_task(first.work())
    await begun.wait()
    first.stop()
    await lapse(shop, run)
    await shop.work(triage)
    go_on.set()
    await working

    assert await shop.result(run) == "by the second"
    assert (await shop.entry(run, "read")).outcome
    assert (await shop.run(run)).fence == 2
    assert first.settled.total() == 0


async def test_a_late_end_is_refused(shop: Shop) -> None:
    """Nor can a worker settle a run that it lost after its last step."""
    calls: list[str] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    @workflow
    @top
    async def triage() -> str:
        calls.append("called")
        if len(calls) > 1:
            return "by the second"
        begun.set()
        await go_on.wait()
        return "by the first"

    run = await shop.enqueue(triage)
    first = shop.worker(triage)
    working = asyncio.create_task(first.work())
    await begun.wait()
    first.stop()
    await lapse(shop, run)
    await shop.work(triage)
    go_on.set()
    await working

    assert await shop.result(run) == "by the second"
    assert first.settled.total() == 0


async def test_a_cancelled_run_stops(shop: Shop) -> None:
    """A person's word ends the attempt at the next heartbeat; nothing it does counts."""
    begun, stopped = asyncio.Event(), asyncio.Event()

    @step
    @top
    async def read() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return "read"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    run = await shop.enqueue(triage)
    worker = shop.worker(triage, lease=timedelta(seconds=0.3))
    working = asyncio.create_task(worker.work())
    await begun.wait()
    answer = await shop.cancel(run)
    await stopped.wait()
    worker.stop()
    await working

    assert answer == Done()
    assert await state(shop, run) == RunState.CANCELLED
    assert await shop.store.journal(run) == []


async def test_idle_means_that_nobody_works(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that works until idle waits for another worker's run: it may come back."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    looks: list[bool] = []
    is_idle = shop.store.is_idle

    async def look(*wanted: Any) -> bool:
        looks.append(await is_idle(*wanted))
        return looks[-1]

    @workflow
    @top
    async def triage() -> str:
        begun.set()
        await go_on.wait()
        return "done"

    run = await shop.enqueue(triage)
    first = shop.worker(triage)
    working = asyncio.create_task(first.work())
    await begun.wait()
    monkeypatch.setattr(shop.store, "is_idle", look)
    waiting = asyncio.create_task(shop.work(triage, lease=timedelta(seconds=0.03)))
    await until(lambda: len(looks) > 2)
    still_there = not waiting.done()
    go_on.set()
    await waiting
    first.stop()
    await working

    assert still_there
    assert (set(looks[:-1]), looks[-1]) == ({False}, True)
    assert await state(shop, run) == RunState.SUCCEEDED


async def test_workers_share_what_there_is(
    clock: ManualClock, ids: CountedIds, reopen: Open
) -> None:
    """Two workers with stores of their own claim each run once."""
    here, there = Shop(await reopen(), clock, ids), Shop(await reopen(), clock, ids)
    calls: list[int] = []

    @step
    @top
    async def read(n: int) -> int:
        calls.append(n)
        return n

    @workflow
    @top
    async def triage(n: int) -> int:
        return await read(n)

    for n in range(50):
        await here.enqueue(triage, n)
    await asyncio.gather(here.work(triage, concurrency=4), there.work(triage, concurrency=4))

    assert sorted(calls) == list(range(50))
    assert await here.store.count() == {RunState.SUCCEEDED: 50}


async def test_a_store_that_is_out_of_reach_is_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage ends no worker; it goes on when the store is back."""
    claim = shop.store.claim
    outages = [StoreUnavailable("gone"), StoreUnavailable("gone")]

    async def claim_later(*wanted: Any) -> Any:
        if outages:
            raise outages.pop()
        return await claim(*wanted)

    @workflow
    @top
    async def triage() -> str:
        return "done"

    monkeypatch.setattr(shop.store, "claim", claim_later)
    run = await shop.done(triage)

    assert (run.state, len(shop.slept)) == (RunState.SUCCEEDED, 2)


async def test_a_run_whose_write_failed_is_left_to_its_lease(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown is not failed: the attempt lets go, and the run is resumed when its lease lapsed."""
    calls: list[str] = []
    write = shop.store.write
    outages = [StoreUnavailable("gone")]

    async def write_not(unit: Unit) -> Any:
        if outages:
            raise outages.pop()
        return await write(unit)

    @step
    @top
    async def read() -> str:
        calls.append("read")
        return "read"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    run = await shop.enqueue(triage)
    monkeypatch.setattr(shop.store, "write", write_not)
    worker = shop.worker(triage)
    working = asyncio.create_task(worker.work())
    await until(lambda: not outages)
    worker.stop()
    await working
    abandoned = await state(shop, run)
    await lapse(shop, run)
    await shop.work(triage)

    assert abandoned == RunState.RUNNING
    assert await shop.result(run) == "read"
    assert calls == ["read", "read"]


async def test_a_worker_captures_effects_by_default(shop: Shop) -> None:
    @effect
    @top
    async def send(mail: str) -> None:
        raise AssertionError(mail)

    @workflow
    @top
    async def triage(mail: str) -> None:
        await send(mail)

    run = await shop.done(triage, "x", captures=True)

    assert (await shop.entry(run.id, "send")).kind is EntryKind.CAPTURED


async def test_a_model_that_turns_a_run_away_slows_its_workflow_down(shop: Shop) -> None:
    """Though the vendor's own client tries again within the step, and nothing is raised."""
    meter = ModelMeter(shop.store, shop.clock, shop.ids, ListedPrices({}))
    asked = Asked(provider="openai", model="m", size=1, most=1)

    @step
    @top
    async def ask(statuses: list[int]) -> None:
        for status in statuses:
            begun = meter.begin(current_caller(), asked)
            assert isinstance(begun, Begun)
            shop.clock.advance(timedelta(seconds=1))
            meter.end(begun.id, Said(model="m", status=status, tokens=None))
            await asyncio.sleep(0)  # noqa: TID251 - calls end in other threads as well

    @workflow
    @top
    async def triage(statuses: list[int]) -> None:
        await ask(statuses)

    slowed: list[Sign | None] = []
    for statuses in ([200, 200], [200, 429, 200]):
        pace = Pace(8)
        worker = shop.worker(triage, meter=meter)
        worker.turns = {triage.name: PacedTurns(pace, shop.clock)}
        await shop.enqueue(triage, statuses)
        await worker.work(until_idle=True)
        slowed.append(pace.sign)

    assert slowed == [None, Sign.TURNED_AWAY]


async def test_a_workflow_that_is_held_does_not_hold_another(shop: Shop) -> None:
    """Each has its own turns, and no more of it are in flight than those."""
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def count(name: str) -> None:
        running[name] += 1
        most[name] = max(most[name], running[name])
        await asyncio.sleep(0)  # noqa: TID251 - lets others in, were there room
        running[name] -= 1

    @workflow
    @top
    async def quick() -> None:
        await count("quick")

    @workflow
    @top
    async def held() -> None:
        await count("held")

    paces = {one.name: Pace(2) for one in (quick, held)}
    worker = shop.worker(quick, held, concurrency=8)
    worker.turns = {name: PacedTurns(pace, shop.clock) for name, pace in paces.items()}
    paces[held.name].turned_away(shop.clock.monotonic(), shop.clock.monotonic(), 60.0)
    for _ in range(10):
        await shop.enqueue(quick)
        await shop.enqueue(held)

    work = asyncio.create_task(worker.work(until_idle=True))
    await until(lambda: worker.settled[RunState.SUCCEEDED] == 10)
    before = dict(most)
    shop.clock.advance(timedelta(seconds=61))
    await work

    assert before == {"quick": 2}
    assert max(most.values()) == 2
    assert worker.settled == {RunState.SUCCEEDED: 20}
