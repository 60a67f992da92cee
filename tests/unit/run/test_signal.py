"""Waiting for a signal: early, late, in order, in time, and in a trial."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.shop import top, until
from proveout.domain.experiment import ExperimentId
from proveout.domain.journal import EntryKind, Pending
from proveout.domain.run import RunState, Trial
from proveout.errors import Mistake
from proveout.run.ask import sleep
from proveout.run.define import step, workflow
from proveout.run.enqueue import Request, enqueue
from proveout.run.send import RunOver
from proveout.run.signal import NoSignal, signal

if TYPE_CHECKING:
    from doubles.shop import Shop
    from proveout.domain.workflow import Workflow

HOUR = timedelta(hours=1)


@dataclass
class Payment:
    """What a customer paid."""

    cents: int


@workflow
async def ships() -> Any:
    """Return what was sent."""
    return await signal("paid")


@workflow
def ships_plainly() -> Any:
    """Do the same in plain code."""
    return signal("paid")


@workflow
async def ships_in_time() -> str:
    """Return what was sent within an hour."""
    try:
        return f"{await signal('paid', within='1 h')}"
    except NoSignal as error:
        return error.message


@workflow
def ships_in_time_plainly() -> str:
    """Do the same in plain code."""
    try:
        return f"{signal('paid', within=HOUR)}"
    except NoSignal as error:
        return error.message


BOTH = pytest.mark.parametrize("order", [ships, ships_plainly], ids=["async", "plain"])
BOTH_IN_TIME = pytest.mark.parametrize(
    "order", [ships_in_time, ships_in_time_plainly], ids=["async", "plain"]
)


@BOTH
async def test_a_run_waits_for_its_signal(shop: Shop, order: Workflow[..., Any]) -> None:
    """It holds nothing until the signal comes, and goes on with its value."""
    run = await shop.done(order)
    entry = await shop.entry(run.id, "signal paid")
    await shop.send(run.id, "paid", {"cents": 5})
    after = await shop.again(order, run.id)

    assert (run.state, run.due) == (RunState.WAITING, None)
    assert (entry.kind, entry.outcome) == (EntryKind.SIGNAL, Pending())
    assert (after.state, after.fence) == (RunState.SUCCEEDED, 2)
    assert await shop.result(run.id) == {"cents": 5}


@BOTH
async def test_a_signal_may_come_before_the_wait(shop: Shop, order: Workflow[..., Any]) -> None:
    """Sent to a run that nobody has begun, it is there when the run waits for it."""
    run = await shop.enqueue(order)
    await shop.send(run, "paid", 7)
    await shop.work(order)

    assert await shop.result(run) == 7


async def test_a_signal_of_another_name_wakes_nobody(shop: Shop) -> None:
    run = await shop.done(ships)
    await shop.send(run.id, "refunded", 1)
    after = await shop.again(ships, run.id)

    assert (after.state, after.fence) == (RunState.WAITING, 1)


async def test_signals_of_one_name_are_taken_in_order(shop: Shop) -> None:
    """One by each wait, whether it was there before them or not."""

    @workflow
    @top
    async def collects() -> list[int]:
        return [await signal("part") for _ in range(4)]

    run = await shop.done(collects)
    for part in range(3):
        await shop.send(run.id, "part", part)
    between = await shop.again(collects, run.id)
    await shop.send(run.id, "part", 3)
    await shop.work(collects)

    assert between.state is RunState.WAITING
    assert await shop.result(run.id) == [0, 1, 2, 3]


async def test_a_signal_during_the_attempt_is_not_missed(shop: Shop) -> None:
    """The sender may be quicker than another branch; the run goes on without a pause."""
    sent = asyncio.Event()

    @step
    @top
    async def read() -> str:
        await sent.wait()
        return "read"

    async def hear() -> str:
        return await signal("paid")

    @workflow
    @top
    async def ships() -> list[str]:
        return list(await asyncio.gather(hear(), read()))

    run = await shop.enqueue(ships)
    working = asyncio.create_task(shop.work(ships))
    await until(lambda: shop.store.journal(run))
    await shop.send(run, "paid", "paid")
    sent.set()
    await working

    assert await shop.result(run) == ["paid", "read"]


@BOTH_IN_TIME
async def test_a_signal_in_time_is_taken(shop: Shop, order: Workflow[..., str]) -> None:
    run = await shop.done(order)
    shop.clock.advance(HOUR - timedelta(seconds=2))
    early = await shop.again(order, run.id)
    await shop.send(run.id, "paid", "cash")
    await shop.work(order)

    assert run.due == run.created + HOUR
    assert early.state is RunState.WAITING
    assert await shop.result(run.id) == "cash"


@BOTH_IN_TIME
async def test_a_signal_that_nobody_sent_in_time_is_an_error(
    shop: Shop, order: Workflow[..., str]
) -> None:
    """The workflow learns it, and may handle it."""
    run = await shop.done(order)
    shop.clock.advance(HOUR)
    await shop.work(order)

    assert await shop.result(run.id) == 'nobody sent "paid" within 1 h'


async def test_an_overdue_signal_is_overdue_in_every_later_attempt(shop: Shop) -> None:
    """The journal keeps the error: a signal that comes after it changes nothing."""

    @workflow
    @top
    async def ships() -> str:
        try:
            await signal("paid", within="1 h")
        except NoSignal:
            await sleep("1 h")
            return "cancelled"
        return "shipped"

    run = await shop.done(ships)
    shop.clock.advance(HOUR)
    await shop.work(ships)
    await shop.send(run.id, "paid", 1)
    shop.clock.advance(HOUR)
    after = await shop.again(ships, run.id)

    assert (after.state, after.result) == (RunState.SUCCEEDED, b'"cancelled"')


async def test_an_overdue_signal_that_nobody_handles_fails_the_run(shop: Shop) -> None:
    @workflow
    @top
    async def ships() -> None:
        await signal("paid", within="1 h")

    run = await shop.done(ships)
    shop.clock.advance(HOUR)
    after = await shop.again(ships, run.id)

    assert after.state is RunState.FAILED
    assert after.failure is not None
    assert (after.failure.type, after.failure.message) == (
        "NoSignal",
        'nobody sent "paid" within 1 h',
    )


async def test_a_value_has_the_type_that_was_asked_for(shop: Shop) -> None:
    @workflow
    @top
    async def ships() -> int:
        payment: Payment = await signal("paid", Payment)
        return payment.cents

    run = await shop.done(ships)
    await shop.send(run.id, "paid", {"cents": 5})
    await shop.work(ships)

    assert await shop.result(run.id) == 5


async def test_a_value_of_another_type_parks_the_run(shop: Shop) -> None:
    """Only the workflow knows the type; a sender's slip is for a person to mend."""

    @workflow
    @top
    async def ships() -> int:
        return (await signal("paid", Payment)).cents

    run = await shop.done(ships)
    await shop.send(run.id, "paid", {"euros": 5})
    after = await shop.again(ships, run.id)

    assert after.state is RunState.PARKED
    assert after.note.startswith("a signal cannot be used: the signal paid has the wrong shape")


