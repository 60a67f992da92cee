"""Money: an exact amount with its currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from proveout.errors import Mistake


@dataclass(frozen=True, slots=True, order=True)
class Usd:
    """An exact amount of United States dollars.

    >>> Usd("0.10") + Usd("0.20") == Usd("0.30")
    True
    """

    amount: Decimal

    def __init__(self, amount: Decimal | str | int) -> None:
        value = Decimal(amount)
        if not value.is_finite():
            raise Mistake(f"{amount} is not an amount of money", why="it must be a finite number")
        object.__setattr__(self, "amount", value)

    def __add__(self, other: Usd) -> Usd:
        return Usd(self.amount + other.amount)

    def __sub__(self, other: Usd) -> Usd:
        return Usd(self.amount - other.amount)

    def __mul__(self, count: int | Decimal) -> Usd:
        return Usd(self.amount * count)

    def __neg__(self) -> Usd:
        return Usd(-self.amount)

    def __float__(self) -> float:
        return float(self.amount)

    def __str__(self) -> str:
        cents = self.amount.quantize(Decimal("0.01"))
        exact = cents if cents == self.amount else self.amount.normalize()
        return f"${exact:,f}"
