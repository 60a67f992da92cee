"""Branches: tasks of a run find their results whatever order they finish in."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.shop import top, until
from proveout.domain.run import RunState
from proveout.run.ask import review, sleep
from proveout.run.define import effect, step, workflow
from proveout.run.failure import StepFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from doubles.shop import Shop
    from proveout.domain.run import RunId

HOUR = timedelta(hours=1)


async def paths(shop: Shop, run: RunId) -> list[str]:
    """Return the places of a run's journal, in the order of their branches."""
    found = [entry.place for entry in await shop.store.journal(run)]
    return [f"{place.path}:{place.name}{place.occurrence}" for place in sorted(found)]


async def test_gathered_branches_have_paths_of_their_own(shop: Shop) -> None:
    """Children are numbered in creation order, theirs below them; the slower one first."""
    second_done = asyncio.Event()

    @step
    @top
    async def read(mail: str) -> str:
        if mail == "slow":
            await second_done.wait()
        return mail

    @step
    @top
    async def reply(mail: str) -> str:
        second_done.set()
        return f"re: {mail}"

    async def answer(mail: str) -> str:
        return await reply(await read(mail))

    @workflow
    @top
    async def triage() -> list[str]:
        first = await asyncio.gather(answer("slow"), answer("quick"))
        [last] = await asyncio.gather(asyncio.gather(answer("third"), answer("fourth")))
        return [*first, *last]

    run = await shop.done(triage)

    assert await shop.result(run.id) == ["re: slow", "re: quick", "re: third", "re: fourth"]
    assert await paths(shop, run.id) == [
        *("0:read0", "0:reply0", "1:read0", "1:reply0"),
        *("2:read0", "2:reply0", "3:read0", "3:reply0"),
    ]


async def test_nested_tasks_have_paths_below_their_parent(shop: Shop) -> None:
    """A branch of a branch is numbered within it, so that siblings do not disturb it."""

    @step
    @top
    async def read(mail: str) -> str:
        return mail

    async def inner(mail: str) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read(f"{mail}{n}")) for n in range(2)]  # pyright: ignore[reportUnknownVariableType, reportArgumentType]
        return [task.result() for task in tasks]

    @workflow
    @top
    async def triage() -> list[list[str]]:
        return list(await asyncio.gather(inner("a"), inner("b")))

    run = await shop.done(triage)

    assert await shop.result(run.id) == [["a0", "a1"], ["b0", "b1"]]
    assert await paths(shop, run.id) == ["0.0:read0", "0.1:read0", "1.0:read0", "1.1:read0"]


async def test_a_resumed_run_finds_each_branchs_results(shop: Shop) -> None:
    """Values stay with the branch that made them, although they were journaled in another order."""
    quick_done = asyncio.Event()
    calls: list[str] = []

    @step
    @top
    async def read(mail: str) -> str:
        calls.append(mail)
        if mail == "slow":
            await quick_done.wait()
        return mail

    @step
    @top
    async def label(mail: str) -> str:
        quick_done.set()
        return mail.upper()

    async def answer(mail: str) -> str:
        draft = (await review(await label(await read(mail)))).value
        return f"re: {draft}"

    @workflow
    @top
    async def triage() -> list[str]:
        return list(await asyncio.gather(answer("slow"), answer("quick")))

    run = await shop.done(triage)
    for asked in await shop.reviews():
        await shop.answer(asked)
    await shop.work(triage)

    assert await shop.result(run.id) == ["re: SLOW", "re: QUICK"]
    assert calls == ["slow", "quick"]


