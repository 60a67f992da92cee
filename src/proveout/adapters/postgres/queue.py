"""Who works on what, as statements: claims, lapsed leases, timers and deadlines."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from proveout.adapters.postgres.units import QUALIFIED_REVIEW, RUN, answer_reviews, columns, moment
from proveout.adapters.rows import to_entry, to_review, to_run
from proveout.domain.review import Answer
from proveout.ports.store import Claimed, Tended

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from proveout.adapters.postgres.wire import Link
    from proveout.adapters.rows import Row
    from proveout.domain.experiment import ExperimentId
    from proveout.ports.store import Want

ROUND = 1000
"""Most runs that one round of housekeeping moves for one reason."""

CLOCK = "WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now)"
"""The store's moment, asked once a statement; `(SELECT now FROM clock)` can use an index."""


def _claim(whose: str) -> str:
    return (
        f"{CLOCK}, ready AS MATERIALIZED (SELECT seq FROM proveout.runs WHERE state = 'QUEUED'"  # noqa: S608 - our own words
        f" AND {whose} AND due <= (SELECT now FROM clock) AND workflow = ANY ($1::text[])"
        " ORDER BY due, seq LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)"
        " UPDATE proveout.runs SET state = 'RUNNING', fence = fence + 1, worker = $3,"
        " lease_until = (SELECT now FROM clock) + $4::interval, wake = false,"
        " updated = (SELECT now FROM clock) FROM ready WHERE runs.seq = ready.seq"
        f" RETURNING runs.seq, {RUN}, (SELECT now FROM clock) AS now"
    )


CLAIM = _claim("experiment IS NULL AND $5::text IS NULL")
CLAIM_TRIALS = _claim("experiment = $5::text")


async def claim(link: Link, want: Want) -> list[Claimed]:
    """Give runs to a worker; their journals are read after that, so that no answer is missed."""
    rows = await link.fetch(
        CLAIM if want.experiment is None else CLAIM_TRIALS,
        list(want.workflows),
        want.limit,
        want.worker,
        want.lease,
        want.experiment,
    )
    rows.sort(key=lambda row: (row["due"], row["seq"]))
    entries = await _entries(link, [row["id"] for row in rows if row["fence"] > 1])
    return [
        Claimed(
            run=to_run(row, moment),
            entries=tuple(to_entry(entry, moment) for entry in entries.get(row["id"], ())),
            now=row["now"],
        )
        for row in rows
    ]


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
    " AND deadline <= (SELECT now FROM clock)) AS overdue"
)


def _requeue(which: str, by: str) -> str:
    return (
        f"{CLOCK}, found AS MATERIALIZED (SELECT seq FROM proveout.runs WHERE {which}"  # noqa: S608 - our own words
        f" ORDER BY {by} LIMIT {ROUND} FOR NO KEY UPDATE SKIP LOCKED) UPDATE proveout.runs"
        f" SET state = 'QUEUED', updated = (SELECT now FROM clock)"
        " FROM found WHERE runs.seq = found.seq"
    )


LAPSED = _requeue("state = 'RUNNING' AND lease_until < (SELECT now FROM clock)", "lease_until")
WOKEN = _requeue("state = 'WAITING' AND due <= (SELECT now FROM clock)", "due")


async def tend(link: Link) -> Tended:
    """Move what is due, up to a round of each kind."""
    needs = await link.fetchrow(NEEDS_TENDING)
    assert needs is not None  # noqa: S101 - a query without a table has one row
    return Tended(
        lapsed=count(await link.execute(LAPSED)) if needs["lapsed"] else 0,
        woken=count(await link.execute(WOKEN)) if needs["due"] else 0,
        expired=await _expire(link) if needs["overdue"] else 0,
    )


def count(tag: str) -> int:
    """Return how many rows a statement moved, from the server's word about it."""
    return int(tag.rpartition(" ")[2])


# Whoever writes about a run holds its row first; a review whose run is busy waits a round.
OVERDUE = (
    f"{CLOCK} SELECT {QUALIFIED_REVIEW}"  # noqa: S608
    " FROM proveout.reviews JOIN proveout.runs ON runs.id = reviews.run"
    " WHERE reviews.state = 'open' AND reviews.deadline <= (SELECT now FROM clock)"
    f" ORDER BY reviews.deadline LIMIT {ROUND} FOR NO KEY UPDATE SKIP LOCKED"
)

EXPIRE = (
    "UPDATE proveout.reviews SET state = 'expired', answer = given.answer,"
    " decided = (SELECT proveout.moment())"
    " FROM unnest($1::text[], $2::bytea[]) AS given (review, answer)"
    " WHERE reviews.id = given.review"
)


async def _expire(link: Link) -> int:
    async with transaction(link):
        overdue = [to_review(row, moment) for row in await link.fetch(OVERDUE)]
        answered = [
            (
                review,
                Answer(approved=False, content=review.content, by="", expired=True).to_json(),
            )
            for review in overdue
        ]
        if answered:
            await link.execute(EXPIRE, *columns((one.id, answer) for one, answer in answered))
            await answer_reviews(link, answered)
    return len(answered)


@asynccontextmanager
async def transaction(link: Link) -> AsyncGenerator[None]:
    """Make what happens inside one commit, or nothing."""
    await link.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
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
