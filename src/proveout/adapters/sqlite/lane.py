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
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

from proveout.adapters.troubles import StoreUnavailable, Unstorable, store_full
from proveout.errors import Outage, ProveoutError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Work: TypeAlias = "Callable[[sqlite3.Connection], Any]"

LAST = 9
"""The rank of work that no unit asks for: it sees what the group's units did."""

GROUP = 500
"""Most pieces of work in one commit."""

COURTESY = 0.002
"""Seconds the lane rests after a group while other processes write, so that they get a turn."""


REFUSED = "the store refused this value"


class Piece(NamedTuple):
    """Work that was handed in; in a group, lower ranks come first."""

    rank: int
    work: Work
    answer: Future[Any]


class Lane:
    """Applies work in groups, one durable commit each."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._work: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        self._closed = False
        self._seen = self._data_version()
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[sqlite3.Connection], T], rank: int = LAST) -> T:
        """Return what `work` returned, once it is durable."""
        return await asyncio.wrap_future(self.submit(work, rank))

    def submit(self, work: Callable[[sqlite3.Connection], T], rank: int = LAST) -> Future[T]:
        """Hand in `work` from any thread; the future ends when it is durable."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        answer: Future[T] = Future()
        self._work.put(Piece(rank, work, answer))
        return answer

    def close(self) -> None:
        """Finish what was handed in, then let go of the connection."""
        self._closed = True
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

    def _gather(self, group: list[Piece]) -> bool:
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

    def _apply(self, group: list[Piece]) -> None:
        wanted = sorted(
            (piece for piece in group if piece.answer.set_running_or_notify_cancel()),
            key=lambda piece: piece.rank,
        )
        try:
            results = self._commit([piece.work for piece in wanted])
        except sqlite3.Error as error:
            self._roll_back()
            results: list[Any] = [say(error)] * len(wanted)
        for piece, result in zip(wanted, results, strict=True):
            if isinstance(result, Exception):
                piece.answer.set_exception(result)
            else:
                piece.answer.set_result(result)

    def _commit(self, group: list[Work]) -> list[Any]:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        results: list[Any] = []
        for work in group:
            execute("SAVEPOINT unit")
            try:
                results.append(work(self._connection))
            except sqlite3.OperationalError:
                raise
            except Exception as error:  # noqa: BLE001 - one bad piece must not stop the lane
                execute("ROLLBACK TO unit")
                results.append(alone(error))
            execute("RELEASE unit")
        execute("COMMIT")
        return results

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
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
    if isinstance(error, (sqlite3.Error, ValueError, TypeError, OverflowError)):
        return error if isinstance(error, ProveoutError) else Unstorable(f"{REFUSED}: {error}")
    return error


def say(error: sqlite3.Error) -> Outage:
    """Return what a failed commit means to its callers."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return store_full()
    return StoreUnavailable(
        f"the store cannot be written: {error}",
        why=f"SQLite answered {name or type(error).__name__}",
        fix=("look at the file and its volume, then try again",),
    )
