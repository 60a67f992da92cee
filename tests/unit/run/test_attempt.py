"""One try at a run: what it settles to, what it refuses to guess, and what waiting holds."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from doubles.shop import top, until
from proveout.domain.run import RunState
from proveout.domain.unit import Done
from proveout.domain.workflow import Workflow
from proveout.run import attempt
from proveout.run.ask import review, sleep
from proveout.run.attempt import Attempt
from proveout.run.define import effect, step, workflow
from proveout.run.failure import StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from doubles.shop import Shop
    from proveout.domain.run import Run


class Handle:
    """Nothing that JSON knows."""


class Unspeakable(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise AssertionError("no words")


class Harsh(BaseException):
    """An error that is no Exception."""


@step
async def read(mail: str) -> str:
    return mail


@step
async def write(mail: str) -> str:
    return mail.upper()


@step
async def breaks(mail: str) -> str:
    raise LookupError(mail)


def failure(run: Run) -> tuple[str, str, str]:
    """Return which step failed with what, in words."""
    assert run.failure is not None
    return run.failure.step, run.failure.type, run.failure.message


async def test_a_run_keeps_what_its_function_returned(shop: Shop) -> None:
    @workflow
    @top
    async def triage(mail: str, *, loud: bool = False) -> dict[str, str]:
        return {"mail": mail.upper() if loud else mail}

    run = await shop.done(triage, {"mail": "late parcel", "loud": True})

    assert (run.state, run.result) == (RunState.SUCCEEDED, b'{"mail":"LATE PARCEL"}')
    assert run.elapsed == 0.0


async def test_an_error_of_the_functions_own_fails_the_run(shop: Shop) -> None:
    """FAILED: nothing would be gained by trying again."""

    @workflow
    @top
    async def triage(mail: str) -> str:
        await read(mail)
        raise KeyError(mail)

    run = await shop.done(triage, "x")

    assert run.state == RunState.FAILED
    assert failure(run) == ("", "KeyError", "'x'")
    assert run.failure is not None
    assert "raise KeyError(mail)" in run.failure.traceback


async def test_a_step_that_failed_for_good_makes_the_run_dead(shop: Shop) -> None:
    """DEAD: the outside world did not do its part; the run can be replayed later."""

    @workflow
    @top
    async def triage(mail: str) -> str:
        return await breaks(mail)

    run = await shop.done(triage, "x")

    assert run.state == RunState.DEAD
    assert failure(run) == ("breaks", "LookupError", "x")


async def test_a_failed_step_that_is_handled_is_no_failure(shop: Shop) -> None:
    @workflow
    @top
    async def triage(mail: str) -> str:
        try:
            return await breaks(mail)
        except StepFailed as failed:
            return failed.failure.type

    run = await shop.done(triage, "x")

    assert (run.state, run.result) == (RunState.SUCCEEDED, b'"LookupError"')


async def test_an_error_made_of_a_failed_step_is_the_functions_own(shop: Shop) -> None:
    """Who translates an error has handled it."""

    @workflow
    @top
    async def triage(mail: str) -> str:
        try:
            return await breaks(mail)
        except StepFailed as failed:
            raise ValueError("no label") from failed

    run = await shop.done(triage, "x")

    assert (run.state, failure(run)) == (RunState.FAILED, ("", "ValueError", "no label"))


@pytest.mark.parametrize("colour", ["async", "plain"])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SystemExit(3), "Exited"),
        (StopIteration(), "RuntimeError"),
        (GeneratorExit(), "GeneratorExit"),
        (Harsh("no"), "Harsh"),
        (Unspeakable(), "Unspeakable"),
        (RecursionError(), "RecursionError"),
        (MemoryError(), "MemoryError"),
        (ExceptionGroup("two", [ValueError(), KeyError()]), "ExceptionGroup"),
    ],
)
async def test_any_error_ends_its_run_alone(
    shop: Shop, colour: str, error: BaseException, told: str
) -> None:
    """Whatever a workflow raises, the worker goes on with the next run."""

    @workflow
    @top
    async def triage() -> None:
        raise error

    @workflow
    @top
    def plain() -> None:
        raise error

    chosen = triage if colour == "async" else plain
    first, second = await shop.enqueue(chosen), await shop.enqueue(chosen)
    await shop.work(chosen)

    for run in (first, second):
        found = await shop.run(run)
        assert found.state == RunState.FAILED
        assert failure(found)[1] == told


async def test_a_function_that_cancels_itself_has_failed(shop: Shop) -> None:
    """It is no reason to try again, and none to think that the worker stops."""

    @workflow
    @top
    async def triage() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()

    run = await shop.done(triage)

    assert run.state == RunState.FAILED
    assert failure(run)[1] == "CancelledError"


async def test_a_result_that_is_no_json_fails_the_run(shop: Shop) -> None:
    """The message names the workflow and what is wrong, whatever pydantic makes of it."""

    @workflow
    @top
    async def number() -> float:
        return float("nan")

    @workflow
    @top
    async def handle() -> Handle:
        return Handle()

    @workflow
    @top
    async def guess() -> Any:
        return Handle()

    @workflow
    @top
    async def huge() -> str:
        return "x" * (1 << 20)

    for triage, problem in (
        (number, "the result of number cannot be kept as JSON"),
        (handle, "the type Handle cannot be kept as JSON"),
        (guess, "the result of guess cannot be kept as JSON"),
        (huge, "the result of huge has 1,048,578 bytes"),
    ):
        run = await shop.done(triage)
        assert run.state == RunState.FAILED
        assert problem in failure(run)[2]


async def test_an_input_that_does_not_fit_fails_the_run(shop: Shop) -> None:
    @workflow
    @top
    async def triage(mail: str) -> str:
        raise AssertionError(mail)

    run = await shop.done(triage, 7)

    assert run.state == RunState.FAILED
    assert failure(run)[1] == "WrongShape"


async def test_a_function_without_steps_runs_as_one(shop: Shop) -> None:
    """What it returned is journaled whole, with its time and its errors."""

    def plain(mail: str) -> str:
        return mail.upper()

    async def later(mail: str) -> str:
        raise LookupError(mail)

    good = await shop.done(Workflow(plain, as_step=True), "x")
    bad = await shop.done(Workflow(later, as_step=True), "x")

    assert (good.state, good.result) == (RunState.SUCCEEDED, b'"X"')
    assert (bad.state, failure(bad)) == (RunState.DEAD, ("later", "LookupError", "x"))
    assert (await shop.entry(good.id, "plain")).arguments == '{"mail":"x"}'


async def resumed(shop: Shop, *bodies: Callable[[], Any], plain: bool = False) -> Run:
    """Return a run whose code changes while it waits for a person: one body an attempt."""
    left = list(bodies)

    async def triage() -> str:
        await left.pop(0)()
        return "done"

    def plainly() -> str:
        left.pop(0)()
        return "done"

    chosen = workflow(top(plainly)) if plain else workflow(top(triage))
    run = await shop.done(chosen)
    for asked in await shop.reviews():
        await shop.answer(asked)
    return await shop.again(chosen, run.id)


async def first() -> None:
    await read("x")
    await review("a draft")


async def test_a_run_that_asks_for_another_step_is_parked(shop: Shop) -> None:
    """Nothing is guessed: the note shows what the code asks for and what the journal holds."""

    async def second() -> None:
        await write("x")

    run = await resumed(shop, first, second)

    assert run.state == RunState.PARKED
    assert run.note == "the code asks for write #1, the journal holds read #1 there"


async def test_a_run_that_asks_with_other_arguments_is_parked(shop: Shop) -> None:
    """The note shows both digests, and the arguments that the journal knows."""

    async def second() -> None:
        await read("y")

    run = await resumed(shop, first, second)

    assert run.state == RunState.PARKED
    assert run.note.startswith("read #1 is called with other arguments than the journal holds")
    assert '{"mail":"x"}' in run.note


async def test_a_run_that_asks_once_more_than_it_waited_is_parked(shop: Shop) -> None:
    """A step put in before the review is new to the journal, and the review is not."""

    async def second() -> None:
        await read("x")
        await read("x")
        await review("a draft")

    run = await resumed(shop, first, second)

    assert run.state == RunState.PARKED
    assert run.note == "the code asks for read #2, the journal holds review #1 there"


async def test_a_run_whose_code_ended_too_soon_is_parked(shop: Shop) -> None:
    """The journal goes on where the code does not."""

    async def second() -> None:
        await read("x")

    run = await resumed(shop, first, second)

    assert run.state == RunState.PARKED
    assert run.note == "the code ended, but the journal goes on with review #1"


async def test_a_branch_whose_code_ended_too_soon_parks_its_run(shop: Shop) -> None:
    """Also where its siblings find all that they ask for."""

    async def both() -> None:
        await asyncio.gather(first(), first())

    async def shorter() -> None:
        await asyncio.gather(first(), read("x"))

    run = await resumed(shop, both, shorter)

    assert run.state == RunState.PARKED
    assert run.note == (
        "the code of branch 1 ended, but the journal goes on with review #1 in branch 1"
    )


async def test_another_question_parks_the_run(shop: Shop) -> None:
    """A person answered another draft than the one that is asked for now."""

    async def second() -> None:
        await read("x")
        await review("another draft")

    run = await resumed(shop, first, second)

    assert run.state == RunState.PARKED
    assert run.note.startswith("review #1 is called with other arguments")


async def test_another_sleep_parks_the_run(shop: Shop) -> None:
    async def rest() -> None:
        await asyncio.gather(sleep("1 h"), review("a draft"))

    async def longer() -> None:
        await asyncio.gather(sleep("2 h"), review("a draft"))

    run = await resumed(shop, rest, longer)

    assert run.state == RunState.PARKED
    assert run.note.startswith("sleep #1 in branch 0 is called with other arguments")


async def test_a_plain_run_is_parked_for_the_same_reasons(shop: Shop) -> None:
    @step
    @top
    def fetch(mail: str) -> str:
        return mail

    def before() -> None:
        fetch("x")
        review("a draft")

    def after() -> None:
        fetch("y")

    run = await resumed(shop, before, after, plain=True)

    assert run.state == RunState.PARKED
    assert "other arguments" in run.note


async def test_a_parked_run_calls_nothing_more(shop: Shop) -> None:
    """Code that swallows the end of its attempt can neither go on nor settle the run."""
    called: list[str] = []

    @effect
    @top
    async def send(mail: str) -> None:
        called.append(mail)

    async def second() -> None:
        for _ in range(3):
            with suppress(BaseException):
                await write("x")
            with suppress(BaseException):
                await send("x")

    run = await resumed(shop, first, second)

    assert (run.state, called) == (RunState.PARKED, [])


async def test_a_parked_run_goes_on_when_its_code_is_mended(shop: Shop) -> None:
    """An operator lets it go on; what the journal holds still answers."""
    mended = asyncio.Event()
    waited: list[str] = []

    @workflow
    @top
    async def triage() -> str:
        if waited and not mended.is_set():
            await write("x")
        waited.append("once")
        await first()
        return "done"

    run = await shop.done(triage)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    parked = await shop.again(triage, run.id)
    mended.set()
    answer = await shop.requeue(run.id)
    done = await shop.again(triage, run.id)

    assert (parked.state, answer) == (RunState.PARKED, Done())
    assert (done.state, done.result, done.note) == (RunState.SUCCEEDED, b'"done"', "")


@pytest.mark.parametrize("colour", ["async", "plain"])
async def test_code_that_swallows_its_suspension_cannot_settle_the_run(
    shop: Shop, colour: str
) -> None:
    """What ended the attempt is the attempt's own flag, not the exception that came out."""
    swallowed: list[str] = []
    called: list[str] = []

    @step
    @top
    async def send(mail: str) -> str:
        called.append(mail)
        return mail

    @step
    @top
    def send_plainly(mail: str) -> str:
        called.append(mail)
        return mail

    @workflow
    @top
    async def triage() -> str:
        try:
            return (await review("a draft")).value
        except BaseException as error:  # noqa: BLE001 - as stubborn as code can be
            swallowed.append(type(error).__name__)
        try:
            await send("x")
        except BaseException as error:  # noqa: BLE001 - as stubborn as code can be
            swallowed.append(type(error).__name__)
        return "settled"

    @workflow
    @top
    def plain() -> str:
        try:
            return review("a draft").value
        except BaseException as error:  # noqa: BLE001 - as stubborn as code can be
            swallowed.append(type(error).__name__)
        try:
            send_plainly("x")
        except BaseException as error:  # noqa: BLE001 - as stubborn as code can be
            swallowed.append(type(error).__name__)
        return "settled"

    chosen = triage if colour == "async" else plain
    run = await shop.done(chosen)
    await until(lambda: len(swallowed) == 2)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    answered = await shop.again(chosen, run.id)

    assert run.state == RunState.WAITING
    assert (swallowed[1], called) == ("Over", [])
    assert (answered.state, answered.result) == (RunState.SUCCEEDED, b'"a draft"')


