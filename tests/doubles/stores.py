"""Stores for tests: opened by URL, as many as wanted on the same data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proveout.ports.clock import Clock
    from proveout.ports.store import Store

    Open = Callable[[], Awaitable[Store]]

SQLITE = "sqlite:///"


async def open_url(url: str, clock: Clock) -> Store:
    """Open the store at `url`."""
    if url.startswith(SQLITE):
        return SqliteStore(Path(url.removeprefix(SQLITE)), clock)
    return await open_postgres(url, clock)
