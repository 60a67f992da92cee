"""What lives beside the store: leases kept from a thread, and holds."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from proveout.adapters.postgres.wire import part
from proveout.domain.run import RunId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from proveout.adapters.postgres.wire import Link, Server
    from proveout.ports.store import Held

RENEW = (
    "WITH mine AS MATERIALIZED (SELECT runs.seq FROM proveout.runs"
    " JOIN unnest($1::text[], $2::bigint[]) AS held (run, fence)"
    " ON runs.id = held.run AND runs.fence = held.fence WHERE runs.state = 'RUNNING'"
    " ORDER BY runs.id FOR NO KEY UPDATE OF runs) UPDATE proveout.runs"
    " SET lease_until = (SELECT proveout.moment()) + $3::interval"
    " FROM mine WHERE runs.seq = mine.seq RETURNING runs.id"
)
"""All runs in one statement, locked in the order that the writer lane locks them."""

RENEWING = 10.0
"""Seconds that a renewal may take, a new connection included."""


class PostgresKeeper:
    """Renews leases on a connection and in a thread of its own, whichever thread asks."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._link: Link | None = None
        self._thread = ThreadPoolExecutor(1, "postgres-keeper")
        self._runner: asyncio.Runner | None = None

    def renew(self, held: Sequence[Held], lease: timedelta) -> set[RunId]:
        return self._thread.submit(self._renew, tuple(held), lease).result()

    def close(self) -> None:
        self._thread.submit(self._let_go).result()
        self._thread.shutdown()

    def _renew(self, held: Sequence[Held], lease: timedelta) -> set[RunId]:
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(self._renew_soon(held, lease))

    async def _renew_soon(self, held: Sequence[Held], lease: timedelta) -> set[RunId]:
        with self._server.in_words():
            try:
                async with asyncio.timeout(RENEWING):
                    kept = await self._extend(held, lease)
            except BaseException:
                self._drop()
                raise
        return {one.run for one in held} - kept

    async def _extend(self, held: Sequence[Held], lease: timedelta) -> set[RunId]:
        if self._link is None or self._link.is_closed():
            self._link = await self._server.connect("keeper", plan_cache_mode="force_custom_plan")
        rows = await self._link.fetch(
            RENEW, [one.run for one in held], [one.fence for one in held], lease
        )
        return {RunId(row["id"]) for row in rows}

    def _drop(self) -> None:
        if self._link is not None:
            self._link.terminate()
            self._link = None

    def _let_go(self) -> None:
        if self._runner is None:
            return
        if self._link is not None:
            self._runner.run(part(self._link))
            self._link = None
        self._runner.close()
        self._runner = None


class LockHold:
    """A lock of the server's, kept by an open transaction that reads and writes nothing.

    A transaction keeps it also behind a pooler, where a session would not; without a
    snapshot it holds back no vacuum. The server lets go of it when the connection ends.
    """

    def __init__(self, link: Link, forget: Callable[[LockHold], None]) -> None:
        self._link = link
        self._forget = forget

    async def release(self) -> None:
        self._forget(self)
        await part(self._link)


async def take_hold(link: Link, name: str) -> bool:
    """Try to take the hold of that name for as long as `link` lives."""
    await link.execute(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0"
    )
    row = await link.fetchrow("SELECT pg_try_advisory_xact_lock($1) AS taken", _number(name))
    return row is not None and row["taken"]


def _number(name: str) -> int:
    """Return a name as a number of 64 bits, as the server's locks want it."""
    digest = hashlib.sha256(f"proveout hold {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
