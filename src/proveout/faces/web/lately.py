"""Figures that are dear to find out: looked for behind the page, shown as they were of late."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from proveout.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proveout.ports.clock import Clock

PAYS = 20.0
"""What took a second to find out is kept for that many: at most one page in so many waits."""

PATIENCE = 0.05
"""Seconds that a page waits for a figure as a rule."""

T = TypeVar("T")


@dataclass(slots=True)
class Lately(Generic[T]):
    """One figure.

    Attributes:
        patience: seconds that a page waits for it; what takes longer is on the next page.
        value: as it was found last; None before that.
    """

    clock: Clock
    patience: float = PATIENCE
    value: T | None = None
    _finding: asyncio.Future[None] | None = None
    _until: float = 0.0

    async def look(self, find: Callable[[], Awaitable[T]]) -> T | None:
        """Return the figure, found out now or of late; None where none is known in time.

        While the store is away the figure stays as it was, and each look tries again.
        """
        if self._finding is None and self.clock.monotonic() >= self._until:
            self._finding = asyncio.ensure_future(self._find(find))
        if self._finding is not None:
            await asyncio.wait({self._finding}, timeout=self.patience)
        if self._finding is not None and self._finding.done():
            done, self._finding = self._finding, None
            done.result()
        return self.value

    async def _find(self, find: Callable[[], Awaitable[T]]) -> None:
        start = self.clock.monotonic()
        with suppress(Outage):  # what the page asks itself tells of it
            self.value = await find()
            now = self.clock.monotonic()
            self._until = now + PAYS * (now - start)
