"""Ordering keys and delays: whose turn it is, and when."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - a fixed play
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.deeds import FIRST, Deeds
from doubles.given import LEASE, Given, want
from proveout.domain.release import Treatment
from proveout.domain.run import RunState
from proveout.domain.unit import Cancel, Done, Enqueue, Requeue
from proveout.ports.store import RunFilter

if TYPE_CHECKING:
    from doubles.stores import Open
    from proveout.domain.run import Run, RunId
    from proveout.ports.store import Claimed, Store

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def ids_of(claimed: list[Claimed]) -> list[RunId]:
    return [one.run.id for one in claimed]


async def in_line(given: Given, count: int, ordering: str = "ana") -> list[RunId]:
    """Return runs of one key, in the order in which they came."""
    return [(await given.queued(ordering=ordering)).id for _ in range(count)]


ENDS = (RunState.SUCCEEDED, RunState.FAILED, RunState.DEAD)


@pytest.mark.parametrize("end", ENDS)
async def test_runs_of_one_key_go_one_at_a_time_in_order(
    given: Given, store: Store, end: RunState
) -> None:
    """The next one is given out when the one before it has ended, however it did."""
    runs = await in_line(given, 3)
    order: list[RunId] = []

    for _ in range(3):
        [claimed] = await store.claim(want())
        assert await store.claim(want()) == []
        order.append(claimed.run.id)
        assert await store.write(given.settle(claimed, end)) == Done()

    assert order == runs


async def test_runs_that_come_together_keep_their_order(given: Given, store: Store) -> None:
    """One commit may hold many runs of a key; they go as they were handed in."""
    runs = [given.run(ordering="ana", key=f"{99 - n}") for n in range(20)]
    await asyncio.gather(*map(given.enqueue, runs))

    order: list[RunId] = []
    while claimed := await store.claim(want()):
        order += ids_of(claimed)
        await asyncio.gather(
            *(store.write(given.settle(one, RunState.SUCCEEDED)) for one in claimed)
        )

    assert order == [run.id for run in runs]


async def test_keys_do_not_wait_for_each_other(given: Given, store: Store) -> None:
    """Another key, another workflow with the same key, and no key at all go at once."""
    first = await in_line(given, 2)
    other = await in_line(given, 2, "ben")
    elsewhere = await given.queued(workflow="refunds", ordering="ana")
    free = [await given.queued(), await given.queued()]

    claimed = await store.claim(want(workflows=("refunds", "triage")))

    assert set(ids_of(claimed)) == {first[0], other[0], elsewhere.id, *(run.id for run in free)}


async def test_whoever_waits_or_is_parked_keeps_the_turn(given: Given, store: Store) -> None:
    """A person's answer, a lapse, a hand-back and an operator's order all come to the same run."""
    first, second = await in_line(given, 2)
    [claimed] = await store.claim(want())
    unit = given.question(claimed)
    await store.write(unit)
    await store.write(given.settle(claimed, RunState.WAITING))
    assert await store.claim(want()) == []

    assert unit.review is not None
    await store.write(given.decide(unit.review))
    [claimed] = await store.claim(want())
    await store.write(given.settle(claimed, RunState.PARKED, note="why"))
    assert await store.claim(want()) == []

    await store.write(Requeue(id=given.unit_id(), run=first))
    [claimed] = await store.claim(want())
    await store.write(given.settle(claimed, RunState.QUEUED))
    [claimed] = await store.claim(want())
    given.clock.advance(LEASE + SECOND)
    await store.tend()
    [again] = await store.claim(want())

    assert (claimed.run.id, again.run.id) == (first, first)
    await store.write(given.settle(again, RunState.SUCCEEDED))
    assert ids_of(await store.claim(want())) == [second]


async def test_who_is_cancelled_gives_up_the_turn(given: Given, store: Store) -> None:
    """Before it began, while it runs, and in the middle of the line, where nobody moves up."""
    first, second, third, fourth = await in_line(given, 4)

    await store.write(given.cancel(third))
    assert await given.states([first, second, fourth]) == ["QUEUED", "WAITING", "WAITING"]
    await store.write(given.cancel(first))
    [claimed] = await store.claim(want())
    assert claimed.run.id == second
    await store.write(given.cancel(second))

    assert ids_of(await store.claim(want())) == [fourth]


async def test_an_end_and_a_cancel_in_one_commit_strand_nobody(given: Given, store: Store) -> None:
    """The turn goes past whoever is cancelled at the same moment."""
    runs = await in_line(given, 4)
    [claimed] = await store.claim(want())

    await asyncio.gather(
        store.write(given.settle(claimed, RunState.SUCCEEDED)),
        store.write(given.cancel(runs[1])),
        store.write(given.cancel(runs[2])),
    )

    assert ids_of(await store.claim(want())) == [runs[3]]


async def test_a_run_that_dies_of_its_crashes_gives_up_the_turn(given: Given, store: Store) -> None:
    """A poisoned run does not hold up its key for ever."""
    _, second = await in_line(given, 2)
    await store.claim(want(worker="child"))

    await store.blame("child", 1)

    assert ids_of(await store.claim(want())) == [second]


@pytest.mark.parametrize(
    ("treatment", "then"), [(Treatment.CANCEL, ["second"]), (Treatment.PARK, [])]
)
async def test_a_rollback_passes_the_turn_on_or_keeps_it(
    given: Given, store: Store, treatment: Treatment, then: list[str]
) -> None:
    """What is cancelled gives it up, what is parked keeps it."""
    deeds = Deeds(given)
    await deeds.move(FIRST)
    first, second = await in_line(given, 2)
    await store.claim(want(release=FIRST))

    await deeds.treat(FIRST, treatment)

    names = {first: "first", second: "second"}
    assert [names[run] for run in ids_of(await store.claim(want(release=FIRST)))] == then


async def test_housekeeping_moves_nobody_up_the_line(given: Given, store: Store) -> None:
    """Neither a run whose turn nor one whose time has not come is queued by it."""
    [_, second] = await in_line(given, 2)
    later = await given.queued(due=given.clock.now() + HOUR)

    await store.tend()

    assert await given.states([second, later.id]) == ["WAITING", "WAITING"]
    assert len(await store.claim(want())) == 1


async def test_a_delay_is_counted_by_the_store(given: Given, store: Store) -> None:
    """From its entry on, whatever the caller's clock said."""
    run = given.run(created=given.clock.now() - HOUR)
    await given.enqueue(run, delay=SECOND)

    assert (await given.known(run.id)).due == given.clock.now() + SECOND
    given.clock.advance(SECOND)
    assert (await store.tend()).woken == 1
    assert ids_of(await store.claim(want())) == [run.id]


