"""PgQueuer, set up as its documentation advises: asyncpg, batches, and its own drain mode.

python on_pgqueuer.py drain URL COUNT       runs a second, from a full queue to an empty one
python on_pgqueuer.py latency URL COUNT     milliseconds from enqueue to the body's first line
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

if TYPE_CHECKING:
    from pgqueuer.models import Job

BATCH = 100
"""Jobs that are taken at once; smaller and larger batches were slower."""

started: list[float] = []
stamped = asyncio.Event()


async def opened(url: str) -> tuple[asyncpg.Pool, PgQueuer, Queries]:
    """Connect, with its tables in the database."""
    pool = await asyncpg.create_pool(url, min_size=2, max_size=8)
    driver = AsyncpgPoolDriver(pool)
    queries = Queries(driver)
    if not await queries.has_table("pgqueuer"):
        await queries.install()
    queue = PgQueuer(driver)

    @queue.entrypoint("stamp")
    async def stamp(job: Job) -> None:  # noqa: ARG001 - the body is the measurement
        started.append(time.perf_counter())
        stamped.set()

    return pool, queue, queries


async def drain(url: str, count: str) -> dict[str, Any]:
    """Return how many jobs a second one worker takes from the queue to their end."""
    pool, queue, queries = await opened(url)
    total = int(count)
    start = time.perf_counter()
    for first in range(0, total, 1000):
        size = min(1000, total - first)
        await queries.enqueue(["stamp"] * size, [b"1"] * size, [0] * size)
    entered = time.perf_counter()
    await queue.run(mode=QueueExecutionMode.drain, batch_size=BATCH)
    ended = time.perf_counter()
    await pool.close()
    if len(started) != total:
        raise SystemExit(f"{len(started)} of {total} jobs ran")
    return {"enqueued": total / (entered - start), "rate": total / (ended - entered)}


async def latency(url: str, count: str) -> dict[str, Any]:
    """Return how long an idle worker takes to start a job."""
    pool, queue, queries = await opened(url)
    working = asyncio.create_task(queue.run(batch_size=10))
    waits: list[float] = []
    await asyncio.sleep(2)
    for n in range(int(count)):
        asked = time.perf_counter()
        await queries.enqueue("stamp", b"1")
        await stamped.wait()
        stamped.clear()
        waits.append(1000 * (started[n] - asked))
        await asyncio.sleep(0.02)
    queue.shutdown.set()
    await working
    await pool.close()
    parts = quantiles(waits, n=100, method="inclusive")
    return {"p50": parts[49], "p99": parts[98]}


if __name__ == "__main__":
    print(json.dumps(asyncio.run({"drain": drain, "latency": latency}[sys.argv[1]](*sys.argv[2:]))))
