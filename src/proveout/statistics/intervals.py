"""The intervals shown beside a test, valid however often they are read.

Each is a running intersection: a mean that one look ruled out stays out. The true
mean is ever left out with probability at most alpha. An intersection that turns
empty can only follow such a miss, or a mean that moves; then the latest look is
shown alone, which costs nothing of the promise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from proveout.statistics.bets import (
    REACH,
    ROUNDING,
    SCALES,
    STAKES,
    log_ways,
    next_level,
    predicted_bet,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from proveout.statistics.bets import MeanBets

Interval: TypeAlias = tuple[float, float]
"""Lower and upper end."""


class Seen:
    """One observation and those before it; states that share a past share its memory.

    Attributes:
        ends: what the readings up to this one ruled out, from below and from above, once
            anybody has asked; a course of many intervals then reads each look once.
    """

    __slots__ = ("before", "ends", "x")

    def __init__(self, x: float, before: Past) -> None:
        """Follow `before` with the observation `x`."""
        self.x = x
        self.before = before
        self.ends: tuple[float, float] | None = None


Past: TypeAlias = "Seen | None"
"""The observations, latest first."""

HALVINGS = 40
"""Bisections of [0, 1] for a pass rate: an error under 1e-12."""

GRID = 4096
"""Means tried for bounded values: the range cut into so many parts."""


def of_proportion(past: Past, passes: int, count: int, alpha: float) -> Interval:
    """Return the pass rates that no look ruled out.

    Args:
        past: the observations, 0 or 1.
        passes: how many of them are 1.
        count: how many they are.
        alpha: largest probability of ever leaving the true rate out.

    Returns:
        Two rates; (0, 1) before the first observation.

    Source:
        Robbins (1970): the likelihood averaged over a uniform prior, against that
        of each rate; Ville (1939).
    """

    def raised(passed: int, failed: int, floor: float) -> float:
        return rate_above(passed, failed, alpha, floor)

    return running(past, passes, count, raised, 1)


def of_dataset(past: Past, passes: int, count: int, size: int, alpha: float) -> Interval:
    """Return the shares of passing cases in the dataset that no look ruled out.

    Args:
        past: the observations, 0 or 1, drawn without replacement.
        passes: how many of them are 1.
        count: how many they are.
        size: cases in the dataset.
        alpha: largest probability of ever leaving the true share out.

    Returns:
        Two shares, multiples of 1/size; equal once every case was seen.

    Source:
        Waudby-Smith & Ramdas (2020), prior over posterior, with a uniform prior
        over the number of passing cases.
    """

    def raised(passed: int, failed: int, floor: float) -> float:
        return cases_above(passed, failed, size, alpha, int(floor))

    lower, upper = running(past, passes, count, raised, size)
    return lower / size, upper / size


def running(
    past: Past,
    passes: int,
    count: int,
    raised: Callable[[int, int, float], float],
    top: float,
) -> Interval:
    """Return what is left between the highest lower and the lowest upper end.

    Args:
        past: the observations, 0 or 1.
        passes: how many of them are 1.
        count: how many they are.
        raised: a lower end after so many passes and fails, never below the one
            given; called with the two counts exchanged, it bounds from above.
        top: the largest value an end can take.
    """
    if past is None:
        return 0.0, top
    lower, gap, unread = unread_looks(past, passes, count)
    for passed, failed in unread:
        lower, gap = raised(passed, failed, lower), raised(failed, passed, gap)
    past.ends = lower, gap
    if lower + gap > top:
        fails = count - passes
        lower, gap = raised(passes, fails, 0), raised(fails, passes, 0)
    return lower, top - gap


def unread_looks(past: Past, passes: int, count: int) -> tuple[float, float, list[tuple[int, int]]]:
    """Return the ends that are known, and passes and fails at the looks since, the latest first.

    Late looks bind most, so the early ones mostly need no more than a check.
    """
    fails, unread = count - passes, list[tuple[int, int]]()
    while past is not None:
        if past.ends is not None:
            return *past.ends, unread
        unread.append((passes, fails))
        if past.x == 1:
            passes -= 1
        else:
            fails -= 1
        past = past.before
    return 0.0, 0.0, unread


def rate_above(passes: int, fails: int, alpha: float, floor: float) -> float:
    """Return the lower end of the plausible rates, or `floor` when that is higher.

    Args:
        passes: ones seen.
        fails: zeros seen.
        alpha: error probability of the interval.
        floor: lower end known already.
    """
    average = log_beta(passes, fails) + math.log(alpha)

    def is_ruled_out(rate: float) -> bool:
        return average >= log_likelihood(rate, passes, fails)

    high = passes / (passes + fails)
    if floor >= high or not is_ruled_out(floor):
        return floor
    low = 0.0  # not the floor: the end of a look is the same whichever looks were read before
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_ruled_out(middle) else (low, middle)
    return max(floor, low)


def log_beta(passes: int, fails: int) -> float:
    """Return log B(passes + 1, fails + 1): the likelihood averaged over all rates."""
    return math.lgamma(passes + 1) + math.lgamma(fails + 1) - math.lgamma(passes + fails + 2)


def log_likelihood(rate: float, passes: int, fails: int) -> float:
    """Return passes log(rate) + fails log(1 - rate), minus infinity if impossible."""
    if (passes and rate <= 0) or (fails and rate >= 1):
        return -math.inf
    won = passes * math.log(rate) if passes else 0.0
    lost = fails * math.log1p(-rate) if fails else 0.0
    return won + lost


def cases_above(passes: int, fails: int, size: int, alpha: float, floor: int) -> int:
    """Return the least plausible number of passing cases, or `floor` when higher.

    Args:
        passes: ones seen.
        fails: zeros seen.
        size: cases in the dataset.
        alpha: error probability of the interval.
        floor: least plausible number known already.
    """
    seen = passes + fails
    drawn = math.lgamma(size + 1) - math.lgamma(size - seen + 1)
    average = log_beta(passes, fails) + drawn + math.log(alpha)

    def is_ruled_out(passing: int) -> bool:
        return average >= log_ways(size, passing, passes, fails)

    likeliest = min(size - fails, passes * (size + 1) // seen)
    if floor >= likeliest or not is_ruled_out(floor):
        return floor
    low, high = floor, likeliest
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_ruled_out(middle) else (low, middle)
    return high


def of_mean(past: Past, weights: Past, bets: MeanBets, alpha: float) -> Interval:
    """Return the means, on the scale [0, 1], that no look ruled out.

    A mean is ruled out from below or above when evidence against it reached
    2/alpha. The bets differ from those of the verdict in one thing: they measure
    the spread around the running mean instead of around the tested one. So they
    do not depend on it, the evidence falls as the tested mean rises, and what is
    left is an interval, found by bisection on a grid and rounded outwards.

    Args:
        past: the observations, on the scale [0, 1].
        weights: what each of them counts for.
        bets: margin, guess, size, count and total of the test.
        alpha: largest probability of ever leaving the true mean out.

    Returns:
        Two means, multiples of 1/4096 unless a fixed dataset bounds them closer.

    Source:
        Waudby-Smith & Ramdas (2024), hedged capital; predictable bets that do not
        depend on the tested mean, save for their limit.
    """
    steps = steps_of(past, weights, bets)
    mirrored = [
        (1 - x, weight, ahead - total, ahead, stakes) for x, weight, total, ahead, stakes in steps
    ]
    certain, open_end = certain_ends(bets)
    for at_any_look in (True, False):
        lower, gap = (
            mean_above(side, bets.size, alpha / 2, at_any_look=at_any_look)
            for side in (steps, mirrored)
        )
        lower, gap = max(lower, certain), max(gap, open_end)
        if lower + gap <= 1 + ROUNDING:
            return lower, max(lower, 1 - gap)
    return certain, max(certain, 1 - open_end)


def certain_ends(bets: MeanBets) -> tuple[float, float]:
    """Return how far a fixed dataset's mean lies above 0 and below 1 for certain."""
    if bets.size is None:
        return 0.0, 0.0
    return bets.total / bets.size, (bets.count - bets.total) / bets.size