async def test_a_run_that_has_ended_takes_no_signal(shop: Shop) -> None:
    run = await shop.done(ships)
    await shop.cancel(run.id)

    with pytest.raises(RunOver, match="has ended and takes no signal"):
        await shop.send(run.id, "paid", 1)


async def trial_of(shop: Shop, order: Workflow[..., Any]) -> Any:
    """Return a trial of `order` as it ended."""
    experiment = ExperimentId("experiment-1")
    trial = Trial(experiment=experiment, candidate="workflow", position=0, case="c")
    request = Request(workflow=order.name, value=b"null", trial=trial)
    run = (await enqueue(shop.store, shop.clock, shop.ids, request)).run.id
    return await shop.again(order, run, experiment=experiment, captures=True)


async def test_a_trial_takes_the_declared_value(shop: Shop) -> None:
    """It asks nobody, and waits for nothing."""

    @workflow
    @top
    async def ships() -> int:
        return (await signal("paid", Payment, in_trial=Payment(5))).cents

    run = await trial_of(shop, ships)

    assert (run.state, run.result, run.fence) == (RunState.SUCCEEDED, b"5", 1)


async def test_a_trial_without_a_declared_value_is_a_mistake(shop: Shop) -> None:
    run = await trial_of(shop, ships)

    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert 'the signal "paid" has no value in a trial' in run.failure.message


@pytest.mark.parametrize("name", ["", "two words", "a" * 101, "x\0", "päid"])
async def test_a_name_is_one_word(shop: Shop, name: str) -> None:
    """For the one who waits and for the one who sends."""
    run = await shop.done(ships)

    with pytest.raises(Mistake, match="no signal can be called"):
        await shop.send(run.id, name, 1)
    with pytest.raises(Mistake, match="no signal can be called"):
        signal(name)


def test_a_signal_outside_a_run_is_a_mistake() -> None:
    with pytest.raises(Mistake, match="signal was called outside a run"):
        signal("paid")


async def test_a_signal_inside_a_step_is_a_mistake(shop: Shop) -> None:
    @step
    @top
    async def read() -> Any:
        return await signal("paid")

    @workflow
    @top
    async def ships() -> Any:
        return await read()

    run = await shop.done(ships)

    assert run.failure is not None
    assert "signal was called inside a step" in run.failure.message
