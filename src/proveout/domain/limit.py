"""Limits: how much of a shared resource may be used in a time, by all workers together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.errors import Mistake

if TYPE_CHECKING:
    from proveout.domain.breaker import Breaker

MINUTE = 60.0

BURST = 0.1
"""The share of a minute's worth that may be used at once, unless another is declared."""

LONGEST_NAME = 100
"""Characters."""

ROUNDING = 1e-9
"""What a level may fall short of by arithmetic alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast something may be used: a bucket that fills evenly, and holds so much.

    Attributes:
        name: under which all workers share it.
        per_second: amount by which it fills.
        capacity: the most that it holds; it starts full.
    """

    name: str
    per_second: float
    capacity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What a worker asks of a bucket: `want`, and not less than `least`.

    A `least` beyond its capacity is given when it is full, and leaves a debt that is
    filled up first.
    """

    rate: Rate
    want: float
    least: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What a bucket gave.

    Attributes:
        amount: 0, or from `least` to `want`.
        wait: seconds until it could give `least`, where it gave nothing.
    """

    amount: float
    wait: float = 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Limit:
    """How a shared resource may be used.

    Attributes:
        name: of the resource; all workers of a store share what bears the same name.
        calls: calls that may begin; None for any number.
        tokens: tokens that may be used; None for any number.
        breaker: when the resource is left alone; None for never.
    """

    name: str
    calls: Rate | None
    tokens: Rate | None
    breaker: Breaker | None = None

    def __post_init__(self) -> None:
        if not (0 < len(self.name) <= LONGEST_NAME and self.name.isprintable()):
            raise Mistake(
                f"{self.name[:LONGEST_NAME]!r} is no name for a limit",
                why=f"it has 1 to {LONGEST_NAME} characters, all of them printable",
            )
        if self.calls is None and self.tokens is None and self.breaker is None:
            raise Mistake(
                f"the limit {self.name} limits nothing",
                fix=(f'limit("{self.name}", per_minute=500)',),
            )


def rate(name: str, what: str, per_minute: float, burst: float | None) -> Rate:
    """Return the bucket of a limit of that name, for calls or tokens.

    Args:
        name: of the limit.
        what: "calls" or "tokens".
        per_minute: amount that may be used in a minute.
        burst: amount that may be used at once; None for a tenth of a minute's worth.

    Raises:
        Mistake: an amount is not above 0.
    """
    capacity = max(1.0, per_minute * BURST) if burst is None else float(burst)
    for amount in (per_minute, capacity):
        if not 0 < amount < float("inf"):
            raise Mistake(f"{amount} {what} of the limit {name} is not a number above 0")
    return Rate(name=f"{name}/{what}", per_second=per_minute / MINUTE, capacity=capacity)


def fill(level: float, seconds: float, rate: Rate) -> float:
    """Return the level of a bucket after `seconds`; a clock that ran back fills nothing."""
    return min(rate.capacity, level + max(0.0, seconds) * rate.per_second)


def give(level: float, draw: Draw) -> tuple[float, Grant]:
    """Return what is left of a bucket at `level`, and what it gives."""
    needed = min(draw.least, draw.rate.capacity)
    if level + ROUNDING < needed:
        return level, Grant(0.0, (needed - level) / draw.rate.per_second)
    amount = min(draw.want, max(level, draw.least))
    return level - amount, Grant(amount)
