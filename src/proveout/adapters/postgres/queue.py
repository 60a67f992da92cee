"""Who works on what, as statements: claims, lapsed leases, timers and deadlines."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from proveout.adapters.postgres import reviews, turns
from proveout.adapters.postgres.columns import moment
from proveout.adapters.postgres.floor import ALL
from proveout.adapters.postgres.silence import ABANDONED
from proveout.adapters.postgres.turns import Ended
from proveout.adapters.postgres.units import RUN
from proveout.adapters.rows import crashed, from_failure, to_entry, to_run
from proveout.domain.run import RunId
from proveout.ports.store import Claimed, Tended

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from datetime import datetime

    from proveout.adapters.postgres.wire import Link
    from proveout.adapters.rows import Row
    from proveout.domain.experiment import ExperimentId
    from proveout.ports.store import Want

ROUND = 1000
"""Most runs that one round of housekeeping moves for one reason."""

CLOCK = "WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now)"
"""The store's moment, asked once a statement; `(SELECT now FROM clock)` can use an index."""


ROUTE = (
    "(runs.release = $6 OR (runs.release IS NULL AND $6 = CASE"
    " WHEN pointers.stable IS NULL THEN 'draft'"
    " WHEN pointers.canary IS NOT NULL"
    " AND proveout.lot(pointers.salt, coalesce(runs.key, runs.id)) < pointers.share"
    " THEN pointers.canary ELSE pointers.stable END))"
)
"""Whether a run belongs to the release of a worker; the same rule as `Pointer.assigned`."""

NOT_HALTED = (
    "NOT EXISTS (SELECT FROM proveout.halts WHERE halts.workflow = ANY ($1::text[])"
    " AND halts.workflow = runs.workflow AND halts.scope IN ('workflow', 'release:' || $6))"
)


def _claim(ready: str, release: str) -> str:
    return (
        f"{CLOCK}, {ready} UPDATE proveout.runs SET state = 'RUNNING', fence = fence + 1,"  # noqa: S608 - our own words
        " worker = $3, lease_until = (SELECT now FROM clock) + $4::interval, wake = false"
        f"{release}, updated = (SELECT now FROM clock) FROM ready WHERE runs.seq = ready.seq"
        f" RETURNING runs.seq, {RUN}, (SELECT now FROM clock) AS now"
    )


CLAIM = _claim(
    "pointers AS MATERIALIZED (SELECT workflow, stable, canary, share, salt"  # noqa: S608
    " FROM proveout.pointers WHERE workflow = ANY ($1::text[]) FOR SHARE),"
    " ready AS MATERIALIZED (SELECT runs.seq FROM proveout.runs LEFT JOIN pointers"
    " ON pointers.workflow = runs.workflow WHERE runs.state = 'QUEUED'"
    " AND runs.experiment IS NULL AND $5::text IS NULL AND runs.due <= (SELECT now FROM clock)"
    " AND runs.due >= $8::timestamptz"
    " AND runs.workflow = ANY ($1::text[]) AND ($7::boolean IS NULL OR runs.suspect = $7)"
    f" AND {ROUTE} AND {NOT_HALTED}"
    " ORDER BY runs.priority DESC, runs.due, runs.seq LIMIT $2"
    " FOR NO KEY UPDATE OF runs SKIP LOCKED)",
    ", release = coalesce(release, $6)",
)

CLAIM_TRIALS = _claim(
    "ready AS MATERIALIZED (SELECT seq FROM proveout.runs WHERE state = 'QUEUED'"
    " AND experiment = $5::text AND $6::text IS NOT NULL AND ($7::boolean IS NULL OR true)"
    " AND due <= (SELECT now FROM clock) AND due >= $8::timestamptz"
    " AND workflow = ANY ($1::text[]) ORDER BY due, seq LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)",
    "",
)


ONE_AT_A_TIME = 0x6D6F7374
"""The class of the advisory locks under which claims of limited workflows follow each other."""

RUNNING = (
    "SELECT count(*) AS runs FROM proveout.runs WHERE state = 'RUNNING' AND experiment IS NULL"
    " AND workflow = $1"
)