async def test_a_delayed_run_keeps_its_place_in_the_line(given: Given, store: Store) -> None:
    """Its time is waited for when its turn has come, and those behind it wait as well."""
    first = given.run(ordering="ana")
    delayed = given.run(ordering="ana")
    last = given.run(ordering="ana")
    await given.enqueue(first)
    await given.enqueue(delayed, delay=HOUR)
    await given.enqueue(last)

    [claimed] = await store.claim(want())
    await store.write(given.settle(claimed, RunState.SUCCEEDED))
    early = await store.claim(want())
    due = (await given.known(delayed.id)).due
    given.clock.advance(HOUR)
    await store.tend()
    [then] = await store.claim(want())

    assert (claimed.run.id, early, then.run.id) == (first.id, [], delayed.id)
    assert due == given.clock.now()
    await store.write(given.settle(then, RunState.SUCCEEDED))
    assert ids_of(await store.claim(want())) == [last.id]


async def test_a_run_known_by_its_key_takes_no_place(given: Given, store: Store) -> None:
    """The same request again neither waits in line nor holds anybody up."""
    run = given.run(ordering="ana", key="mail-1")
    await given.enqueue(run)
    await given.enqueue(given.run(ordering="ana", key="mail-1"))
    second = await given.queued(ordering="ana")

    [claimed] = await store.claim(want())
    await store.write(given.settle(claimed, RunState.SUCCEEDED))

    assert ids_of(await store.claim(want())) == [second.id]


