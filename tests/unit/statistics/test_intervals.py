"""The intervals shown beside a test."""
# ruff: noqa: S311, TID251 - simulated observations, each from a written seed

from __future__ import annotations

import math
import random
from itertools import accumulate
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import TOLERANCE, Vector, name_of, vectors

from proveout.statistics.bets import MeanBets
from proveout.statistics.intervals import (
    GRID,
    Seen,
    cases_above,
    is_refuted,
    log_beta,
    log_likelihood,
    mean_above,
    rate_above,
    running,
    steps_of,
)
from proveout.statistics.sequential import BoundedMean, FixedDataset, Proportion


def proportion() -> Proportion:
    return Proportion(threshold=0.85, margin=0.05, alpha=0.05, beta=0.05)


def dataset(size: int) -> FixedDataset:
    return FixedDataset(size=size, threshold=0.85, margin=0.05, alpha=0.05, beta=0.05)


def rubric(size: int | None = None) -> BoundedMean:
    return BoundedMean(
        threshold=0.7,
        margin=0.03,
        low=0,
        high=1,
        variance_guess=0.05,
        size=size,
        alpha=0.05,
        beta=0.05,
    )


@pytest.mark.parametrize("vector", vectors("proportion"), ids=name_of)
def test_one_look_at_a_proportion_reproduces_its_vector(vector: Vector) -> None:
    """The uniform mixture at the last look alone, without intersection."""
    passes = round(sum(vector["x"]))
    fails = len(vector["x"]) - passes

    look = [rate_above(passes, fails, 0.05, 0), 1 - rate_above(fails, passes, 0.05, 0)]

    assert look == pytest.approx(vector["uniform_mixture_cs_95"], abs=TOLERANCE)


@pytest.mark.parametrize("start", [proportion(), dataset(80), rubric(), rubric(80)])
@given(values=st.lists(st.sampled_from([0, 1]), min_size=1, max_size=40))
@settings(max_examples=25)
def test_what_one_look_ruled_out_stays_out(
    start: Proportion | FixedDataset | BoundedMean, values: list[int]
) -> None:
    """Each interval lies in the one before, unless they would no longer meet."""
    states = [test := start]
    for x in values:
        test = test.observe(x)
        states.append(test)

    intervals = [state.interval for state in states]

    assert intervals[0] == (0, 1)
    met = list(accumulate(intervals, overlap))
    for shown, left in zip(intervals, met, strict=True):
        assert shown[0] <= shown[1]
        if left[0] > left[1]:
            return
        assert shown == pytest.approx(left, abs=1e-9)


@pytest.mark.parametrize("start", [proportion(), dataset(80)])
@given(
    values=st.lists(st.sampled_from([0, 1]), min_size=1, max_size=80),
    reads=st.sets(st.integers(0, 79)),
)
@settings(max_examples=50)
def test_an_interval_is_the_same_whichever_were_read_before(
    start: Proportion | FixedDataset, values: list[int], reads: set[int]
) -> None:
    """What a look remembers of those before it changes no digit."""
    unread = read = start
    for count, x in enumerate(values):
        unread, read = unread.observe(x), read.observe(x)
        if count in reads:
            assert read.interval == read.interval

    assert read.interval == unread.interval


def test_a_course_reads_each_look_once() -> None:
    """A hundred intervals along the way ask for no more ends than the last of them alone."""
    asked: list[tuple[int, int]] = []

    def raised(passes: int, fails: int, floor: float) -> float:
        asked.append((passes, fails))
        return rate_above(passes, fails, 0.05, floor)

    past = None
    for count in range(1, 1001):
        past = Seen(1, past)
        if count % 10 == 0:
            running(past, count, count, raised, 1)

    assert len(asked) == 2 * 1000