async def claim(link: Link, want: Want, since: datetime = ALL) -> list[Claimed]:
    """Give runs that are due since a moment to a worker.

    Their journals are read after that, so that no answer is missed.
    """
    if want.most_running is None or want.experiment is not None:
        rows = await _claim_rows(link, want, since)
    else:
        rows = await _claim_within(link, want, want.most_running, since)
    rows.sort(key=lambda row: (-row["priority"], row["due"], row["seq"]))
    entries = await _entries(link, [row["id"] for row in rows if row["fence"] > 1])
    return [
        Claimed(
            run=to_run(row, moment),
            entries=tuple(to_entry(entry, moment) for entry in entries.get(row["id"], ())),
            now=row["now"],
        )
        for row in rows
    ]


async def _claim_within(link: Link, want: Want, most: int, since: datetime) -> list[Row]:
    """Claim so that at most so many runs of each workflow are running, whoever claims at once."""
    rows: list[Row] = []
    async with transaction(link):
        for workflow in sorted(want.workflows):
            await link.execute(
                "SELECT pg_advisory_xact_lock($1::int, hashtext($2))", ONE_AT_A_TIME, workflow
            )
            await link.execute(LAPSED)  # a run that lapsed has no place to keep
            counted = await link.fetchrow(RUNNING, workflow)
            room = most - (0 if counted is None else counted["runs"])
            limit = min(want.limit - len(rows), room)
            if limit > 0:
                one = replace(want, workflows=(workflow,), limit=limit)
                rows += await _claim_rows(link, one, since)
    return rows


async def _claim_rows(link: Link, want: Want, since: datetime) -> list[Row]:
    return await link.fetch(
        CLAIM if want.experiment is None else CLAIM_TRIALS,
        list(want.workflows),
        want.limit,
        want.worker,
        want.lease,
        want.experiment,
        want.release,
        want.suspects,
        since,
    )


async def _entries(link: Link, runs: list[str]) -> dict[str, list[Row]]:
    entries: dict[str, list[Row]] = {}
    if runs:
        for row in await link.fetch(
            "SELECT * FROM proveout.journal WHERE run = ANY ($1::text[]) ORDER BY seq", runs
        ):
            entries.setdefault(row["run"], []).append(row)
    return entries


NEEDS_TENDING = (
    f"{CLOCK} SELECT EXISTS (SELECT FROM proveout.runs WHERE state = 'RUNNING'"  # noqa: S608
    " AND lease_until < (SELECT now FROM clock)) AS lapsed,"
    " EXISTS (SELECT FROM proveout.runs WHERE state = 'WAITING'"
    " AND due <= (SELECT now FROM clock)) AS due,"
    " EXISTS (SELECT FROM proveout.reviews WHERE state = 'open'"
    " AND deadline <= (SELECT now FROM clock) AND takes_effect IS NULL) AS overdue,"
    " EXISTS (SELECT FROM proveout.reviews WHERE state = 'open'"
    " AND takes_effect <= (SELECT now FROM clock)) AS decided"
)


IDLE = (
    "SELECT FROM proveout.runs LEFT JOIN proveout.pointers ON pointers.workflow = runs.workflow"  # noqa: S608
    " WHERE runs.experiment IS NOT DISTINCT FROM $2::text AND runs.workflow = ANY ($1::text[])"
    " AND (runs.state IN ('QUEUED', 'RUNNING') OR (runs.state = 'WAITING'"
    " AND runs.due <= (SELECT proveout.moment()) + $3::interval))"
    f" AND (runs.experiment IS NOT NULL OR {ROUTE.replace('$6', '$4')}) LIMIT 1"
)
"""A run that keeps a worker from being idle; what is halted counts as well."""


def _requeue(which: str, by: str, also: str = "") -> str:
    return (
        f"{CLOCK}, found AS MATERIALIZED (SELECT seq FROM proveout.runs WHERE {which}"  # noqa: S608 - our own words
        f" ORDER BY {by} LIMIT {ROUND} FOR NO KEY UPDATE SKIP LOCKED) UPDATE proveout.runs"
        f" SET state = 'QUEUED'{also}, updated = (SELECT now FROM clock)"
        " FROM found WHERE runs.seq = found.seq"
    )


LAPSED = _requeue(
    "state = 'RUNNING' AND lease_until < (SELECT now FROM clock)",
    "lease_until",
    ", suspect = experiment IS NULL",
)
WOKEN = _requeue("state = 'WAITING' AND due <= (SELECT now FROM clock)", "due")


