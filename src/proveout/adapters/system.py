"""The real clock, ids and dice."""

from __future__ import annotations

import asyncio
import itertools
import os
import random  # noqa: TID251 - this is the Dice port
import time
from datetime import UTC, datetime

SEED_BITS = 63


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the Clock port

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)  # noqa: TID251 - this is the Clock port


class SystemIds:
    """Ids of 26 characters: milliseconds, then a count within the process, then chance."""

    def __init__(self) -> None:
        self._count = itertools.count(int.from_bytes(os.urandom(2), "big"))

    def new(self) -> str:
        count = next(self._count) & 0xFFFFFF
        return f"{time.time_ns() // 1_000_000:012x}{count:06x}{os.urandom(4).hex()}"


class SystemDice:
    """Chance from the operating system."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def seed(self) -> int:
        return self._random.getrandbits(SEED_BITS)
