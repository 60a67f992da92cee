"""How decisions, records and deliveries are applied to the tables of a PostgreSQL store.

Decisions come last in a group, one after the other: each locks the ledger, then the
pointer, then the runs that it treats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.postgres import turns
from proveout.adapters.postgres.keep import prune_runs
from proveout.adapters.postgres.turns import Ended
from proveout.adapters.rows import from_canary, from_headers
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
    from collections.abc import Sequence

    from proveout.adapters.postgres.wire import Link
    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.release import Pointer

RECEIVE = (
    "INSERT INTO proveout.deliveries (source, event, type, received, headers, body, is_test, run,"
    " unit) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[],"
    " $5::text[], $6::bytea[], $7::boolean[], $8::text[], $9::text[])"
    " AS new (source, event, type, received, headers, body, is_test, run, unit)"
    " ORDER BY source, event ON CONFLICT DO NOTHING RETURNING unit"
)

RECEIVED = (
    "SELECT given.place, known.run, known.unit FROM unnest($1::bigint[], $2::text[], $3::text[])"
    " AS given (place, source, event) JOIN proveout.deliveries AS known"
    " ON known.source = given.source AND known.event = given.event"
)


async def receive(link: Link, receives: Sequence[tuple[int, Receive]]) -> dict[int, Received]:
    """Keep deliveries that are new; return the answers by place. Their runs are not entered."""
    rows = [_delivery_row(unit) for _, unit in receives]
    added = {row["unit"] for row in await link.fetch(RECEIVE, *zip(*rows, strict=True))}
    known = [(place, unit) for place, unit in receives if unit.id not in added]
    answers = {
        place: Received(unit.run and unit.run.id, created=True)
        for place, unit in receives
        if unit.id in added
    }
    units = dict(known)
    asked = [(place, unit.delivery.source, unit.delivery.event) for place, unit in known]
    if asked:
        for row in await link.fetch(RECEIVED, *zip(*asked, strict=True)):
            created = row["unit"] == units[row["place"]].id
            answers[row["place"]] = Received(row["run"], created=created)
    return answers


def _delivery_row(unit: Receive) -> tuple[object, ...]:
    delivery = unit.delivery
    return (
        delivery.source,
        delivery.event,
        delivery.type,
        delivery.received,
        from_headers(delivery),
        delivery.body,
        delivery.is_test,
        unit.run and unit.run.id,
        unit.id,
    )


async def put(link: Link, unit: Put) -> Answered:
    """Change records, if what the unit makes is not there, and what it spends is."""
    if unit.makes is not None:
        made = await link.fetchrow(
            "INSERT INTO proveout.records (kind, name, body) VALUES ($1, $2, $3)"
            " ON CONFLICT (kind, name) DO NOTHING RETURNING name",
            unit.makes.kind,
            unit.makes.name,
            unit.makes.body,
        )
        if made is None:
            return Stale()
    if unit.spends is not None:
        spent = await link.fetchrow(
            "DELETE FROM proveout.records WHERE kind = $1 AND name = $2 RETURNING name",
            unit.spends.kind,
            unit.spends.name,
        )
        if spent is None:
            return Stale()
    for keep in unit.keeps:
        await _keep(link, keep)
    return Done()


async def amend(link: Link, unit: Amend) -> Answered:
    """Write a decision with its entry, if both follow what the store holds."""
    entry = unit.entry
    await link.execute("LOCK TABLE proveout.ledger IN SHARE ROW EXCLUSIVE MODE")
    known = await link.fetchrow("SELECT unit FROM proveout.ledger WHERE seq = $1", entry.seq)
    if known is not None:
        return Done() if known["unit"] == unit.id else Stale()
    if not await _follows(link, entry):
        return Stale()
    for change in unit.changes:
        if not await _is_due(link, change):
            return Stale()
    await link.execute(
        "INSERT INTO proveout.ledger (seq, at, actor, act, subject, facts, previous, hash, key,"
        " signature, unit) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        entry.seq,
        entry.at,
        entry.actor,
        entry.act,
        entry.subject,
        entry.facts,
        entry.previous,
        entry.hash,
        entry.signature.key,
        entry.signature.value,
        unit.id,
    )
    for change in unit.changes:
        await _apply(link, change)
    return Done()


async def _follows(link: Link, entry: LedgerEntry) -> bool:
    row = await link.fetchrow("SELECT coalesce(max(seq), 0) AS head FROM proveout.ledger")
    return row is not None and row["head"] == entry.seq - 1


async def _is_due(link: Link, change: Change) -> bool:
    """Whether a pointer's change is the next one; no claim reads the pointer until the commit."""
    if not isinstance(change, MovePointer):
        return True
    row = await link.fetchrow(
        "SELECT version FROM proveout.pointers WHERE workflow = $1 FOR UPDATE",
        change.pointer.workflow,
    )
    return change.pointer.version == (0 if row is None else row["version"]) + 1


