"""Schedules: when they tick, and how each tick becomes one run.

A tick is known by the schedule's name and its moment in UTC. It becomes a run under that
key in the same commit that moves the schedule on, so that however many schedulers look at
the same moment, it fires once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from proveout.domain.run import Run, RunId
from proveout.domain.schedule import Missed
from proveout.domain.unit import Done, Tick, UnitId
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proveout.domain.schedule import Schedule
    from proveout.ports.clock import Ids
    from proveout.ports.store import Store

LATE = timedelta(minutes=1)
"""A tick that is fired within this time of its moment was not missed."""

AT_ONCE = 100
"""Most missed ticks that one commit makes up for."""

FIELDS = 5

SHIFT = timedelta(hours=4)
"""More than any change of daylight saving time moves a tick."""


class BadSchedule(Mistake):
    """A schedule has no moments, or no zone."""

    code = "bad-schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a schedule has to do.

    Attributes:
        fires: the ticks that become runs, the oldest first.
        upto: up to which tick it has then fired, or let pass.
    """

    fires: tuple[datetime, ...]
    upto: datetime


def check(schedule: Schedule) -> None:
    """Leave quietly when the schedule has moments to come.

    Raises:
        BadSchedule: its cron or its zone cannot be read, or no date ever matches.
    """
    try:
        ZoneInfo(schedule.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSchedule(
            f'there is no zone "{schedule.zone[:60]}"',
            why="a zone is named as in the IANA database",
            fix=('"UTC"', '"Europe/Berlin"'),
        ) from None
    if len(schedule.cron.split()) != FIELDS:
        raise BadSchedule(
            f'"{schedule.cron[:60]}" has not five fields',
            why="minute, hour, day of the month, month, day of the week",
            fix=('"0 6 * * MON-FRI"',),
        )
    try:
        comes = next(_ticks(schedule, datetime(2024, 1, 1, tzinfo=UTC)), None)
    except CronSimError as error:
        raise BadSchedule(
            f'"{schedule.cron[:60]}" cannot be read: {str(error).lower()}',
            why="minute, hour, day of the month, month, day of the week",
            fix=('"0 6 * * MON-FRI"', '"*/15 * * * *"'),
        ) from None
    if comes is None:
        raise BadSchedule(f'"{schedule.cron[:60]}" never comes: no such date is in the calendar')


def next_tick(schedule: Schedule, after: datetime) -> datetime:
    """Return the first tick after a moment, in UTC."""
    return next(_ticks(schedule, after))


def due_ticks(schedule: Schedule, ticked: datetime, now: datetime) -> Due:
    """Return what a schedule that stands at `ticked` has to do at `now`.

    Of the ticks since, up to `now`: with "all" each fires, up to 100 at a time; with "last"
    only the newest; with "skip" only those of the last minute. The others pass.

    When clocks jump forward, a tick that the jump leaves out fires right after it; when they
    jump back, one that comes twice fires the first time. Schedules with a star in their
    minute or hour follow the time that passes instead: an hourly one fires every real hour.
    """
    match schedule.missed:
        case Missed.ALL:
            fires = tuple(islice(_between(schedule, ticked, now), AT_ONCE))
        case Missed.LAST:
            fires = _last(schedule, ticked, now)
        case Missed.SKIP:
            fires = tuple(_between(schedule, max(ticked, now - LATE - timedelta.resolution), now))
    passed = fires or _last(schedule, ticked, now)
    return Due(fires=fires, upto=passed[-1] if passed else ticked)


def _last(schedule: Schedule, ticked: datetime, now: datetime) -> tuple[datetime, ...]:
    """Return the newest tick since `ticked`, looked for backward from `now`."""
    backward = CronSim(schedule.cron, _in_zone(schedule, now), reverse=True)
    near = next(backward, None)
    start = ticked if near is None else max(ticked, near.astimezone(UTC) - SHIFT)
    found = tuple(_between(schedule, start, now)) or tuple(_between(schedule, ticked, now))
    return found[-1:]


def _between(schedule: Schedule, since: datetime, now: datetime) -> Iterator[datetime]:
    """Yield the ticks after `since` and up to `now`."""
    return takewhile(lambda tick: tick <= now, _ticks(schedule, since))


def _ticks(schedule: Schedule, since: datetime) -> Iterator[datetime]:
    """Yield the ticks after `since`, in UTC, without end."""
    for tick in CronSim(schedule.cron, _in_zone(schedule, since)):
        moment = tick.astimezone(UTC)
        if moment > since:
            yield moment


def _in_zone(schedule: Schedule, moment: datetime) -> datetime:
    return moment.astimezone(UTC if schedule.zone == "UTC" else ZoneInfo(schedule.zone))


def tick_key(schedule: str, tick: datetime) -> str:
    """Return the key of the run that a tick asks for."""
    return f"schedule:{schedule}:{tick.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


async def fire(
    store: Store, ids: Ids, workflow: str, schedules: Iterable[Schedule], *, may: bool = True
) -> list[str]:
    """Turn the ticks that are due into runs; return their keys.

    A schedule that the store does not know yet begins now. Where another scheduler was
    quicker nothing happens.

    Args:
        store: whose clock says what is due.
        ids: names the new runs.
        workflow: whose runs they are.
        schedules: those that are declared now.
        may: False to let ticks pass without a run.
    """
    known = await store.ticked(workflow)
    fired: list[str] = []
    for schedule in schedules:
        since = known.upto.get(schedule.name)
        due = Due(fires=(), upto=known.now) if since is None else None
        due = due or due_ticks(schedule, since or known.now, known.now)
        if due.upto == since:
            continue
        runs = tuple(
            Run(
                id=RunId(ids.new()),
                workflow=workflow,
                value=schedule.value,
                created=known.now,
                due=None,
                key=tick_key(schedule.name, tick),
            )
            for tick in (due.fires if may else ())
        )
        unit = Tick(
            id=UnitId(ids.new()),
            workflow=workflow,
            name=schedule.name,
            since=since,
            to=due.upto,
            runs=runs,
        )
        if await store.write(unit) == Done():
            fired += [run.key or "" for run in runs]
    return fired
