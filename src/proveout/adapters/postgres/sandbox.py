"""Sandboxes in a PostgreSQL database: a schema of their own, and its connections."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from proveout.adapters.postgres.hosts import SCHEMA, SCHEMA_OPTION
from proveout.adapters.postgres.wire import Server, part
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from proveout.adapters.postgres.wire import Link


def in_schema(url: str, schema: str) -> str:
    """Return the URL of the same database with everything in `schema`."""
    parts = urlsplit(url)
    options = [pair for pair in parse_qsl(parts.query) if pair[0] != SCHEMA_OPTION]
    return urlunsplit(parts._replace(query=urlencode([*options, (SCHEMA_OPTION, schema)])))


async def cut(url: str) -> int:
    """End every connection of a sandbox but the one that does it; return their count."""
    async with _connected(Server.at(url)) as (link, server):
        rows = await link.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE starts_with(application_name, $1) AND pid <> pg_backend_pid()",
            f"{server.title} ",
        )
    return len(rows)


async def discard(url: str) -> None:
    """Remove a sandbox's schema with all it holds.

    Raises:
        Mistake: it is the schema of a real store.
    """
    async with _connected(Server.at(url)) as (link, server):
        if server.schema == SCHEMA:
            raise Mistake("that is no sandbox")
        await link.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


@asynccontextmanager
async def _connected(server: Server) -> AsyncGenerator[tuple[Link, Server]]:
    with server.in_words():
        link = await server.connect("sandbox")
        try:
            yield link, server
        finally:
            await part(link)