async def test_code_that_will_not_end_does_not_hold_its_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a grace the run is settled without it; it can change nothing any more."""
    monkeypatch.setattr(attempt, "GRACE", 0.02)
    released = asyncio.Event()
    ended: list[str] = []

    @workflow
    @top
    async def triage() -> str:
        try:
            await review("a draft")
        except BaseException:  # noqa: BLE001 - as stubborn as code can be
            while not released.is_set():
                with suppress(BaseException):
                    await released.wait()
        ended.append("triage")
        return "settled"

    run = await shop.done(triage)
    released.set()
    await until(lambda: bool(ended))

    assert (run.state, (await shop.run(run.id)).state) == (RunState.WAITING, RunState.WAITING)


def threads() -> int:
    """Return how many threads of workflows there are."""
    return sum(thread.name.startswith("workflow") for thread in threading.enumerate())


def attempts(shop: Shop) -> int:
    """Return how many attempts on this store are left in memory."""
    gc.collect()
    left = (thing for thing in gc.get_objects() if type(thing) is Attempt)  # asks no lazy object
    return sum(thing.store is shop.store for thing in left)


async def test_waiting_holds_nothing(shop: Shop) -> None:
    """Fifty runs wait with two slots: no attempt, no task, no thread is left of them."""

    @workflow
    @top
    async def asks(mail: str) -> str:
        return (await review(mail)).value

    @workflow
    @top
    def asks_plainly(mail: str) -> str:
        return review(mail).value

    @workflow
    @top
    async def rests() -> None:
        await asyncio.gather(sleep("2 days"), review("a draft"))

    @workflow
    @top
    def quick() -> str:
        return "done"

    all_of_them = (asks, asks_plainly, rests, quick)
    worker = shop.worker(*all_of_them, concurrency=2)
    working = asyncio.create_task(worker.work())
    for n in range(20):
        await shop.enqueue(asks, f"{n}")
        await shop.enqueue(asks_plainly, f"{n}")
    for _ in range(10):
        await shop.enqueue(rests)
    await until(lambda: worker.settled.total() == 50)
    last = await shop.enqueue(quick)
    await until(lambda: worker.settled.total() == 51)
    await until(lambda: attempts(shop) == 0)
    states = await shop.store.count()

    assert states == {RunState.WAITING: 50, RunState.SUCCEEDED: 1}
    assert await shop.result(last) == "done"
    assert len(asyncio.all_tasks()) < 10
    await until(lambda: threads() <= 2)
    worker.stop()
    await working


async def test_a_plain_workflow_that_exits_fails_alone(shop: Shop) -> None:
    """In the middle of its steps, too."""

    @step
    @top
    def fetch(mail: str) -> str:
        return mail

    @workflow
    @top
    def triage(mail: str) -> str:
        fetch(mail)
        sys.exit("enough")

    run = await shop.done(triage, "x")

    assert (run.state, failure(run)[1]) == (RunState.FAILED, "Exited")
