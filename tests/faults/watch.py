"""What a test looks at in the database itself while workers work."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from faults.conftest import PATIENCE
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from faults.conftest import Site
    from proveout.adapters.postgres.wire import Link

CLOCK = SystemClock()

CLAIMS = "SELECT coalesce(sum(fence), 0)::bigint AS claims FROM proveout.runs"

LEFT = (
    "SELECT state, suspect, worker, lease_until - now() AS lease, count(*) FROM proveout.runs"
    " WHERE state IN ('QUEUED', 'RUNNING', 'WAITING') GROUP BY 1, 2, 3, 4"
)

BUSY = (
    "SELECT state, client_addr, wait_event, now() - state_change AS since, left(query, 60)"
    " FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
)

UNFINISHED = "SELECT FROM proveout.runs WHERE state IN ('QUEUED', 'RUNNING', 'WAITING') LIMIT 1"


@asynccontextmanager
async def watching(url: str) -> AsyncGenerator[Link]:
    """Connect to look at the database at `url`."""
    link = await Server.at(url).connect("watch")
    try:
        yield link
    finally:
        await part(link)


async def all_working(site: Site) -> None:
    """Return when every worker that was started has said that it works."""
    log = site.folder / "workers.log"
    async with asyncio.timeout(PATIENCE):
        while log.read_text("utf-8").count("working on") < len(site.started):
            await CLOCK.sleep(0.05)


async def until(link: Link, query: str, *values: object) -> None:
    """Return when a query has a row."""
    async with asyncio.timeout(PATIENCE):
        while not await link.fetch(query, *values):
            await CLOCK.sleep(0.05)


async def seconds_until_claimed(url: str) -> float:
    """Return how long it takes from now until somebody claims a run."""
    began = CLOCK.monotonic()
    async with watching(url) as link, asyncio.timeout(PATIENCE):
        before = await link.fetch(CLAIMS)
        while (await link.fetch(CLAIMS))[0]["claims"] == before[0]["claims"]:
            await CLOCK.sleep(0.02)
    return CLOCK.monotonic() - began


async def all_ended(url: str, within: float = PATIENCE) -> None:
    """Return when no run is left to do, or fail and tell what is when that is not in time."""
    end = CLOCK.monotonic() + within
    async with watching(url) as link:
        while await link.fetch(UNFINISHED):
            if CLOCK.monotonic() > end:
                left = [tuple(cast("Any", row).values()) for row in await link.fetch(LEFT)]
                busy = [tuple(cast("Any", row).values()) for row in await link.fetch(BUSY)]
                pytest.fail(f"left: {left}\nsessions: {busy}")
            await CLOCK.sleep(0.1)


async def states(url: str) -> dict[str, str]:
    """Return in which state each run is."""
    async with watching(url) as link:
        return {
            row["id"]: row["state"]
            for row in await link.fetch("SELECT id, state FROM proveout.runs")
        }
