"""The one-sided machines: evidence that a mean lies above a level.

Every machine multiplies fair or unfavourable stakes, so its value is a
nonnegative supermartingale that starts at 1 whenever the mean lies at or below
the level. It ever reaches 1/alpha with probability at most alpha (Ville 1939).
The evidence that a mean lies *below* a target is the same machine fed with the
mirrored values: failures for passes, 1 - x for x. Everything here lives on the
scale [0, 1] and in logarithms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

REACH = 0.98
"""Share of the largest admissible bet that is ever staked."""

NEARLY = 0.999
"""A bet this close to the largest one stands in for it."""

FIRST_SHARE = 0.7
"""Share of the stake on the bet that Wald's likelihood ratio would make."""

SCALES = (0.5, math.sqrt(0.5), 1.0, math.sqrt(2.0), 2.0, math.sqrt(8.0), 4.0, 8.0)
"""Multiples of the predicted best bet that are staked side by side."""

STAKES = (0.12, 0.24, 0.34, 0.12, 0.06, 0.04, 0.04, 0.04)
"""What each of the scales is staked with; they sum to 1."""

LOG_STAKES = tuple(math.log(stake) for stake in STAKES)

PRIOR_CASES = 10
"""Cases that the declared guess of the variance counts for."""

ROUNDING = 1e-12
"""Rounding error allowed per case when a sum is compared with its bound."""


def log_sum(terms: tuple[float, ...]) -> float:
    """Return log(sum(exp(terms))) without overflow.

    >>> round(log_sum((1000.0, 1000.0)), 6)
    1000.693147
    """
    top = max(terms)
    if math.isinf(top):
        return top
    return top + math.log(math.fsum(math.exp(term - top) for term in terms))


def ladder(level: float, margin: float) -> tuple[tuple[float, float], ...]:
    """Return the pass/fail bets against `level` as pairs of stake and bet.

    The first bet makes the machine Wald's likelihood ratio of level + margin
    against level; the rest climb by the square root of 2 to just under 1/level and
    win sooner when the truth is further away than the margin.

    Args:
        level: probability, strictly between 0 and 1.
        margin: distance to the alternative, above 0.

    Returns:
        Stakes that sum to 1, each with its bet.

    Source:
        Wald (1945) for the first bet; Robbins (1970) for the mixture.
    """
    first, top = margin / (level * (1 - level)), REACH / level
    if first > top:
        return ((1.0, top),)
    bets = [first]
    while bets[-1] * math.sqrt(2) < top:
        bets.append(bets[-1] * math.sqrt(2))
    if bets[-1] < NEARLY * top:
        bets.append(top)
    if len(bets) == 1:
        return ((1.0, first),)
    rest = (1 - FIRST_SHARE) / (len(bets) - 1)
    return ((FIRST_SHARE, first), *((rest, bet) for bet in bets[1:]))


