"""Ordering keys: of the runs of one key only the first that has not ended may begin.

The others are WAITING without a due time, so that no claim and no timer ever looks at
them. Whoever enters a run of a key, or ends one, first takes the key's advisory lock:
what enters behind a run and that run's end cannot miss each other. These locks come
before any row's, in one order.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proveout.adapters.postgres.wire import Link

CLASS = 0x6F726465
"""The class of the advisory locks of ordering keys."""

BUCKETS = 1024
"""Most such locks that one group holds; keys that fall together merely wait for each other."""

ALIVE = "('QUEUED', 'RUNNING', 'WAITING', 'PARKED')"

IS_HELD = "(runs.state = 'WAITING' AND runs.fence = 0 AND runs.due IS NULL)"
"""Whether a run waits for its turn."""

HAS_COME = (
    "state = CASE WHEN not_before > (SELECT now FROM clock) THEN 'WAITING' ELSE 'QUEUED' END,"
    " due = greatest(not_before, (SELECT now FROM clock)), not_before = NULL,"
    " updated = (SELECT now FROM clock)"
)
"""What becomes of a run whose turn has come: it is queued, or waits out its own delay."""

HOLD = "SELECT pg_advisory_xact_lock($1::int, bucket) FROM unnest($2::int[]) AS bucket"

# Looked for from the newest backward: a backlog is found at once, however much of it has ended.
TAKE = (
    "WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now)"  # noqa: S608 - our own words
    f" UPDATE proveout.runs SET {HAS_COME} WHERE id = ANY ($1::text[]) AND {IS_HELD}"
    " AND (SELECT before.seq FROM proveout.runs AS before WHERE before.workflow = runs.workflow"
    " AND before.ordering = runs.ordering AND before.seq + 0 < runs.seq"
    f" AND before.state IN {ALIVE} ORDER BY before.seq + 0 DESC LIMIT 1) IS NULL"
)
"""The sum is that of the index `runs_ordering`: no other index may be used here."""

PASS = (
    "WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now),"  # noqa: S608 - our own words
    " next AS MATERIALIZED (SELECT first.seq"
    " FROM unnest($1::text[], $2::text[], $3::bigint[]) AS ended (workflow, ordering, seq),"
    " LATERAL (SELECT seq FROM proveout.runs WHERE workflow = ended.workflow"
    f" AND ordering = ended.ordering AND seq + 0 > ended.seq AND state IN {ALIVE}"
    " ORDER BY seq + 0 LIMIT 1) AS first)"
    f" UPDATE proveout.runs SET {HAS_COME} FROM next WHERE runs.seq = next.seq AND {IS_HELD}"
)


class Ended(NamedTuple):
    """A run that had its turn and has ended."""

    workflow: str
    ordering: str
    seq: int


async def hold(link: Link, orderings: Iterable[str]) -> None:
    """Hold the locks of ordering keys until the end of the transaction."""
    buckets = sorted({_bucket(ordering) for ordering in orderings})
    if buckets:
        await link.execute(HOLD, CLASS, buckets)


def _bucket(ordering: str) -> int:
    whole = hashlib.sha256(ordering.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(whole[:4]) % BUCKETS


async def take(link: Link, entered: Sequence[str]) -> None:
    """Give new runs their turn where nothing of their keys is before them."""
    await link.execute(TAKE, list(entered))


async def pass_on(link: Link, ended: Sequence[Ended]) -> None:
    """Give the next run of each key its turn."""
    await link.execute(PASS, *zip(*ended, strict=True))
