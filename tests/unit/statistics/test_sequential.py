"""Evidence that may be read after every observation."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import TOLERANCE, Vector, name_of, vectors

from proveout.errors import Mistake
from proveout.statistics.sequential import (
    BoundedMean,
    FixedDataset,
    Proportion,
    cases_at_least,
    nearest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Test: TypeAlias = Proportion | FixedDataset | BoundedMean

VERDICTS = {"GO": "go", "NO-GO": "no-go", "UNDECIDED": None}


def proportion(threshold: float = 0.85, margin: float = 0.05) -> Proportion:
    return Proportion(threshold=threshold, margin=margin, alpha=0.05, beta=0.05)


def dataset(size: int, threshold: float = 0.85, margin: float = 0.05) -> FixedDataset:
    return FixedDataset(size=size, threshold=threshold, margin=margin, alpha=0.05, beta=0.05)


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


def after(test: Test, values: Iterable[float]) -> Test:
    for x in values:
        test = test.observe(x)
    return test


@pytest.mark.parametrize("vector", vectors("proportion"), ids=name_of)
def test_a_proportion_reproduces_its_vector(vector: Vector) -> None:
    """Evidence for both verdicts, the verdict and the case it fell at."""
    test = proportion(vector["T"], vector["margin"])

    steps = [test := test.observe(x) for x in vector["x"]]

    known = vector["log_e_go_after_each"]
    seen = [step.log_e_go for step in steps[: len(known)]]
    assert seen == pytest.approx(known, abs=TOLERANCE)
    assert test.log_e_go == pytest.approx(vector["log_e_go"], abs=TOLERANCE)
    assert test.log_e_nogo == pytest.approx(vector["log_e_nogo"], abs=TOLERANCE)
    assert test.decision == VERDICTS[vector["verdict_alpha_beta_05"]]
    assert test.decided_at == vector["decided_at"]


@pytest.mark.parametrize("vector", vectors("bounded"), ids=name_of)
def test_a_bounded_mean_reproduces_its_vector(vector: Vector) -> None:
    """Rubrics, paired leads and negated costs are one machine."""
    test = BoundedMean(
        threshold=vector["T"],
        margin=vector["margin"],
        low=vector["lo"],
        high=vector["hi"],
        variance_guess=vector["v0"],
        alpha=0.05,
        beta=0.05,
    )

    for x in vector["x"]:
        test = test.observe(x)

    assert test.log_e_go == pytest.approx(vector["log_e_go"], abs=TOLERANCE)
    assert test.log_e_nogo == pytest.approx(vector["log_e_nogo"], abs=TOLERANCE)
    assert test.decision == VERDICTS[vector["verdict_alpha_beta_05"]]
    assert test.decided_at == vector["decided_at"]
    assert test.mean == pytest.approx(math.fsum(vector["x"]) / len(vector["x"]))


@pytest.mark.parametrize("vector", vectors("fixed_dataset"), ids=name_of)
def test_a_fixed_dataset_reproduces_its_vector(vector: Vector) -> None:
    """The hypergeometric mixture, without replacement."""
    test = after(dataset(vector["N"], vector["T"], vector["margin"]), vector["x"])

    assert test.log_e_go == pytest.approx(vector["log_e_go"], abs=TOLERANCE)
    assert test.log_e_nogo == pytest.approx(vector["log_e_nogo"], abs=TOLERANCE)


def test_the_design_pages_figures_for_a_fixed_dataset_hold() -> None:
    """500 cases, floor .85, target .90."""
    passes, fails = after(dataset(500), [1] * 20), after(dataset(500), [0] * 2)

    assert passes.log_e_go == pytest.approx(2.009603, abs=TOLERANCE)
    assert passes.log_e_nogo == pytest.approx(-1.478061, abs=TOLERANCE)
    assert fails.log_e_go == pytest.approx(-1.110312, abs=TOLERANCE)
    assert fails.log_e_nogo == pytest.approx(2.414693, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("threshold", "margin", "least"),
    [(0.85, 0.05, 29), (0.95, 0.03, 78), (0.98, 0.01, 215), (0.98, 0.015, 177)],
)
def test_go_needs_no_more_passes_than_promised(threshold: float, margin: float, least: int) -> None:
    """The least number of cases with which GO can fall."""
    test = after(proportion(threshold, margin), [1] * least)

    assert (test.decision, test.decided_at) == ("go", least)


@pytest.mark.parametrize("start", [proportion(), dataset(60), rubric(), rubric(60)])
@given(values=st.lists(st.sampled_from([0, 1]), max_size=60))
@settings(max_examples=30)
def test_a_decision_is_latched_while_evidence_goes_on(start: Test, values: list[int]) -> None:
    """The first verdict stays, with the case it fell at."""
    first: tuple[str, int] | None = None
    test = start

    for count, x in enumerate(values, start=1):
        test = test.observe(x)
        go, nogo = test.log_e_go >= math.log(20), test.log_e_nogo >= math.log(20)
        if first is None and (go or nogo):
            first = ("no-go" if nogo else "go", count)

        assert test.count == count
        assert (test.decision, test.decided_at) == (first or (None, None))


@pytest.mark.parametrize("start", [proportion(), dataset(60), rubric(), rubric(60)])
@given(shared=st.lists(st.sampled_from([0, 1]), max_size=20))
@settings(max_examples=20)
def test_observing_changes_nothing_but_the_result(start: Test, shared: list[int]) -> None:
    """Two futures of one state know nothing of each other."""
    fork = after(start, shared)
    before = copy.copy(fork), fork.interval

    passed, failed = fork.observe(1), fork.observe(0)

    assert (fork, fork.interval) == before
    assert passed == after(start, [*shared, 1])
    assert failed == after(start, [*shared, 0])
    assert failed.interval == after(start, [*shared, 0]).interval


def test_when_both_verdicts_fall_at_once_it_is_no_go() -> None:
    """Between floor and target either may come; the cautious one wins a tie."""
    test = BoundedMean(threshold=0.45, margin=0.1, low=0, high=1, alpha=0.05, beta=0.05)

    while test.decision is None:
        test = test.observe(0.5)

    assert test.log_e_go >= math.log(20)
    assert test.log_e_nogo >= math.log(20)
    assert test.decision == "no-go"


@given(size=st.integers(1, 60), threshold=st.floats(0.05, 0.9), data=st.data())
@settings(max_examples=60)
def test_a_fixed_dataset_is_always_decided_in_the_end(
    size: int, threshold: float, data: st.DataObject
) -> None:
    """Whatever the order, what is certain after all cases depends on their sum alone."""
    values = data.draw(st.lists(st.sampled_from([0, 1]), min_size=size, max_size=size))
    shuffled = data.draw(st.permutations(values))

    one = after(dataset(size, threshold), values)
    other = after(dataset(size, threshold), shuffled)

    assert one.decision is not None
    assert other.decision is not None
    assert (one.log_e_go, one.log_e_nogo) == (other.log_e_go, other.log_e_nogo)
    assert one.interval == other.interval == (sum(values) / size, sum(values) / size)


@given(data=st.data(), size=st.integers(1, 40))
@settings(max_examples=60)
def test_a_bounded_mean_of_these_cases_is_always_decided_in_the_end(
    data: st.DataObject, size: int
) -> None:
    """Even a mean that lands on the floor to the last digit."""
    values = data.draw(st.lists(st.floats(0, 1) | st.just(0.7), min_size=size, max_size=size))

    test = after(rubric(size), values)

    lower, upper = test.interval
    assert test.decision is not None
    assert lower <= upper
    assert (lower, upper) == pytest.approx((test.mean, test.mean), abs=1e-9)


def test_a_mean_exactly_at_the_floor_is_never_called_better_than_it() -> None:
    """Rounding must not turn a sum of sevenths into certainty."""
    test = after(rubric(1000), [0.7] * 1000)

    assert test.decision == "no-go"
    assert test.log_e_go < math.inf


def test_only_0_and_1_are_passes_and_fails() -> None:
    """Booleans and whole floats count; the rest is named and refused."""
    test = after(proportion(), [True, 1, 1.0, False, 0])

    assert (test.count, test.mean) == (5, 0.6)


@pytest.mark.parametrize("x", [0.5, 2, -1, math.nan, math.inf, "1", None])
@pytest.mark.parametrize("test", [proportion(), dataset(10)])
def test_anything_else_is_no_outcome(test: Proportion | FixedDataset, x: Any) -> None:
    """A score is never rounded into a pass."""
    with pytest.raises(Mistake, match="x must be 0 or 1"):
        test.observe(x)


@pytest.mark.parametrize("x", [1.0001, -0.1, math.nan, math.inf, True, "1", None])
def test_a_value_outside_the_range_is_refused_never_clipped(x: Any) -> None:
    """The guarantee rests on the declared range."""
    with pytest.raises(Mistake, match="x must"):
        rubric().observe(x)


@pytest.mark.parametrize("test", [dataset(2), rubric(2)])
def test_an_observation_past_the_last_case_is_refused(test: Test) -> None:
    """There are no more of *these* cases."""
    with pytest.raises(Mistake, match="size is 2"):
        after(test, [1, 1, 1])


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Proportion(threshold=0.9, margin=0.1, alpha=0.05, beta=0.05), "threshold"),
        (lambda: Proportion(threshold=0, margin=0.1, alpha=0.05, beta=0.05), "threshold"),
        (lambda: Proportion(threshold=0.9, margin=0, alpha=0.05, beta=0.05), "margin"),
        (lambda: Proportion(threshold=0.9, margin=0.05, alpha=0, beta=0.05), "alpha"),
        (lambda: Proportion(threshold=0.9, margin=0.05, alpha=0.05, beta=1), "beta"),
        (lambda: dataset(0), "size"),
        (lambda: dataset(10, 0.95, 0.05), "threshold"),
        (lambda: rubric(0), "size"),
        (
            lambda: BoundedMean(threshold=0, margin=1, low=-1, high=1, alpha=0.05, beta=0.05),
            "threshold",
        ),
        (
            lambda: BoundedMean(
                threshold=0.5,
                margin=0.1,
                low=0,
                high=1,
                variance_guess=0,
                alpha=0.05,
                beta=0.05,
            ),
            "variance_guess",
        ),
    ],
)
def test_an_impossible_criterion_is_refused_by_name(make: Callable[[], Test], named: str) -> None:
    """What cannot be tested cannot be built."""
    with pytest.raises(Mistake, match=named):
        make()


anything = st.floats(0, 1) | st.floats() | st.integers() | st.booleans()


@st.composite
def makers(draw: st.DrawFn) -> list[Callable[[], Test]]:
    """Draw one of each test, its arguments mostly nonsense."""
    threshold, margin, alpha, beta = (draw(anything) for _ in range(4))
    low, high, guess = draw(st.just(0) | anything), draw(st.just(1) | anything), draw(anything)
    size: Any = draw(st.none() | anything)
    return [
        lambda: Proportion(threshold=threshold, margin=margin, alpha=alpha, beta=beta),
        lambda: FixedDataset(size=size, threshold=threshold, margin=margin, alpha=alpha, beta=beta),
        lambda: BoundedMean(
            threshold=threshold,
            margin=margin,
            low=low,
            high=high,
            variance_guess=guess,
            size=size,
            alpha=alpha,
            beta=beta,
        ),
    ]


@given(makers=makers(), values=st.lists(anything, max_size=5))
@settings(max_examples=300)
def test_nothing_but_a_mistake_ever_comes_out(
    makers: list[Callable[[], Test]], values: list[float]
) -> None:
    """Whatever numbers are handed in, the answer is a test or a named refusal."""
    for make in makers:
        try:
            test = make()
            for x in values:
                test = test.observe(x)
        except Mistake:
            continue

        lower, upper = test.interval
        assert lower <= upper
        assert not math.isnan(test.log_e_go)
        assert not math.isnan(test.log_e_nogo)


def test_a_hundred_thousand_observations_are_no_trouble() -> None:
    """Evidence lives in logarithms, and memory is one small cell an observation."""
    test = after(proportion(), [1, 1, 1, 1, 1, 1, 1, 1, 1, 0] * 10_000)

    lower, upper = test.interval

    assert test.decision == "go"
    assert math.isfinite(test.log_e_go)
    assert 0.89 < lower < 0.9 < upper < 0.91


@pytest.mark.parametrize(
    ("size", "shares", "cases"),
    [
        (100, (0.55,), 55),
        (500, (0.85, 0.05), 450),
        (500, (0.85, 0.9 - 0.85), 450),
        (300, (2 / 3,), 200),
        (300, (1 / 3,), 100),
        (7, (0.5,), 4),
        (1, (0.85,), 1),
    ],
)
def test_cases_are_counted_as_people_count_them(
    size: int, shares: tuple[float, ...], cases: int
) -> None:
    """55 % of 100 cases are 55, also where floats say 55.00000000000001."""
    assert cases_at_least(size, *shares) == cases


def test_the_nearest_whole_number_rounds_ties_up() -> None:
    """Also when rounding error hides that it is a tie."""
    assert [nearest(28.5), nearest(28.499_999_999_999_9), nearest(28.4)] == [29, 29, 28]
