"""Figures as people read them: shares in percent, money in dollars, grades as they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import TYPE_CHECKING

from proveout.domain.criterion import AtLeast, AtMost, Cost, Latency, Lead, Scored, Worth
from proveout.domain.money import Usd

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.criterion import Criterion

MINUS = "\N{MINUS SIGN}"
WHOLE = 1000
"""Dollars from which cents are left out of what was reckoned."""

LEAST_SHOWN, MOST_SHOWN = 1e-3, 1e6


class Kind(Enum):
    """What a criterion's values are."""

    SHARE = auto()
    POINTS = auto()
    MONEY = auto()
    GRADE = auto()


PERCENTAGES = (Kind.SHARE, Kind.POINTS)
"""What is written as hundredths: a share, and the distance of two shares."""

POINTS = " points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How the values of one criterion are written, and between which bounds they lie.

    Attributes:
        places: decimal places of a measured value; enough to tell floor from target.
        low, high: the smallest and the largest possible value.
    """

    kind: Kind
    places: int
    low: float
    high: float

    def say(self, value: float) -> str:
        """Return a measured value, rounded.

        >>> Scale(kind=Kind.SHARE, places=1, low=0, high=1).say(0.9571)
        '95.7%'
        """
        return _dressed(self.kind, f"{abs(self._shown(value)):,.{self.places}f}", value)

    def exactly(self, value: float) -> str:
        """Return a declared value with every digit that was declared.

        >>> Scale(kind=Kind.SHARE, places=1, low=0, high=1).exactly(0.9985)
        '99.85%'
        """
        if self.kind is Kind.MONEY:
            return money(Usd(_decimal(value)))
        exact = abs(_decimal(value)) * (100 if self.kind in PERCENTAGES else 1)
        return _dressed(self.kind, f"{exact.normalize():,f}", value)

    def say_span(self, interval: tuple[float, float]) -> str:
        """Return an interval, such as "91.1% to 98.6%"."""
        return f"{self.say(interval[0]).removesuffix(POINTS)} to {self.say(interval[1])}"

    def mark(self, value: float, step: float) -> str:
        """Return what stands at a mark of an axis whose marks are `step` apart."""
        places = _places_of(self._shown(step))
        if self.kind is Kind.MONEY and places:
            places = max(2, places)
        figure = f"{abs(self._shown(value)):,.{places}f}"
        return _dressed(self.kind, figure, value).removesuffix(POINTS)

    def _shown(self, value: float) -> float:
        return value * 100 if self.kind in PERCENTAGES else value


def scale_of(criterion: Criterion) -> Scale:
    """Return how a criterion's values are written."""
    limit, target = limits(criterion)
    margin = abs(limit - target)
    match criterion.measure:
        case Latency() | Scored(graded=None):
            places = max(1, _fine(margin * 100))
            return Scale(kind=Kind.SHARE, places=places, low=0.0, high=1.0)
        case Lead(scored=Scored(graded=None), most=most):
            places = max(1, _fine(margin * 100))
            return Scale(kind=Kind.POINTS, places=places, low=-most, high=most)
        case Lead(most=most):
            places = max(2, _fine(margin))
            return Scale(kind=Kind.GRADE, places=places, low=-most, high=most)
        case Scored(graded=graded):
            assert graded is not None  # noqa: S101 - the case above took the others
            places = max(2, _fine(margin))
            return Scale(kind=Kind.GRADE, places=places, low=graded.low, high=graded.high)
        case Cost(cap=cap):
            places = max(2, _fine(margin))
            return Scale(kind=Kind.MONEY, places=places, low=0.0, high=float(cap))
        case Worth(worst=worst, best=best):
            places = max(2, _fine(margin))
            return Scale(kind=Kind.MONEY, places=places, low=float(worst), high=float(best))


def limits(criterion: Criterion) -> tuple[float, float]:
    """Return a criterion's floor or ceiling, and its target."""
    match criterion.rule:
        case AtLeast(floor=floor, target=target):
            return floor, target
        case AtMost(ceiling=ceiling, target=target):
            return ceiling, target