async def _apply(link: Link, change: Change) -> None:
    match change:
        case NewRelease():
            await _add_release(link, change)
        case MovePointer(pointer=pointer):
            await _move(link, pointer)
        case Treat():
            await _treat(link, change)
        case StartHalt(halt=halt):
            await link.execute(
                "INSERT INTO proveout.halts (workflow, scope, since, author, reason)"
                " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                halt.workflow,
                halt.scope,
                halt.since,
                halt.by,
                halt.reason,
            )
        case EndHalt(workflow=workflow, scope=scope):
            await link.execute(
                "DELETE FROM proveout.halts WHERE workflow = $1 AND scope = $2", workflow, scope
            )
        case Keep():
            await _keep(link, change)
        case Erase(run=run):
            await prune_runs(link, [run])


async def _add_release(link: Link, change: NewRelease) -> None:
    release = change.release
    await link.execute(
        "INSERT INTO proveout.releases (digest, workflow, number, manifest, code, environment,"
        " created, author, archive, settings) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT DO NOTHING",
        release.digest,
        release.workflow,
        release.number,
        release.manifest,
        release.code,
        release.environment,
        release.created,
        release.by,
        change.archive,
        change.settings,
    )
    # From now on there is a row that claims and the first promotion lock in turn.
    await link.execute(
        "INSERT INTO proveout.pointers (workflow, version, stage, changed)"
        " VALUES ($1, 0, 'proof-of-concept', (SELECT proveout.moment())) ON CONFLICT DO NOTHING",
        release.workflow,
    )


MOVE = (
    "INSERT INTO proveout.pointers (workflow, version, stage, stable, canary, share, salt, since,"
    " hold, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
    " (SELECT proveout.moment())) ON CONFLICT (workflow) DO UPDATE SET"
    " version = excluded.version, stage = excluded.stage, stable = excluded.stable,"
    " canary = excluded.canary, share = excluded.share, salt = excluded.salt,"
    " since = excluded.since, hold = excluded.hold, changed = excluded.changed"
)


KEEP_DRAFTS = (
    "WITH found AS MATERIALIZED (SELECT id FROM proveout.runs WHERE workflow = $1"
    " AND release IS NULL AND experiment IS NULL AND fence = 0 AND state IN ('QUEUED', 'WAITING')"
    " AND NOT EXISTS (SELECT FROM proveout.pointers WHERE workflow = $1"
    " AND stage = 'production') ORDER BY id FOR NO KEY UPDATE)"
    " UPDATE proveout.runs SET release = 'draft' FROM found WHERE runs.id = found.id"
)
"""With the first promotion, what was asked of the proof of concept stays with its draft."""


async def _move(link: Link, pointer: Pointer) -> None:
    if pointer.stage is Stage.PRODUCTION:
        await link.execute(KEEP_DRAFTS, pointer.workflow)
    await link.execute(
        MOVE,
        pointer.workflow,
        pointer.version,
        pointer.stage,
        pointer.stable,
        *from_canary(pointer.canary),
    )


TREATED = (
    "WITH found AS MATERIALIZED (SELECT id, state, "  # noqa: S608 - our own words
    f"{turns.IS_HELD} AS is_held FROM proveout.runs WHERE release = $1"
    f" AND workflow = $2 AND state IN {turns.ALIVE} ORDER BY id FOR NO KEY UPDATE)"
)

TREAT = (
    f"{TREATED} UPDATE proveout.runs SET state = $3, updated = (SELECT proveout.moment()),"  # noqa: S608
    " note = $4, worker = NULL, lease_until = NULL FROM found"
    " WHERE runs.id = found.id AND found.state <> $3"
    " AND NOT (found.is_held AND $3 = 'PARKED')"
    " RETURNING runs.workflow, runs.ordering, runs.seq, found.is_held"
)
"""What waits for its turn is not parked: the run before it is, and keeps the turn."""

ORDERED = (
    "SELECT DISTINCT ordering FROM proveout.runs WHERE release = $1 AND workflow = $2"  # noqa: S608 - our own words
    f" AND state IN {turns.ALIVE} AND ordering IS NOT NULL"
)

CLOSE = (
    f"{TREATED} UPDATE proveout.reviews SET state = 'superseded',"  # noqa: S608
    " decided = (SELECT proveout.moment()) FROM found"
    " WHERE reviews.run = found.id AND reviews.state = 'open'"
)


async def _treat(link: Link, change: Treat) -> None:
    if change.treatment is Treatment.FINISH:
        return
    cancels = change.treatment is Treatment.CANCEL
    whose = (change.release, change.workflow)
    if cancels:
        await turns.hold(link, [row["ordering"] for row in await link.fetch(ORDERED, *whose)])
        await link.execute(CLOSE, *whose)
    state, note = "CANCELLED" if cancels else "PARKED", f"{change.treatment} by rollback"
    rows = await link.fetch(TREAT, *whose, state, note)
    ended = [
        Ended(row["workflow"], row["ordering"], row["seq"])
        for row in rows
        if row["ordering"] is not None and not row["is_held"]
    ]
    if cancels and ended:
        await turns.pass_on(link, ended)


async def _keep(link: Link, keep: Keep) -> None:
    if keep.body is None:
        await link.execute(
            "DELETE FROM proveout.records WHERE kind = $1 AND name = $2", keep.kind, keep.name
        )
        return
    await link.execute(
        "INSERT INTO proveout.records (kind, name, body) VALUES ($1, $2, $3)"
        " ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body",
        keep.kind,
        keep.name,
        keep.body,
    )
