"""How many cases a verdict takes, known before the first call is paid for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice, tee
from operator import add, sub
from typing import TYPE_CHECKING, TypeAlias

from proveout.errors import Mistake
from proveout.statistics import arguments
from proveout.statistics.sequential import BoundedMean, FixedDataset, Proportion
from proveout.statistics.truths import Coin, Urn, chance_of_count, chance_of_next

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proveout.statistics.sequential import CriterionTest
    from proveout.statistics.truths import Truth

PassFail: TypeAlias = Proportion | FixedDataset

HORIZON = 20_000
"""Cases looked ahead at most."""

EXACT_UP_TO = 2_500
"""Largest fixed sample whose sequential twin is computed rather than approximated."""

DUST = 1e-6
"""Probability of being undecided below which a walk ends."""

USUALLY = 0.9
"""Probability that the usual number of cases is enough."""

LIKE_MARGINS = (0.05, 0.45)
"""Smallest and largest margin of the coin that stands in for another test."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a test may cost, before it starts.

    Attributes:
        expected: mean number of cases when the truth is at the target.
        p90: cases that are enough nine times in ten there; None when the cases
            at hand are not.
        chance_of_go: probability of "go" there, with the cases at hand.
        expected_at_floor: mean number of cases when the truth is at the floor.
        p90_at_floor: as `p90`, when the truth is at the floor.
        chance_of_nogo: probability of "no-go" when the truth is at the floor.
        fixed: cases that a test read only once would need for the same errors.
        least_go: fewest cases with which "go" can fall; None beyond `HORIZON`.
        least_nogo: the same for "no-go".
        cases: cases at hand, or None for any number.
        exact: the figures at target and floor are computed, not approximated.
    """

    expected: float
    p90: int | None
    chance_of_go: float
    expected_at_floor: float
    p90_at_floor: int | None
    chance_of_nogo: float
    fixed: int
    least_go: int | None
    least_nogo: int | None
    cases: int | None
    exact: bool

    @property
    def can_go(self) -> bool:
        """Whether the cases at hand can ever be enough for "go"."""
        return is_enough(self.least_go, self.cases)

    @property
    def can_nogo(self) -> bool:
        """Whether the cases at hand can ever be enough for "no-go"."""
        return is_enough(self.least_nogo, self.cases)


def is_enough(least: int | None, cases: int | None) -> bool:
    """Tell whether `least` cases are known and at hand."""
    return least is not None and (cases is None or least <= cases)


def plan(test: CriterionTest, *, cases: int | None = None) -> Plan:
    """Foresee what `test` takes at its target and at its floor.

    Pass/fail tests are computed exactly, by dynamic programming over the number of
    passes, as long as the fixed sample stays within `EXACT_UP_TO`. Above it, and
    for bounded values, the figures are those of a coin near one half whose margin
    has the same ratio to its spread, stretched to size; for values of the guessed
    variance they are good to about a fifth, from some twenty cases on.

    Args:
        test: a test without observations; "the target" of a fixed dataset is the
            least number of passing cases that meets it, "the floor" the largest
            that misses it.
        cases: number of cases at hand; for these cases at most, and by default,
            the size of the dataset.

    Raises:
        Mistake: the test has begun, or `cases` is no number of cases.

    Source:
        Wald (1945) for sequential sampling; the computation is our own.

    >>> test = Proportion(threshold=0.85, margin=0.05, alpha=0.05, beta=0.05)
    >>> foreseen = plan(test)
    >>> foreseen.least_go, foreseen.fixed, round(foreseen.expected), foreseen.p90
    (29, 474, 266, 528)
    """
    if test.count:
        raise Mistake(f"test must not have begun; it has {test.count} observations")
    at_hand = cases_at_hand(test, cases)
    fixed = fixed_sample(test)
    twin, stretch = stand_in(test, fixed)
    limit = None if at_hand is None else max(1, round(at_hand / stretch))
    walks = tee(islice(corridor(twin), limit or HORIZON))
    floor, target = (
        foresee(walk, truth) for walk, truth in zip(walks, truths_of(twin), strict=True)
    )
    worst, best = (test.low, test.high) if isinstance(test, BoundedMean) else (0, 1)
    return Plan(
        expected=target.expected * stretch,
        p90=stretched(target.p90, stretch),
        chance_of_go=target.go,
        expected_at_floor=floor.expected * stretch,
        p90_at_floor=stretched(floor.p90, stretch),
        chance_of_nogo=floor.nogo,
        fixed=fixed,
        least_go=least_cases(test, best),
        least_nogo=least_cases(test, worst),
        cases=at_hand,
        exact=twin is test,
    )


def cases_at_hand(test: CriterionTest, cases: int | None) -> int | None:
    """Return how many cases `test` may use, None for any number."""
    size = None if isinstance(test, Proportion) else test.size
    if cases is None:
        return size
    arguments.size_of("cases", cases)
    return cases if size is None else min(cases, size)


def least_cases(test: CriterionTest, x: float) -> int | None:
    """Return how many more cases settle `test` when each of them shows `x`.

    With the best value it is the least that "go" can still need; for bounded
    values a steadier sequence might do with a case or two less.

    Args:
        test: any state of a test.
        x: the value repeated.

    Returns:
        0 when it is settled already; None when `HORIZON` cases, or all that are
        left of the dataset, do not settle it.

    >>> test = Proportion(threshold=0.95, margin=0.03, alpha=0.05, beta=0.05)
    >>> least_cases(test, 1), least_cases(test, 0)
    (78, 2)
    """
    size = None if isinstance(test, Proportion) else test.size
    left = HORIZON if size is None else min(HORIZON, size - test.count)
    for cases in range(left + 1):
        if test.decision is not None:
            return cases
        if cases < left:
            test = test.observe(x)
    return None


def fixed_sample(test: CriterionTest) -> int:
    """Return the cases a test read only once needs for the same two errors.

    For pass/fail it is the smallest number with a cut that keeps both errors;
    beyond `HORIZON`, and for bounded values, the normal approximation, for these
    cases with the correction for a finite population.
    """
    approximate = normal_sample(test)
    if isinstance(test, BoundedMean) or approximate > HORIZON:
        return approximate
    floor, target = truths_of(test)
    cut, wrong_go, wrong_nogo = 0, 1.0, 0.0
    for count in range(1, 2 * HORIZON):
        wrong_go += arriving(floor, count, cut)
        wrong_nogo -= arriving(target, count, cut)
        while wrong_go > test.alpha and cut <= count:
            wrong_go -= chance_of_count(floor, count, cut)
            wrong_nogo += chance_of_count(target, count, cut)
            cut += 1
        if wrong_nogo <= test.beta:
            return count
    return approximate


def arriving(truth: Truth, count: int, cut: int) -> float:
    """Return the probability that the passes reach `cut` with the last of the cases."""
    before = chance_of_count(truth, count - 1, cut - 1)
    return before and before * chance_of_next(truth, count - 1, cut - 1)


def normal_sample(test: CriterionTest) -> int:
    """Return the fixed sample by the normal approximation, at least 1."""
    at_floor, at_target = spreads(test)
    reach = quantile(test.alpha) * at_floor + quantile(test.beta) * at_target
    endless = max(1.0, (reach / test.margin) ** 2)
    if isinstance(test, Proportion) or test.size is None:
        return math.ceil(endless)
    return math.ceil(endless / (1 + (endless - 1) / test.size))


def spreads(test: CriterionTest) -> tuple[float, float]:
    """Return the standard deviation of an observation at the floor and at the target."""
    if isinstance(test, BoundedMean):
        spread = math.sqrt(test.variance)
        return spread, spread
    floor, target = test.threshold, test.threshold + test.margin
    return math.sqrt(floor * (1 - floor)), math.sqrt(target * (1 - target))


def quantile(tail: float) -> float:
    """Return the standard normal value that is exceeded with probability `tail`."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        exceeded = math.erfc(middle / math.sqrt(2)) / 2
        low, high = (middle, high) if exceeded > tail else (low, middle)
    return low


