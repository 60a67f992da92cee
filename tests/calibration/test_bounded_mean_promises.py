"""What is promised about means of bounded values, by simulation from written seeds.

600 experiments know an error rate of .05 to about .009, so a rate up to .077 is let
pass; the careless readers in test_negative_controls come out at .25 and more.
"""
# ruff: noqa: S311, TID251 - simulated observations, each from a written seed

from __future__ import annotations

import math
import random
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from worlds import World, cost, finite, lead, rubric

from proveout.statistics.sequential import BoundedMean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.calibration

ALPHA = BETA = 0.05

EXPERIMENTS = 600

TOLERATED = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS)

GRADES = BoundedMean(
    threshold=0.7, margin=0.03, low=0, high=1, variance_guess=0.04, alpha=ALPHA, beta=BETA
)
UNGUESSED = BoundedMean(threshold=0.7, margin=0.03, low=0, high=1, alpha=ALPHA, beta=BETA)
LEADS = BoundedMean(
    threshold=0.03, margin=0.05, low=-1, high=1, variance_guess=0.2, alpha=ALPHA, beta=BETA
)
COSTS = BoundedMean(
    threshold=-0.03,
    margin=0.006,
    low=-0.3,
    high=0,
    variance_guess=0.0009,
    alpha=ALPHA,
    beta=BETA,
)


def endless(world: World, dice: random.Random) -> Iterator[float]:
    while True:
        yield world(dice)


def end_of(test: BoundedMean, values: Iterable[float]) -> BoundedMean:
    """Return the test where a reader stops who looks after every case."""
    for x in values:
        test = test.observe(x)
        if test.decision is not None:
            break
    return test


@pytest.mark.parametrize(
    ("test", "world", "usual"),
    [
        (GRADES, rubric(0.7), 330),
        (UNGUESSED, rubric(0.7), 330),
        (LEADS, lead(0.03), 620),
        (COSTS, cost(0.03), 210),
    ],
    ids=["grades", "grades without a guess", "lead", "cost"],
)
def test_a_mean_at_the_floor_gets_a_wrong_go_at_most_alpha(
    test: BoundedMean, world: World, usual: int
) -> None:
    """However often it is read, in no more cases than usual."""
    dice = random.Random(2027)

    ends = [end_of(test, islice(endless(world, dice), 3000)) for _ in range(EXPERIMENTS)]

    assert sum(end.decision == "go" for end in ends) / EXPERIMENTS <= TOLERATED
    assert sum(end.count for end in ends) / EXPERIMENTS <= usual


@pytest.mark.parametrize(
    ("test", "world", "usual"),
    [
        (GRADES, rubric(0.73), 330),
        (LEADS, lead(0.08), 620),
        (COSTS, cost(0.024), 250),
    ],
    ids=["grades", "lead", "cost"],
)
def test_a_mean_at_the_target_gets_a_wrong_no_go_at_most_beta(
    test: BoundedMean, world: World, usual: int
) -> None:
    """However often it is read, in no more cases than usual."""
    dice = random.Random(2028)

    ends = [end_of(test, islice(endless(world, dice), 3000)) for _ in range(EXPERIMENTS)]

    assert sum(end.decision == "no-go" for end in ends) / EXPERIMENTS <= TOLERATED
    assert sum(end.count for end in ends) / EXPERIMENTS <= usual


@pytest.mark.parametrize("size", [40, 300])
@pytest.mark.parametrize(("mean", "wrong"), [(0.7, "go"), (0.73, "no-go")])
def test_these_cases_are_judged_within_both_errors_and_always(
    size: int, mean: float, wrong: str
) -> None:
    """One dataset, drawn without replacement in many orders."""
    dice = random.Random(size)
    cases = finite(rubric(mean), mean, size, dice)
    test = BoundedMean(
        threshold=0.7,
        margin=0.03,
        low=0,
        high=1,
        variance_guess=0.04,
        size=size,
        alpha=ALPHA,
        beta=BETA,
    )

    ends = [end_of(test, dice.sample(cases, size)) for _ in range(EXPERIMENTS)]

    assert all(end.decision is not None for end in ends)
    assert sum(end.decision == wrong for end in ends) / EXPERIMENTS <= TOLERATED


@pytest.mark.parametrize(
    ("test", "world", "mean"),
    [(GRADES, rubric(0.72), 0.72), (COSTS, cost(0.03), -0.03)],
    ids=["grades", "cost"],
)
def test_the_shown_interval_holds_the_true_mean(
    test: BoundedMean, world: World, mean: float
) -> None:
    """Whatever one look ruled out stays out, so the last interval tells of all looks."""
    dice = random.Random(2029)
    experiments = 120

    missed = 0
    for _ in range(experiments):
        state = test
        for x in islice(endless(world, dice), 200):
            state = state.observe(x)
        lower, upper = state.interval
        missed += not lower <= mean <= upper

    assert missed / experiments <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / experiments)
