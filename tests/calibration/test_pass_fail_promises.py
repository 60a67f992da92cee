"""What is promised about pass/fail verdicts, computed exactly.

The reader looks after every case and stops at the first verdict. Horizon: three
times the fixed sample.
"""

from __future__ import annotations

from functools import cache

import pytest
from exact_walk import Ending, coin, walk
from rivals import Wald

from proveout.statistics.intervals import rate_above
from proveout.statistics.planning import fixed_sample, plan
from proveout.statistics.sequential import Proportion

pytestmark = pytest.mark.calibration

ALPHA = BETA = 0.05

DESIGNS = {
    (0.7, 0.05): (0.6, 0.65, 0.67, 0.8),
    (0.85, 0.05): (0.75, 0.8, 0.82, 0.95),
    (0.85, 0.03): (0.75, 0.8, 0.82, 0.95),
    (0.95, 0.03): (0.85, 0.9, 0.92, 0.999),
    (0.98, 0.015): (0.94, 0.96, 0.999),
}
"""Floor and margin, with true rates beyond floor and target."""

AGAINST_FIXED = [design for design in DESIGNS if design[0] < 0.98]
"""Designs held against the fixed sample; so close to 1 a lucky cut favours the latter (.67 x)."""


def criterion(threshold: float, margin: float) -> Proportion:
    return Proportion(threshold=threshold, margin=margin, alpha=ALPHA, beta=BETA)


@cache
def endings(threshold: float, margin: float) -> dict[float, Ending]:
    """Return what becomes of a design at floor, target and beyond."""
    test = criterion(threshold, margin)
    rates = [threshold, threshold + margin, *DESIGNS[threshold, margin]]
    found = walk(test, [coin(rate) for rate in rates], 3 * fixed_sample(test))
    return dict(zip(rates, found, strict=True))


def least_possible(threshold: float, margin: float, rate: float) -> float:
    """Return the cases Wald's test needs that knows the true rate."""
    target = threshold + margin
    wald = Wald(threshold, rate) if rate > threshold else Wald(rate, target)
    return walk(wald, [coin(rate)], 3 * fixed_sample(criterion(threshold, margin)))[0].expected


@pytest.mark.parametrize("design", DESIGNS)
def test_a_rate_at_or_below_the_floor_gets_a_wrong_go_at_most_alpha(
    design: tuple[float, float],
) -> None:
    """However often it is read, and close to alpha: nothing is given away."""
    threshold, _ = design

    wrong = {rate: end.chance_of("go") for rate, end in endings(*design).items()}

    assert 0.8 * ALPHA < wrong[threshold] <= ALPHA
    assert all(chance < wrong[threshold] for rate, chance in wrong.items() if rate < threshold)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_rate_at_or_above_the_target_gets_a_wrong_no_go_at_most_beta(
    design: tuple[float, float],
) -> None:
    """However often it is read."""
    target = sum(design)

    wrong = {rate: end.chance_of("no-go") for rate, end in endings(*design).items()}

    assert 0.5 * BETA < wrong[target] <= BETA
    assert all(chance < wrong[target] for rate, chance in wrong.items() if rate > target)


@pytest.mark.parametrize("design", DESIGNS)
def test_cases_stay_close_to_the_least_possible(design: tuple[float, float]) -> None:
    """1.10 x Wald's optimum at floor and target, 1.75 x beyond."""
    threshold, margin = design

    ratios = {
        rate: end.expected / least_possible(threshold, margin, rate)
        for rate, end in endings(*design).items()
    }

    assert max(ratios.pop(threshold), ratios.pop(threshold + margin)) <= 1.10
    assert max(ratios.values()) <= 1.75


@pytest.mark.parametrize("design", AGAINST_FIXED)
def test_cases_stay_far_below_the_fixed_sample(design: tuple[float, float]) -> None:
    """A team that reads only once would need more: .65 x at floor and target, .26 x beyond."""
    threshold, margin = design
    fixed = fixed_sample(criterion(threshold, margin))
    ratios = {rate: end.expected / fixed for rate, end in endings(*design).items()}

    at_design = max(ratios.pop(threshold), ratios.pop(threshold + margin))
    assert at_design <= 0.65
    assert max(ratios.values()) <= 0.26


def test_a_narrow_margin_keeps_close_to_the_least_possible_beyond() -> None:
    """Floor .7, margin .03: the worst ratio of the design table, at a rate of .6."""
    test = criterion(0.7, 0.03)

    found = walk(test, [coin(0.6), coin(0.8)], 3 * fixed_sample(test))

    for rate, end in zip((0.6, 0.8), found, strict=True):
        assert end.expected / least_possible(0.7, 0.03, rate) <= 1.75
        assert end.expected / fixed_sample(test) <= 0.26


@pytest.mark.parametrize("design", DESIGNS)
def test_the_plan_shown_beforehand_is_what_the_walk_finds(design: tuple[float, float]) -> None:
    """Two programs, written apart, one figure."""
    threshold, margin = design
    found = endings(threshold, margin)

    test = criterion(threshold, margin)
    foreseen = plan(test, cases=3 * fixed_sample(test))

    above, at_floor = found[threshold + margin], found[threshold]
    assert foreseen.expected == pytest.approx(above.expected, rel=1e-5)
    assert foreseen.expected_at_floor == pytest.approx(at_floor.expected, rel=1e-5)
    assert foreseen.chance_of_go == pytest.approx(above.chance_of("go"), abs=2e-6)
    assert foreseen.chance_of_nogo == pytest.approx(at_floor.chance_of("no-go"), abs=2e-6)


class LeftOut:
    """A reader of the shown interval who waits for the true rate to be left out."""

    def __init__(self, rate: float, passes: int = 0, fails: int = 0) -> None:
        self.rate, self.passes, self.fails = rate, passes, fails

    @property
    def decision(self) -> str | None:
        if not self.passes + self.fails:
            return None
        is_above = rate_above(self.passes, self.fails, ALPHA, self.rate) > self.rate
        is_below = rate_above(self.fails, self.passes, ALPHA, 1 - self.rate) > 1 - self.rate
        return "missed" if is_above or is_below else None

    def observe(self, x: int, /) -> LeftOut:
        return LeftOut(self.rate, self.passes + x, self.fails + 1 - x)


@pytest.mark.parametrize("rate", [0.5, 0.85, 0.99])
def test_the_shown_interval_leaves_the_true_rate_out_at_most_alpha(rate: float) -> None:
    """At any of a thousand looks."""
    found = walk(LeftOut(rate), [coin(rate)], 1000)[0]

    assert 0.1 * ALPHA < found.chance_of("missed") <= ALPHA
