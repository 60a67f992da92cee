"""How decisions, records and deliveries are applied to the tables of a SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.rows import from_canary, from_headers
from proveout.adapters.sqlite.keep import prune_runs
from proveout.adapters.sqlite.moments import micros
from proveout.adapters.sqlite.turns import IS_HELD, pass_on
from proveout.adapters.troubles import Unstorable
from proveout.domain.release import Stage, Treatment
from proveout.domain.unit import (
    Amend,
    Answered,
    Change,
    Done,
    EndHalt,
    Erase,
    Keep,
    MovePointer,
    NewRelease,
    Put,
    Receive,
    Received,
    Stale,
    StartHalt,
    Treat,
)

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.release import Halt, Pointer

IN_FLIGHT = "'QUEUED', 'RUNNING', 'WAITING', 'PARKED'"


def clean(*values: object) -> tuple[object, ...]:
    """Return `values`; a text with NUL is refused, since PostgreSQL could not keep it."""
    for value in values:
        if isinstance(value, str) and "\0" in value:
            raise Unstorable("the store refused this value: a text holds NUL")
    return values


def receive(connection: sqlite3.Connection, unit: Receive) -> Received:
    """Keep a delivery that is new; its run is entered by the caller."""
    delivery = unit.delivery
    added = connection.execute(
        "INSERT INTO deliveries (source, event, type, received, headers, body, is_test, run, unit)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        clean(
            delivery.source,
            delivery.event,
            delivery.type,
            micros(delivery.received),
            from_headers(delivery),
            delivery.body,
            delivery.is_test,
            unit.run and unit.run.id,
            unit.id,
        ),
    ).rowcount
    if added:
        return Received(unit.run and unit.run.id, created=True)
    row = connection.execute(
        "SELECT run, unit FROM deliveries WHERE source = ? AND event = ?",
        (delivery.source, delivery.event),
    ).fetchone()
    return Received(row["run"], created=row["unit"] == unit.id)


def put(connection: sqlite3.Connection, unit: Put) -> Answered:
    """Change records, if what the unit makes is not there, and what it spends is."""
    if unit.makes is not None:
        made = connection.execute(
            "INSERT OR IGNORE INTO records (kind, name, body) VALUES (?, ?, ?)",
            clean(unit.makes.kind, unit.makes.name, unit.makes.body),
        ).rowcount
        if not made:
            return Stale()
    if unit.spends is not None:
        spent = connection.execute(
            "DELETE FROM records WHERE kind = ? AND name = ?", (unit.spends.kind, unit.spends.name)
        ).rowcount
        if not spent:
            return Stale()
    for keep in unit.keeps:
        _keep(connection, keep)
    return Done()


def amend(connection: sqlite3.Connection, unit: Amend, now: int) -> Answered:
    """Write a decision with its entry, if both follow what the store holds."""
    entry = unit.entry
    known = connection.execute("SELECT unit FROM ledger WHERE seq = ?", (entry.seq,)).fetchone()
    if known is not None:
        return Done() if known["unit"] == unit.id else Stale()
    if not _follows(connection, entry) or not all(_is_due(connection, c) for c in unit.changes):
        return Stale()
    connection.execute(
        "INSERT INTO ledger (seq, at, actor, act, subject, facts, previous, hash, key, signature,"
        " unit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        clean(
            entry.seq,
            micros(entry.at),
            entry.actor,
            entry.act,
            entry.subject,
            entry.facts,
            entry.previous,
            entry.hash,
            entry.signature.key,
            entry.signature.value,
            unit.id,
        ),
    )
    for change in unit.changes:
        _apply(connection, change, now)
    return Done()


def _follows(connection: sqlite3.Connection, entry: LedgerEntry) -> bool:
    head = connection.execute("SELECT coalesce(max(seq), 0) FROM ledger").fetchone()[0]
    return head == entry.seq - 1


def _is_due(connection: sqlite3.Connection, change: Change) -> bool:
    """Whether a pointer's change is the next one."""
    if not isinstance(change, MovePointer):
        return True
    row = connection.execute(
        "SELECT version FROM pointers WHERE workflow = ?", (change.pointer.workflow,)
    ).fetchone()
    return change.pointer.version == (0 if row is None else row["version"]) + 1


