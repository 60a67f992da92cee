"""The one writer lane of a SQLite store.

A task owns the only connection that writes. It takes what concurrent callers handed in,
applies it in one transaction, and answers each when that commit is durable. Work that
cannot be applied is rolled back alone; its neighbours commit.

The statements run on the loop and only the commit, which waits for the disk, in a thread:
a thread for each statement would wait for the interpreter's lock as often.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

from proveout.adapters.troubles import StoreUnavailable, Unstorable, store_full
from proveout.errors import Outage, ProveoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
Work: TypeAlias = "Callable[[sqlite3.Connection], Any]"

LAST = 9
"""The rank of work that no unit asks for: it sees what the group's units did."""

GROUP = 500
"""Most pieces of work in one commit."""

COURTESY = 0.002
"""Seconds the lane rests after a group while other processes write, so that they get a turn."""

PATIENCE = 30.0
"""Seconds for which a group waits for other processes that write."""

AGAIN = 0.001
"""Seconds between two tries to begin while another process writes."""

REFUSED = "the store refused this value"


class Piece(NamedTuple):
    """Work that was handed in; in a group, lower ranks come first."""

    rank: int
    work: Work
    answer: asyncio.Future[Any]


class Lane:
    """Applies work in groups, one durable commit each."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Serve `connection`, which nobody else uses from now on, on the running loop."""
        self._connection = connection
        self._connection.execute("PRAGMA busy_timeout = 0")  # waiting would block the loop
        self._waiting: deque[Piece] = deque()
        self._handed = asyncio.Event()
        self._closed = False
        self._seen = self._data_version()
        self._disk = ThreadPoolExecutor(1, "sqlite-disk")
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._serve(), name="sqlite-writer")

    async def do(self, work: Callable[[sqlite3.Connection], T], rank: int = LAST) -> T:
        """Return what `work` returned, once it is durable."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(Piece(rank, work, answer))
        self._handed.set()
        return await answer

    def submit(self, work: Callable[[sqlite3.Connection], T], rank: int = LAST) -> Future[T]:
        """Hand in `work` from another thread; the future ends when it is durable."""
        return asyncio.run_coroutine_threadsafe(self.do(work, rank), self._loop)

    async def close(self) -> None:
        """Finish what was handed in, then let go of the connection."""
        self._closed = True
        self._handed.set()
        await self._task
        self._disk.shutdown()
        self._connection.close()

    async def _serve(self) -> None:
        while self._waiting or not self._closed:
            await self._handed.wait()
            self._handed.clear()
            await asyncio.sleep(0)  # noqa: TID251 - lets all who were just answered hand in again
            if group := self._gather():
                await self._apply(group)
                await self._rest()
            if self._waiting or self._closed:
                self._handed.set()

    def _gather(self) -> list[Piece]:
        """Return what waits, of which nobody has given up, by rank."""
        group: list[Piece] = []
        while self._waiting and len(group) < GROUP:
            piece = self._waiting.popleft()
            if not piece.answer.done():
                group.append(piece)
        return sorted(group, key=lambda piece: piece.rank)

    async def _apply(self, group: Sequence[Piece]) -> None:
        try:
            results = await self._commit([piece.work for piece in group])
        except sqlite3.Error as error:
            self._roll_back()
            results: list[Any] = [say(error)] * len(group)
        for piece, result in zip(group, results, strict=True):
            if piece.answer.done():
                continue
            if isinstance(result, Exception):
                piece.answer.set_exception(result)
            else:
                piece.answer.set_result(result)

    async def _commit(self, group: Sequence[Work]) -> list[Any]:
        await self._begin()
        try:
            results = [work(self._connection) for work in group]
        except sqlite3.OperationalError:
            raise
        except Exception:  # noqa: BLE001 - one bad piece must not stop the others
            self._roll_back()
            await self._begin()
            results = [self._apart(work) for work in group]
        await self._loop.run_in_executor(self._disk, self._connection.execute, "COMMIT")
        return results

    async def _begin(self) -> None:
        """Begin, as soon as no other process writes."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > end:
                    raise
                await asyncio.sleep(AGAIN)  # noqa: TID251 - the file's time, not the story's
            else:
                return

    def _apart(self, work: Work) -> Any:
        """Return what `work` gave, or the error for which it alone is rolled back."""
        execute = self._connection.execute
        execute("SAVEPOINT unit")
        try:
            return work(self._connection)
        except sqlite3.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - it is told to whoever handed the piece in
            execute("ROLLBACK TO unit")
            return alone(error)
        finally:
            execute("RELEASE unit")

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    async def _rest(self) -> None:
        """Pause when another process wrote since the last group."""
        now = self._data_version()
        if now != self._seen:
            self._seen = now
            await asyncio.sleep(COURTESY)  # noqa: TID251 - the file's time, not the story's

    def _data_version(self) -> int:
        return cast("int", self._connection.execute("PRAGMA data_version").fetchone()[0])


def is_busy(error: Exception) -> bool:
    """Whether another process holds a lock for longer than we wait."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


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
    if is_busy(error):
        return StoreUnavailable(
            f"the store cannot be written: {error}",
            why="another process holds its lock; it may be stopped in the middle of a write",
            fix=("let that process go on, or end it",),
        )
    return StoreUnavailable(
        f"the store cannot be written: {error}",
        why=f"SQLite answered {name or type(error).__name__}",
        fix=("look at the file and its volume, then try again",),
    )
