"""The time that one try of a step may take; it stands still while a limit keeps it waiting."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class Stopwatch:
    """Wraps the time-out of a try."""

    def __init__(self, time: asyncio.Timeout) -> None:
        self._time = time
        self._stopped = 0
        self._left = 0.0

    @contextmanager
    def stopped(self) -> Generator[None]:
        """Count nothing of what happens inside; only on the loop."""
        end = self._time.when()
        if end is None and not self._stopped:
            yield
            return
        self._stopped += 1
        if end is not None:
            self._left = end - asyncio.get_running_loop().time()
            self._set(None)
        try:
            yield
        finally:
            self._stopped -= 1
            if not self._stopped:
                self._set(asyncio.get_running_loop().time() + self._left)

    def _set(self, end: float | None) -> None:
        with suppress(RuntimeError):  # it has run out, or its try has ended
            self._time.reschedule(end)
