"""How each unit of work is applied to the tables of a SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.rows import from_failure, from_outcome
from proveout.adapters.sqlite.decisions import amend, clean, put
from proveout.adapters.sqlite.entering import enqueue, receive, tick
from proveout.adapters.sqlite.model_calls import charge
from proveout.adapters.sqlite.moments import micros
from proveout.adapters.sqlite.reviews import judge, open_review
from proveout.adapters.sqlite.turns import IS_HELD, pass_on
from proveout.adapters.sqlite.waits import close, follow, resolve, send
from proveout.domain.run import RunState
from proveout.domain.unit import (
    Amend,
    Answered,
    Cancel,
    Charge,
    Close,
    Decide,
    Done,
    Enqueue,
    Handle,
    Put,
    Receive,
    Record,
    Requeue,
    Resolve,
    Send,
    Settle,
    Stale,
    Tick,
    Unit,
)

if TYPE_CHECKING:
    import sqlite3

    from proveout.adapters.sqlite.intake import Intake


RANKS: dict[type[Unit], int] = {
    Enqueue: 0,
    Receive: 0,
    Tick: 0,
    Record: 1,
    Close: 1,
    Decide: 2,
    Handle: 2,
    Send: 2,
    Settle: 3,
    Cancel: 4,
    Requeue: 4,
    Resolve: 4,
    Charge: 4,
    Put: 5,
    Amend: 6,
}
"""The order of a group: an attempt's records before its end, answers before a wait is judged."""


def rank(unit: Unit) -> int:
    """Return where `unit` stands in its group; equals keep the order they came in."""
    return RANKS[type(unit)]


def apply(connection: sqlite3.Connection, unit: Unit, now: int, intake: Intake) -> Answered:  # noqa: C901, PLR0911, PLR0912 - one for each unit
    """Apply `unit` at the moment `now` inside the open transaction."""
    match unit:
        case Enqueue():
            return enqueue(connection, unit, now, intake)
        case Record():
            return _record(connection, unit, now)
        case Close():
            is_current = _is_current(connection, unit.run, unit.fence)
            return close(connection, unit, is_current=is_current)
        case Settle():
            return _settle(connection, unit, now)
        case Decide() | Handle():
            return judge(connection, unit, now)
        case Send():
            return send(connection, unit, now)
        case Cancel():
            return _cancel(connection, unit, now)
        case Requeue():
            return _requeue(connection, unit, now)
        case Resolve():
            if resolve(connection, unit):
                return _requeue(connection, unit, now)
            return _done_before(connection, unit)
        case Receive():
            return receive(connection, unit, now, intake)
        case Tick():
            return tick(connection, unit, now)
        case Charge():
            return charge(connection, unit)
        case Put():
            return put(connection, unit)
        case Amend():
            return amend(connection, unit, now)


RECORD = (
    "INSERT INTO journal (run, path, name, occurrence, kind, digest, arguments, outcome,"
    " value, due, started, tries, elapsed, fence, unit)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " outcome = excluded.outcome, value = excluded.value, due = excluded.due,"
    " tries = excluded.tries, elapsed = excluded.elapsed, fence = excluded.fence,"
    " unit = excluded.unit WHERE journal.outcome = 'pending' AND journal.kind = excluded.kind"
    " AND journal.kind IN ('step', 'effect')"
)
"""Add an entry; only a step that waits for its next try is written over."""


def _record(connection: sqlite3.Connection, unit: Record, now: int) -> Answered:
    if not _is_current(connection, unit.run, unit.fence):
        return Done() if _was_recorded(connection, unit) else Stale()
    for entry in unit.entries:
        outcome, value, due = from_outcome(entry.outcome)
        connection.execute(
            RECORD,
            clean(
                unit.run,
                *entry.place,
                entry.kind,
                entry.digest,
                entry.arguments,
                outcome,
                value,
                None if due is None else micros(due),
                micros(entry.started),
                entry.tries,
                entry.elapsed,
                unit.fence,
                unit.id,
            ),
        )
    if unit.review is not None:
        open_review(connection, unit.review)
    follow(connection, unit, now)
    return Done()


