"""Unkeyed effects: begun at most once, and in doubt where nobody knows whether they happened."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.shop import top, until
from proveout.domain.journal import EntryKind, Pending, Returned
from proveout.domain.run import RunState
from proveout.domain.unit import Done, Stale
from proveout.run.ask import review
from proveout.run.define import effect, step, workflow
from proveout.run.failure import StepFailed

if TYPE_CHECKING:
    from doubles.shop import Shop
    from proveout.domain.run import Run
    from proveout.domain.workflow import Workflow


class Post:
    """A mail server without keys: it counts, and can be slow, broken or silent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.errors: list[Exception] = []
        self.holds: asyncio.Event | None = None

    async def take(self, text: str) -> int:
        self.sent.append(text)
        if self.errors:
            raise self.errors.pop(0)
        if self.holds is not None:
            await self.holds.wait()
        return len(self.sent)


@pytest.fixture
def post() -> Post:
    return Post()


def letters(post: Post, **care: object) -> Workflow[..., Any]:
    """Return a workflow that posts a letter and then asks a person."""

    @effect(unkeyed=True, **care)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator] - as drawn
    @top
    async def mail(text: str) -> int:
        return await post.take(text)

    @workflow
    @top
    async def write(text: str) -> int:
        number = await mail(text)  # pyright: ignore[reportUnknownVariableType]
        await review("a draft")
        return number  # pyright: ignore[reportUnknownVariableType]

    return write


async def cut_off(shop: Shop, post: Post, write: Workflow[..., Any]) -> Run:
    """Return a run whose worker was told to stop while the letter was on its way."""
    post.holds = asyncio.Event()
    run = await shop.enqueue(write, "hello")
    worker = shop.worker(write, drain=timedelta(0))
    working = asyncio.create_task(worker.work())
    await until(lambda: bool(post.sent))
    worker.stop()
    await working
    return await shop.again(write, run)


async def test_an_intent_is_there_before_the_call(shop: Shop, post: Post) -> None:
    """While the effect is in flight, and its outcome takes the intent's place."""
    write = letters(post)
    post.holds = asyncio.Event()
    run = await shop.enqueue(write, "hello")
    working = asyncio.create_task(shop.work(write))
    await until(lambda: bool(post.sent))
    intent = await shop.entry(run, "mail")
    post.holds.set()
    await working
    entry = await shop.entry(run, "mail")

    assert (intent.kind, intent.outcome, intent.tries) == (EntryKind.EFFECT, Pending(), 0)
    assert (entry.kind, entry.outcome, entry.tries) == (EntryKind.EFFECT, Returned(b"1"), 1)
    assert entry.place == intent.place
    assert len(await shop.store.journal(run)) == 2


async def test_what_is_journaled_is_not_posted_again(shop: Shop, post: Post) -> None:
    write = letters(post)
    run = await shop.done(write, "hello")
    [asked] = await shop.reviews()
    await shop.answer(asked)
    after = await shop.again(write, run.id)

    assert (after.state, after.result, post.sent) == (RunState.SUCCEEDED, b"1", ["hello"])


async def test_an_intent_without_an_outcome_parks_the_run(shop: Shop, post: Post) -> None:
    """The note says what was begun, when, and what to do; nothing is called again."""
    run = await cut_off(shop, post, letters(post))

    assert run.state is RunState.PARKED
    assert run.note == (
        'in doubt: mail #1 was begun at 2026-11-22 09:00:00 UTC with {"text":"hello"}, and nobody'
        " knows whether it happened; ask its receiver, then proveout runs resolve"
        f" {run.id} --happened, or --did-not-happen to have it done again"
    )
    assert post.sent == ["hello"]


async def test_a_person_says_that_it_happened(shop: Shop, post: Post) -> None:
    """The run goes on with the result that the person gave."""
    write = letters(post)
    run = await cut_off(shop, post, write)
    entry = await shop.entry(run.id, "mail")
    answer = await shop.resolve(run.id, entry, Returned(b"7"))
    await shop.work(write)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    after = await shop.again(write, run.id)

    assert answer == Done()
    assert (after.state, after.result, after.note) == (RunState.SUCCEEDED, b"7", "")
    assert post.sent == ["hello"]


async def test_a_person_says_that_it_did_not_happen(shop: Shop, post: Post) -> None:
    """It is called again, now under a new intent."""
    write = letters(post)
    run = await cut_off(shop, post, write)
    post.holds = None
    answer = await shop.resolve(run.id, await shop.entry(run.id, "mail"), None)
    after = await shop.again(write, run.id)

    assert answer == Done()
    assert (after.state, post.sent) == (RunState.WAITING, ["hello", "hello"])
    assert (await shop.entry(run.id, "mail")).outcome == Returned(b"2")


async def test_a_run_that_is_only_requeued_is_in_doubt_again(shop: Shop, post: Post) -> None:
    write = letters(post)
    run = await cut_off(shop, post, write)
    await shop.requeue(run.id)
    after = await shop.again(write, run.id)

    assert (after.state, after.note, post.sent) == (RunState.PARKED, run.note, ["hello"])


