"""Time, chance and identity, handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """What time it is, and waiting for it to pass."""

    def now(self) -> datetime:
        """Return the current moment, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; never runs backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` have passed."""
        ...


class Ids(Protocol):
    """Names that nothing else has."""

    def new(self) -> str:
        """Return a fresh id; later ids sort after earlier ones."""
        ...


class Dice(Protocol):
    """Chance."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number drawn evenly from `low` to `high`."""
        ...

    def seed(self) -> int:
        """Return a seed for a recorded order, from 0 to 2**63 - 1."""
        ...