def overlap(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return what two intervals share; the ends are exchanged when it is nothing."""
    return max(one[0], other[0]), min(one[1], other[1])


def test_an_empty_intersection_gives_way_to_the_latest_look() -> None:
    """A rate that moved leaves no common value; what is shown is the latest alone."""
    test = proportion()
    for x in [1] * 60 + [0] * 200:
        test = test.observe(x)

    lower, upper = test.interval

    assert lower < 60 / 260 < upper


@given(passes=st.integers(0, 300), fails=st.integers(0, 300))
def test_the_end_of_a_proportion_is_where_the_average_meets_the_likelihood(
    passes: int, fails: int
) -> None:
    """The end is ruled out, a hair inside is not."""
    if passes + fails == 0:
        return
    end = rate_above(passes, fails, 0.05, 0)

    distance = log_beta(passes, fails) - log_likelihood(end + 1e-9, passes, fails)

    assert distance < math.log(20)
    assert end <= passes / (passes + fails)


@given(st.data())
def test_the_end_of_a_dataset_is_what_a_search_of_all_urns_finds(data: st.DataObject) -> None:
    """Bisection over the number of passing cases skips none."""
    size = data.draw(st.integers(1, 40))
    passes = data.draw(st.integers(0, size))
    fails = data.draw(st.integers(0, size - passes))
    if passes + fails == 0:
        return

    plausible = [
        passing
        for passing in range(size + 1)
        if average_of_urns(size, passes, fails) < 20 * likelihood(size, passing, passes, fails)
    ]

    assert plausible == list(range(plausible[0], plausible[-1] + 1))
    assert cases_above(passes, fails, size, 0.05, 0) == plausible[0]
    assert size - cases_above(fails, passes, size, 0.05, 0) == plausible[-1]


def likelihood(size: int, passing: int, passes: int, fails: int) -> float:
    """Return the probability of these counts, with binomial coefficients."""
    ways = math.comb(passing, passes) * math.comb(size - passing, fails)
    return ways / math.comb(size, passes + fails)


def average_of_urns(size: int, passes: int, fails: int) -> float:
    """Return the same, averaged over all urns of that size."""
    total = math.fsum(likelihood(size, passing, passes, fails) for passing in range(size + 1))
    return total / (size + 1)


@given(
    values=st.lists(st.floats(0, 1), min_size=1, max_size=25),
    spare=st.none() | st.integers(0, 30),
    margin=st.floats(0.001, 0.3),
    guess=st.floats(0.001, 0.25),
)
@settings(max_examples=50)
def test_evidence_against_a_mean_falls_as_the_mean_rises(
    values: list[float], spare: int | None, margin: float, guess: float
) -> None:
    """So what is not ruled out is an interval, and bisection finds its end."""
    size = None if spare is None else len(values) + spare
    bets = MeanBets(0.5, margin, guess, size)
    past = weights = None
    for x in values:
        past, weights = Seen(x, past), Seen(1.0, weights)
    steps = steps_of(past, weights, bets)

    refuted = [is_refuted(cut / 64, steps, size, 0.025, at_any_look=True) for cut in range(1, 65)]
    end = mean_above(steps, size, 0.025, at_any_look=True)

    assert refuted == sorted(refuted, reverse=True)
    assert sum(refuted) <= end * 64 + 1
    assert sum(refuted) >= end * 64 - 1
    assert end * GRID == int(end * GRID)


def test_what_is_certain_of_a_dataset_outweighs_an_earlier_look() -> None:
    """A lead that the last cases took back left no common mean; the truth is shown."""
    test = rubric(12)
    for x in [0.7] * 5 + [1.0] + [0.7] * 3 + [0.0] * 3:
        test = test.observe(x)

    lower, upper = test.interval

    assert lower <= upper
    assert (lower, upper) == pytest.approx((0.55, 0.55))


def test_a_bounded_interval_keeps_to_the_range_of_its_values() -> None:
    """Costs are negative numbers between minus the cap and nothing."""
    test = BoundedMean(threshold=-0.03, margin=0.006, low=-0.3, high=0, alpha=0.05, beta=0.05)
    assert test.interval == (-0.3, 0)

    for _ in range(50):
        test = test.observe(-0.01)

    lower, upper = test.interval
    assert -0.3 < lower < -0.01 < upper <= 0


def test_sixty_intervals_along_a_thousand_observations_are_cheap() -> None:
    """A page can draw the narrowing interval while the experiment runs."""
    dice = random.Random(7)
    starts = [(proportion(), 1.0), (dataset(1000), 1.0), (rubric(), 3.0)]

    for start, seconds in starts:
        states = [test := start]
        for _ in range(1000):
            test = test.observe(int(dice.random() < 0.87))
            states.append(test)
        begun = process_time()
        drawn = [state.interval for state in states[::17]]
        spent = process_time() - begun

        assert all(lower <= upper for lower, upper in drawn)
        assert spent < seconds