async def test_nobody_is_stranded_or_overlaps_whoever_writes_at_once(
    given: Given, reopen: Open
) -> None:
    """Twenty workers on two stores, with entries, ends and cancels crossing: each key in order."""
    stores = [given.store, await reopen()]
    chance = random.Random(7)  # noqa: S311 - a fixed play
    keys = [f"key-{n}" for n in range(8)]
    running: dict[str, RunId] = {}
    order: dict[str, list[RunId]] = defaultdict(list)
    entered: dict[str, list[RunId]] = defaultdict(list)
    cancelled: set[RunId] = set()
    left = 0

    async def enter(store: Store, key: str) -> None:
        nonlocal left
        for _ in range(25):
            run = given.run(ordering=key)
            entered[key].append(run.id)
            await store.write(Enqueue(id=given.unit_id(), run=run))
            if chance.random() < 0.1:
                cancelled.add(run.id)
                await store.write(Cancel(id=given.unit_id(), run=run.id))
        left -= 1

    async def work(store: Store, worker: str) -> None:
        idle = 0
        while left or idle < 3:
            claimed = await store.claim(want(worker=worker, limit=2))
            idle = 0 if claimed else idle + 1
            for one in claimed:
                key = one.run.ordering or ""
                assert running.get(key) in {None, *cancelled}, "two runs of one key at once"
                running[key] = one.run.id
                order[key].append(one.run.id)
            await asyncio.sleep(0)  # noqa: TID251 - lets another worker claim meanwhile
            for one in claimed:
                if running.get(one.run.ordering or "") == one.run.id:
                    del running[one.run.ordering or ""]
                await store.write(given.settle(one, chance.choice(ENDS)))

    left = len(keys)
    entering = [enter(stores[n % 2], key) for n, key in enumerate(keys)]
    working = [work(stores[n % 2], f"w{n}") for n in range(20)]
    await asyncio.gather(*entering, *working)

    assert not await given.store.runs(RunFilter(states=(RunState.QUEUED, RunState.WAITING)))
    for key in keys:
        begun = [run for run in entered[key] if run in set(order[key])]
        assert order[key] == begun
        assert {run for run in entered[key] if run not in cancelled} <= set(begun)


async def test_the_invariant_holds_through_any_play(given: Given, store: Store) -> None:
    """Of each key the first that has not ended may go, and none but it."""
    chance = random.Random(11)  # noqa: S311 - a fixed play
    runs: list[RunId] = []
    for _ in range(120):
        match chance.choice(("enter", "enter", "claim", "claim", "cancel", "requeue", "tend")):
            case "enter":
                run = given.run(ordering=chance.choice("ab"))
                runs.append(run.id)
                await given.enqueue(run, delay=chance.choice((timedelta(0), SECOND)))
            case "claim":
                for one in await store.claim(want(limit=2)):
                    end = chance.choice((*ENDS, RunState.QUEUED, RunState.PARKED, RunState.WAITING))
                    await store.write(given.settle(one, end))
            case "cancel" if runs:
                await store.write(given.cancel(chance.choice(runs)))
            case "requeue" if runs:
                await store.write(Requeue(id=given.unit_id(), run=chance.choice(runs)))
            case _:
                given.clock.advance(SECOND / 2)
                await store.tend()
        check_lines([await given.known(run) for run in runs])


def check_lines(runs: list[Run]) -> None:
    """Find fault with runs of which one may begin out of turn, or none may."""
    lines: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if not run.state.is_final:
            lines[run.ordering or ""].append(run)
    for first, *others in lines.values():
        assert (first.fence, first.state, first.due) != (0, RunState.WAITING, None)
        for other in others:
            assert (other.fence, other.state, other.due) == (0, RunState.WAITING, None)