def _apply(connection: sqlite3.Connection, change: Change, now: int) -> None:
    match change:
        case NewRelease():
            _add_release(connection, change)
        case MovePointer(pointer=pointer):
            _move(connection, pointer, now)
        case Treat():
            _treat(connection, change, now)
        case StartHalt(halt=halt):
            _halt(connection, halt)
        case EndHalt(workflow=workflow, scope=scope):
            connection.execute(
                "DELETE FROM halts WHERE workflow = ? AND scope = ?", (workflow, scope)
            )
        case Keep():
            _keep(connection, change)
        case Erase(run=run):
            prune_runs(connection, [run], now)


def _add_release(connection: sqlite3.Connection, change: NewRelease) -> None:
    release = change.release
    connection.execute(
        "INSERT INTO releases (digest, workflow, number, manifest, code, environment, created,"
        " author, archive, settings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        clean(
            release.digest,
            release.workflow,
            release.number,
            release.manifest,
            release.code,
            release.environment,
            micros(release.created),
            release.by,
            change.archive,
            change.settings,
        ),
    )


def _move(connection: sqlite3.Connection, pointer: Pointer, now: int) -> None:
    if pointer.stage is Stage.PRODUCTION:
        connection.execute(KEEP_DRAFTS, {"workflow": pointer.workflow})
    canary, share, salt, since, hold = from_canary(pointer.canary)
    connection.execute(
        "INSERT OR REPLACE INTO pointers (workflow, version, stage, stable, canary, share, salt,"
        " since, hold, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        clean(
            pointer.workflow,
            pointer.version,
            pointer.stage,
            pointer.stable,
            canary,
            share,
            salt,
            _micros(since),
            _micros(hold),
            now,
        ),
    )


KEEP_DRAFTS = (
    "UPDATE runs SET release = 'draft' WHERE workflow = :workflow AND release IS NULL"
    " AND experiment IS NULL AND fence = 0 AND state IN ('QUEUED', 'WAITING')"
    " AND NOT EXISTS (SELECT 1 FROM pointers"
    " WHERE workflow = :workflow AND stage = 'production')"
)
"""With the first promotion, what was asked of the proof of concept stays with its draft."""


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


def _treat(connection: sqlite3.Connection, change: Treat, now: int) -> None:
    if change.treatment is Treatment.FINISH:
        return
    state = "PARKED" if change.treatment is Treatment.PARK else "CANCELLED"
    if state == "CANCELLED":
        connection.execute(
            "UPDATE reviews SET state = 'superseded', decided = ? WHERE state = 'open' AND run IN"  # noqa: S608 - our own words
            f" (SELECT id FROM runs WHERE release = ? AND workflow = ? AND state IN ({IN_FLIGHT}))",
            (now, change.release, change.workflow),
        )
    # What waits for its turn is not parked: the run before it is, and keeps the turn.
    kept = f" AND NOT {IS_HELD}" if state == "PARKED" else ""
    ended = connection.execute(
        "SELECT id FROM runs WHERE release = ? AND workflow = ? AND ordering IS NOT NULL"  # noqa: S608 - our own words
        f" AND state IN ({IN_FLIGHT}) AND NOT {IS_HELD}",
        (change.release, change.workflow),
    ).fetchall()
    connection.execute(
        "UPDATE runs SET state = ?, updated = ?, note = ?, worker = NULL, lease_until = NULL"  # noqa: S608 - our own words
        f" WHERE release = ? AND workflow = ? AND state IN ({IN_FLIGHT}) AND state <> ?{kept}",
        (state, now, f"{change.treatment} by rollback", change.release, change.workflow, state),
    )
    if state == "CANCELLED":
        for row in ended:
            pass_on(connection, row["id"], now)


def _halt(connection: sqlite3.Connection, halt: Halt) -> None:
    connection.execute(
        "INSERT INTO halts (workflow, scope, since, author, reason) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        clean(halt.workflow, halt.scope, micros(halt.since), halt.by, halt.reason),
    )


def _keep(connection: sqlite3.Connection, keep: Keep) -> None:
    if keep.body is None:
        connection.execute(
            "DELETE FROM records WHERE kind = ? AND name = ?", (keep.kind, keep.name)
        )
        return
    connection.execute(
        "INSERT OR REPLACE INTO records (kind, name, body) VALUES (?, ?, ?)",
        clean(keep.kind, keep.name, keep.body),
    )
