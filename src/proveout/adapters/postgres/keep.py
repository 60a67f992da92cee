"""What is kept in a PostgreSQL store, and for how long: payloads go first, their rows later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proveout.adapters.rows import delivery_of, without_content, without_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proveout.adapters.postgres.wire import Link
    from proveout.adapters.rows import Row
    from proveout.ports.housekeeping import Aged

ENDED = "state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED')"

CLOCK = "WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now)"

OLD = (
    f"{CLOCK} SELECT id FROM proveout.runs WHERE workflow = $1 AND pruned IS NULL"  # noqa: S608 - our own words
    f" AND experiment IS NULL AND {ENDED} AND updated <= (SELECT now FROM clock) - $2::interval"
    " ORDER BY updated LIMIT $3"
)

LOCK = (
    f"SELECT id, key, failure FROM proveout.runs WHERE id = ANY ($1::text[]) AND pruned IS NULL"  # noqa: S608
    f" AND {ENDED} ORDER BY id FOR NO KEY UPDATE"
)

PRUNE = (
    "UPDATE proveout.runs SET pruned = (SELECT proveout.moment()),"
    " input = encode(sha256(value), 'hex'), value = '', result = NULL, note = '',"
    " failure = given.failure FROM unnest($1::text[], $2::bytea[]) AS given (run, failure)"
    " WHERE runs.id = given.run"
)

PRUNE_JOURNAL = (
    "UPDATE proveout.journal SET arguments = '', value = NULL"
    " WHERE run = ANY ($1::text[]) AND outcome <> 'raised'"
)

RAISED = (
    "SELECT run, path, name, occurrence, value FROM proveout.journal"
    " WHERE run = ANY ($1::text[]) AND outcome = 'raised'"
)

PRUNE_RAISED = (
    "UPDATE proveout.journal SET arguments = '', value = given.value FROM unnest("
    "$1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[])"
    " AS given (run, path, name, occurrence, value) WHERE journal.run = given.run"
    " AND journal.path = given.path AND journal.name = given.name"
    " AND journal.occurrence = given.occurrence"
)

PRUNE_REVIEWS = (
    "UPDATE proveout.reviews SET content = '', original = '', findings = '', escalated_why = '',"
    " answer = given.answer"
    " FROM unnest($1::text[], $2::bytea[]) AS given (review, answer) WHERE id = given.review"
)

PRUNE_DELIVERIES = (
    "UPDATE proveout.deliveries AS known SET headers = '[]', body = ''"
    " FROM unnest($1::text[], $2::text[], $3::text[]) AS given (source, event, run)"
    " WHERE known.source = given.source AND known.event = given.event AND known.run = given.run"
)

PRUNE_STRAYS = (
    f"{CLOCK}, found AS MATERIALIZED (SELECT source, event FROM proveout.deliveries"  # noqa: S608
    " WHERE run IS NULL AND length(body) > 0 AND source = ANY ($1::text[])"
    " AND received <= (SELECT now FROM clock) - $2::interval ORDER BY received LIMIT $3"
    " FOR UPDATE SKIP LOCKED) UPDATE proveout.deliveries AS known"
    " SET headers = '[]', body = '' FROM found"
    " WHERE known.source = found.source AND known.event = found.event RETURNING known.event"
)


async def prune(link: Link, aged: Aged) -> int:
    """Remove the payloads of runs and deliveries that are old enough; return their count."""
    old = await link.fetch(OLD, aged.workflow, aged.age, aged.limit)
    strays = await link.fetch(PRUNE_STRAYS, list(aged.sources), aged.age, aged.limit)
    return await prune_runs(link, [row["id"] for row in old]) + len(strays)


async def prune_runs(link: Link, runs: Sequence[str]) -> int:
    """Remove the payloads of these runs, if they have ended; return how many had any."""
    rows = await link.fetch(LOCK, list(runs))
    if not rows:
        return 0
    ids = [row["id"] for row in rows]
    failures = [(row["id"], without_words(row["failure"])) for row in rows]
    await link.execute(PRUNE, *_columns(failures))
    await _prune_journal(link, ids)
    answers = await link.fetch(
        "SELECT id, answer FROM proveout.reviews WHERE run = ANY ($1::text[])", ids
    )
    if answers:
        pruned = [(row["id"], without_content(row["answer"])) for row in answers]
        await link.execute(PRUNE_REVIEWS, *_columns(pruned))
    await link.execute("DELETE FROM proveout.signals WHERE run = ANY ($1::text[])", ids)
    await link.execute("DELETE FROM proveout.model_answers WHERE run = ANY ($1::text[])", ids)
    await link.execute(PRUNE_DELIVERIES, *_columns(_deliveries(rows)))
    return len(rows)


async def _prune_journal(link: Link, runs: list[str]) -> None:
    await link.execute(PRUNE_JOURNAL, runs)
    raised = [
        (row["run"], row["path"], row["name"], row["occurrence"], without_words(row["value"]))
        for row in await link.fetch(RAISED, runs)
    ]
    if raised:
        await link.execute(PRUNE_RAISED, *_columns(raised))


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


def _deliveries(rows: Sequence[Row]) -> list[tuple[str | None, str | None, str]]:
    """Return the delivery that each run may have come from, as its key says."""
    return [(*delivery_of(row["key"]), row["id"]) for row in rows]


FORGET = (
    f"{CLOCK}, found AS MATERIALIZED (SELECT seq FROM proveout.runs WHERE workflow = $1"  # noqa: S608
    " AND pruned IS NOT NULL AND updated <= (SELECT now FROM clock) - $2::interval"
    " ORDER BY updated LIMIT $3 FOR UPDATE SKIP LOCKED)"
    " DELETE FROM proveout.runs USING found WHERE runs.seq = found.seq RETURNING id, key"
)

FORGET_DELIVERIES = (
    "DELETE FROM proveout.deliveries AS known USING unnest($1::text[], $2::text[], $3::text[])"
    " AS given (source, event, run) WHERE known.source = given.source"
    " AND known.event = given.event AND known.run = given.run"
)

FORGET_STRAYS = (
    f"{CLOCK}, found AS MATERIALIZED (SELECT source, event FROM proveout.deliveries"  # noqa: S608
    " WHERE run IS NULL AND length(body) = 0 AND source = ANY ($1::text[])"
    " AND received <= (SELECT now FROM clock) - $2::interval ORDER BY received LIMIT $3"
    " FOR UPDATE SKIP LOCKED) DELETE FROM proveout.deliveries AS known USING found"
    " WHERE known.source = found.source AND known.event = found.event RETURNING known.event"
)


async def forget(link: Link, aged: Aged) -> int:
    """Remove what is left of pruned runs and deliveries, keys included; return their count."""
    rows = await link.fetch(FORGET, aged.workflow, aged.age, aged.limit)
    if rows:
        ids = [row["id"] for row in rows]
        await link.execute("DELETE FROM proveout.journal WHERE run = ANY ($1::text[])", ids)
        await link.execute("DELETE FROM proveout.reviews WHERE run = ANY ($1::text[])", ids)
        await link.execute("DELETE FROM proveout.model_calls WHERE run = ANY ($1::text[])", ids)
        await link.execute(FORGET_DELIVERIES, *_columns(_deliveries(rows)))
    strays = await link.fetch(FORGET_STRAYS, list(aged.sources), aged.age, aged.limit)
    return len(rows) + len(strays)
