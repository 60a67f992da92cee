"""What every statistical argument must satisfy before it is used.

Each check returns the value it was given, so that it reads as part of the
assignment, and names the argument it refuses.
"""

from __future__ import annotations

import math

from proveout.errors import Mistake

HAIR = 1e-9
"""Share of a range below which a distance counts as none."""

WIDEST = 1e100
"""The widest range of values, and one over the narrowest."""

RAREST = 1e-300
"""The smallest probability of an error that floats still tell from none."""

MOST_CASES = 10**9
"""The largest dataset; beyond it the arithmetic would no longer be exact."""


def finite(name: str, value: float) -> float:
    """Return `value` as a float, known to be an ordinary number.

    Raises:
        Mistake: it is not an int or float (a bool is not), NaN or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):  # pyright: ignore[reportUnnecessaryIsInstance] a caller may not be typed
        raise Mistake(f"{name} must be a number, not {value!r}")
    if not abs(value) < math.inf:
        raise Mistake(f"{name} must be finite, not {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise Mistake(f"{name} is too large for a float") from None


def chance(name: str, value: float) -> float:
    """Return `value`, known to lie strictly between 0 and 1.

    Raises:
        Mistake: it does not.
    """
    if not RAREST <= finite(name, value) < 1:
        raise Mistake(f"{name} must lie strictly between 0 and 1, not {value!r}")
    return float(value)


def size_of(name: str, value: int) -> int:
    """Return `value`, known to be a number of cases.

    Raises:
        Mistake: it is not an int from 1 to a thousand million.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_CASES:  # pyright: ignore[reportUnnecessaryIsInstance] a caller may not be typed
        raise Mistake(f"{name} must be a whole number from 1 to {MOST_CASES}, not {value!r}")
    return value


def outcome(name: str, value: float) -> bool:
    """Return whether `value` is 1, known to be 0 or 1.

    Raises:
        Mistake: it is anything else.
    """
    if value not in (0, 1):
        raise Mistake(f"{name} must be 0 or 1, not {value!r}")
    return value == 1


def levels(threshold: float, margin: float, low: float, high: float) -> tuple[float, float]:
    """Return threshold and margin on the scale where `low` is 0 and `high` is 1.

    Raises:
        Mistake: the range is empty or too wide, or less than a hair of it lies
            below the threshold, in the margin, or above threshold + margin.
    """
    width = finite("high", high) - finite("low", low)
    if not 1 / WIDEST <= width <= WIDEST:
        raise Mistake(f"high must lie above low by a usable range, not {high!r} above {low!r}")
    level = (finite("threshold", threshold) - low) / width
    gap = finite("margin", margin) / width
    if level < HAIR:
        raise Mistake(f"threshold must lie above {low!r}, the lowest value, not at {threshold!r}")
    if gap < HAIR:
        raise Mistake(f"margin must be above 0, not {margin!r}")
    if 1 - level - gap < HAIR:
        raise Mistake(
            f"threshold + margin must lie below {high!r}, the highest value, "
            f"not at {threshold!r} + {margin!r}"
        )
    return level, gap
