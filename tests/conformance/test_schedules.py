"""How far schedules have fired: one tick, one run, whoever looks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.run import RunState
from proveout.domain.unit import Done, Stale, Tick

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.stores import Open
    from proveout.ports.store import Store

MINUTE = timedelta(minutes=1)


def tick(given: Given, **changes: Any) -> Tick:
    usual: dict[str, Any] = {
        "id": given.unit_id(),
        "workflow": "triage",
        "name": "morning",
        "since": None,
        "to": given.clock.now(),
    }
    return Tick(**{**usual, **changes})


async def test_a_schedule_begins_at_a_moment_and_moves_on(given: Given, store: Store) -> None:
    """With the run of its tick, in the same commit."""
    begun = given.clock.now()
    assert await store.write(tick(given)) == Done()
    given.clock.advance(MINUTE)
    run = given.run(key="schedule:morning:1")

    answer = await store.write(tick(given, since=begun, runs=(run,)))
    ticked = await store.ticked("triage")

    assert answer == Done()
    assert (await given.known(run.id)).state == RunState.QUEUED
    assert ticked.upto == {"morning": given.clock.now()}
    assert ticked.now == given.clock.now()
    assert (await store.ticked("refunds")).upto == {}


async def test_of_two_with_the_same_tick_one_moves_the_schedule(given: Given, reopen: Open) -> None:
    """The other writes nothing, not even runs under other keys."""
    stores = [given.store, await reopen()]
    begun = given.clock.now()
    beginning = await asyncio.gather(*(store.write(tick(given)) for store in stores))
    given.clock.advance(MINUTE)
    units = [tick(given, since=begun, runs=(given.run(key=f"{n}"),)) for n in range(8)]

    answers = await asyncio.gather(*(stores[n % 2].write(unit) for n, unit in enumerate(units)))

    assert sorted(beginning, key=str) == [Done(), Stale()]
    assert sorted(answers, key=str) == [Done()] + [Stale()] * 7
    assert await given.store.count() == {RunState.QUEUED: 1}


async def test_a_tick_sent_again_is_answered_as_before(given: Given, store: Store) -> None:
    """After an unknown commit: nothing fires twice."""
    first = tick(given)
    given.clock.advance(MINUTE)
    second = tick(given, since=first.to, runs=(given.run(key="t"),))

    answers = [await store.write(unit) for unit in (first, first, second, second)]

    assert answers == [Done()] * 4
    assert await store.count() == {RunState.QUEUED: 1}
    assert await store.write(replace(second, id=given.unit_id())) == Stale()


async def test_a_tick_whose_run_is_known_fires_nothing(given: Given, store: Store) -> None:
    """The key keeps it from firing twice although the schedule was set back."""
    first = tick(given)
    await store.write(first)
    await given.queued(key="schedule:morning:1")

    to = given.clock.now() + MINUTE
    unit = tick(given, since=first.to, to=to, runs=(given.run(key="schedule:morning:1"),))

    assert await store.write(unit) == Done()
    assert await store.count() == {RunState.QUEUED: 1}