async def test_a_retry_does_not_renumber_the_branches(shop: Shop) -> None:
    """What took several tries, waits and time-outs has the same places when it is replayed."""
    tries: list[str] = []

    @step(retries=2, timeout=60)
    @top
    async def read(mail: str) -> str:
        tries.append(mail)
        if len(tries) < 3:
            raise LookupError
        return mail

    @workflow
    @top
    async def triage() -> list[str]:
        await read("a")
        labels = list(await asyncio.gather(read("b"), read("c")))
        await asyncio.gather(sleep("1 h"), review("a draft"))
        return labels

    run = await shop.done(triage)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    shop.clock.advance(timedelta(hours=1))
    run = await shop.again(triage, run.id)

    assert (run.state, await shop.result(run.id)) == (RunState.SUCCEEDED, ["b", "c"])
    assert tries == ["a", "a", "a", "b", "c"]
    assert await paths(shop, run.id) == [":read0", "0:read0", "1:read0", "2:sleep0", "3:review0"]


async def test_steps_that_threads_run_have_paths_of_their_own(shop: Shop) -> None:
    """Plain code reached by `asyncio.to_thread` is a branch where it is gathered."""

    @step
    @top
    def read(mail: str) -> str:
        return mail

    def twice(mail: str) -> str:
        return read(mail) + read(mail)

    @workflow
    @top
    async def triage() -> list[str]:
        alone = await asyncio.to_thread(twice, "a")
        both = await asyncio.gather(asyncio.to_thread(twice, "b"), asyncio.to_thread(twice, "c"))
        return [alone, *both]

    run = await shop.done(triage)

    assert await shop.result(run.id) == ["aa", "bb", "cc"]
    assert await paths(shop, run.id) == [
        *(":read0", ":read1", "0:read0", "0:read1", "1:read0", "1:read1"),
    ]


async def test_a_failing_branch_fails_the_run_once(shop: Shop) -> None:
    """A step's failure is known through gather and through the groups that tasks make of it."""

    @step
    @top
    async def read(mail: str) -> str:
        if mail == "bad":
            raise LookupError(mail)
        return mail

    @workflow
    @top
    async def gathered() -> None:
        await asyncio.gather(read("good"), read("bad"))

    @workflow
    @top
    async def grouped() -> None:
        async with asyncio.TaskGroup() as group:
            for mail in ("good", "bad"):
                group.create_task(read(mail))  # pyright: ignore[reportUnknownMemberType, reportArgumentType]

    for triage in (gathered, grouped):
        run = await shop.done(triage)
        assert run.state == RunState.DEAD
        assert run.failure is not None
        assert (run.failure.step, run.failure.type) == ("read", "LookupError")


@pytest.mark.parametrize("ask", [lambda: review("a draft"), lambda: sleep(HOUR)])
async def test_a_sibling_that_waits_holds_up_no_failure(
    shop: Shop, ask: Callable[[], Awaitable[Any]]
) -> None:
    """Its group cancels it, or goes on without it: at once, not when somebody has answered."""
    began = asyncio.Event()

    @step
    @top
    async def fail() -> None:
        await began.wait()
        raise LookupError("lost")

    async def wait() -> None:
        asyncio.get_running_loop().call_later(0.05, began.set)  # the sibling waits by then
        await ask()

    @workflow
    @top
    async def grouped() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait())
            group.create_task(fail())  # pyright: ignore[reportUnknownMemberType, reportArgumentType]

    @workflow
    @top
    async def gathered() -> None:
        await asyncio.gather(wait(), fail())

    for triage in (grouped, gathered):
        run = await shop.done(triage)
        assert run.state == RunState.DEAD
        assert run.failure is not None
        assert (run.failure.step, run.failure.type) == ("fail", "LookupError")


async def test_a_cancelled_sibling_does_not_park_the_run(shop: Shop) -> None:
    """A group that fails cancels its other branches, wherever they are on replay."""
    calls: list[str] = []

    @step
    @top
    async def read(mail: str) -> str:
        calls.append(mail)
        if mail == "bad":
            raise LookupError(mail)
        return mail

    async def long() -> None:
        for n in range(3):
            await read(f"{n}")
        await asyncio.Event().wait()

    @workflow
    @top
    async def triage() -> str:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(long())
                group.create_task(read("bad"))  # pyright: ignore[reportUnknownMemberType, reportArgumentType]
        except* StepFailed:
            pass
        return (await review("a draft")).value

    run = await shop.done(triage)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    run = await shop.again(triage, run.id)

    assert (run.state, await shop.result(run.id)) == (RunState.SUCCEEDED, "a draft")
    assert calls.count("bad") == 1


