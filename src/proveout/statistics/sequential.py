"""Evidence that may be read after every observation.

Three tests of one criterion, each with a floor (`threshold`) and a target
(threshold + margin). "go" says that better than the floor is shown, "no-go" that
the target is ruled out. Whoever looks, and however often, a wrong "go" has
probability at most `alpha` and a wrong "no-go" at most `beta`. A test is a value:
`observe` returns the next one. Where lower is better, pass negated values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from proveout.errors import Mistake
from proveout.statistics import arguments, intervals
from proveout.statistics.bets import CoinBets, MeanBets, UrnBets, ladder

if TYPE_CHECKING:
    from typing import Self

    from proveout.statistics.intervals import Interval, Past

Decision: TypeAlias = Literal["go", "no-go"]
"""What a test has settled; until then it holds None."""

PLACES = 9
"""Decimal places of a number of cases that are meant rather than rounding error."""


@dataclass(frozen=True, kw_only=True)
class SequentialTest:
    """What each of the three tests knows after some observations.

    Attributes:
        alpha: largest probability of a wrong "go".
        beta: largest probability of a wrong "no-go".
        count: observations so far.
        log_e_go: natural log of the evidence for "go"; "go" falls at log(1/alpha).
        log_e_nogo: the same for "no-go", which falls at log(1/beta).
        decision: the first verdict that fell; later evidence never changes it.
        decided_at: the count at which it fell, or None.

    Source:
        Ville (1939) for reading at any time; Wald (1945) for the two verdicts.
    """

    alpha: float
    beta: float
    count: int = field(init=False, default=0)
    log_e_go: float = field(init=False, default=0.0)
    log_e_nogo: float = field(init=False, default=0.0)
    decision: Decision | None = field(init=False, default=None)
    decided_at: int | None = field(init=False, default=None)
    _past: Past = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        arguments.chance("alpha", self.alpha)
        arguments.chance("beta", self.beta)

    def _following(self, x: float, log_e_go: float, log_e_nogo: float, **changes: object) -> Self:
        """Return the state after `x`; when both verdicts fall at once, it is "no-go"."""
        successor = object.__new__(type(self))
        count, decision, decided_at = self.count + 1, self.decision, self.decided_at
        if decision is None:
            if log_e_nogo >= -math.log(self.beta):
                decision, decided_at = "no-go", count
            elif log_e_go >= -math.log(self.alpha):
                decision, decided_at = "go", count
        vars(successor).update(
            vars(self),
            count=count,
            log_e_go=log_e_go,
            log_e_nogo=log_e_nogo,
            decision=decision,
            decided_at=decided_at,
            _past=intervals.Seen(x, self._past),
            **changes,
        )
        return successor


@dataclass(frozen=True, kw_only=True)
class Proportion(SequentialTest):
    """Test a pass rate of cases that never end: future traffic.

    A bad-event rate of at most t is a pass rate of at least 1 - t.

    Args:
        threshold: floor of the pass rate, strictly between 0 and 1.
        margin: distance from the floor to the target, which stays below 1.
        alpha: largest probability of "go" when the rate is at or below the floor.
        beta: largest probability of "no-go" when it is at or above the target.

    Raises:
        Mistake: an argument is out of its range.

    Source:
        Wald (1945), Robbins (1970), Ville (1939).

    >>> test = Proportion(threshold=0.85, margin=0.05, alpha=0.05, beta=0.05)
    >>> for _ in range(29):
    ...     test = test.observe(1)
    >>> test.decision, test.decided_at
    ('go', 29)
    """

    threshold: float
    margin: float
    passes: int = field(init=False, default=0)
    _go: CoinBets = field(init=False, repr=False, compare=False)
    _nogo: CoinBets = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        level, margin = arguments.levels(self.threshold, self.margin, 0, 1)
        object.__setattr__(self, "_go", CoinBets(level, margin))
        object.__setattr__(self, "_nogo", CoinBets(1 - level - margin, margin))

    def observe(self, x: float) -> Self:
        """Return the test after one more case.

        Args:
            x: 1 or True for a pass, 0 or False for a fail.

        Raises:
            Mistake: `x` is anything else.
        """
        passes = self.passes + arguments.outcome("x", x)
        fails = self.count + 1 - passes
        return self._following(
            x, self._go.log_e(passes, fails), self._nogo.log_e(fails, passes), passes=passes
        )

    @property
    def mean(self) -> float | None:
        """The pass rate so far, or None before the first case."""
        return self.passes / self.count if self.count else None

    @property
    def interval(self) -> Interval:
        """Pass rates that no look so far has ruled out, at confidence 1 - alpha."""
        return intervals.of_proportion(self._past, self.passes, self.count, self.alpha)


@dataclass(frozen=True, kw_only=True)
class FixedDataset(SequentialTest):
    """Test the pass rate of *these* cases, drawn without replacement.

    The floor counts as reached when the share of passing cases is at least the
    threshold. A verdict is certain once every case was seen. It says nothing about
    cases outside the dataset.

    Args:
        size: cases in the dataset.
        threshold: floor of the share that passes, strictly between 0 and 1.
        margin: distance from the floor to the target, which stays below 1.
        alpha: largest probability of "go" when the share is below the floor.
        beta: largest probability of "no-go" when it is at or above the target.

    Raises:
        Mistake: an argument is out of its range.

    Source:
        Waudby-Smith & Ramdas (2020), Robbins (1970), Ville (1939).

    >>> test = FixedDataset(size=500, threshold=0.85, margin=0.05, alpha=0.05, beta=0.05)
    >>> for _ in range(20):
    ...     test = test.observe(1)
    >>> round(test.log_e_go, 6), round(test.log_e_nogo, 6)
    (2.009603, -1.478061)
    """

    size: int
    threshold: float
    margin: float
    passes: int = field(init=False, default=0)
    _go: UrnBets = field(init=False, repr=False, compare=False)
    _nogo: UrnBets = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        arguments.size_of("size", self.size)
        arguments.levels(self.threshold, self.margin, 0, 1)
        object.__setattr__(self, "_go", self._bets_on_go())
        object.__setattr__(self, "_nogo", self._bets_on_nogo())

    @property
    def most_below_floor(self) -> int:
        """K0: the largest number of passing cases that misses the floor."""
        return cases_at_least(self.size, self.threshold) - 1

    @property
    def least_at_target(self) -> int:
        """K1: the smallest number of passing cases that meets the target."""
        return cases_at_least(self.size, self.threshold, self.margin)

    def observe(self, x: float) -> Self:
        """Return the test after one more case.

        Args:
            x: 1 or True for a pass, 0 or False for a fail.

        Raises:
            Mistake: `x` is anything else, or all cases were seen already.
        """
        check_room(self.count, self.size)
        passes = self.passes + arguments.outcome("x", x)
        fails = self.count + 1 - passes
        return self._following(
            x, self._go.log_e(passes, fails), self._nogo.log_e(fails, passes), passes=passes
        )

    @property
    def mean(self) -> float | None:
        """The pass rate so far, or None before the first case."""
        return self.passes / self.count if self.count else None

    @property
    def interval(self) -> Interval:
        """Shares of these cases that no look so far has ruled out, at 1 - alpha."""
        return intervals.of_dataset(self._past, self.passes, self.count, self.size, self.alpha)

    def _bets_on_go(self) -> UrnBets:
        level, most = self.threshold, self.most_below_floor
        rivals = tuple(
            (stake, max(most + 1, min(self.size, nearest(self.size * (level + shift)))))
            for stake, shift in shifts(level, self.margin)
        )
        return UrnBets(self.size, most, rivals)

    def _bets_on_nogo(self) -> UrnBets:
        level, least = self.threshold + self.margin, self.least_at_target
        rivals = tuple(
            (stake, min(least - 1, max(0, nearest(self.size * (level - shift)))))
            for stake, shift in shifts(1 - level, self.margin)
        )
        mirrored = tuple((stake, self.size - rival) for stake, rival in rivals)
        return UrnBets(self.size, self.size - least, mirrored)


@dataclass(frozen=True, kw_only=True)
class BoundedMean(SequentialTest):
    """Test the mean of values in a declared range: a rubric, a lead, a cost.

    Args:
        threshold: floor of the mean, strictly above `low`.
        margin: distance from the floor to the target, which stays below `high`.
        low: smallest possible value.
        high: largest possible value.
        variance_guess: variance expected of a value; a poor guess costs cases,
            never validity. Default: that of values at the two ends only.
        size: number of cases when the claim is about *these* cases, drawn without
            replacement; None when it is about future traffic.
        alpha: largest probability of "go" when the mean is at or below the floor.
        beta: largest probability of "no-go" when it is at or above the target.

    Raises:
        Mistake: an argument is out of its range.

    Source:
        Waudby-Smith & Ramdas (2024), Ville (1939).

    >>> test = BoundedMean(
    ...     threshold=0.7, margin=0.03, low=0, high=1, variance_guess=0.05, alpha=0.05, beta=0.05
    ... )
    >>> for _ in range(25):
    ...     test = test.observe(0.9)
    >>> test.decision, test.decided_at, round(test.log_e_go, 6)
    ('go', 18, 4.576649)
    """

    threshold: float
    margin: float
    low: float
    high: float
    variance_guess: float | None = None
    size: int | None = None
    _total: float = field(init=False, default=0.0, repr=False)
    _weight: float = field(init=False, default=0.0, repr=False)
    _weights: Past = field(init=False, default=None, repr=False, compare=False)
    _go: MeanBets = field(init=False, repr=False, compare=False)
    _nogo: MeanBets = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        level, margin = arguments.levels(self.threshold, self.margin, self.low, self.high)
        if self.size is not None:
            arguments.size_of("size", self.size)
        width = self.high - self.low
        guess = self.variance / width / width
        if not 0 < guess < math.inf:
            raise Mistake(
                f"variance_guess must be above 0 and fit the range, not {self.variance_guess!r}"
            )
        object.__setattr__(self, "_go", MeanBets(level, margin, guess, self.size))
        object.__setattr__(self, "_nogo", MeanBets(1 - level - margin, margin, guess, self.size))

    def observe(self, x: float, weight: float = 1.0) -> Self:
        """Return the test after one more value.

        Args:
            x: a number from `low` to `high`.
            weight: what it counts for in the mean, above 0 and at most 1: of a source's mean,
                its requests over the most that any source has.

        Raises:
            Mistake: `x` or `weight` is not such a number, a fixed dataset is weighted, or all
                cases were seen already.
        """
        check_room(self.count, self.size)
        value = arguments.finite("x", x)
        if not 0 < weight <= 1 or (self.size is not None and weight != 1):
            raise Mistake(f"weight must lie above 0 and at most at 1, not at {weight!r}")
        if not self.low <= value <= self.high:
            raise Mistake(f"x must lie between {self.low!r} and {self.high!r}, not at {x!r}")
        unit = (value - self.low) / (self.high - self.low)
        go, nogo = self._go.after(unit, weight), self._nogo.after(1 - unit, weight)
        return self._following(
            unit,
            go.log_e,
            nogo.log_e,
            _total=self._total + weight * value,
            _weight=self._weight + weight,
            _weights=intervals.Seen(weight, self._weights),
            _go=go,
            _nogo=nogo,
        )

    @property
    def variance(self) -> float:
        """The declared guess, or else that of values at the two ends only."""
        if self.variance_guess is not None:
            return arguments.finite("variance_guess", self.variance_guess)
        return (self.threshold - self.low) * (self.high - self.threshold)

    @property
    def mean(self) -> float | None:
        """The mean so far, each value by its weight, or None before the first value."""
        return self._total / self._weight if self.count else None

    @property
    def interval(self) -> Interval:
        """Means that no look so far has ruled out, at confidence 1 - alpha."""
        lower, upper = intervals.of_mean(self._past, self._weights, self._go, self.alpha)
        width = self.high - self.low
        return self.low + width * lower, min(self.high, self.low + width * upper)


CriterionTest: TypeAlias = Proportion | FixedDataset | BoundedMean
"""Any of the three tests."""


def cases_at_least(size: int, *shares: float) -> int:
    """Return the least number of `size` cases whose share is at least sum(shares).

    Decimal arithmetic: 0.55 of 100 cases are 55, where floats make it 56.

    >>> cases_at_least(100, 0.55), cases_at_least(500, 0.85, 0.05)
    (55, 450)
    """
    exact = sum((Decimal(repr(float(share))) for share in shares), Decimal(0)) * size
    return int(round(exact, PLACES).to_integral_value(ROUND_CEILING))


def nearest(cases: float) -> int:
    """Return the whole number nearest to `cases`, the larger one when it is a tie."""
    return math.floor(round(cases + 0.5, PLACES))


def shifts(level: float, margin: float) -> tuple[tuple[float, float], ...]:
    """Return each stake of the ladder with the distance from `level` it bets on."""
    return tuple((stake, bet * level * (1 - level)) for stake, bet in ladder(level, margin))


def check_room(count: int, size: int | None) -> None:
    """Refuse one more observation than there are cases.

    Raises:
        Mistake: all `size` cases were seen.
    """
    if size is not None and count >= size:
        raise Mistake(f"size is {size}: every case was observed already")
