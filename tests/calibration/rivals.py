"""What our tests are measured against: Wald's optimum and two bad habits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

Z = 1.6448536269514722
"""Standard normal value exceeded with probability .05."""


@dataclass(frozen=True)
class Wald:
    """The sequential probability ratio test of one rate against a higher one.

    No test with the same two errors needs fewer cases on average at either rate.

    Source:
        Wald (1945); Wald & Wolfowitz (1948).
    """

    low: float
    high: float
    passes: int = 0
    fails: int = 0

    @property
    def decision(self) -> str | None:
        ratio = self.passes * math.log(self.high / self.low)
        ratio += self.fails * math.log((1 - self.high) / (1 - self.low))
        if abs(ratio) < math.log(0.95 / 0.05):
            return None
        return "go" if ratio > 0 else "no-go"

    def observe(self, x: int, /) -> Wald:
        return replace(self, passes=self.passes + x, fails=self.fails + 1 - x)


FIRST_LOOK = 10
"""Cases before which even a careless reader does not look."""


@dataclass(frozen=True)
class WilsonPeeker:
    """Stops as soon as a one-sided 95 % Wilson bound lies on one side of the floor."""

    floor: float
    passes: int = 0
    fails: int = 0

    @property
    def decision(self) -> str | None:
        count = self.passes + self.fails
        return side_of(self.floor, wilson(self.passes, count)) if count >= FIRST_LOOK else None

    def observe(self, x: int, /) -> WilsonPeeker:
        return replace(self, passes=self.passes + x, fails=self.fails + 1 - x)


def side_of(floor: float, bounds: tuple[float, float]) -> str | None:
    """Return the verdict of a reader who believes two bounds at every look."""
    lower, upper = bounds
    if lower > floor:
        return "go"
    return "no-go" if upper < floor else None


def wilson(passes: int, count: int) -> tuple[float, float]:
    """Return the two one-sided 95 % score bounds.

    Source:
        Wilson (1927).
    """
    rate, wide = passes / count, Z * Z / count
    centre = rate + wide / 2
    reach = Z * math.sqrt((rate * (1 - rate) + wide / 4) / count)
    return (centre - reach) / (1 + wide), (centre + reach) / (1 + wide)


@dataclass(frozen=True)
class StudentPeeker:
    """Stops as soon as a one-sided 95 % t bound lies on one side of the floor."""

    floor: float
    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def decision(self) -> str | None:
        if self.count < FIRST_LOOK:
            return None
        mean = self.total / self.count
        variance = max(0.0, self.squares - self.count * mean * mean) / (self.count - 1)
        reach = student(self.count - 1) * math.sqrt(variance / self.count)
        return side_of(self.floor, (mean - reach, mean + reach))

    def observe(self, x: float, /) -> StudentPeeker:
        return replace(
            self, count=self.count + 1, total=self.total + x, squares=self.squares + x * x
        )


def student(freedom: int) -> float:
    """Return the t value exceeded with probability .05, to .001 from 9 degrees on.

    Source:
        Cornish & Fisher (1938), four terms.
    """
    first = (Z**3 + Z) / 4
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96
    third = (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384
    return Z + first / freedom + second / freedom**2 + third / freedom**3
