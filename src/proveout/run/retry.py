"""How long to wait before another try."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.ports.clock import Dice

FIRST = 0.2
"""Seconds of the longest wait before the second try."""

LONGEST = 30.0
"""Seconds that no wait exceeds."""


def backoff(tries: int, dice: Dice) -> float:
    """Return the seconds to wait after `tries` failed tries, from 1.

    The longest wait doubles with each try; the wait is drawn evenly from nothing up to
    it, so that callers that failed together do not come back together.

    Source:
        Brooker (2015), exponential backoff with full jitter.
    """
    return dice.uniform(0.0, min(LONGEST, FIRST * 2 ** min(tries - 1, 30)))
