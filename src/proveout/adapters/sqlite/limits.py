"""What is left of shared limits, in a SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.limit import fill, give

if TYPE_CHECKING:
    import sqlite3

    from proveout.domain.limit import Draw, Grant

SECOND = 1_000_000


def take(connection: sqlite3.Connection, draw: Draw, now: int) -> Grant:
    """Give from a bucket at the moment `now`, inside the open transaction."""
    rate = draw.rate
    row = connection.execute(
        "SELECT level, updated FROM limits WHERE name = ?", (rate.name,)
    ).fetchone()
    level, updated = (rate.capacity, now) if row is None else (row["level"], row["updated"])
    left, grant = give(fill(level, (now - updated) / SECOND, rate), draw)
    connection.execute(
        "INSERT INTO limits VALUES (?1, ?2, ?3)"
        " ON CONFLICT (name) DO UPDATE SET level = ?2, updated = ?3",
        (rate.name, left, max(now, updated)),
    )
    return grant
