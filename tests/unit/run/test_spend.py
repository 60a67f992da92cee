"""How a step is tried: what is worth a try, how long to wait, and what limits allow."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from doubles.clock import FixedDice
from doubles.given import Given, locked
from doubles.shop import PATIENCE, Shop, top, until
from proveout.adapters.troubles import StoreUnavailable
from proveout.domain.breaker import Breaker
from proveout.domain.journal import Pending, Place
from proveout.domain.limit import Draw, Grant
from proveout.domain.run import RunState
from proveout.errors import Mistake
from proveout.run.define import effect, step, workflow
from proveout.run.limit import limit
from proveout.run.retry import LONGEST

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from proveout.domain.run import Run
    from proveout.ports.store import Store


class Busy(Exception):
    """A vendor says when to come back."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("429")
        self.retry_after = retry_after


def failure(run: Run) -> str:
    assert run.failure is not None
    return run.failure.type


async def test_only_declared_errors_are_tried_again(shop: Shop) -> None:
    """What another try cannot mend fails at once."""
    calls: list[str] = []

    @step(retries=5, retry_on=(ConnectionError, TimeoutError))
    @top
    async def read() -> None:
        calls.append("read")
        raise ConnectionResetError if len(calls) < 3 else KeyError("no such mail")

    @workflow
    @top
    async def triage() -> None:
        await read()

    run = await shop.done(triage)

    assert len(calls) == 3
    assert (run.state, failure(run)) == (RunState.DEAD, "KeyError")


async def test_a_mistake_is_not_tried_again_although_it_is_declared(shop: Shop) -> None:
    calls: list[str] = []

    @effect(retries=5, retry_on=(ValueError,))
    @top
    async def send() -> float:
        calls.append("send")
        return float("nan")

    @workflow
    @top
    async def triage() -> float:
        return await send()

    await shop.done(triage)

    assert calls == ["send"]


@pytest.mark.parametrize("wrong", [(), TimeoutError, (7,), (KeyboardInterrupt,), ["x"]])
def test_what_is_no_class_of_errors_cannot_be_declared(wrong: Any) -> None:
    with pytest.raises(Mistake, match="retry_on"):
        step(retry_on=wrong)


@pytest.mark.parametrize("wrong", [limit("a", per_minute=1), ("openai",), None])
def test_what_is_no_limit_cannot_be_declared(wrong: Any) -> None:
    with pytest.raises(Mistake, match="limits"):
        step(limits=wrong)


async def test_what_an_error_asks_for_is_waited(shop: Shop) -> None:
    """In the slot, as long as that is short."""
    calls: list[str] = []

    @step(retries=1)
    @top
    async def read() -> str:
        calls.append("read")
        if len(calls) == 1:
            raise Busy(20)
        return "read"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    run = await shop.done(triage)

    assert run.state == RunState.SUCCEEDED
    assert shop.slept == pytest.approx([20.2])


@pytest.mark.parametrize("colour", ["async", "plain"])
async def test_a_long_wait_holds_no_slot_and_keeps_its_count(shop: Shop, colour: str) -> None:
    """The run waits in the store; the tries it took stay counted, wherever it goes on."""
    calls: list[str] = []

    def attempt() -> str:
        calls.append("read")
        raise Busy(600)

    @step(retries=2)
    @top
    async def read() -> str:
        return attempt()

    @step(retries=2)
    @top
    def read_plainly() -> str:
        return attempt()

    @workflow
    @top
    async def triage() -> str:
        return await (read() if colour == "async" else asyncio.to_thread(read_plainly))

    began = shop.clock.now()
    run = await shop.done(triage)
    [entry] = await shop.store.journal(run.id)
    assert (run.state, entry.tries) == (RunState.WAITING, 1)
    assert isinstance(entry.outcome, Pending)
    assert run.due == entry.outcome.due
    assert run.due == began + timedelta(seconds=600.2)

    shop.clock.advance(timedelta(seconds=590))
    run = await shop.again(triage, run.id)
    assert (run.state, len(calls)) == (RunState.WAITING, 1)

    for count in (2, 3):
        shop.clock.advance(timedelta(seconds=601))
        run = await shop.again(triage, run.id)
        [entry] = await shop.store.journal(run.id)
        assert entry.tries == count

    assert (run.state, failure(run)) == (RunState.DEAD, "Busy")
    assert len(calls) == 3
    assert entry.started == began
    assert entry.elapsed == pytest.approx(590 + 2 * 601, abs=15)
    assert shop.slept == []


