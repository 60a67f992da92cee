"""Schedules as `proveout.toml` declares them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proveout.domain.duration import shown
from proveout.domain.schedule import Missed, Schedule
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
    """Return the input as canonical JSON, as `to_json` writes it; settings load no validation."""
    try:
        text = json.dumps(
            row.anything("input", {}),
            allow_nan=False,
            ensure_ascii=False,
            separators=(",", ":"),
            sort_keys=True,
        )
    except (TypeError, ValueError):
        raise row.mistake(
            "the input holds a date, NaN or infinity",
            "input",
            why="inputs travel as JSON, which has none of them",
            fix=('since = "2026-01-31"    a date as text',),
        ) from None
    return text.encode()
