"""Schedules: when they tick, and how each tick becomes one run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from proveout.domain.run import RunState
from proveout.domain.schedule import Missed, Schedule
from proveout.run.schedule import AT_ONCE, BadSchedule, check, due_ticks, fire, next_tick

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store

HOURLY = Schedule(name="hourly", cron="0 * * * *")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hourly(missed: Missed) -> Schedule:
    return Schedule(name="hourly", cron="0 * * * *", missed=missed)


@pytest.mark.parametrize("missed", Missed)
def test_a_tick_fires_at_its_moment_and_not_before(missed: Missed) -> None:
    """Whatever becomes of missed ones."""
    before = due_ticks(hourly(missed), START, START + HOUR - timedelta(microseconds=1))
    then = due_ticks(hourly(missed), START, START + HOUR)
    after = due_ticks(hourly(missed), then.upto, START + HOUR + MINUTE)

    assert (before.fires, before.upto) == ((), START)
    assert (then.fires, then.upto) == ((START + HOUR,), START + HOUR)
    assert (after.fires, after.upto) == ((), START + HOUR)


@pytest.mark.parametrize(
    ("missed", "hours"),
    [(Missed.SKIP, []), (Missed.LAST, [5]), (Missed.ALL, [1, 2, 3, 4, 5])],
)
def test_what_becomes_of_missed_ticks_is_declared(missed: Missed, hours: list[int]) -> None:
    """Nobody was there for five and a half hours; the schedule is up to date afterwards."""
    due = due_ticks(hourly(missed), START, START + 5.5 * HOUR)

    assert due.fires == tuple(START + n * HOUR for n in hours)
    assert due.upto == START + 5 * HOUR


def test_a_tick_of_the_last_minute_was_not_missed() -> None:
    """A restart over a tick skips nothing."""
    due = due_ticks(hourly(Missed.SKIP), START, START + 2 * HOUR + MINUTE)

    assert (due.fires, due.upto) == ((START + 2 * HOUR,), START + 2 * HOUR)


def test_a_long_absence_is_made_up_for_in_parts() -> None:
    """In order, none twice and none left out."""
    every_minute = Schedule(name="m", cron="* * * * *", missed=Missed.ALL)
    ticked, fires = START, list[datetime]()
    while (due := due_ticks(every_minute, ticked, START + 250 * MINUTE)).upto != ticked:
        assert len(due.fires) <= AT_ONCE
        fires += due.fires
        ticked = due.upto

    assert fires == [START + n * MINUTE for n in range(1, 251)]


def test_years_of_absence_are_no_work() -> None:
    """The newest tick is found backward, not by counting all."""
    every_minute = Schedule(name="m", cron="* * * * *")

    due = due_ticks(every_minute, START - timedelta(days=3000), START)

    assert (due.fires, due.upto) == ((START,), START)


# In 2026 Berlin goes from 02:00 to 03:00 on 29 March, and from 03:00 back to 02:00 on 25 October.
SPRING, AUTUMN = "2026-03-28T12:00", "2026-10-24T12:00"


@pytest.mark.parametrize(
    ("cron", "since", "ticks"),
    [
        ("0 6 * * *", SPRING, ["2026-03-29T04:00", "2026-03-30T04:00"]),
        # What the jump leaves out fires right after it, and once.
        ("30 2 * * *", SPRING, ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("0,30 2 * * *", SPRING, ["2026-03-29T01:00", "2026-03-30T00:00"]),
        # What comes twice fires the first time.
        ("30 2 * * *", AUTUMN, ["2026-10-25T00:30", "2026-10-26T01:30"]),
        # With a star the time that passes counts: each real hour.
        ("30 * * * *", "2026-10-25T00:00", ["2026-10-25T00:30", "2026-10-25T01:30"]),
        ("30 * * * *", "2026-03-29T00:00", ["2026-03-29T00:30", "2026-03-29T01:30"]),
    ],
)
def test_daylight_saving_fires_nothing_twice_and_leaves_nothing_out(
    cron: str, since: str, ticks: list[str]
) -> None:
    """As Debian's cron does; the same whichever way the ticks are looked for."""
    every, last = (
        Schedule(name="n", cron=cron, zone="Europe/Berlin", missed=missed)
        for missed in (Missed.ALL, Missed.LAST)
    )
    expected = [at(tick) for tick in ticks]

    first = next_tick(every, at(since))
    assert [first, next_tick(every, first)] == expected
    assert due_ticks(every, at(since), expected[1]).fires == tuple(expected)
    for tick in expected:
        assert due_ticks(last, at(since), tick + timedelta(seconds=1)).fires == (tick,)


def test_a_schedule_made_in_an_hour_that_comes_twice_does_not_go_back() -> None:
    """In its second pass the first pass is over: the next tick is tomorrow's."""
    nightly = Schedule(name="n", cron="30 2 * * *", zone="Europe/Berlin")
    second_pass = datetime(2026, 10, 25, 2, 15, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))

    assert next_tick(nightly, second_pass.astimezone(UTC)) == at("2026-10-26T01:30")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cron": "0 6 * *"}, "five fields"),
        ({"cron": "0 0 6 * * *"}, "five fields"),
        ({"cron": "61 6 * * *"}, "bad minute"),
        ({"cron": "0 6 31 FEB *"}, "bad day-of-month"),
        ({"cron": "0 6 30 FEB *"}, "(bad day|never comes)"),
        ({"zone": "Berlin"}, 'no zone "Berlin"'),
        ({"zone": "../etc/passwd"}, "no zone"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(changes: dict[str, str], said: str) -> None:
    """Before it is waited for in vain."""
    with pytest.raises(BadSchedule, match=said):
        check(Schedule(**{"name": "n", "cron": "0 6 * * *", **changes}))  # pyright: ignore[reportArgumentType] - texts, as they come from a file


async def test_a_new_schedule_begins_when_it_is_first_seen(
    store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """Nothing is made up for that was before."""
    schedules = [hourly(Missed.ALL)]

    assert await fire(store, ids, "triage", schedules) == []
    clock.advance(HOUR + MINUTE)
    fired = await fire(store, ids, "triage", schedules)
    again = await fire(store, ids, "triage", schedules)

    assert fired == ["schedule:hourly:2026-11-22T10:00:00Z"]
    assert again == []
    run = await store.run_by_key("triage", fired[0])
    assert run is not None
    assert (run.state, run.value, run.due) == (RunState.QUEUED, b"{}", clock.now())


async def test_where_nothing_may_come_in_ticks_pass(
    store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """They are not made up for later."""
    schedules = [hourly(Missed.ALL)]
    await fire(store, ids, "triage", schedules)
    clock.advance(2 * HOUR)

    passed = await fire(store, ids, "triage", schedules, may=False)
    clock.advance(HOUR)
    fired = await fire(store, ids, "triage", schedules)

    assert (passed, fired) == ([], ["schedule:hourly:2026-11-22T12:00:00Z"])
