"""A connection through a pooler that gives each transaction another session.

The driver prepares a statement and executes it in two messages. Between the two a pooler
may change the session, which would execute whatever somebody else prepared there. So each
statement with values travels in a transaction.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from proveout.adapters.postgres.wire import Link
    from proveout.adapters.rows import Row

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL jit = off"


class Pooled:
    """A connection whose every statement keeps one session from its first word to its last."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)

    async def execute(
        self,
        query: str,
        *values: object,
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's word
    ) -> str:
        """Run a statement; without values it is one message, and needs nothing around it."""
        if not values:
            return await self._link.execute(query, timeout=timeout)
        async with self._one_session():
            return await self._link.execute(query, *values, timeout=timeout)

    async def fetch(self, query: str, *values: object) -> list[Row]:
        """Return the rows of a statement."""
        async with self._one_session():
            return await self._link.fetch(query, *values)

    async def fetchrow(self, query: str, *values: object) -> Row | None:
        """Return the first row of a statement."""
        async with self._one_session():
            return await self._link.fetchrow(query, *values)

    @asynccontextmanager
    async def _one_session(self) -> AsyncGenerator[None]:
        if self._link.is_in_transaction():
            yield
            return
        await self._link.execute(BEGIN)
        try:
            yield
        except BaseException:
            if not self._link.is_closed():
                await self._link.execute("ROLLBACK")
            raise
        await self._link.execute("COMMIT")
