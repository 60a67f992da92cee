"""Nothing happens although it should: that is told, and only that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proveout.domain.run import Run, RunId, RunState
from proveout.domain.schedule import Schedule
from proveout.watch.stale import (
    Arrivals,
    Synthetic,
    does_not_pass,
    last_tick,
    nobody_works,
    nothing_arrives,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FRIDAY = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
EVENINGS = Schedule(name="arrivals", cron="0 18 * * MON-FRI")
EXPECTED = Arrivals(at=EVENINGS, within=9 * HOUR)
PROBE = Synthetic(schedule=Schedule(name="probe", cron="*/15 * * * *"), within=5 * MINUTE)
RUN = Run(
    id=RunId("run-1"),
    workflow="triage",
    value=b"{}",
    created=FRIDAY,
    due=None,
    updated=FRIDAY + MINUTE,
)


@pytest.mark.parametrize(
    ("newest", "now", "is_told"),
    [
        (FRIDAY - HOUR, FRIDAY, False),
        (FRIDAY - 10 * HOUR, FRIDAY - MINUTE, False),
        (FRIDAY - 10 * HOUR, FRIDAY, True),
        (None, FRIDAY, True),
        (FRIDAY - HOUR, FRIDAY + timedelta(days=2), False),
        (FRIDAY + MINUTE, FRIDAY + HOUR, False),
    ],
    ids=["in time", "not yet", "too long ago", "never", "over a week-end", "afterwards"],
)
def test_what_should_arrive_on_weekdays_is_missed_on_weekdays(
    newest: datetime | None, now: datetime, is_told: bool
) -> None:
    """At six in the evening something must have come since nine; a Sunday is no sign."""
    found = nothing_arrives(EXPECTED, newest, now)

    assert (found is not None) is is_told


def test_the_last_moment_of_a_schedule_is_found_over_a_week_end() -> None:
    """On Monday morning it is Friday's."""
    monday = FRIDAY + timedelta(days=2, hours=14)

    assert last_tick(EVENINGS, monday) == FRIDAY


def probe(now: datetime, **changes: Any) -> str | None:
    run = replace(RUN, **changes) if changes else None
    found = does_not_pass(PROBE, FRIDAY, run, now)
    return found and found.summary


def test_a_synthetic_item_must_come_through_in_time() -> None:
    """Whether it failed, hangs, took too long or was never asked for."""
    late = FRIDAY + 6 * MINUTE

    assert probe(late, state=RunState.SUCCEEDED) is None
    assert probe(FRIDAY + MINUTE, state=RunState.RUNNING) is None
    assert probe(FRIDAY + MINUTE) is None
    assert probe(late, state=RunState.SUCCEEDED, updated=late) == (
        "the synthetic item of 18:00 UTC took 6 min"
    )
    assert probe(FRIDAY + MINUTE, state=RunState.DEAD) == (
        "the synthetic item of 18:00 UTC is DEAD"
    )
    assert probe(late, state=RunState.QUEUED) == ("the synthetic item of 18:00 UTC is still QUEUED")
    assert probe(late) == "the synthetic item of 18:00 UTC was not even asked for"


def test_a_run_that_nobody_works_on_is_told_of() -> None:
    """After five minutes, or as long as a run may take."""
    short = nobody_works(FRIDAY, MINUTE, FRIDAY + 5 * MINUTE)
    long = nobody_works(FRIDAY, MINUTE, FRIDAY + 6 * MINUTE)
    slow = nobody_works(FRIDAY, HOUR, FRIDAY + 30 * MINUTE)

    assert (short, slow, nobody_works(None, MINUTE, FRIDAY)) == (None, None, None)
    assert long is not None
    assert long.summary == "a run has waited 6 min for a worker"
