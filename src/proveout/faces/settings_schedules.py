"""Schedules as `proveout.toml` declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.duration import shown
from proveout.domain.schedule import Missed, Schedule
from proveout.errors import Mistake
from proveout.run.payload import to_json
from proveout.run.schedule import BadSchedule, check

if TYPE_CHECKING:
    from proveout.faces.settings_reader import Reader


def read_schedules(workflow: Reader) -> tuple[Schedule, ...]:
    """Return every schedule of the workflow, in the order of the file.

    Raises:
        SettingsMistake: one of them is not what it must be.
    """
    found: dict[str, Schedule] = {}
    for row in workflow.each("schedules"):
        schedule = _schedule(row)
        if schedule.name in found:
            raise row.mistake(
                f"two schedules are called {shown(schedule.name)}",
                "name",
                why="the name is part of the key of each of their runs",
                fix=(f'name = "{schedule.name}-2"',),
            )
        found[schedule.name] = schedule
    return tuple(found.values())


def _schedule(row: Reader) -> Schedule:
    schedule = Schedule(
        name=row.name("name"),
        cron=row.text("cron"),
        zone=row.text("zone") or "UTC",
        missed=Missed(row.choice("missed") or Missed.LAST),
        value=_input(row),
    )
    try:
        check(schedule)
    except BadSchedule as error:
        raise row.mistake(
            error.message,
            "zone" if "zone" in error.message else "cron",
            why=error.why,
            fix=error.fix,
        ) from None
    return schedule


def _input(row: Reader) -> bytes:
    try:
        return to_json(row.anything("input", {}), "the input", canonical=True)
    except Mistake as error:
        raise row.mistake(error.message, "input", why=error.why, fix=error.fix) from None