async def test_branches_go_on_while_a_step_waits_for_its_try(shop: Shop) -> None:
    """Only when every branch waits does the run leave its worker."""
    calls: list[str] = []

    @step(retries=1)
    @top
    async def read(mail: str) -> str:
        calls.append(mail)
        if mail == "busy" and calls.count("busy") == 1:
            raise Busy(600)
        return mail

    @workflow
    @top
    async def triage() -> list[str]:
        return list(await asyncio.gather(read("busy"), two()))

    async def two() -> str:
        return await read("a") + await read("b")

    run = await shop.done(triage)
    assert (run.state, calls) == (RunState.WAITING, ["busy", "a", "b"])

    shop.clock.advance(timedelta(seconds=601))
    run = await shop.again(triage, run.id)

    assert await shop.result(run.id) == ["busy", "ab"]
    assert calls == ["busy", "a", "b", "busy"]


async def test_a_trial_holds_its_slot_however_long_it_waits(
    shop: Shop, store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """A run that comes back is one more call of its experiment."""
    calls: list[str] = []

    @step(retries=1)
    @top
    async def read() -> str:
        calls.append("read")
        if len(calls) == 1:
            raise Busy(600)
        return "read"

    @workflow
    @top
    async def triage(mail: object) -> str:
        assert mail
        return await read()

    given = Given(store, clock, ids)
    experiment = await store.lock(locked())
    await given.enqueue(given.trial(0))
    await shop.work(triage, experiment=experiment.id, lease=timedelta(hours=1))

    [trial] = await store.trials(experiment.id, "workflow", 0, 9)
    assert (trial.state, trial.fence) == (RunState.SUCCEEDED, 1)
    assert shop.slept == pytest.approx([600.2])


async def test_steps_wait_for_their_limit(shop: Shop) -> None:
    """Each try is a call: what may be used at once is, the rest comes at the rate."""
    openai = limit("openai", per_minute=60, burst=2)
    moments: list[float] = []

    @step(retries=1, limits=(openai,))
    @top
    async def read() -> str:
        moments.append(shop.clock.monotonic())
        if len(moments) == 4:
            raise LookupError
        return "read"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    for _ in range(7):
        await shop.enqueue(triage)
    await shop.work(triage)

    assert len(moments) == 8
    assert moments[:2] == [0, 0]
    for count, moment in enumerate(moments[2:], 1):
        assert moment >= count - 0.01, "more than the rate"
        assert moment <= count * 1.2 + 0.3, "far less than the rate"


async def test_workers_share_a_limit(
    shop: Shop, store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """What one worker uses is gone for the other."""
    openai = limit("openai", per_minute=60, burst=3)
    moments: list[float] = []

    @step(limits=(openai,))
    @top
    async def read() -> None:
        moments.append(clock.monotonic())

    @workflow
    @top
    async def triage() -> None:
        await read()

    for _ in range(10):
        await shop.enqueue(triage)
    other = Shop(store, clock, ids)
    await asyncio.gather(shop.work(triage, concurrency=2), other.work(triage, concurrency=2))

    assert len(moments) == 10
    assert all(sum(m <= at for m in moments) <= 3 + at + 1 for at in moments)


async def test_a_run_that_would_wait_long_for_a_limit_waits_in_the_store(shop: Shop) -> None:
    """It counts no try, and is tried when its turn has come."""
    slow = limit("slow", per_minute=0.5, burst=1)

    @step(limits=(slow,))
    @top
    async def read() -> str:
        return "read"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    await shop.done(triage)
    run = await shop.done(triage)
    entry = await shop.entry(run.id, "read")
    assert (run.state, entry.tries) == (RunState.WAITING, 0)

    shop.clock.advance(timedelta(seconds=121))
    run = await shop.again(triage, run.id)

    assert (run.state, (await shop.entry(run.id, "read")).tries) == (RunState.SUCCEEDED, 1)


@pytest.mark.parametrize("colour", ["async", "plain"])
async def test_tokens_are_reserved_and_settled(shop: Shop, colour: str) -> None:
    """What was reserved too much is there for the next; what was used too much is owed."""
    openai = limit("openai", tokens_per_minute=6000, tokens_burst=1000)
    moments: list[float] = []

    @step
    @top
    async def ask(reserve: int, use: int) -> None:
        async with openai.use(tokens=reserve) as using:
            moments.append(shop.clock.monotonic())
            using.spent(use)

    @step
    @top
    def ask_plainly(reserve: int, use: int) -> None:
        with openai.use(tokens=reserve) as using:
            moments.append(shop.clock.monotonic())
            using.spent(use)

    @workflow
    @top
    async def triage() -> None:
        for reserve, use in ((1000, 100), (900, 1500), (300, 300)):
            if colour == "async":
                await ask(reserve, use)
            else:
                await asyncio.to_thread(ask_plainly, reserve, use)

    await shop.done(triage)

    assert moments[:2] == [0, 0], "the 900 that were given back"
    assert 9 <= moments[2] <= 9 * 1.2 + 0.1, "600 owed and 300 more, at 100 a second"


async def test_a_use_is_a_call_unless_the_step_declared_it(shop: Shop) -> None:
    openai = limit("openai", per_minute=60, burst=2)

    @step(limits=(openai,))
    @top
    async def declared() -> None:
        async with openai.use(), openai.use():
            pass

    @step
    @top
    async def counted() -> None:
        async with openai.use():
            pass

    @workflow
    @top
    async def triage() -> None:
        await declared()
        await counted()

    await shop.done(triage)
    assert shop.slept == []

    await shop.done(triage)
    assert shop.slept != []


async def test_waiting_for_a_limit_is_no_time_of_the_step(shop: Shop) -> None:
    """The time-out stands still; what the call itself takes still counts."""
    held = asyncio.Event()
    openai = limit("openai", per_minute=60, burst=1)
    inner = shop.store.take

    async def slow(draw: Draw) -> Grant:
        await asyncio.wait_for(held.wait(), PATIENCE)
        return await inner(draw)

    shop.store.take = slow

    @step(timeout=0.05)
    @top
    async def read() -> str:
        async with openai.use():
            return "read"

    @step(timeout=0.05)
    @top
    async def hang() -> str:
        async with openai.use():
            await asyncio.Event().wait()
        return ""

    @workflow
    @top
    async def triage(kind: str) -> str:
        return await (read() if kind == "read" else hang())

    asyncio.get_running_loop().call_later(0.2, held.set)
    waited = await shop.done(triage, "read")
    hung = await shop.done(triage, "hang")

    assert waited.state == RunState.SUCCEEDED
    assert (hung.state, failure(hung)) == (RunState.DEAD, "TimeoutError")


async def test_a_limit_means_nothing_outside_a_run() -> None:
    openai = limit("openai", per_minute=0.001, tokens_per_minute=1)

    @step(limits=(openai,))
    @top
    async def read() -> str:
        async with openai.use(tokens=1) as one:
            one.spent(9)
        with openai.use(tokens=1):
            return "read"

    assert [await read() for _ in range(3)] == ["read"] * 3


async def test_a_limit_is_used_in_steps_and_never_by_blocking_the_loop(shop: Shop) -> None:
    openai = limit("openai", per_minute=60)
    refused: list[str] = []

    @step
    @top
    async def read() -> None:
        try:
            with openai.use():
                raise AssertionError
        except Mistake as mistake:
            refused.append(str(mistake))

    @workflow
    @top
    async def triage() -> None:
        await read()
        try:
            async with openai.use():
                raise AssertionError
        except Mistake as mistake:
            refused.append(str(mistake))

    await shop.done(triage)

    assert len(refused) == 2
    assert "plain `with`" in refused[0]
    assert "between the steps" in refused[1]


async def test_without_the_store_no_limit_allows_anything(shop: Shop) -> None:
    """It fails closed, and goes on when the store is back."""
    openai = limit("openai", per_minute=60)
    inner, asked = shop.store.take, list[Draw]()

    async def broken(draw: Draw) -> Grant:
        asked.append(draw)
        if len(asked) < 3:
            raise StoreUnavailable("gone")
        return await inner(draw)

    shop.store.take = broken

    @step(limits=(openai,))
    @top
    async def read() -> str:
        assert len(asked) == 3
        return "read"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    run = await shop.done(triage)

    assert (run.state, len(asked)) == (RunState.SUCCEEDED, 3)


async def test_a_resource_that_keeps_failing_is_left_alone_then_probed(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """Further tries wait instead of calling; one probes it, and its success lets all through."""
    shop = Shop(store, clock, ids, FixedDice(0.0))
    openai = limit("openai", breaker=Breaker(3, within="30 s", cool="8 s"))
    calls: list[float] = []

    @step(retries=9, limits=(openai,))
    @top
    async def read() -> str:
        calls.append(clock.monotonic())
        if clock.monotonic() < 12:
            raise ConnectionError
        return "read"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    with capture_logs() as logs:
        run = await shop.done(triage)

    told = [log["event"] for log in logs if log["event"].startswith("breaker")]
    assert calls == [0, 0, 0, 8, 16], "three failures, then a probe each time it is cool"
    assert told == ["breaker.opened", "breaker.closed"]
    assert run.state == RunState.SUCCEEDED


async def test_a_resource_that_stays_open_for_long_holds_no_slot(shop: Shop) -> None:
    openai = limit("openai", breaker=Breaker(1, cool="5 min"))

    @step(retries=1, limits=(openai,))
    @top
    async def read() -> str:
        raise ConnectionError

    @workflow
    @top
    async def triage() -> str:
        return await read()

    run = await shop.done(triage)

    assert (run.state, (await shop.entry(run.id, "read")).tries) == (RunState.WAITING, 1)
    assert sum(shop.slept) < LONGEST


async def test_an_error_that_no_try_would_mend_does_not_open_a_breaker(shop: Shop) -> None:
    """The resource answered: the request was wrong."""
    openai = limit("openai", breaker=Breaker(1))

    @step(retry_on=(ConnectionError,), limits=(openai,))
    @top
    async def read() -> None:
        raise KeyError

    @workflow
    @top
    async def triage() -> None:
        await read()

    with capture_logs() as logs:
        await shop.done(triage)

    assert [log for log in logs if log["event"] == "breaker.opened"] == []


async def test_a_drained_worker_waits_for_no_limit(shop: Shop) -> None:
    """Runs that wait for their turn are handed back at once."""
    slow = limit("slow", per_minute=2, burst=1)

    @step(limits=(slow,))
    @top
    async def read() -> str:
        return "read"

    @workflow
    @top
    async def triage() -> str:
        return await read()

    await shop.done(triage)
    shop.store.take = _never
    runs = [await shop.enqueue(triage) for _ in range(3)]
    worker = shop.worker(triage, drain=timedelta(0))
    working = asyncio.create_task(worker.work())
    await until(lambda: worker.claimed == 3)
    worker.stop()
    await asyncio.wait_for(working, PATIENCE)

    assert {(await shop.run(run)).state for run in runs} == {RunState.QUEUED}


async def _never(draw: Draw) -> Grant:
    await asyncio.sleep(0)  # noqa: TID251 - lets the others go on
    return Grant(0.0, 0.001 if draw.least else 0.0)


async def test_a_step_that_waits_has_the_place_it_will_have(shop: Shop) -> None:
    @step(retries=1)
    @top
    async def read() -> None:
        raise Busy(60)

    @workflow
    @top
    async def triage() -> None:
        await read()

    run = await shop.done(triage)

    assert [e.place for e in await shop.store.journal(run.id)] == [Place("", "read", 0)]
