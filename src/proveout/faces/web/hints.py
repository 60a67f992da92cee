"""Hints that something has changed, as one stream of events for each browser.

A hint says only that there may be something new. What it is, each tab asks for by itself,
with the rights of who is signed in there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from proveout.ports.clock import Clock
    from proveout.ports.store import Queue

EVERY = 0.5
"""Seconds between two looks at the store: as often as a browser hears of changes at most."""

SILENT = 5.0
"""Seconds after which a hint comes although no change was seen: some cannot be."""

LONGEST = 300.0
"""Seconds of one stream; then the browser asks again, and its session is checked again."""

HINT = b"event: hint\ndata:\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Where streams of hints come from.

    Attributes:
        is_draining: whether the server is on its way out; no stream outlives that.
    """

    store: Queue
    clock: Clock
    is_draining: Callable[[], bool] = bool

    async def stream(self) -> AsyncGenerator[bytes]:
        """Give a hint at once, after each change, and after a silence."""
        begun = told = self.clock.monotonic()
        seen = self.store.mark()
        yield b"retry: 2000\n" + HINT
        while not self.is_draining() and self.clock.monotonic() - begun < LONGEST:
            await self.clock.sleep(EVERY)
            mark, now = self.store.mark(), self.clock.monotonic()
            if mark != seen or now - told >= SILENT:
                seen, told = mark, now
                yield HINT
