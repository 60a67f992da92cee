"""Races: the first to end decides, the journal remembers it, and losers leave nothing behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.shop import top, until
from proveout.domain.journal import EntryKind, Place, Returned
from proveout.domain.review import ReviewState
from proveout.domain.run import RunState
from proveout.errors import Mistake
from proveout.run.ask import review, sleep
from proveout.run.define import effect, step, workflow
from proveout.run.failure import StepFailed
from proveout.run.race import race
from proveout.run.signal import signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from doubles.shop import Shop

HOUR = timedelta(hours=1)


async def test_the_first_to_end_wins(shop: Shop) -> None:
    """The other is cancelled, and what it had in flight is journaled nowhere."""
    cancelled: list[str] = []

    @step
    @top
    async def quick() -> str:
        return "quick"

    @step
    @top
    async def slow() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append("slow")
        return "slow"

    @workflow
    @top
    async def triage() -> list[Any]:
        return [*await race(slow(), quick()), cancelled == ["slow"]]

    run = await shop.done(triage)

    assert await shop.result(run.id) == [1, "quick", True]
    assert [(entry.place, entry.kind) for entry in await shop.store.journal(run.id)] == [
        (Place("1", "quick", 0), EntryKind.STEP),
        (Place("", "race of 2", 0), EntryKind.RACE),
    ]
    assert (await shop.entry(run.id, "race of 2")).outcome == Returned(b"1")


async def test_a_resumed_run_begins_only_the_winner(shop: Shop) -> None:
    """Losers are not called again, also the code between their steps, and numbers stay."""
    began: Counter[str] = Counter()
    hold = asyncio.Event()

    @step
    @top
    async def read(name: str) -> str:
        began[f"read {name}"] += 1
        if name == "slow":
            await hold.wait()
        return name

    async def enter(name: str) -> str:
        began[name] += 1
        return await read(name)

    @workflow
    @top
    async def triage() -> list[str]:
        first = await race(enter("slow"), enter("quick"))
        later = await asyncio.gather(read("later"))
        await review("a draft")
        return [first.value, *later]

    run = await shop.done(triage)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    after = await shop.again(triage, run.id)

    assert (after.state, await shop.result(run.id)) == (RunState.SUCCEEDED, ["quick", "later"])
    assert began == {"slow": 1, "quick": 2, "read slow": 1, "read quick": 1, "read later": 1}
    assert {entry.place.path for entry in await shop.store.journal(run.id)} == {"", "1", "2"}


async def test_a_step_that_takes_too_long_loses_to_a_sleep(shop: Shop) -> None:
    """The step's branch holds the attempt; its sibling's timer ends the race in it."""

    @step
    @top
    async def hang() -> str:
        await asyncio.Event().wait()
        return "never"

    @workflow
    @top
    async def triage() -> int:
        return (await race(hang(), sleep("10 ms"))).entrant

    run = await shop.enqueue(triage)
    working = asyncio.create_task(shop.work(triage))
    await until(lambda: shop.store.journal(run))
    shop.clock.advance(timedelta(milliseconds=10))
    await working

    assert await shop.result(run) == 1
    assert (await shop.run(run)).fence == 1


async def test_a_race_in_which_all_wait_holds_nothing(shop: Shop) -> None:
    """The run waits for the nearest timer, and the timer wins where nobody answered."""

    @workflow
    @top
    async def triage() -> int:
        first = await race(review("a draft"), signal("paid"), sleep("1 h"))
        return first.entrant

    run = await shop.done(triage)
    shop.clock.advance(HOUR)
    after = await shop.again(triage, run.id)

    assert (run.state, run.due) == (RunState.WAITING, run.created + HOUR)
    assert (after.state, after.result) == (RunState.SUCCEEDED, b"2")


async def test_an_answer_beats_the_timer(shop: Shop) -> None:
    """Before it fires; the journal keeps the winner although the timer fires later."""

    @workflow
    @top
    async def triage() -> list[Any]:
        first = await race(sleep("1 h"), signal("paid"))
        await sleep("2 h")
        return list(first)

    run = await shop.done(triage)
    await shop.send(run.id, "paid", "cash")
    between = await shop.again(triage, run.id)
    shop.clock.advance(2 * HOUR)
    await shop.work(triage)

    assert between.state is RunState.WAITING
    assert await shop.result(run.id) == [1, "cash"]


async def test_a_wait_that_lost_takes_no_signal(shop: Shop) -> None:
    """The next wait for the name gets what comes later, and losing reviews are taken back."""

    @workflow
    @top
    async def triage() -> list[Any]:
        first = await race(signal("paid"), review("a draft"), sleep("1 h"))
        return [first.entrant, await signal("paid")]

    run = await shop.done(triage)
    shop.clock.advance(HOUR)
    between = await shop.again(triage, run.id)
    await shop.send(run.id, "paid", "late")
    await shop.work(triage)

    assert between.state is RunState.WAITING
    assert await shop.result(run.id) == [2, "late"]
    assert len(await shop.store.reviews(ReviewState.SUPERSEDED)) == 1


async def test_a_signal_that_its_wait_never_read_goes_to_the_next(shop: Shop) -> None:
    """It came while a step was in flight that then won the race: it is not lost."""
    sent = asyncio.Event()

    @step
    @top
    async def read() -> str:
        await sent.wait()
        return "read"

    @workflow
    @top
    async def triage() -> list[Any]:
        return [*await race(signal("paid"), read()), await signal("paid")]

    run = await shop.enqueue(triage)
    working = asyncio.create_task(shop.work(triage))
    await until(lambda: shop.store.journal(run))
    await shop.send(run, "paid", "first")
    await shop.send(run, "paid", "second")
    sent.set()
    await working

    assert await shop.result(run) == [1, "read", "first"]


async def test_an_error_that_comes_first_is_raised(shop: Shop) -> None:
    """Now, and in every later attempt."""

    @step
    @top
    async def breaks() -> str:
        raise LookupError("no")

    @workflow
    @top
    async def triage() -> str:
        try:
            await race(breaks(), sleep("1 h"))
        except StepFailed as failed:
            return f"{failed.failure.type} {(await review('a draft')).by}"
        return "never"

    run = await shop.done(triage)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    await shop.work(triage)

    assert await shop.result(run.id) == "LookupError ada"


async def test_a_loser_that_will_not_stop_calls_nothing_more(shop: Shop) -> None:
    """Code that swallows its cancellation is refused its next step, and records nothing."""
    called: list[str] = []

    @step
    @top
    async def read(name: str) -> str:
        called.append(name)
        return name

    async def stubborn() -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await read("stubborn")
        return "settled"

    @workflow
    @top
    async def triage() -> str:
        return (await race(stubborn(), read("quick"))).value

    run = await shop.done(triage)

    assert (run.state, run.result, called) == (RunState.SUCCEEDED, b'"quick"', ["quick"])


async def test_a_thread_that_loses_records_nothing(shop: Shop) -> None:
    """A plain step that ends after the race is not journaled, and its thread calls no more."""
    called: list[str] = []
    lost = asyncio.Event()
    loop = asyncio.get_running_loop()

    @step
    @top
    def read(name: str) -> str:
        called.append(name)
        asyncio.run_coroutine_threadsafe(lost.wait(), loop).result()
        return name

    @step
    @top
    async def quick() -> str:
        await until(lambda: bool(called))
        return "quick"

    def twice() -> str:
        return read("one") + read("two")

    @workflow
    @top
    async def triage() -> str:
        first = await race(asyncio.to_thread(twice), quick())
        lost.set()
        await review("a draft")
        return first.value

    run = await shop.done(triage)

    assert (run.state, called) == (RunState.WAITING, ["one"])
    names = [entry.place.name for entry in await shop.store.journal(run.id)]
    assert names == ["quick", "race of 2", "review"]


async def test_an_unkeyed_effect_that_loses_is_in_doubt(shop: Shop) -> None:
    """Nobody knows whether it happened: the run is parked, and the race undecided."""

    @effect(unkeyed=True)
    @top
    async def mail() -> None:
        await asyncio.Event().wait()

    @workflow
    @top
    async def triage() -> int:
        return (await race(mail(), sleep("10 ms"))).entrant

    run = await shop.enqueue(triage)
    working = asyncio.create_task(shop.work(triage))
    await until(lambda: shop.store.journal(run))
    shop.clock.advance(timedelta(milliseconds=10))
    await working
    parked = await shop.run(run)
    entry = await shop.entry(run, "mail")
    await shop.resolve(run, entry, Returned(b"null"))
    after = await shop.again(triage, run)

    assert parked.state is RunState.PARKED
    assert parked.note.startswith("in doubt: mail #1 in branch 0 was begun at")
    assert after.state is RunState.SUCCEEDED


async def test_a_race_that_is_cancelled_records_no_winner(shop: Shop) -> None:
    """A race may lose a race; its own entrants lose with it."""
    ended: list[str] = []

    async def linger() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("linger")
        return "never"

    async def inner() -> str:
        return (await race(linger(), linger())).value

    @step
    @top
    async def quick() -> str:
        return "quick"

    @workflow
    @top
    async def triage() -> str:
        return (await race(inner(), quick())).value

    run = await shop.done(triage)

    assert (run.result, ended) == (b'"quick"', ["linger", "linger"])


async def waits() -> None:
    """Wait for nothing."""


def a_task() -> Any:
    return asyncio.ensure_future(waits())


@pytest.mark.parametrize(
    ("entrants", "told"),
    [
        (list, "a race needs somebody to win it"),
        (lambda: [waits(), a_task()], "race was given Task"),
        (lambda: [waits(), 7], "race was given int"),
    ],
)
async def test_what_cannot_race_is_a_mistake(
    shop: Shop, entrants: Callable[[], list[Any]], told: str
) -> None:
    @workflow
    @top
    async def triage() -> None:
        await race(*entrants())

    run = await shop.done(triage)

    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert told in run.failure.message


async def test_plain_code_cannot_race(shop: Shop) -> None:
    @workflow
    @top
    def triage() -> None:
        race(waits(), waits())

    run = await shop.done(triage)

    assert run.failure is not None
    assert "race was called from plain code" in run.failure.message


def test_a_race_outside_a_run_is_a_mistake() -> None:
    with pytest.raises(Mistake, match="race was called outside a run"):
        race(waits(), waits())
