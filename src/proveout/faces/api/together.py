"""Reads that all who ask at the same time share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


class Together(Generic[T]):
    """Reads one value; never more than one read is under way.

    Whoever asks gets what a read gave that began after they asked: what was read before is
    never handed out again, and thirty-two who ask at once cost one read.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._now: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Return what the next read gives, or raise what it raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._now))
        return await asyncio.shield(self._next)  # one who gives up takes it from nobody

    async def _after(self, earlier: asyncio.Task[T] | None) -> T:
        if earlier is not None and not earlier.done():
            await asyncio.wait({earlier})
        self._now, self._next = self._next, None
        return await self._read()
