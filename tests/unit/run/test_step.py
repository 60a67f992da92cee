"""Performing a step: replay, retries, time-outs, and effects under their keys."""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.clock import FixedDice
from doubles.shop import Shop, top
from proveout.domain.journal import EntryKind, Place, Raised, Returned
from proveout.domain.run import RunId, RunState
from proveout.errors import Mistake
from proveout.run.ask import review
from proveout.run.call import idempotency_key
from proveout.run.define import effect, step, workflow
from proveout.run.failure import StepFailed, failure_of

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from proveout.domain.run import Run
    from proveout.ports.store import Store


@dataclass
class Label:
    """What a step makes of a mail."""

    name: str
    confidence: float


class Unspeakable(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise AssertionError("no words")

    def __repr__(self) -> str:
        raise AssertionError("no words")


def failure(run: Run) -> tuple[str, str, str]:
    """Return which step failed with what, in words."""
    assert run.failure is not None
    return run.failure.step, run.failure.type, run.failure.message


async def resumed(shop: Shop, run: RunId) -> None:
    """Approve what `run` asks."""
    [asked] = [review for review in await shop.reviews() if review.run == run]
    await shop.answer(asked)


async def test_a_replay_calls_nothing_again(shop: Shop) -> None:
    """What the journal holds answers for the step, with the type that it promised."""
    calls: list[str] = []
    seen: list[Label] = []

    @step
    @top
    async def read(mail: str) -> Label:
        calls.append(mail)
        return Label(mail, 0.5)

    @workflow
    @top
    async def triage(mail: str) -> str:
        seen.append(await read(mail))
        await review("a draft")
        seen.append(await read("again"))
        return seen[-1].name

    run = await shop.done(triage, "late parcel")
    await resumed(shop, run.id)
    run = await shop.again(triage, run.id)

    assert (run.state, await shop.result(run.id)) == (RunState.SUCCEEDED, "again")
    assert calls == ["late parcel", "again"]
    assert seen == [Label("late parcel", 0.5)] * 2 + [Label("again", 0.5)]


async def test_a_plain_replay_calls_nothing_again(shop: Shop) -> None:
    """The same in a plain workflow, by the same calls."""
    calls: list[str] = []

    @step
    @top
    def read(mail: str) -> Label:
        calls.append(mail)
        return Label(mail, 0.5)

    @workflow
    @top
    def triage(mail: str) -> str:
        label = read(mail)
        draft = review(label.name).value
        return read(draft + "!").name

    run = await shop.done(triage, "late parcel")
    await resumed(shop, run.id)
    run = await shop.again(triage, run.id)

    assert (run.state, await shop.result(run.id)) == (RunState.SUCCEEDED, "late parcel!")
    assert calls == ["late parcel", "late parcel!"]


async def test_a_first_run_sees_what_a_replay_will_see(shop: Shop) -> None:
    """The value of a step has been through its annotation even when it was just made."""
    seen: list[object] = []

    @step
    @top
    async def read() -> tuple[int, ...]:
        return [1, 2]  # pyright: ignore[reportReturnType] - a sloppy step

    @workflow
    @top
    async def triage() -> None:
        seen.append(await read())
        await review("a draft")

    run = await shop.done(triage)
    await resumed(shop, run.id)
    await shop.again(triage, run.id)

    assert seen == [(1, 2), (1, 2)]


async def test_a_failed_step_fails_alike_on_replay(shop: Shop) -> None:
    """A workflow that handles a step's failure takes the same way when it resumes."""
    calls: list[str] = []
    seen: list[tuple[str, str, object]] = []

    @step(retries=1)
    @top
    async def read(mail: str) -> str:
        calls.append(mail)
        raise KeyError(mail)

    @workflow
    @top
    async def triage(mail: str) -> str:
        try:
            await read(mail)
        except StepFailed as failed:
            seen.append((failed.step, str(failed), failed.failure))
        return (await review("a draft")).value

    run = await shop.done(triage, "late parcel")
    await resumed(shop, run.id)
    run = await shop.again(triage, run.id)

    assert run.state == RunState.SUCCEEDED
    assert calls == ["late parcel"] * 2
    assert seen[0] == seen[1]
    assert seen[0][:2] == ("read", "read failed: KeyError: 'late parcel'")


async def test_a_failed_step_leaves_its_words_in_the_journal(shop: Shop) -> None:
    """Type, message and traceback survive the process that saw the error."""

    @step
    @top
    def read(mail: str) -> str:
        raise LookupError(mail)

    @workflow
    @top
    def triage(mail: str) -> str:
        return read(mail)

    run = await shop.done(triage, "late parcel")
    entry = await shop.entry(run.id, "read")

    assert run.state == RunState.DEAD
    assert failure(run) == ("read", "LookupError", "late parcel")
    assert isinstance(entry.outcome, Raised)
    assert entry.outcome.failure == run.failure
    assert "raise LookupError(mail)" in entry.outcome.failure.traceback
    assert entry.arguments == '{"mail":"late parcel"}'


async def test_retries_wait_longer_each_time(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """Exponential backoff with full jitter: at most 0.2 s, 0.4 s, 0.8 s, by the dice."""
    longest = Shop(store, clock, ids, FixedDice(1.0))
    shortest = Shop(store, clock, ids, FixedDice(0.25))

    @step(retries=3)
    @top
    async def read() -> None:
        raise LookupError

    @workflow
    @top
    async def triage() -> None:
        await read()

    run = await longest.done(triage)
    await shortest.done(triage)

    assert longest.slept == pytest.approx([0.2, 0.4, 0.8])
    assert shortest.slept == pytest.approx([0.05, 0.1, 0.2])
    assert (await longest.entry(run.id, "read")).tries == 4
    assert (await longest.entry(run.id, "read")).elapsed == pytest.approx(1.4)


@pytest.mark.parametrize("colour", ["async", "plain"])
async def test_a_retried_step_that_succeeds_has_succeeded(shop: Shop, colour: str) -> None:
    """Only the last try counts; the journal says how many there were."""
    tries: list[int] = []

    def attempt() -> str:
        tries.append(len(tries))
        if len(tries) < 3:
            raise LookupError
        return "read"

    @step(retries=5)
    @top
    async def read() -> str:
        return attempt()

    @step(retries=5)
    @top
    def read_plainly() -> str:
        return attempt()

    @workflow
    @top
    async def triage() -> str:
        return await (read() if colour == "async" else asyncio.to_thread(read_plainly))

    run = await shop.done(triage)

    assert (run.state, await shop.result(run.id)) == (RunState.SUCCEEDED, "read")
    assert [entry.tries for entry in await shop.store.journal(run.id)] == [3]


async def test_a_mistake_is_not_tried_again(shop: Shop) -> None:
    """No retry mends a value that cannot be kept."""
    calls: list[str] = []

    @step(retries=3)
    @top
    async def read() -> float:
        calls.append("read")
        return float("nan")

    @workflow
    @top
    async def triage() -> float:
        return await read()

    run = await shop.done(triage)

    assert calls == ["read"]
    assert run.state == RunState.DEAD
    assert failure(run)[:2] == ("read", "Unjournalable")


async def test_a_step_that_overruns_its_time_is_tried_again(shop: Shop) -> None:
    """An asynchronous try is cancelled when its time is up, and counts as failed."""
    calls: list[str] = []

    @step(retries=2, timeout=0.02)
    @top
    async def read() -> str:
        calls.append("read")
        try:
            await asyncio.Event().wait()
        finally:
            calls.append("stopped")
        return ""

    @workflow
    @top
    async def triage() -> str:
        return await read()

    run = await shop.done(triage)

    assert calls == ["read", "stopped"] * 3
    assert run.state == RunState.DEAD
    assert failure(run) == ("read", "TimeoutError", "read took longer than 0.02 s")


async def test_a_time_out_of_the_steps_own_is_an_error_like_others(shop: Shop) -> None:
    """A TimeoutError that the step raised keeps its own words."""

    @step(timeout=60)
    @top
    async def read() -> str:
        raise TimeoutError("the vendor was slow")

    @workflow
    @top
    async def triage() -> str:
        return await read()

    assert failure(await shop.done(triage)) == ("read", "TimeoutError", "the vendor was slow")


async def test_a_thread_that_overruns_its_time_is_waited_for(shop: Shop) -> None:
    """A thread cannot be stopped, so the next try starts only when the last one has ended."""
    at_once: list[int] = []
    running: list[int] = []
    time_is_up = threading.Event()

    @step(retries=2, timeout=0.02)
    @top
    def read() -> str:
        running.append(1)
        at_once.append(len(running))
        time_is_up.wait(0.06)
        running.pop()
        return "too late"

    @workflow
    @top
    def triage() -> str:
        return read()

    run = await shop.done(triage)

    assert at_once == [1, 1, 1]
    assert run.state == RunState.DEAD
    assert failure(run) == ("read", "TimeoutError", "read took longer than 0.02 s")


@pytest.mark.parametrize("colour", ["async", "plain"])
async def test_a_step_that_exits_does_not_take_the_worker_along(shop: Shop, colour: str) -> None:
    """SystemExit is that step's failure, and nobody else's."""

    @step
    @top
    async def leave() -> None:
        sys.exit(3)

    @step
    @top
    def leave_plainly() -> None:
        sys.exit(3)

    @workflow
    @top
    async def triage() -> None:
        await (leave() if colour == "async" else asyncio.to_thread(leave_plainly))

    run = await shop.done(triage)

    assert run.state == RunState.DEAD
    assert failure(run)[1] == "Exited"


@pytest.mark.parametrize("colour", ["async", "plain"])
async def test_a_step_that_stops_an_iteration_fails(shop: Shop, colour: str) -> None:
    """A bare next() on nothing left is an error, not a run that hangs."""
    nothing: list[str] = []

    @step
    @top
    async def read() -> str:
        return next(iter(nothing))

    @step
    @top
    def read_plainly() -> str:
        return next(iter(nothing))

    @workflow
    @top
    async def triage() -> str:
        return await (read() if colour == "async" else asyncio.to_thread(read_plainly))

    run = await shop.done(triage)

    assert run.state == RunState.DEAD
    assert failure(run)[1] == "RuntimeError"


@pytest.mark.parametrize("message", ["half \ud800", "NUL \x00", "x" * 100_000, "\U0001f4e6 é"])
async def test_any_message_of_an_error_can_be_kept(shop: Shop, message: str) -> None:
    """What an error says never keeps its run from ending."""

    @step
    @top
    async def read() -> None:
        raise LookupError(message)

    @workflow
    @top
    async def triage() -> None:
        await read()

    run = await shop.done(triage)

    assert run.state == RunState.DEAD
    assert run.failure is not None
    assert run.failure.message.encode().decode() == run.failure.message
    assert run.failure.message.startswith(message[:4])


def test_an_error_without_words_has_a_type() -> None:
    """An error whose own words raise is told by its name."""
    told = failure_of(Unspeakable())

    assert told.type == "Unspeakable"
    assert "Unspeakable" in told.message


async def test_an_error_without_words_ends_its_run_alone(shop: Shop) -> None:
    @step(retries=1)
    @top
    async def read() -> None:
        raise Unspeakable

    @workflow
    @top
    async def triage() -> None:
        await read()

    assert failure(await shop.done(triage))[1] == "Unspeakable"


async def test_a_step_within_a_step_is_part_of_it(shop: Shop) -> None:
    """The journal holds the outer step only; the inner ones are its own business."""

    @step
    @top
    async def inner(mail: str) -> str:
        return mail.upper()

    @step
    @top
    async def outer(mail: str) -> list[str]:
        return list(await asyncio.gather(inner(mail), inner(mail)))

    @workflow
    @top
    async def triage(mail: str) -> list[str]:
        return await outer(mail)

    run = await shop.done(triage, "x")

    assert await shop.result(run.id) == ["X", "X"]
    assert [entry.place.name for entry in await shop.store.journal(run.id)] == ["outer"]


async def test_a_plain_step_within_a_plain_step_is_part_of_it(shop: Shop) -> None:
    @step
    @top
    def inner(mail: str) -> str:
        return mail.upper()

    @step
    @top
    def outer(mail: str) -> str:
        return inner(mail)

    @workflow
    @top
    def triage(mail: str) -> str:
        return outer(mail)

    run = await shop.done(triage, "x")

    assert await shop.result(run.id) == "X"
    assert [entry.place.name for entry in await shop.store.journal(run.id)] == ["outer"]


async def test_an_effect_is_captured_where_the_worker_says_so(shop: Shop) -> None:
    """It is journaled with all its arguments, not called, and gives what it declares."""

    @effect(in_trial="queued")
    @top
    async def send(mail: str, *, idempotency_key: str = "") -> str:
        raise AssertionError((mail, idempotency_key))

    @effect
    @top
    async def log(mail: str) -> None:
        raise AssertionError(mail)

    @workflow
    @top
    async def triage(mail: str) -> list[str | None]:
        return [await send(mail), await log(mail)]  # pyright: ignore[reportGeneralTypeIssues]

    mail = "late parcel " * 100
    run = await shop.done(triage, mail, captures=True)
    sent = await shop.entry(run.id, "send")

    assert await shop.result(run.id) == ["queued", None]
    assert (sent.kind, sent.tries) == (EntryKind.CAPTURED, 0)
    assert sent.arguments == f'{{"mail":"{mail}"}}'
    assert sent.outcome == Returned(b'"queued"')


async def test_an_effect_keeps_its_key_through_tries_and_attempts(shop: Shop) -> None:
    """One effect, one key: on each try, and when the run resumes in the middle of it."""
    keys: list[str] = []
    cut = asyncio.Event()

    @effect(retries=2)
    @top
    async def send(mail: str, *, idempotency_key: str = "") -> str:
        keys.append(idempotency_key)
        if len(keys) < 3:
            raise LookupError(mail)
        if len(keys) == 3:
            cut.set()
            await asyncio.Event().wait()
        return "sent"

    @workflow
    @top
    async def triage(mail: str) -> str:
        return await send(mail)

    run = await shop.enqueue(triage, "late parcel")
    worker = shop.worker(triage, drain=timedelta(0))
    working = asyncio.create_task(worker.work())
    await cut.wait()
    worker.stop()
    await working
    handed_back = (await shop.run(run)).state
    await shop.work(triage)

    assert (handed_back, await shop.result(run)) == (RunState.QUEUED, "sent")
    assert keys == [idempotency_key(run, Place("", "send", 0))] * 4
    assert len(keys[0]) == 40


async def test_each_effect_has_a_key_of_its_own(shop: Shop) -> None:
    """Another call, another branch, another run: another key."""
    keys: list[str] = []

    @effect
    @top
    async def send(mail: str, *, idempotency_key: str = "") -> None:
        keys.append(mail + idempotency_key)

    @effect
    @top
    def post(mail: str, **options: str) -> None:
        keys.append(mail + options["idempotency_key"])

    @workflow
    @top
    async def triage(mail: str) -> None:
        await send(mail)
        await send(mail)
        await asyncio.gather(send(mail), send(mail), asyncio.to_thread(post, mail))

    await shop.done(triage, "late parcel")
    await shop.done(triage, "late parcel")

    assert len(set(keys)) == len(keys) == 10


async def test_a_key_of_the_callers_own_is_left_alone(shop: Shop) -> None:
    keys: list[str] = []

    @effect
    @top
    async def send(*, idempotency_key: str = "") -> None:
        keys.append(idempotency_key)

    @workflow
    @top
    async def triage() -> None:
        await send(idempotency_key="order-7")

    await shop.done(triage)

    assert keys == ["order-7"]


async def test_an_effect_inside_a_step_is_captured_with_it(shop: Shop) -> None:
    """A trial changes nothing outside, wherever the effect stands."""

    @effect(in_trial="queued")
    @top
    async def send(mail: str) -> str:
        raise AssertionError(mail)

    @effect
    @top
    def post(mail: str) -> None:
        raise AssertionError(mail)

    @step
    @top
    async def reply(mail: str) -> list[str]:
        await asyncio.to_thread(post, mail)
        return [await send(mail), await send(mail)]

    @workflow
    @top
    async def triage(mail: str) -> list[str]:
        await reply(mail)
        return await reply(mail)

    run = await shop.done(triage, "x", captures=True)
    captured = [e.place for e in await shop.store.journal(run.id) if e.kind is EntryKind.CAPTURED]

    assert await shop.result(run.id) == ["queued", "queued"]
    assert captured == [
        Place("/reply#0", "post", 0),
        Place("/reply#0", "send", 0),
        Place("/reply#0", "send", 1),
        Place("/reply#1", "post", 0),
        Place("/reply#1", "send", 0),
        Place("/reply#1", "send", 1),
    ]


async def test_an_effect_inside_a_step_keeps_its_key(shop: Shop) -> None:
    """The step is tried again as a whole; its effects are known by their keys."""
    keys: list[str] = []

    @effect
    @top
    async def send(mail: str, *, idempotency_key: str = "") -> None:
        keys.append(mail + idempotency_key)

    @effect
    @top
    def post(mail: str, *, idempotency_key: str = "") -> None:
        keys.append(mail + idempotency_key)

    @step(retries=1)
    @top
    async def reply(mail: str) -> None:
        await send(mail)
        await asyncio.to_thread(post, mail)
        if len(keys) == 2:
            raise LookupError

    @workflow
    @top
    async def triage(mail: str) -> None:
        await reply(mail)

    run = await shop.done(triage, "x")

    assert run.state == RunState.SUCCEEDED
    assert keys[:2] == keys[2:]
    assert len(set(keys)) == 2


async def test_an_in_trial_value_that_is_no_json_is_a_mistake(shop: Shop) -> None:
    @effect(in_trial=object())
    @top
    async def send(mail: str) -> object:
        raise AssertionError(mail)

    @workflow
    @top
    async def triage(mail: str) -> object:
        return await send(mail)

    run = await shop.done(triage, "x", captures=True)

    assert run.state == RunState.FAILED
    assert "in_trial of send cannot be kept as JSON" in failure(run)[2]


async def test_arguments_that_are_no_json_stop_at_the_step(shop: Shop) -> None:
    """The step is not called with what could not be compared on replay."""

    @step
    @top
    async def read(mail: object) -> None:
        raise AssertionError(mail)

    @workflow
    @top
    async def triage() -> str:
        refused: list[str] = []
        for hostile in (float("nan"), "\ud800", object(), "x" * (1 << 20)):
            try:
                await read(hostile)
            except Mistake as mistake:
                refused.append(type(mistake).__name__)
        return " ".join(refused)

    run = await shop.done(triage)

    assert await shop.result(run.id) == "Unjournalable Unjournalable Unjournalable PayloadTooLarge"


async def test_a_result_that_breaks_its_promise_is_told(shop: Shop) -> None:
    """A step that returns another shape than its annotation says fails with the difference."""

    @step
    @top
    async def read() -> int:
        return "seven"  # pyright: ignore[reportReturnType] - the broken promise

    @workflow
    @top
    async def triage() -> int:
        return await read()

    run = await shop.done(triage)

    assert run.state == RunState.FAILED
    assert failure(run)[1] == "WrongShape"
    assert "the result of read has the wrong shape" in failure(run)[2]
