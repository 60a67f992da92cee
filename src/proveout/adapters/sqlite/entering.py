"""How what comes in is entered in a SQLite store: runs, deliveries and ticks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.adapters.rows import from_failure, to_run
from proveout.adapters.sqlite.decisions import clean
from proveout.adapters.sqlite.decisions import receive as keep
from proveout.adapters.sqlite.moments import micros, moment
from proveout.adapters.sqlite.turns import is_taken
from proveout.domain.run import RunState
from proveout.domain.unit import (
    Answered,
    Done,
    Enqueue,
    Enqueued,
    Full,
    KeyTaken,
    Receive,
    Received,
    Stale,
    Tick,
)

if TYPE_CHECKING:
    import sqlite3

    from proveout.adapters.sqlite.intake import Intake
    from proveout.domain.run import Run


def enqueue(connection: sqlite3.Connection, unit: Enqueue, now: int, intake: Intake) -> Answered:
    """Enter a run, unless it is new and its workflow's intake limit leaves no room."""
    run = unit.run
    if unit.intake is None or intake.has_room(connection, run.workflow, unit.intake):
        return _enqueue(connection, unit, now)
    return Full(unit.intake) if _find(connection, run) is None else _enqueue(connection, unit, now)


def receive(connection: sqlite3.Connection, unit: Receive, now: int, intake: Intake) -> Answered:
    """Keep a delivery with its run, unless they are new and there is no room for the run."""
    if unit.intake is None or unit.run is None:
        return _receive(connection, unit, now)
    if intake.has_room(connection, unit.run.workflow, unit.intake) or _is_known(connection, unit):
        return _receive(connection, unit, now)
    return Full(unit.intake)


def _is_known(connection: sqlite3.Connection, unit: Receive) -> bool:
    """Whether a delivery asks for no new run: it, or the key of its run, was there before."""
    event = (unit.delivery.source, unit.delivery.event)
    before = "SELECT 1 FROM deliveries WHERE source = ? AND event = ?"
    if connection.execute(before, event).fetchone() is not None:
        return True
    return unit.run is not None and _find(connection, unit.run) is not None


def tick(connection: sqlite3.Connection, unit: Tick, now: int) -> Answered:
    """Move a schedule on, if it stands where the unit says, and enter its runs."""
    place = (unit.workflow, unit.name)
    if unit.since is None:
        moved = connection.execute(
            "INSERT INTO schedules (workflow, name, ticked, unit) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            clean(*place, micros(unit.to), unit.id),
        ).rowcount
    else:
        moved = connection.execute(
            "UPDATE schedules SET ticked = ?, unit = ? WHERE workflow = ? AND name = ?"
            " AND ticked = ?",
            (micros(unit.to), unit.id, *place, micros(unit.since)),
        ).rowcount
    if not moved:
        row = connection.execute(
            "SELECT 1 FROM schedules WHERE workflow = ? AND name = ? AND unit = ?",
            (*place, unit.id),
        ).fetchone()
        return Stale() if row is None else Done()
    for run in unit.runs:
        _enqueue(connection, Enqueue(id=unit.id, run=run), now)
    return Done()


def _receive(connection: sqlite3.Connection, unit: Receive, now: int) -> Answered:
    """Keep a delivery, and enter the run that a new one asks for."""
    answer = keep(connection, unit)
    if not answer.created or unit.run is None:
        return answer
    entered = _enqueue(connection, Enqueue(id=unit.id, run=unit.run), now)
    if entered.run.id == unit.run.id:
        return answer
    # Its key was taken: the delivery names the run that has it, never one that is not there.
    connection.execute(
        "UPDATE deliveries SET run = ? WHERE source = ? AND event = ?",
        (entered.run.id, unit.delivery.source, unit.delivery.event),
    )
    return Received(entered.run.id, created=True)


def _enqueue(connection: sqlite3.Connection, unit: Enqueue, now: int) -> Enqueued | KeyTaken:
    """Enter a run; what may not begin yet is not queued: claims look only at what is ready."""
    run = unit.run
    trial = run.trial
    created = micros(run.created)
    due = (now if run.due is None else micros(run.due)) + unit.delay // timedelta(microseconds=1)
    is_held = is_taken(connection, run.workflow, run.ordering)
    added = connection.execute(
        "INSERT INTO runs (id, workflow, state, value, key, created, updated, due, not_before,"
        " unit, experiment, candidate, position, case_digest, priority, ordering, origin, release,"
        " asked_by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        clean(
            run.id,
            run.workflow,
            "WAITING" if is_held or due > now else "QUEUED",
            run.value,
            run.key,
            created,
            created,
            None if is_held else due,
            due if is_held else None,
            unit.id,
            trial and trial.experiment,
            trial and trial.candidate,
            trial and trial.position,
            trial and trial.case,
            run.priority,
            run.ordering,
            run.origin,
            run.release,
            run.asked_by,
        ),
    ).rowcount
    if added:
        if run.state is not RunState.QUEUED:
            _end(connection, run)
        return Enqueued(run, created=True)
    known = _find(connection, run)
    assert known is not None  # noqa: S101 - it stood in the way
    if known.id == run.id:
        return Enqueued(known, created=True)
    return Enqueued(known, created=False) if known.has_input(run.value) else KeyTaken(known)


def _end(connection: sqlite3.Connection, run: Run) -> None:
    """Have a run that was just entered stand as what it reuses."""
    connection.execute(
        "UPDATE runs SET state = ?, result = ?, failure = ?, elapsed = ?, note = ?, updated = ?"
        " WHERE id = ?",
        clean(
            run.state,
            run.result,
            None if run.failure is None else from_failure(run.failure),
            run.elapsed,
            run.note,
            micros(run.updated or run.created),
            run.id,
        ),
    )


def _find(connection: sqlite3.Connection, run: Run) -> Run | None:
    """Return the run that the store knows by this one's id, key or place in an experiment."""
    trial = run.trial
    row = connection.execute(
        "SELECT * FROM runs WHERE id = ? OR (workflow = ? AND key = ?)"
        " OR (experiment = ? AND candidate = ? AND position = ?)",
        (
            run.id,
            run.workflow,
            run.key,
            trial and trial.experiment,
            trial and trial.candidate,
            trial and trial.position,
        ),
    ).fetchone()
    return None if row is None else to_run(row, moment)
