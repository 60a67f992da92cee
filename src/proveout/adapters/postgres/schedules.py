"""How far schedules have fired, in a PostgreSQL store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.unit import Answered, Done, Stale

if TYPE_CHECKING:
    from proveout.adapters.postgres.wire import Link
    from proveout.domain.unit import Tick

BEGIN = (
    "INSERT INTO proveout.schedules (workflow, name, ticked, unit) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT DO NOTHING RETURNING unit"
)

MOVE = (
    "UPDATE proveout.schedules SET ticked = $3, unit = $4 WHERE workflow = $1 AND name = $2"
    " AND ticked = $5 RETURNING unit"
)
"""Compare and set: of two schedulers with the same tick one moves the schedule."""

MOVED_BY = "SELECT unit FROM proveout.schedules WHERE workflow = $1 AND name = $2"

TICKED = (
    "SELECT clock.now, schedules.name, schedules.ticked"
    " FROM (SELECT proveout.moment() AS now) AS clock"
    " LEFT JOIN proveout.schedules ON schedules.workflow = $1"
)


async def move(link: Link, unit: Tick) -> tuple[Answered, bool]:
    """Move a schedule on, if it stands where the unit says; whether its runs are to be entered."""
    place = (unit.workflow, unit.name, unit.to, unit.id)
    if unit.since is None:
        moved = await link.fetchrow(BEGIN, *place)
    else:
        moved = await link.fetchrow(MOVE, *place, unit.since)
    if moved is not None:
        return Done(), True
    row = await link.fetchrow(MOVED_BY, unit.workflow, unit.name)
    was_us = row is not None and row["unit"] == unit.id
    return (Done() if was_us else Stale()), False
