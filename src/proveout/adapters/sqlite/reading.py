"""Reading a file of SQLite from a thread of its own, one query after the other."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from sqlite3 import Error
from typing import TYPE_CHECKING, TypeVar

from proveout.adapters.sqlite.lane import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection

T = TypeVar("T")


class Reading:
    """A connection with the thread that reads by it."""

    def __init__(self, connection: Connection, name: str) -> None:
        """Read by a connection; `name` is that of the thread."""
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, name)

    async def read(self, read: Callable[[Connection], T]) -> T:
        """Return what a query answers.

        Raises:
            Outage: the file cannot be read now.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, read, self._connection)
        except Error as error:
            raise say(error) from error

    def close(self) -> None:
        """End the thread, and let go of the connection."""
        self._thread.shutdown()
        self._connection.close()
