"""Procrastinate, set up as its documentation advises: an asynchronous worker on a pool.

python on_procrastinate.py drain URL COUNT      runs a second, from a full queue to an empty one
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from procrastinate import App, PsycopgConnector

AT_ONCE = 32

ran: list[int] = []


async def drain(url: str, count: str) -> dict[str, Any]:
    """Return how many jobs a second one worker takes from the queue to their end."""
    app = App(connector=PsycopgConnector(conninfo=url, min_size=4, max_size=16))

    @app.task(name="no_op", queue="full")
    async def no_op(n: int) -> None:
        ran.append(n)

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        start = time.perf_counter()
        for first in range(0, int(count), 1000):
            await no_op.batch_defer_async(
                *({"n": n} for n in range(first, min(int(count), first + 1000)))
            )
        entered = time.perf_counter()
        await app.run_worker_async(
            queues=["full"], concurrency=AT_ONCE, wait=False, install_signal_handlers=False
        )
        ended = time.perf_counter()
    if len(ran) != int(count):
        raise SystemExit(f"{len(ran)} of {count} jobs ran")
    return {"enqueued": int(count) / (entered - start), "rate": int(count) / (ended - entered)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(drain(*sys.argv[2:]))))
