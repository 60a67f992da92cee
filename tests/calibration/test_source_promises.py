"""What is promised where cases share a source, or are tried several times.

Cases of one source are alike (their correlation is .67), large sources do worse than small
ones, and the mean sits exactly at the floor, where one GO in twenty is allowed. Whoever counts
the cases as independent comes out far above that, in the same simulation.
"""
# ruff: noqa: S311, TID251 - simulated observations, each from a written seed

from __future__ import annotations

import math
import random
from statistics import fmean
from typing import TYPE_CHECKING, TypeAlias

import pytest

from proveout.statistics.sequential import BoundedMean, Proportion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Reader: TypeAlias = Callable[[Iterator[list[int]]], str | None]

pytestmark = pytest.mark.calibration

ALPHA = BETA = 0.05
EXPERIMENTS = 400
TOLERATED = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS)

FLOOR, TARGET = 0.85, 0.90
MOST = 9
"""Cases of a large source; a small one has one."""

CONCENTRATION = 0.5
"""Of the sources' own rates around their mean: a correlation of 1 / (1 + .5) within one."""

HORIZON = 2_000
"""Sources after which a reader gives up."""


def sources(small: float, large: float, dice: random.Random) -> Iterator[list[int]]:
    """Yield the passes of one source after the other, small and large ones alike often."""
    for _ in range(HORIZON):
        mean, size = (small, 1) if dice.random() < 0.5 else (large, MOST)
        rate = dice.betavariate(mean * CONCENTRATION, (1 - mean) * CONCENTRATION)
        yield [int(dice.random() < rate) for _ in range(size)]


def cases(mean: float, dice: random.Random, repeats: int = 5) -> Iterator[list[int]]:
    """Yield the passes of one case's trials after the other."""
    for _ in range(HORIZON):
        rate = dice.betavariate(mean * CONCENTRATION, (1 - mean) * CONCENTRATION)
        yield [int(dice.random() < rate) for _ in range(repeats)]


def averaged(groups: Iterator[list[int]], *, weighed: bool) -> str | None:
    """Return the verdict of a reader that looks after every group, as Proveout does."""
    test = BoundedMean(
        threshold=FLOOR, margin=TARGET - FLOOR, low=0, high=1, alpha=ALPHA, beta=BETA
    )
    for group in groups:
        test = test.observe(fmean(group), len(group) / MOST if weighed else 1.0)
        if test.decision is not None:
            break
    return test.decision


def per_request(groups: Iterator[list[int]]) -> str | None:
    return averaged(groups, weighed=True)


def per_source(groups: Iterator[list[int]]) -> str | None:
    return averaged(groups, weighed=False)


def as_if_independent(groups: Iterator[list[int]]) -> str | None:
    """Return the verdict of a reader for whom every trial is a case of its own."""
    test = Proportion(threshold=FLOOR, margin=TARGET - FLOOR, alpha=ALPHA, beta=BETA)
    for group in groups:
        for x in group:
            test = test.observe(x)
            if test.decision is not None:
                return test.decision
    return None


def share(reader: Reader, verdict: str, draw: Callable[[], Iterator[list[int]]]) -> float:
    return sum(reader(draw()) == verdict for _ in range(EXPERIMENTS)) / EXPERIMENTS


AT_FLOOR_PER_REQUEST = (0.94, 0.84)
"""Rates of small and large sources: (1 x .94 + 9 x .84) / 10 is the floor."""

AT_FLOOR_PER_SOURCE = (0.90, 0.80)
AT_TARGET_PER_REQUEST = (0.99, 0.89)
AT_TARGET_PER_SOURCE = (0.95, 0.85)


@pytest.mark.parametrize(
    ("reader", "rates", "wrong"),
    [
        (per_request, AT_FLOOR_PER_REQUEST, "go"),
        (per_source, AT_FLOOR_PER_SOURCE, "go"),
        (per_request, AT_TARGET_PER_REQUEST, "no-go"),
        (per_source, AT_TARGET_PER_SOURCE, "no-go"),
    ],
    ids=["per request, floor", "per source, floor", "per request, target", "per source, target"],
)
def test_cases_that_share_sources_are_judged_within_both_errors(
    reader: Reader, rates: tuple[float, float], wrong: str
) -> None:
    """Each about the mean that it names."""
    dice = random.Random(2031)

    assert share(reader, wrong, lambda: sources(*rates, dice)) <= TOLERATED


def test_the_two_means_are_not_the_same_question() -> None:
    """Small sources that do well hide per source what large ones do to most requests."""
    dice = random.Random(2032)

    assert share(per_source, "go", lambda: sources(*AT_FLOOR_PER_REQUEST, dice)) > 2 * TOLERATED


def test_counting_cases_of_a_source_as_independent_is_caught() -> None:
    """Negative control: the same sources, at the floor per request."""
    dice = random.Random(2033)

    found = share(as_if_independent, "go", lambda: sources(*AT_FLOOR_PER_REQUEST, dice))

    assert found > 3 * TOLERATED


def test_repeats_of_a_case_are_judged_within_alpha_by_their_means() -> None:
    dice = random.Random(2034)

    assert share(per_source, "go", lambda: cases(FLOOR, dice)) <= TOLERATED


def test_counting_repeats_as_independent_is_caught() -> None:
    """Negative control: 38 % wrong GO in the published table, where 5 % are allowed."""
    dice = random.Random(2035)

    assert share(as_if_independent, "go", lambda: cases(FLOOR, dice)) == pytest.approx(
        0.38, abs=0.08
    )