def _is_current(connection: sqlite3.Connection, run: str, fence: int) -> bool:
    row = connection.execute(
        "SELECT 1 FROM runs WHERE id = ? AND fence = ? AND state = 'RUNNING'", (run, fence)
    ).fetchone()
    return row is not None


def _was_recorded(connection: sqlite3.Connection, unit: Record) -> bool:
    row = connection.execute(
        "SELECT 1 FROM journal WHERE run = ? AND unit = ?", (unit.run, unit.id)
    ).fetchone()
    return row is not None


def _settle(connection: sqlite3.Connection, unit: Settle, now: int) -> Answered:
    due = None if unit.due is None else micros(unit.due)
    waits = unit.state == RunState.WAITING
    moved = connection.execute(
        "UPDATE runs SET state = CASE WHEN ?1 AND wake THEN 'QUEUED' ELSE ?2 END,"
        " due = CASE WHEN NOT ?1 THEN due WHEN wake THEN ?3 ELSE ?4 END, wake = 0,"
        " updated = ?3, elapsed = ?5, result = ?6, failure = ?7, note = ?8, unit = ?9,"
        " worker = NULL, lease_until = NULL, suspect = suspect AND ?2 = 'QUEUED'"
        " WHERE id = ?10 AND fence = ?11 AND state = 'RUNNING'",
        clean(
            waits,
            unit.state,
            now,
            due,
            unit.elapsed,
            unit.result,
            None if unit.failure is None else from_failure(unit.failure),
            unit.note,
            unit.id,
            unit.run,
            unit.fence,
        ),
    ).rowcount
    if moved:
        if unit.state.is_final:
            _supersede(connection, unit, now)
            pass_on(connection, unit.run, now)
        return Done()
    row = connection.execute(
        "SELECT 1 FROM runs WHERE id = ? AND unit = ?", (unit.run, unit.id)
    ).fetchone()
    return Stale() if row is None else Done()


def _cancel(connection: sqlite3.Connection, unit: Cancel, now: int) -> Answered:
    held = connection.execute(
        f"SELECT 1 FROM runs WHERE id = ? AND {IS_HELD}",  # noqa: S608 - our own words
        (unit.run,),
    ).fetchone()
    moved = connection.execute(
        "UPDATE runs SET state = 'CANCELLED', updated = ?, unit = ?, worker = NULL,"
        " lease_until = NULL"
        " WHERE id = ? AND state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED')",
        (now, unit.id, unit.run),
    ).rowcount
    if moved:
        _supersede(connection, unit, now)
        if held is None:
            pass_on(connection, unit.run, now)
        return Done()
    return _done_before(connection, unit)


def _supersede(connection: sqlite3.Connection, unit: Cancel | Settle, now: int) -> None:
    """Close the open reviews of a run that has ended: nothing would follow from an answer."""
    connection.execute(
        "UPDATE reviews SET state = 'superseded', decided = ?, unit = ?"
        " WHERE run = ? AND state = 'open'",
        (now, unit.id, unit.run),
    )


def _requeue(connection: sqlite3.Connection, unit: Requeue | Resolve, now: int) -> Answered:
    moved = connection.execute(
        "UPDATE runs SET state = 'QUEUED', due = ?1, updated = ?1, note = '', unit = ?2"
        " WHERE id = ?3 AND state = 'PARKED'",
        (now, unit.id, unit.run),
    ).rowcount
    return Done() if moved else _done_before(connection, unit)


def _done_before(connection: sqlite3.Connection, unit: Cancel | Requeue | Resolve) -> Answered:
    row = connection.execute(
        "SELECT 1 FROM runs WHERE id = ? AND unit = ?", (unit.run, unit.id)
    ).fetchone()
    return Stale() if row is None else Done()