async def test_only_what_is_in_doubt_is_resolved(shop: Shop, post: Post) -> None:
    """What has an outcome keeps it, and a run that is not parked is let alone."""
    write = letters(post)
    run = await shop.done(write, "hello")
    entry = await shop.entry(run.id, "mail")

    assert await shop.resolve(run.id, entry, None) == Stale()
    assert await shop.entry(run.id, "mail") == entry


async def test_an_error_is_an_outcome(shop: Shop, post: Post) -> None:
    """The function says that it did not do it: the run is dead, and not in doubt."""
    post.errors = [ConnectionRefusedError("closed")]
    run = await shop.done(letters(post), "hello")

    assert run.state is RunState.DEAD
    assert run.failure is not None
    assert (run.failure.type, run.failure.step) == ("ConnectionRefusedError", "mail")
    assert post.sent == ["hello"]


async def test_declared_retries_follow_an_error(shop: Shop, post: Post) -> None:
    post.errors = [ConnectionRefusedError("closed"), ConnectionRefusedError("closed")]
    run = await shop.done(letters(post, retries=2), "hello")

    assert run.state is RunState.WAITING
    assert (await shop.entry(run.id, "mail")).tries == 3


async def test_a_time_out_is_doubt_and_no_error(shop: Shop, post: Post) -> None:
    """Its own time, or one that the function tells of: it is not tried again."""
    post.errors = [TimeoutError("no answer")]
    told = await shop.done(letters(post, retries=5), "told")
    post.holds = asyncio.Event()
    own = await shop.done(letters(post, retries=5, timeout=0.01), "own")

    assert [run.state for run in (told, own)] == [RunState.PARKED] * 2
    assert [run.note[:8] for run in (told, own)] == ["in doubt"] * 2
    assert post.sent == ["told", "own"]


async def test_an_effect_that_is_cancelled_is_in_doubt(shop: Shop, post: Post) -> None:
    """Code of the workflow's own that gives up on it cannot know what became of it."""
    post.holds = asyncio.Event()

    @effect(unkeyed=True)
    @top
    async def mail() -> int:
        return await post.take("hello")

    @workflow
    @top
    async def write() -> int:
        posting = asyncio.ensure_future(mail())
        await until(lambda: bool(post.sent))
        posting.cancel()
        await asyncio.wait({posting})
        return 0

    run = await shop.done(write)

    assert run.state is RunState.PARKED
    assert run.note.startswith("in doubt: mail #1")


async def test_two_effects_in_doubt_are_resolved_one_by_one(shop: Shop, post: Post) -> None:
    post.holds = asyncio.Event()

    @effect(unkeyed=True)
    @top
    async def mail(text: str) -> int:
        return await post.take(text)

    @workflow
    @top
    async def write() -> list[int]:
        return list(await asyncio.gather(mail("one"), mail("two")))

    run = await shop.enqueue(write)
    worker = shop.worker(write, drain=timedelta(0))
    working = asyncio.create_task(worker.work())
    await until(lambda: len(post.sent) == 2)
    worker.stop()
    await working
    seen = [(await shop.again(write, run)).note.split(" was")[0]]
    for entry in await shop.store.journal(run):
        await shop.resolve(run, entry, Returned(b"1"))
        seen.append((await shop.again(write, run)).note.split(" was")[0])

    assert seen == ["in doubt: mail #1 in branch 0", "in doubt: mail #1 in branch 1", ""]
    assert await shop.result(run) == [1, 1]


async def test_a_plain_effect_is_journaled_the_same(shop: Shop) -> None:
    """What its thread still does is waited for, and its outcome kept."""
    began, go = threading.Event(), threading.Event()
    sent: list[str] = []

    @effect(unkeyed=True)
    @top
    def mail(text: str) -> int:
        sent.append(text)
        began.set()
        go.wait(20)
        return len(sent)

    @workflow
    @top
    def write() -> int:
        return mail("hello")

    run = await shop.enqueue(write)
    working = asyncio.create_task(shop.work(write))
    await until(began.is_set)
    intent = await shop.entry(run, "mail")
    go.set()
    await working

    assert intent.outcome == Pending()
    assert (await shop.run(run)).result == b"1"
    assert (await shop.entry(run, "mail")).outcome == Returned(b"1")


async def test_a_captured_effect_has_no_intent(shop: Shop, post: Post) -> None:
    """Nothing is called, so nothing can be in doubt."""
    run = await shop.done(letters(post, in_trial=3), "hello", captures=True)

    entry = await shop.entry(run.id, "mail")
    assert (entry.kind, entry.outcome, post.sent) == (EntryKind.CAPTURED, Returned(b"3"), [])


async def test_an_unkeyed_effect_inside_a_step_is_a_mistake(shop: Shop, post: Post) -> None:
    """A step is journaled as a whole: there is no place for the intent."""

    @effect(unkeyed=True)
    @top
    async def mail() -> int:
        return await post.take("hello")

    @step
    @top
    async def reply() -> int:
        return await mail()

    @workflow
    @top
    async def write() -> int:
        try:
            return await reply()
        except StepFailed as failed:
            raise ValueError(failed.failure.message) from None

    run = await shop.done(write)

    assert run.failure is not None
    assert "mail is an unkeyed effect, called inside reply" in run.failure.message
    assert post.sent == []
