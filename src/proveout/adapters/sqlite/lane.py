"""The one writer lane of a SQLite store.

A thread owns the only connection that writes. It takes what concurrent callers
handed in, applies it in one transaction, and answers each when that commit is
durable. Work that cannot be applied is rolled back alone; its neighbours commit.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from proveout.errors import Mistake, Outage, ProveoutError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Work: TypeAlias = "Callable[[sqlite3.Connection], Any]"

GROUP = 500
"""Most pieces of work in one commit."""

COURTESY = 0.002
"""Seconds the lane rests after a group while other processes write, so that they get a turn."""


class StoreFull(Outage):
    """The volume of the store has no room."""

    code = "store-full"


class StoreUnavailable(Outage):
    """The file of the store cannot be read or written now."""

    code = "store-unavailable"


class Unstorable(Mistake):
    """No store can keep this value."""

    code = "unstorable"


class Lane:
    """Applies work in groups, one durable commit each."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._work: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._seen = self._data_version()
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` returned, once it is durable."""
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Hand in `work` from any thread; the future ends when it is durable."""
        future: Future[T] = Future()
        self._work.put((work, future))
        return future

    def close(self) -> None:
        """Finish what was handed in, then let go of the connection."""
        self._work.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while True:
            first = self._work.get()
            if first is None:
                break
            group = [first]
            closing = self._gather(group)
            self._apply(group)
            if closing:
                break
            self._rest()
        self._connection.close()

    def _gather(self, group: list[tuple[Work, Future[Any]]]) -> bool:
        """Add what else waits; return whether the lane was asked to close."""
        while len(group) < GROUP:
            try:
                item = self._work.get_nowait()
            except queue.Empty:
                return False
            if item is None:
                return True
            group.append(item)
        return False

    def _apply(self, group: list[tuple[Work, Future[Any]]]) -> None:
        try:
            results = self._commit([work for work, _ in group])
        except sqlite3.Error as error:
            self._roll_back()
            outage = say(error)
            for _, future in group:
                future.set_exception(outage)
            return
        for (_, future), result in zip(group, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _commit(self, group: list[Work]) -> list[Any]:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        results: list[Any] = []
        for work in group:
            execute("SAVEPOINT unit")
            try:
                results.append(work(self._connection))
            except (ProveoutError, sqlite3.DataError, sqlite3.IntegrityError, ValueError) as error:
                execute("ROLLBACK TO unit")
                results.append(alone(error))
            except OverflowError as error:
                execute("ROLLBACK TO unit")
                results.append(Unstorable(str(error)))
            execute("RELEASE unit")
        execute("COMMIT")
        return results

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _rest(self) -> None:
        """Pause when another process wrote since the last group."""
        now = self._data_version()
        if now != self._seen:
            self._seen = now
            threading.Event().wait(COURTESY)

    def _data_version(self) -> int:
        return cast("int", self._connection.execute("PRAGMA data_version").fetchone()[0])


def alone(error: Exception) -> Exception:
    """Return the error for one piece of work that could not be applied."""
    if isinstance(error, ProveoutError):
        return error
    return Unstorable(f"the store refused this value: {error}")


def say(error: sqlite3.Error) -> Outage:
    """Return what a failed commit means to its callers."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return StoreFull(
            "the store's volume is full",
            why="nothing was written; what was acknowledged before is safe",
            fix=("free space on the volume and try again",),
        )
    return StoreUnavailable(
        f"the store cannot be written: {error}",
        why=f"SQLite answered {name or type(error).__name__}",
        fix=("look at the file and its volume, then try again",),
    )