def limit_word(criterion: Criterion) -> str:
    """Return "floor" or "ceiling"."""
    return "floor" if isinstance(criterion.rule, AtLeast) else "ceiling"


def money(amount: Usd) -> str:
    """Return an amount with its sign before the dollar.

    >>> money(Usd("-0.02")) == f"{MINUS}$0.02"
    True
    """
    return f"{MINUS}{-amount}" if amount < Usd(0) else str(amount)


def about(dollars: float) -> str:
    """Return an amount that was reckoned, to cents, or as many digits as tell.

    >>> about(1234.5678), about(234.5678), about(0.012345), about(0.025)
    ('$1,235', '$234.57', '$0.0123', '$0.025')
    """
    size = abs(dollars)
    places = 2 if size >= 1 or size == 0 else max(2, min(9, 2 - math.floor(math.log10(size))))
    places = 0 if size >= WHOLE else places
    figure = f"{size:,.{places}f}"
    spare = min(len(figure) - len(figure.rstrip("0")), max(0, places - 2))
    return _dressed(Kind.MONEY, figure[: len(figure) - spare], dollars)


def evidence(log_e: float) -> str:
    """Return evidence as a factor; 1 is none.

    >>> evidence(math.log(20)), evidence(1e308), evidence(-50.0)
    ('20', 'over 1,000,000', 'under 0.001')
    """
    if log_e > math.log(MOST_SHOWN):
        return f"over {MOST_SHOWN:,.0f}"
    if log_e < math.log(LEAST_SHOWN):
        return f"under {LEAST_SHOWN:g}"
    factor = math.exp(log_e)
    return f"{factor:,.0f}" if factor >= 100 else f"{factor:.3g}"  # noqa: PLR2004 - three digits


def percent(share: float) -> str:
    """Return a probability or a share, with up to two digits after the point.

    >>> percent(0.05), percent(0.0125)
    ('5%', '1.25%')
    """
    return f"{round(share * 100, 2):g}%"


def count_of(number: int, what: str, many: str = "") -> str:
    """Return a count with its noun.

    >>> count_of(1, "case"), count_of(1200, "case")
    ('1 case', '1,200 cases')
    """
    return f"{number:,} {what if number == 1 else many or what + 's'}"


def moment(at: datetime) -> str:
    """Return a moment with its zone, such as "22 Nov 2026, 09:00 UTC"."""
    return f"{at.day} {at:%b %Y, %H:%M} {at.tzname() or 'local time'}"


def second(at: datetime) -> str:
    """Return a moment to the second, with its zone."""
    return f"{at.day} {at:%b %Y, %H:%M:%S} {at.tzname() or 'local time'}"


def steps(low: float, high: float, most: int) -> tuple[list[float], float]:
    """Return at most about `most` round marks from `low` to `high`, and their distance.

    >>> steps(0.78, 1.0, 5)
    ([0.8, 0.85, 0.9, 0.95, 1.0], 0.05)
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((f * power for f in (1, 2, 2.5, 5) if f * power >= rough * 0.999), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [_round(number * step) for number in range(first, last + 1)], _round(step)


def _dressed(kind: Kind, figure: str, value: float) -> str:
    sign = MINUS if value < 0 and figure.strip("0.,") else ""
    match kind:
        case Kind.SHARE:
            return f"{sign}{figure}%"
        case Kind.POINTS:
            return f"{sign}{figure}{POINTS}"
        case Kind.MONEY:
            return f"{sign}${figure}"
        case Kind.GRADE:
            return f"{sign}{figure}"


def _fine(margin: float) -> int:
    """Return the decimal places with which a margin has two digits."""
    return 1 - math.floor(math.log10(margin))


def _places_of(step: float) -> int:
    exponent = _decimal(_round(step)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _round(value: float) -> float:
    return float(f"{value:.10g}") + 0.0


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value)))
