"""A clock that moves only when a test says so, and dice that are known."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Time stands still until `advance`; whoever sleeps is woken when it has passed."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
        self._seconds = 0.0
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        end = self._seconds + seconds
        while self._seconds < end:
            await self._moved.wait()

    def advance(self, by: timedelta) -> None:
        """Let `by` pass at once."""
        self._now += by
        self._seconds += by.total_seconds()
        self._moved.set()
        self._moved = asyncio.Event()


class CountedIds:
    """Ids that count upward, so that a test can read them."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def new(self) -> str:
        return f"{next(self._count):08d}"


class FixedDice:
    """Chance that always falls on the same side."""

    def __init__(self, share: float = 1.0, seed: int = 7) -> None:
        self._share = share
        self._seed = seed

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self._share

    def seed(self) -> int:
        return self._seed
