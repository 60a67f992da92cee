"""A store in another schema than usual: a sandbox beside the real one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proveout.adapters.postgres.wire import Link
    from proveout.adapters.rows import Row


class Elsewhere:
    """A connection to a store in another schema: every statement names that one.

    Values travel beside a statement and are never touched.
    """

    def __init__(self, link: Link, named: str, schema: str) -> None:
        self._link = link
        self._named = re.compile(rf"\b{named}\b")
        self._schema = schema
        self._said: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)

    def _here(self, query: str) -> str:
        if query not in self._said:
            self._said[query] = self._named.sub(self._schema, query)
        return self._said[query]

    async def execute(
        self,
        query: str,
        *values: object,
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's word
    ) -> str:
        """Run a statement in our schema."""
        return await self._link.execute(self._here(query), *values, timeout=timeout)

    async def fetch(self, query: str, *values: object) -> list[Row]:
        """Return the rows of a statement in our schema."""
        return await self._link.fetch(self._here(query), *values)

    async def fetchrow(self, query: str, *values: object) -> Row | None:
        """Return the first row of a statement in our schema."""
        return await self._link.fetchrow(self._here(query), *values)