async def tend(link: Link) -> Tended:
    """Move what is due, up to a round of each kind."""
    needs = await link.fetchrow(NEEDS_TENDING)
    assert needs is not None  # noqa: S101 - a query without a table has one row
    return Tended(
        lapsed=count(await link.execute(LAPSED)) if needs["lapsed"] else 0,
        woken=count(await link.execute(WOKEN)) if needs["due"] else 0,
        expired=await _in_one(link, reviews.expire) if needs["overdue"] else 0,
        decided=await _in_one(link, reviews.let_take_effect) if needs["decided"] else 0,
    )


def count(tag: str) -> int:
    """Return how many rows a statement moved, from the server's word about it."""
    return int(tag.rpartition(" ")[2])


async def _in_one(link: Link, move: Callable[[Link], Awaitable[int]]) -> int:
    async with transaction(link):
        return await move(link)


BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED;"
    f" SET LOCAL idle_in_transaction_session_timeout = '{ABANDONED}s'"
)


@asynccontextmanager
async def transaction(link: Link) -> AsyncGenerator[None]:
    """Make what happens inside one commit, or nothing."""
    await link.execute(BEGIN)
    try:
        yield
    except BaseException:
        if not link.is_closed():
            await link.execute("ROLLBACK")
        raise
    await link.execute("COMMIT")


RECLAIM = (
    f"{CLOCK}, found AS MATERIALIZED (SELECT seq FROM proveout.runs WHERE experiment = $1"  # noqa: S608
    " AND state = 'RUNNING' ORDER BY id FOR NO KEY UPDATE) UPDATE proveout.runs"
    " SET state = 'QUEUED', updated = (SELECT now FROM clock)"
    " FROM found WHERE runs.seq = found.seq"
)


async def reclaim(link: Link, experiment: ExperimentId) -> int:
    """Return the running trials of an experiment to the queue; their count."""
    return count(await link.execute(RECLAIM, experiment))


SUSPECTS = (
    "SELECT FROM proveout.runs WHERE state = 'QUEUED' AND experiment IS NULL AND suspect"
    " AND release = $2 AND workflow = ANY ($1::text[]) LIMIT 1"
)

CRASHED = (
    f"{CLOCK}, found AS MATERIALIZED (SELECT seq FROM proveout.runs WHERE worker = $1"  # noqa: S608
    " AND state = 'RUNNING' ORDER BY id FOR NO KEY UPDATE) UPDATE proveout.runs"
    " SET crashes = crashes + 1, suspect = true, worker = NULL, lease_until = NULL,"
    " state = CASE WHEN crashes + 1 >= $2 THEN 'DEAD' ELSE 'QUEUED' END,"
    " failure = CASE WHEN crashes + 1 >= $2 THEN $3::bytea END,"
    " updated = (SELECT now FROM clock)"
    " FROM found WHERE runs.seq = found.seq RETURNING id, state, workflow, ordering, runs.seq"
)
"""Count a crash against the runs of a worker that died alone."""

ORDERED = (
    "SELECT DISTINCT ordering FROM proveout.runs WHERE worker = $1 AND state = 'RUNNING'"
    " AND ordering IS NOT NULL"
)

BURY = (
    "UPDATE proveout.reviews SET state = 'superseded', decided = (SELECT proveout.moment())"
    " WHERE run = ANY ($1::text[]) AND state = 'open'"
)
"""Close the open reviews of runs that are dead: nothing would follow from an answer."""


async def blame(link: Link, worker: str, at_most: int) -> list[RunId]:
    """Count a crash against the runs that a dead worker held; return them."""
    async with transaction(link):
        await turns.hold(link, [row["ordering"] for row in await link.fetch(ORDERED, worker)])
        rows = await link.fetch(CRASHED, worker, at_most, from_failure(crashed(at_most)))
        dead = [row for row in rows if row["state"] == "DEAD"]
        await link.execute(BURY, [row["id"] for row in dead])
        ended = [
            Ended(row["workflow"], row["ordering"], row["seq"])
            for row in dead
            if row["ordering"] is not None
        ]
        if ended:
            await turns.pass_on(link, ended)
    return [RunId(row["id"]) for row in rows]