@dataclass(frozen=True, slots=True)
class CoinBets:
    """Bets that a pass is likelier than `level`, case after case.

    Args:
        level: largest probability of a pass under the null.
        margin: distance to the hoped-for probability.
    """

    level: float
    margin: float
    _terms: tuple[tuple[float, float, float], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        terms = tuple(
            (math.log(stake), math.log1p(bet * (1 - self.level)), math.log1p(-bet * self.level))
            for stake, bet in ladder(self.level, self.margin)
        )
        object.__setattr__(self, "_terms", terms)

    def log_e(self, passes: int, fails: int) -> float:
        """Return the log evidence after so many passes and fails, in any order."""
        return log_sum(
            tuple(stake + passes * won + fails * lost for stake, won, lost in self._terms)
        )


@dataclass(frozen=True, slots=True)
class UrnBets:
    """Bets that more than `most` of the `size` cases pass, drawn without replacement.

    Args:
        size: cases in the urn.
        most: largest number of passing cases under the null, under `size`.
        rivals: pairs of stake and number of passing cases, all above `most`.

    Source:
        Waudby-Smith & Ramdas (2020), likelihood ratios without replacement.
    """

    size: int
    most: int
    rivals: tuple[tuple[float, int], ...]

    def log_e(self, passes: int, fails: int) -> float:
        """Return the log evidence after so many passes and fails, in any order.

        It is infinite once the null is impossible, and minus infinity once every
        rival is.
        """
        if passes > self.most:
            return math.inf
        if fails > self.size - self.most:
            return -math.inf
        null = log_ways(self.size, self.most, passes, fails)
        return log_sum(
            tuple(
                math.log(stake) + log_ways(self.size, rival, passes, fails) - null
                for stake, rival in self.rivals
            )
        )


def log_ways(size: int, passing: int, passes: int, fails: int) -> float:
    """Return how many ordered draws show this sequence, as a logarithm.

    Divided by the same count for another `passing`, it is the likelihood ratio
    of the two urns.

    Args:
        size: cases in the urn.
        passing: those of them that pass.
        passes: drawn cases that passed.
        fails: drawn cases that failed.

    Returns:
        log of passing!/(passing - passes)! x failing!/(failing - fails)!, minus
        infinity when the urn cannot show it.
    """
    failing = size - passing
    if passes > passing or fails > failing:
        return -math.inf
    return (
        math.lgamma(passing + 1)
        - math.lgamma(passing - passes + 1)
        + math.lgamma(failing + 1)
        - math.lgamma(failing - fails + 1)
    )


@dataclass(frozen=True, slots=True)
class MeanBets:
    """Bets that the mean of values in [0, 1] lies above `level`.

    With a `size`, the mean is that of so many values drawn without replacement:
    each next value is then compared with what the rest must average.

    Args:
        level: largest mean under the null.
        margin: distance to the hoped-for mean.
        guess: guessed variance of a value.
        size: values in all, or None when they never end.

    Source:
        Waudby-Smith & Ramdas (2024), betting on bounded means; the bets follow
        the running spread, and eight multiples of them are staked at once.
    """

    level: float
    margin: float
    guess: float
    size: int | None = None
    count: int = 0
    total: float = 0.0
    spread: float = 0.0
    capitals: tuple[float, ...] = LOG_STAKES

    @property
    def log_e(self) -> float:
        """The log evidence so far; infinite once the null is impossible."""
        if self.size is not None and self.total > self.size * (self.level + ROUNDING):
            return math.inf
        return log_sum(self.capitals)

    def after(self, x: float, weight: float = 1.0) -> MeanBets:
        """Return the bets once `x`, between 0 and 1, has been seen.

        Of a `weight` under 1, only that share of its distance from the level is won or lost:
        the null is then about the mean in which each value counts by its weight.
        """
        level = next_level(self.level, self.size, self.count, self.total)
        top = REACH / level if level > 0 else math.inf
        bet = predicted_bet(self, self.count, self.spread)
        gain = weight * (x - level)
        capitals = [
            capital + math.log1p(min(scale * bet, top) * gain)
            for capital, scale in zip(self.capitals, SCALES, strict=True)
        ]
        return MeanBets(
            self.level,
            self.margin,
            self.guess,
            self.size,
            self.count + 1,
            self.total + x,
            self.spread + (weight * (x - self.level)) ** 2,
            tuple(capitals),
        )


def next_level(level: float, size: int | None, count: int, total: float) -> float:
    """Return what the next value must average if all of them average `level`.

    Args:
        level: mean of all values.
        size: how many they are, or None when they never end.
        count: how many were seen, under `size`.
        total: their sum.

    Returns:
        A level, above 1 or below 0 once the seen values rule `level` out.

    Source:
        Waudby-Smith & Ramdas (2024), sampling without replacement.
    """
    return level if size is None else (size * level - total) / (size - count)


def predicted_bet(rule: MeanBets, count: int, spread: float) -> float:
    """Return the bet that should grow fastest, from past values only.

    Without replacement the distance between what the rest must average under the
    null and at the target widens as values are used up, and the bets with it.

    Args:
        rule: margin, guess and size; what it has seen is not read.
        count: values seen.
        spread: sum of their squared distances from where the mean is thought to be.

    Returns:
        A bet above 0, not yet held under its limit.
    """
    margin = rule.margin
    if rule.size is not None:
        margin *= rule.size / (rule.size - count)
    return margin * (PRIOR_CASES + count) / (PRIOR_CASES * (rule.guess + margin**2) + spread)
