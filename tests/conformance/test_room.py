"""How many runs of a workflow run at once, and how many may wait to begin."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from doubles.given import LEASE, START, Given, want
from proveout.domain.delivery import Delivery
from proveout.domain.run import RunState
from proveout.domain.unit import Enqueue, Enqueued, Full, KeyTaken, Receive, Received

if TYPE_CHECKING:
    from doubles.stores import Open
    from proveout.domain.run import Run, RunId
    from proveout.domain.unit import Answered
    from proveout.ports.store import Claimed, Store

SECOND = timedelta(seconds=1)


async def most_at_once(given: Given, reopen: Open, limit: int | None) -> int:
    """Have twenty workers on two stores claim at once, again and again; the most that ran."""
    stores = [given.store, await reopen()]
    await asyncio.gather(*(given.enqueue(given.run()) for _ in range(60)))
    running: set[RunId] = set()
    most = done = 0

    async def work(number: int) -> None:
        nonlocal most, done
        store = stores[number % 2]
        while done < 60:
            claimed = await store.claim(want(worker=f"{number}", limit=2, most_running=limit))
            running.update(one.run.id for one in claimed)
            most = max(most, len(running))
            await asyncio.sleep(0.005)  # noqa: TID251 - others claim meanwhile
            for one in claimed:
                running.discard(one.run.id)
                await store.write(given.settle(one, RunState.SUCCEEDED))
                done += 1

    await asyncio.gather(*map(work, range(20)))
    return most


async def test_no_more_runs_than_the_limit_run_at_once(given: Given, reopen: Open) -> None:
    """However many workers claim, end runs and claim again."""
    assert await most_at_once(given, reopen, 3) <= 3


async def test_the_limit_is_reached_by_claims_at_the_same_moment(
    given: Given, reopen: Open
) -> None:
    """None of them leaves a place empty because another one looked at it too."""
    stores = [given.store, await reopen()]
    await asyncio.gather(*(given.enqueue(given.run()) for _ in range(60)))
    wanted = want(limit=2, most_running=3)

    claimed = await asyncio.gather(*(stores[n % 2].claim(wanted) for n in range(20)))

    assert sum(map(len, claimed)) == 3


async def test_without_a_limit_more_run_at_once(given: Given, reopen: Open) -> None:
    """Negative control: the same workers without the limit."""
    assert await most_at_once(given, reopen, None) > 3


async def test_the_limit_is_that_of_one_workflow(given: Given, store: Store) -> None:
    """Runs of another workflow, and trials, have places of their own."""
    for _ in range(3):
        await given.queued()
        await given.queued(workflow="refunds")
    for position in range(3):
        await given.enqueue(given.trial(position))
    both = ("refunds", "triage")

    first = await store.claim(want(workflows=both, most_running=2))
    second = await store.claim(want(workflows=both, most_running=2))
    trials = await store.claim(want(experiment="experiment-1", most_running=2))

    assert sorted(one.run.workflow for one in first) == ["refunds"] * 2 + ["triage"] * 2
    assert (len(second), len(trials)) == (0, 3)


async def test_whatever_ends_waits_or_lapses_frees_its_place(given: Given, store: Store) -> None:
    """At once: a lapsed run does not wait for anybody to tend to it."""
    for _ in range(5):
        await given.queued()
    limited = want(most_running=2, limit=5)

    one, two = await store.claim(limited)
    await store.write(given.settle(one, RunState.WAITING))
    [three] = await store.claim(limited)
    await store.write(given.settle(two, RunState.SUCCEEDED))
    [_] = await store.claim(limited)
    assert await store.claim(limited) == []
    given.clock.advance(LEASE + SECOND)
    again = await store.claim(limited)

    assert len(again) == 2
    assert three.run.id not in {two.run.id, one.run.id}


async def test_priority_and_suspects_are_as_without_a_limit(given: Given, store: Store) -> None:
    """The limit changes how many are given out, not which."""
    await given.queued()
    high = await given.queued(priority=5)

    claimed = await store.claim(want(most_running=1))

    assert [one.run.id for one in claimed] == [high.id]
    assert await store.claim(want(most_running=1, suspects=True)) == []


def delivery(event: str) -> Delivery:
    return Delivery(
        source="shop",
        event=event,
        type="order.paid",
        received=START,
        headers=(),
        body=b"{}",
        is_test=False,
    )


def arriving(given: Given, event: str, intake: int, **changes: Any) -> Receive:
    run = given.run(key=f"shop:{event}", **changes)
    return Receive(id=given.unit_id(), delivery=delivery(event), run=run, intake=intake)


async def test_past_the_limit_nothing_comes_in(given: Given, store: Store) -> None:
    """Neither a run nor a delivery is written; what began makes room again."""
    runs = [given.run() for _ in range(4)]
    answers = [await given.enqueue(run, intake=3) for run in runs]
    hook = await store.write(arriving(given, "e1", 3))

    assert [isinstance(one, Enqueued) for one in answers] == [True, True, True, False]
    assert (answers[-1], hook) == (Full(3), Full(3))
    assert await store.run(runs[-1].id) is None
    assert await store.delivery("shop", "e1") is None

    await store.claim(want(limit=2))
    assert isinstance(await store.write(arriving(given, "e1", 3)), Received)
    assert isinstance(await given.enqueue(given.run(), intake=3), Enqueued)
    assert await given.enqueue(given.run(), intake=3) == Full(3)


async def test_what_is_known_is_answered_even_when_full(given: Given, store: Store) -> None:
    """A second request, a conflict and a second delivery change nothing, so they may."""
    run = given.run(key="mail-1")
    unit = Enqueue(id=given.unit_id(), run=run, intake=2)
    await store.write(unit)
    hook = arriving(given, "e1", 2)
    await store.write(hook)

    again = await store.write(unit)
    same = await given.enqueue(given.run(key="mail-1"), intake=2)
    other = await given.enqueue(given.run(key="mail-1", value=b"2"), intake=2)
    twice = await store.write(arriving(given, "e1", 2))
    kept = await store.write(
        Receive(id=given.unit_id(), delivery=delivery("e2"), run=None, intake=2)
    )

    assert isinstance(again, Enqueued)
    assert again.created
    assert isinstance(same, Enqueued)
    assert (same.run.id, same.created) == (run.id, False)
    assert isinstance(other, KeyTaken)
    assert hook.run is not None
    assert twice == Received(hook.run.id, created=False)
    assert kept == Received(None, created=True)
    assert await given.enqueue(given.run(), intake=2) == Full(2)


async def test_what_waits_for_its_time_or_turn_counts(given: Given) -> None:
    """Whatever has not begun; what began and waits for a person does not."""
    await given.waiting()
    await given.enqueue(given.run(), delay=SECOND, intake=3)
    for _ in range(2):
        await given.enqueue(given.run(ordering="ana"), intake=3)

    assert await given.enqueue(given.run(), intake=3) == Full(3)
    assert isinstance(await given.enqueue(given.run(workflow="refunds"), intake=3), Enqueued)


async def test_the_limit_holds_whoever_enters_at_once(given: Given, reopen: Open) -> None:
    """Of 300 runs that two stores are handed at once, exactly 50 enter."""
    stores = [given.store, await reopen()]
    runs = [given.run(key=f"{n % 150}") for n in range(300)]

    async def enter(number: int, run: Run) -> Answered:
        store = stores[number % 2]
        return await store.write(Enqueue(id=given.unit_id(), run=run, intake=50))

    answers = await asyncio.gather(*(enter(n, run) for n, run in enumerate(runs)))

    created = [one for one in answers if isinstance(one, Enqueued) and one.created]
    assert len(created) == 50
    assert sum(isinstance(one, Full) for one in answers) >= 200
    assert await given.store.count() == {RunState.QUEUED: 50}


async def test_a_limit_that_was_reached_is_looked_at_again(given: Given, reopen: Open) -> None:
    """What another process claims makes room here."""
    other = await reopen()
    for _ in range(3):
        await given.enqueue(given.run(), intake=3)
    assert await given.enqueue(given.run(), intake=3) == Full(3)

    claimed: list[Claimed] = await other.claim(want(limit=1))

    assert len(claimed) == 1
    assert isinstance(await given.enqueue(given.run(), intake=3), Enqueued)