Step: TypeAlias = tuple[float, float, float, int, tuple[float, ...]]
"""A value, its weight, the sum and the number of those before it, and the bets on it."""


def steps_of(past: Past, weights: Past, bets: MeanBets) -> list[Step]:
    """Return the observations in order, each with the bets that were due on it."""
    steps: list[Step] = []
    total = spread = mean = weighed = 0.0
    values = zip(reversed(unlinked(past)), reversed(unlinked(weights)), strict=True)
    for count, (x, weight) in enumerate(values):
        bet = predicted_bet(bets, count, spread)
        steps.append((x, weight, total, count, tuple(scale * bet for scale in SCALES)))
        away = x - mean
        total += x
        weighed += weight
        mean += away * weight / weighed
        spread += weight**2 * away * (x - mean)
    return steps


def unlinked(past: Past) -> list[float]:
    """Return what is remembered as a list, the latest first."""
    values: list[float] = []
    while past is not None:
        values.append(past.x)
        past = past.before
    return values


def mean_above(steps: list[Step], size: int | None, alpha: float, *, at_any_look: bool) -> float:
    """Return the largest mean of the grid that is ruled out from below, or 0."""
    low, high = 0, GRID
    while high - low > 1:
        middle = (low + high) // 2
        if is_refuted(middle / GRID, steps, size, alpha, at_any_look=at_any_look):
            low = middle
        else:
            high = middle
    return low / GRID


def is_refuted(
    level: float, steps: list[Step], size: int | None, alpha: float, *, at_any_look: bool
) -> bool:
    """Tell whether the evidence for a mean above `level` reached 1/alpha."""
    capitals, bar, here = list(STAKES), 1 / alpha, level
    for x, weight, total, count, bets in steps:
        if size is not None:
            here = next_level(level, size, count, total)
            if here <= 0:
                return True
        top, gain = REACH / here, weight * (x - here)
        capitals = [
            capital * (1 + (bet if bet < top else top) * gain)  # noqa: FURB136 min() costs as much as the rest
            for capital, bet in zip(capitals, bets, strict=True)
        ]
        if at_any_look and sum(capitals) >= bar:
            return True
    return sum(capitals) >= bar
