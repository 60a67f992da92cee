"""Fault 9: a long backlog, and a transaction that somebody left open; claims stay quick."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from doubles.clock import CountedIds, ManualClock
from doubles.given import Given, want
from doubles.stores import SQLITE, open_url
from faults.conftest import FULL
from proveout.adapters.postgres import floor
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.system import SystemClock
from proveout.domain.run import RunState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from doubles.postgres import Databases
    from proveout.ports.store import Claimed, Store

pytestmark = [pytest.mark.faults, pytest.mark.measured]

BACKLOG = 100_000 if FULL else 4_000
GROUP = 1_000
LIMIT = 16
"""Runs that one claim asks for, as a worker with 16 slots does."""

P99 = 0.050
"""Seconds within which 99 of 100 claims are answered."""

STEPPED = (
    "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'runs_queued'"
    " AND schemaname = 'proveout'"
)
"""How many entries of the index of queued runs all claims together stepped over."""

ALL_STEPS = BACKLOG * BACKLOG / LIMIT / 2
"""What they come to when each claim steps over all that were claimed before."""


@dataclass
class Backlog:
    """A backlog that is worked off.

    Attributes:
        took: seconds of each claim.
    """

    store: Store
    took: list[float] = field(default_factory=list[float])

    def __post_init__(self) -> None:
        self.given = Given(self.store, ManualClock(), CountedIds())

    async def fill(self) -> None:
        """Enqueue every run of it."""
        for _ in range(BACKLOG // GROUP):
            await asyncio.gather(*(self.given.queued() for _ in range(GROUP)))

    async def claim(self) -> list[Claimed]:
        """Claim as a worker does."""
        began = time.perf_counter()
        claimed = await self.store.claim(want(limit=LIMIT))
        self.took.append(time.perf_counter() - began)
        return claimed

    async def drain(self) -> None:
        """Work until nothing is left."""
        while claimed := await self.claim():
            await asyncio.gather(
                *(
                    self.store.write(self.given.settle(one, RunState.SUCCEEDED, result=b"1"))
                    for one in claimed
                )
            )

    def quantile(self, share: float) -> float:
        """Return how long at most that share of the claims took, in seconds."""
        return sorted(self.took)[int(share * (len(self.took) - 1))]


@asynccontextmanager
async def left_open(url: str) -> AsyncGenerator[None]:
    """Keep a transaction open that has read, and reads no more."""
    if url.startswith(SQLITE):
        reader = sqlite3.connect(url.removeprefix(SQLITE), isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM runs").fetchone()
        yield
        reader.execute("COMMIT")
        reader.close()
        return
    link = await Server.at(url).connect("left open")
    await link.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await link.fetch("SELECT count(*) FROM proveout.runs")
    yield
    await link.execute("COMMIT")
    await part(link)


async def test_a_backlog_behind_an_open_transaction_drains(
    store_url: str, record_property: Callable[[str, object], None]
) -> None:
    """All of it is done; in the full form, 99 of 100 claims are answered in 50 ms."""
    store = await open_url(store_url, SystemClock())
    backlog = Backlog(store)
    await backlog.fill()
    began = time.monotonic()
    async with left_open(store_url):
        await backlog.drain()
    took = time.monotonic() - began
    states = await store.count()
    await store.close()

    slowest = ", ".join(f"p{100 * q:g} {backlog.quantile(q) * 1e3:.1f} ms" for q in (0.5, 0.99, 1))
    record_property("figures", f"claims {slowest}; drained in {took:.0f} s")
    assert states == {RunState.SUCCEEDED: BACKLOG}
    assert backlog.quantile(0.99 if FULL else 0.5) <= P99


async def steps(url: str) -> int:
    """Work a backlog off behind an open transaction; return over how many entries claims went."""
    store = await open_url(url, SystemClock())
    backlog = Backlog(store)
    await backlog.fill()
    link = await Server.at(url).connect("test")
    async with left_open(url):
        await backlog.drain()
        await store.close()  # the server counts what a session did when it ends, at the latest
        while (row := await link.fetchrow(STEPPED)) is None or row["idx_tup_read"] < BACKLOG:
            await SystemClock().sleep(0.05)
    await part(link)
    return row["idx_tup_read"]


@pytest.mark.parametrize("protected", [True, False])
async def test_claims_do_not_step_over_all_that_was_claimed_before(
    postgres: Databases, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    """With a floor they go over each entry a few times; without one, the negative control, not."""
    monkeypatch.setattr(floor, "SLOW", 0.0 if protected else float("inf"))
    url = postgres.fresh()

    stepped = await steps(url)

    postgres.drop(url)
    assert (stepped < ALL_STEPS / 3) == protected


class Counting(sqlite3.Connection):
    """A connection that counts what SQLite's machine does, a hundred instructions at a time."""

    done = 0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.set_progress_handler(self._count, 100)

    @classmethod
    def _count(cls) -> None:
        cls.done += 1


async def effort(backlog: Backlog) -> float:
    """Return what twenty claims take: work of SQLite, or else the time of the quickest one."""
    done, backlog.took = Counting.done, []
    for _ in range(20):
        await backlog.claim()
    return Counting.done - done or min(backlog.took)


async def test_without_its_index_a_claim_reads_the_whole_backlog(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: even the quickest claim, which no busy machine delayed, is slow."""
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Counting))
    store = await open_url(store_url, SystemClock())
    backlog = Backlog(store)
    await backlog.fill()
    with_index = await effort(backlog)
    if store_url.startswith(SQLITE):
        await asyncio.to_thread(_drop_index, store_url.removeprefix(SQLITE))
    else:
        link = await Server.at(store_url).connect("test")
        await link.execute("DROP INDEX proveout.runs_queued")
        await part(link)
    without = await effort(backlog)
    await store.close()

    assert without > 1.5 * with_index


def _drop_index(path: str) -> None:
    connection = sqlite3.connect(path, timeout=30)
    connection.execute("DROP INDEX runs_queued")
    connection.close()
