"""Whether memory grows: least-squares slopes over a bounded time.

    make memory                       both, on PostgreSQL and on SQLite; ten minutes each
    python memory.py serve MINUTES    `serve` and its workers under a steady load by HTTP
    python memory.py waiting MINUTES  a worker beside 100,000 waiting runs, while people decide

The first third of the time is left out: caches and pools fill in it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from statistics import linear_regression
from typing import TYPE_CHECKING, Any

import httpx
from ours import RunState, decided, enter, fill, memory, opened, settled, worker

from doubles.postgres import Databases, OwnServer
from journeys.site import SETTINGS, Site
from journeys.test_serve import key_of, serving, until, workers_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncGenerator, Callable, Generator

EVERY = 1.0
"""Seconds between two looks at the memory."""

AT_ONCE = 4
"""Requests that are on their way at any moment."""

WAITING = 100_000

WORKERS = 2
"""Of `serve`, where nothing else is asked for."""


def slope(samples: list[tuple[float, float]]) -> float:
    """Return the growth in KiB a minute, of samples of (seconds, MiB), but for the first third."""
    settled = samples[len(samples) // 3 :]
    seconds, sizes = zip(*settled, strict=True)
    return linear_regression(seconds, sizes).slope * 60 * 1024


def tell(name: str, samples: list[tuple[float, float]], done: int) -> None:
    """Print one process's figures."""
    minutes = (samples[-1][0] - samples[0][0]) / 60
    growth = slope(samples)
    per_thousand = growth * minutes / done * 1000
    print(
        f"{name:24} {samples[len(samples) // 3][1]:7.1f} MiB  {growth:+8.1f} KiB/min"
        f"  {per_thousand:+7.2f} KiB per 1,000  ({done:,} in {minutes:.0f} min)",
        flush=True,
    )


@contextmanager
def served(url: str, folder: Path) -> Generator[tuple[subprocess.Popen[str], str, str]]:
    """Serve a workflow in production; gives the process, its address and an API key."""
    os.environ.update(
        PROVEOUT_STORE=url, PROVEOUT_KEY_FILE=str(folder / "key"), PROVEOUT_CACHE=str(folder / "c")
    )
    site = Site(folder, sys.executable, url)
    site.write("proveout.toml", SETTINGS)
    site.promoted(2)
    key = key_of(site, "operator")
    with serving(site) as (process, address):
        yield process, address, key


async def ask_steadily(address: str, key: str, watch: Callable[[], None], end: float) -> int:
    """Ask for runs, and look at each and at a page of them, until `end`; return how many."""
    asked = 0
    headers = {"Authorization": f"Bearer {key}"}

    async def go_on(client: httpx.AsyncClient) -> None:
        nonlocal asked
        while time.monotonic() < end:
            made = await client.post("/api/v1/workflows/toy/runs", json=asked)
            made.raise_for_status()
            asked += 1
            for path in (f"/api/v1/runs/{made.json()['id']}", "/metrics", "/healthz"):
                (await client.get(path)).raise_for_status()

    async def look() -> None:
        while time.monotonic() < end:
            watch()
            await asyncio.sleep(EVERY)

    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
        await asyncio.gather(look(), *(go_on(client) for _ in range(AT_ONCE)))
    return asked


def serve(url: str, folder: Path, minutes: float) -> None:
    """Measure `serve` and each of its workers."""
    with served(url, folder) as (process, address, key):
        until(lambda: len(workers_of(process)) == WORKERS, "the workers")
        processes = {"serve": process.pid}
        processes |= {f"worker {n}": pid for n, pid in enumerate(workers_of(process), 1)}
        samples: dict[str, list[tuple[float, float]]] = {name: [] for name in processes}

        def watch() -> None:
            for name, pid in processes.items():
                samples[name].append((time.monotonic(), memory(pid)))

        asked = asyncio.run(ask_steadily(address, key, watch, time.monotonic() + 60 * minutes))
    for name, taken in samples.items():
        tell(name, taken, asked)


@asynccontextmanager
async def beside_waiting(url: str) -> AsyncGenerator[Any]:
    """A worker at work, and so many runs that wait."""
    async with opened(url) as bench:
        one = worker(bench, "waits")
        working = asyncio.create_task(one.work())
        await fill(bench, "waits", WAITING)
        await settled(one, WAITING)
        yield bench
        one.stop()
        await working


async def wait_and_decide(url: str, minutes: float) -> None:
    """Measure a worker while one run after another is decided, and another takes its place."""
    samples: list[tuple[float, float]] = []
    async with beside_waiting(url) as bench:
        end = time.monotonic() + 60 * minutes
        count = 0
        while time.monotonic() < end:
            if not samples or time.monotonic() - samples[-1][0] > EVERY:
                samples.append((time.monotonic(), memory()))
            await enter(bench, "waits", [count])
            await decided(bench)
            count += 1
        waiting = (await bench.store.count())[RunState.WAITING]
    tell(f"beside {waiting:,} waiting", samples, count)


def waiting(url: str, folder: Path, minutes: float) -> None:  # noqa: ARG001 - as `serve` is called
    """Measure a worker beside runs that wait."""
    asyncio.run(wait_and_decide(url, minutes))


MEASURES = {"serve": serve, "waiting": waiting}


def main() -> None:
    """Measure what is named, or everything, on a store of either kind."""
    names = sys.argv[1:2] or list(MEASURES)
    minutes = float(sys.argv[2]) if sys.argv[2:] else 10.0
    with ExitStack() as opening:
        databases = Databases(opening.enter_context(OwnServer("fsync=on")).url)
        opening.callback(databases.close)
        for kind in ("PostgreSQL", "SQLite"):
            for name in names:
                with tempfile.TemporaryDirectory(prefix="memory-") as folder:
                    sqlite = f"sqlite:///{folder}/store.db"
                    url = databases.fresh() if kind == "PostgreSQL" else sqlite
                    print(f"{kind}, {name}", flush=True)
                    MEASURES[name](url, Path(folder), minutes)


if __name__ == "__main__":
    main()