def stand_in(test: CriterionTest, fixed: int) -> tuple[PassFail, float]:
    """Return a pass/fail test to look ahead with, and what its cases count for."""
    if not isinstance(test, BoundedMean) and fixed <= EXACT_UP_TO:
        return test, 1.0
    true_margin = test.margin / sum(spreads(test))
    margin = min(max(true_margin, LIKE_MARGINS[0]), LIKE_MARGINS[1])
    stretch = (margin / true_margin) ** 2
    threshold = (1 - margin) / 2
    if isinstance(test, Proportion) or test.size is None:
        twin = Proportion(threshold=threshold, margin=margin, alpha=test.alpha, beta=test.beta)
        return twin, stretch
    size = max(1, round(test.size / stretch))
    return (
        FixedDataset(
            size=size, threshold=threshold, margin=margin, alpha=test.alpha, beta=test.beta
        ),
        stretch,
    )


def truths_of(test: PassFail) -> tuple[Truth, Truth]:
    """Return what is supposed at the floor and at the target."""
    if isinstance(test, FixedDataset):
        return Urn(test.size, test.most_below_floor), Urn(test.size, test.least_at_target)
    return Coin(test.threshold), Coin(test.threshold + test.margin)


def stretched(cases: int | None, stretch: float) -> int | None:
    """Return `cases` of the stand-in as cases of the test."""
    return None if cases is None else math.ceil(cases * stretch)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What becomes of a test under one truth.

    Attributes:
        go: probability that it ends in "go".
        nogo: probability that it ends in "no-go".
        expected: mean number of cases used.
        p90: cases that are enough nine times in ten, or None.
    """

    go: float
    nogo: float
    expected: float
    p90: int | None


def foresee(walk: Iterable[tuple[int, int]], truth: Truth) -> Outlook:
    """Return what becomes of a test under `truth`, exactly.

    Dynamic programming: the probability of every number of passes that leaves the
    test undecided, case after case.

    Args:
        walk: least and most such passes, one pair per case; where it ends, what is
            undecided stays so.
        truth: where the passes come from.

    Returns:
        An outlook whose probabilities miss at most `DUST`.
    """
    go = nogo = expected = 0.0
    p90: int | None = None
    lowest, live, alive = 0, [1.0], 1.0
    for count, (least, most) in enumerate(walk):
        expected += alive
        live = after_one_case(live, lowest, truth.chances(count))
        below = max(0, min(least - lowest, len(live)))
        above = max(below, min(most + 1 - lowest, len(live)))
        nogo, go = nogo + sum(live[:below]), go + sum(live[above:])
        live, lowest = live[below:above], lowest + below
        alive = sum(live)
        if p90 is None and go + nogo >= USUALLY:
            p90 = count + 1
        if alive < DUST:
            break
    return Outlook(go, nogo, expected, p90)


def after_one_case(live: list[float], lowest: int, chances: tuple[float, float]) -> list[float]:
    """Return the probabilities of the passes one case later, from `lowest` upward."""
    base, slope = chances
    first = base - slope * lowest
    passing = [held * (first - slope * above) for above, held in enumerate(live)]
    failing = map(sub, live, passing)
    return list(map(add, [*failing, 0], [0, *passing]))


def corridor(test: PassFail) -> Iterator[tuple[int, int]]:
    """Yield, case after case, the least and most passes that decide nothing yet.

    More passes are always more evidence for "go" and less for "no-go", so each
    limit moves by at most one pass a case. Where both verdicts would fall it is
    "no-go", as in the test itself.
    """
    lower = upper = test
    while True:
        fewer, more = lower.observe(0), upper.observe(1)
        lower = fewer if fewer.log_e_nogo < -math.log(test.beta) else lower.observe(1)
        upper = more if more.log_e_go < -math.log(test.alpha) else upper.observe(0)
        yield lower.passes, upper.passes
