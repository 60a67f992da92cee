"""How many cases a verdict takes, known beforehand."""
# ruff: noqa: S311, TID251 - simulated observations, each from a written seed

from __future__ import annotations

import random

import pytest

from proveout.errors import Mistake
from proveout.statistics import planning
from proveout.statistics.planning import fixed_sample, least_cases, plan, quantile
from proveout.statistics.sequential import BoundedMean, FixedDataset, Proportion


def proportion(threshold: float = 0.85, margin: float = 0.05) -> Proportion:
    return Proportion(threshold=threshold, margin=margin, alpha=0.05, beta=0.05)


def dataset(size: int) -> FixedDataset:
    return FixedDataset(size=size, threshold=0.85, margin=0.05, alpha=0.05, beta=0.05)


def rubric(size: int | None = None) -> BoundedMean:
    return BoundedMean(
        threshold=0.7,
        margin=0.03,
        low=0,
        high=1,
        variance_guess=0.04,
        size=size,
        alpha=0.05,
        beta=0.05,
    )


@pytest.mark.parametrize(
    ("test", "figures"),
    [
        (proportion(0.85, 0.05), (474, 266, 528, 248, 29)),
        (proportion(0.7, 0.05), (869, 472, 941, 461, 15)),
        (proportion(0.95, 0.03), (386, 236, 443, 196, 78)),
        (proportion(0.98, 0.015), (523, 350, 683, 261, 177)),
    ],
)
def test_a_pass_fail_plan_reproduces_the_published_table(
    test: Proportion, figures: tuple[int, ...]
) -> None:
    """Fixed sample, cases at target, nine times in ten, at floor, and least for GO."""
    foreseen = plan(test)

    assert figures == (
        foreseen.fixed,
        round(foreseen.expected),
        foreseen.p90,
        round(foreseen.expected_at_floor),
        foreseen.least_go,
    )
    assert foreseen.exact
    assert foreseen.chance_of_go > 0.95
    assert foreseen.chance_of_nogo > 0.95


@pytest.mark.parametrize(
    ("size", "at_target", "p90", "at_floor"),
    [(200, 99, 144, 87), (500, 155, 254, 139), (1000, 193, 345, 176)],
)
def test_a_plan_for_these_cases_reproduces_the_published_table(
    size: int, at_target: int, p90: int, at_floor: int
) -> None:
    """Without replacement a verdict takes fewer cases, and always falls."""
    foreseen = plan(dataset(size))

    assert (round(foreseen.expected), foreseen.p90) == (at_target, p90)
    assert round(foreseen.expected_at_floor) == at_floor
    assert foreseen.cases == size
    assert foreseen.fixed <= size
    assert foreseen.can_go
    assert foreseen.can_nogo


def test_too_few_cases_for_any_go_are_visible_beforehand() -> None:
    """20 cases cannot show better than 85 %, whatever they say."""
    foreseen = plan(proportion(), cases=20)

    assert (foreseen.least_go, foreseen.cases) == (29, 20)
    assert not foreseen.can_go
    assert foreseen.can_nogo
    assert foreseen.chance_of_go == 0
    assert foreseen.p90 is None
    assert foreseen.expected <= 20


def test_a_large_plan_is_approximated_and_says_so() -> None:
    """A margin of 2 points, against the exact walk."""
    approximate = plan(proportion(0.85, 0.025))
    assert approximate.exact
    exact_limit = planning.EXACT_UP_TO

    larger = plan(proportion(0.85, 0.02))

    assert larger.fixed > exact_limit
    assert not larger.exact
    assert larger.expected == pytest.approx(approximate.expected * (0.025 / 0.02) ** 2, rel=0.07)


@pytest.mark.parametrize("size", [None, 300])
def test_a_plan_for_bounded_values_is_near_what_simulation_finds(size: int | None) -> None:
    """Values of the guessed variance; the docstring promises a fifth."""
    dice = random.Random(11)
    foreseen = plan(rubric(size))

    used = [cases_of_one_experiment(dice, size) for _ in range(150)]

    assert not foreseen.exact
    assert foreseen.expected == pytest.approx(sum(used) / len(used), rel=0.25)
    assert foreseen.least_go == (14 if size is None else 13)


def cases_of_one_experiment(dice: random.Random, size: int | None) -> int:
    """Return when values with mean .73 and variance about .04 decide a rubric."""
    test = rubric(size)
    while test.decision is None:
        test = test.observe(dice.betavariate(0.73 * 4, 0.27 * 4))
    return test.count


def test_the_least_number_of_cases_can_be_asked_in_the_middle() -> None:
    """So an undecided report can say how many cases it is short."""
    test = proportion()
    for x in (1, 1, 1, 0, 1):
        test = test.observe(x)

    short = least_cases(test, 1)

    assert short is not None
    assert short > 29 - 5
    for _ in range(short):
        test = test.observe(1)
    assert (test.decision, test.decided_at) == ("go", 5 + short)
    assert least_cases(test, 1) == 0


def test_what_is_left_of_a_dataset_may_not_settle_an_endless_question() -> None:
    """Beyond the horizon, and past the last case, there is no answer."""
    near_certain = Proportion(threshold=0.9999, margin=0.00005, alpha=0.05, beta=0.05)

    assert least_cases(near_certain, 1) is None
    assert least_cases(dataset(10), 1) == 9


@pytest.mark.parametrize(
    ("test", "fixed"),
    [
        (proportion(0.7, 0.03), 2449),
        (proportion(0.85, 0.03), 1402),
        (proportion(0.98, 0.01), 1567),
        (rubric(), 481),
        (rubric(481), 241),
        (dataset(1), 1),
    ],
)
def test_the_fixed_sample_is_the_smallest_with_both_errors(
    test: Proportion | FixedDataset | BoundedMean, fixed: int
) -> None:
    """Exact for pass/fail, normal for bounded values."""
    assert fixed_sample(test) == fixed


def test_the_normal_quantile_is_the_familiar_one() -> None:
    """1.645 for a twentieth."""
    assert quantile(0.05) == pytest.approx(1.6448536, abs=1e-6)
    assert quantile(0.95) == pytest.approx(-1.6448536, abs=1e-6)


def test_a_plan_is_made_before_the_first_case() -> None:
    """A test that has begun is refused, and so is a nonsensical number of cases."""
    with pytest.raises(Mistake, match="begun"):
        plan(proportion().observe(1))
    with pytest.raises(Mistake, match="cases"):
        plan(proportion(), cases=0)
