"""Where passes come from: a rate that never changes, or an urn of cases.

Planning asks both the same two questions: how likely is the next pass, and how
likely was this sequence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from proveout.statistics.bets import log_ways


class Truth(Protocol):
    """A supposed source of passes and fails."""

    def chances(self, count: int) -> tuple[float, float]:
        """Return base and slope: after `count` cases, a pass has base - slope x passes."""
        ...

    def log_chance(self, passes: int, fails: int) -> float:
        """Return the log probability of one sequence with these counts."""
        ...


@dataclass(frozen=True, slots=True)
class Coin:
    """Every case passes with probability `rate`, strictly between 0 and 1."""

    rate: float

    def chances(self, count: int) -> tuple[float, float]:  # noqa: ARG002 a coin has no memory
        """Return the rate and no slope."""
        return self.rate, 0.0

    def log_chance(self, passes: int, fails: int) -> float:
        """Return the log probability of one sequence with these counts."""
        return passes * math.log(self.rate) + fails * math.log1p(-self.rate)


@dataclass(frozen=True, slots=True)
class Urn:
    """`passing` of `size` cases pass; they are drawn without replacement."""

    size: int
    passing: int

    def chances(self, count: int) -> tuple[float, float]:
        """Return the passing cases left, per case left; `count` is under `size`."""
        left = self.size - count
        return self.passing / left, 1 / left

    def log_chance(self, passes: int, fails: int) -> float:
        """Return the log probability of one sequence with these counts."""
        left = self.size - passes - fails
        sequences = math.lgamma(self.size + 1) - math.lgamma(left + 1)
        return log_ways(self.size, self.passing, passes, fails) - sequences


def chance_of_count(truth: Truth, count: int, passes: int) -> float:
    """Return the probability of exactly so many passes among `count` cases."""
    if not 0 <= passes <= count:
        return 0.0
    fails = count - passes
    orders = math.lgamma(count + 1) - math.lgamma(passes + 1) - math.lgamma(fails + 1)
    return math.exp(orders + truth.log_chance(passes, fails))


def chance_of_next(truth: Truth, count: int, passes: int) -> float:
    """Return the probability that the case after these passes."""
    base, slope = truth.chances(count)
    return base - slope * passes