@pytest.mark.parametrize("where", ["branch", "within a step"])
async def test_a_task_that_exits_does_not_take_the_worker_along(shop: Shop, where: str) -> None:
    """SystemExit in a task that user code created is an error of that run."""

    async def leave() -> None:
        sys.exit(3)

    @step
    @top
    async def read() -> None:
        await asyncio.gather(leave())

    @workflow
    @top
    async def triage() -> None:
        await (read() if where == "within a step" else asyncio.gather(leave()))

    run = await shop.done(triage)

    assert run.state in (RunState.FAILED, RunState.DEAD)
    assert run.failure is not None
    assert run.failure.type == "Exited"


async def test_a_task_that_nobody_awaits_ends_with_its_run(shop: Shop) -> None:
    """A run ends when its function does; what it left running is cancelled."""
    ended: list[str] = []
    forgotten: list[asyncio.Task[None]] = []

    async def linger(why: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(why)

    @step
    @top
    async def read() -> None: ...

    @workflow
    @top
    async def triage() -> str:
        forgotten.extend(asyncio.create_task(linger(why)) for why in ("one", "two"))
        await read()
        return "done"

    run = await shop.done(triage)

    assert (run.state, await shop.result(run.id)) == (RunState.SUCCEEDED, "done")
    assert sorted(ended) == ["one", "two"]
    assert all(task.done() for task in forgotten)


@pytest.mark.parametrize("waits", ["review", "sleep"])
async def test_a_wait_that_nobody_awaits_does_not_hold_the_run(shop: Shop, waits: str) -> None:
    """The function returned: the run has its result, whatever a forgotten task waits for."""
    forgotten: list[asyncio.Task[None]] = []

    async def wait() -> None:
        await (review("a draft") if waits == "review" else sleep("1 h"))

    @step
    @top
    async def read(mail: str) -> str:
        await until(lambda: shop.store.journal(started[0]))
        return mail

    @workflow
    @top
    async def triage(mail: str) -> str:
        forgotten.append(asyncio.create_task(wait()))
        return await read(mail)

    started = [await shop.enqueue(triage, "x")]
    await shop.work(triage)

    assert (await shop.run(started[0])).state == RunState.SUCCEEDED
    assert await shop.result(started[0]) == "x"


async def test_two_workers_on_one_loop_number_their_branches(shop: Shop) -> None:
    """The first worker to come and go leaves the other's branches in order."""
    second_came, first_gone = asyncio.Event(), asyncio.Event()

    @step
    @top
    async def read(mail: str) -> str:
        return mail

    @workflow
    @top
    async def short() -> None:
        await second_came.wait()

    @workflow
    @top
    async def triage() -> list[str]:
        second_came.set()
        await first_gone.wait()
        return list(await asyncio.gather(read("a"), read("b")))

    run = await shop.enqueue(triage)
    await shop.enqueue(short)
    first = asyncio.create_task(shop.work(short))
    await asyncio.sleep(0)  # noqa: TID251 - lets the first worker come first
    second = asyncio.create_task(shop.work(triage))
    await first
    first_gone.set()
    await second

    assert await paths(shop, run) == ["0:read0", "1:read0"]


async def test_branches_outside_a_run_are_plain_tasks(shop: Shop) -> None:
    """A worker's loop serves others, too; their tasks are none of a run's."""

    @effect
    @top
    async def send(mail: str) -> str:
        return mail

    @workflow
    @top
    async def triage() -> str:
        return "done"

    await shop.done(triage)

    assert await asyncio.gather(send("a"), send("b")) == ["a", "b"]
