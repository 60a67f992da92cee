"""Means over sources, and what sharing a source costs."""

from __future__ import annotations

import pytest

from proveout.errors import Mistake
from proveout.statistics.sequential import BoundedMean
from proveout.statistics.sources import figures_of


def test_independent_cases_have_no_design_effect() -> None:
    """Each alone in its source: the variance is that of independent cases."""
    found = figures_of([[x] for x in (1, 0, 1, 1, 0, 1)])

    assert (found.sources, found.per_request, found.per_source) == (6, 4 / 6, 4 / 6)
    assert found.design_effect == pytest.approx(1)


def test_sources_that_agree_within_cost_as_many_cases_as_they_have() -> None:
    """Five equal answers a source say as much as one: the effect is their number, nearly."""
    found = figures_of([[x] * 5 for x in [1, 0] * 50])

    assert found.design_effect == pytest.approx(5, rel=0.01)


def test_the_two_means_differ_where_large_sources_do() -> None:
    found = figures_of([[1], [1], [0, 0, 0, 1]])

    assert (found.per_request, found.per_source) == (3 / 6, 2.25 / 3)


@pytest.mark.parametrize("sources", [[[1, 0]], [[1, 1], [1]]])
def test_where_nothing_varies_there_is_no_effect_to_tell(sources: list[list[float]]) -> None:
    assert figures_of(sources).design_effect is None


TEST = BoundedMean(threshold=0.85, margin=0.05, low=0, high=1, alpha=0.05, beta=0.05)


def test_a_weight_is_a_share_of_the_distance_from_both_lines() -> None:
    """Half a weight of 1 moves the evidence as a value half as far from floor and target."""
    floor, target = 0.85, 0.90
    half = TEST.observe(1.0, 0.5)

    assert half.log_e_go == pytest.approx(TEST.observe(floor + 0.5 * (1 - floor)).log_e_go)
    assert half.log_e_nogo == pytest.approx(TEST.observe(target + 0.5 * (1 - target)).log_e_nogo)


def test_the_mean_counts_each_value_by_its_weight() -> None:
    state = TEST.observe(1.0, 0.25).observe(0.5, 1.0)

    low, high = state.interval
    assert state.mean == pytest.approx((0.25 + 0.5) / 1.25)
    assert low <= (0.25 + 0.5) / 1.25 <= high


def test_full_weights_are_none() -> None:
    plain, weighed = TEST, TEST
    for x in (1.0, 0.4, 0.9, 1.0, 0.7):
        plain, weighed = plain.observe(x), weighed.observe(x, 1.0)

    assert plain == weighed
    assert plain.interval == weighed.interval


@pytest.mark.parametrize("weight", [0.0, -0.5, 1.1, float("nan")])
def test_a_weight_that_none_can_have_is_refused(weight: float) -> None:
    with pytest.raises(Mistake, match="weight"):
        TEST.observe(1.0, weight)


def test_these_cases_have_no_weights() -> None:
    """All of them are there; a share of a case is no case."""
    fixed = BoundedMean(threshold=0.85, margin=0.05, low=0, high=1, size=9, alpha=0.05, beta=0.05)

    with pytest.raises(Mistake, match="weight"):
        fixed.observe(1.0, 0.5)
