"""What a run waits for, and what is in doubt, in the tables of a SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proveout.adapters.rows import GIVEN_UP, from_outcome, to_outcome
from proveout.adapters.sqlite.decisions import clean
from proveout.adapters.sqlite.moments import moment
from proveout.domain.journal import EntryKind, Pending
from proveout.domain.unit import Closed, Done, Stale

if TYPE_CHECKING:
    import sqlite3

    from proveout.domain.unit import Close, Record, Resolve, Send

DEAL = (
    "WITH waits AS (SELECT seq, path, name, occurrence,"
    " row_number() OVER (PARTITION BY name ORDER BY seq) AS nth FROM journal"
    " WHERE run = ?1 AND kind = 'signal' AND outcome = 'pending'),"
    " kept AS (SELECT seq AS signal, name, value,"
    " row_number() OVER (PARTITION BY name ORDER BY seq) AS nth FROM signals"
    " WHERE run = ?1 AND path IS NULL)"
    " SELECT seq, path, occurrence, signal, value FROM waits JOIN kept USING (name, nth)"
)
"""Of each name the oldest wait and the oldest signal that is kept, the second and the second."""


def send(connection: sqlite3.Connection, unit: Send, now: int) -> Done | Stale:
    """Keep a signal, and give it to the run's oldest wait for it."""
    if connection.execute("SELECT 1 FROM signals WHERE unit = ?", (unit.id,)).fetchone():
        return Done()
    kept = connection.execute(
        "INSERT INTO signals (run, name, value, unit) SELECT id, ?2, ?3, ?4 FROM runs"
        " WHERE id = ?1 AND state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED')",
        clean(unit.run, unit.name, unit.value, unit.id),
    ).rowcount
    if not kept:
        return Stale()
    _deal(connection, unit.run, now)
    return Done()


def _deal(connection: sqlite3.Connection, run: str, now: int) -> None:
    """Give the signals that a run's store keeps to its waits, and wake it if one was taken."""
    rows: list[Any] = connection.execute(DEAL, (run,)).fetchall()
    for row in rows:
        connection.execute(
            "UPDATE journal SET outcome = 'returned', value = ? WHERE seq = ?",
            (row["value"], row["seq"]),
        )
        connection.execute(
            "UPDATE signals SET path = ?, occurrence = ? WHERE seq = ?",
            (row["path"], row["occurrence"], row["signal"]),
        )
    if rows:
        wake(connection, run, now)


def wake(connection: sqlite3.Connection, run: str, now: int) -> None:
    """Let a run go on whose wait was answered, now or as soon as it comes to wait."""
    connection.execute(
        "UPDATE runs SET wake = 1,"
        " state = CASE WHEN state = 'WAITING' AND fence > 0 THEN 'QUEUED' ELSE state END,"
        " due = CASE WHEN state = 'WAITING' AND fence > 0 THEN ?1 ELSE due END, updated = ?1"
        " WHERE id = ?2"
        " AND state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED')",
        (now, run),
    )


def follow(connection: sqlite3.Connection, unit: Record, now: int) -> None:
    """Do what follows from a record about signals: take those that came early, give up waits."""
    for place in unit.gives_up:
        connection.execute(
            "UPDATE signals SET path = NULL, occurrence = NULL"
            " WHERE run = ? AND path = ? AND name = ? AND occurrence = ?",
            clean(unit.run, *place),
        )
        connection.execute(
            "UPDATE journal SET outcome = 'raised', value = ? WHERE run = ? AND path = ?"
            " AND name = ? AND occurrence = ? AND (kind = 'signal' OR outcome = 'pending')",
            clean(GIVEN_UP, unit.run, *place),
        )
        connection.execute(
            "UPDATE reviews SET state = 'superseded', decided = ?, unit = ? WHERE run = ?"
            " AND path = ? AND name = ? AND occurrence = ? AND state = 'open'",
            clean(now, unit.id, unit.run, *place),
        )
    listens = any(
        entry.kind is EntryKind.SIGNAL and isinstance(entry.outcome, Pending)
        for entry in unit.entries
    )
    if listens or unit.gives_up:
        _deal(connection, unit.run, now)


def close(connection: sqlite3.Connection, unit: Close, *, is_current: bool) -> Closed | Stale:
    """Write the outcome of a pending entry, unless an answer came first."""
    entry = unit.entry
    if is_current:
        outcome, value, _ = from_outcome(entry.outcome)
        connection.execute(
            "UPDATE journal SET outcome = ?, value = ?, tries = ?, elapsed = ?, unit = ?"
            " WHERE run = ? AND path = ? AND name = ? AND occurrence = ? AND outcome = 'pending'",
            clean(outcome, value, entry.tries, entry.elapsed, unit.id, unit.run, *entry.place),
        )
    row = connection.execute(
        "SELECT outcome, value, due, unit FROM journal"
        " WHERE run = ? AND path = ? AND name = ? AND occurrence = ?",
        clean(unit.run, *entry.place),
    ).fetchone()
    if row is None or not (is_current or row["unit"] == unit.id):
        return Stale()
    return Closed(to_outcome(row, moment))


def resolve(connection: sqlite3.Connection, unit: Resolve) -> bool:
    """Say what became of an effect in doubt; return whether there was one in a parked run."""
    where = (
        " WHERE run = ? AND path = ? AND name = ? AND occurrence = ? AND kind = 'effect'"
        " AND outcome = 'pending' AND EXISTS"
        " (SELECT 1 FROM runs WHERE id = run AND state = 'PARKED')"
    )
    if unit.outcome is None:
        done = connection.execute(f"DELETE FROM journal{where}", clean(unit.run, *unit.place))  # noqa: S608 - our own words
    else:
        done = connection.execute(
            f"UPDATE journal SET outcome = 'returned', value = ?, unit = ?{where}",  # noqa: S608 - our own words
            clean(unit.outcome.value, unit.id, unit.run, *unit.place),
        )
    return bool(done.rowcount)
