"""What is promised about verdicts on *these* cases, computed exactly."""

from __future__ import annotations

import pytest
from exact_walk import urn, walk

from proveout.statistics.intervals import cases_above
from proveout.statistics.planning import fixed_sample
from proveout.statistics.sequential import FixedDataset, Proportion

pytestmark = pytest.mark.calibration

ALPHA = BETA = 0.05

SIZES = [20, 50, 200, 500, 1000]


def dataset(size: int, threshold: float = 0.85, margin: float = 0.05) -> FixedDataset:
    return FixedDataset(size=size, threshold=threshold, margin=margin, alpha=ALPHA, beta=BETA)


@pytest.mark.parametrize("size", SIZES)
def test_both_errors_hold_and_every_walk_ends_in_a_verdict(size: int) -> None:
    """One case short of the floor, exactly at the target, and looking after every case."""
    test = dataset(size)
    floor, target = test.most_below_floor, test.least_at_target

    below, reached = walk(test, [urn(size, floor), urn(size, target)], size)

    assert below.chance_of("go") <= ALPHA
    assert reached.chance_of("no-go") <= BETA
    assert below.undecided == pytest.approx(0, abs=1e-9)
    assert reached.undecided == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("passing", range(41))
def test_both_errors_hold_for_every_possible_dataset(passing: int) -> None:
    """All datasets of 40 cases: below the floor, at the target, and everything beyond."""
    test = dataset(40, 0.7, 0.1)

    found = walk(test, [urn(40, passing)], 40)[0]

    if passing <= test.most_below_floor:
        assert found.chance_of("go") <= ALPHA
    if passing >= test.least_at_target:
        assert found.chance_of("no-go") <= BETA
    assert found.undecided == pytest.approx(0, abs=1e-9)


def test_knowing_the_dataset_is_finite_saves_cases() -> None:
    """155 instead of 266 at 500 cases with floor .85 and true share .90."""
    future = Proportion(threshold=0.85, margin=0.05, alpha=ALPHA, beta=BETA)

    these, of_these_as_future = (
        walk(test, [urn(500, 450)], 500)[0] for test in (dataset(500), future)
    )

    assert these.expected == pytest.approx(155, abs=0.5)
    assert of_these_as_future.expected == pytest.approx(231, abs=0.5)
    assert these.expected <= 0.65 * fixed_sample(dataset(500))


@pytest.mark.parametrize(
    ("size", "passing", "expected"),
    [(200, 169, 87), (200, 180, 99), (500, 424, 139), (500, 475, 63), (1000, 900, 193)],
)
def test_expected_cases_reproduce_the_published_table(
    size: int, passing: int, expected: int
) -> None:
    """To the case."""
    found = walk(dataset(size), [urn(size, passing)], size)[0]

    assert round(found.expected) == expected


class LeftOut:
    """A reader of the shown interval who waits for the true number to be left out."""

    def __init__(self, size: int, passing: int, passes: int = 0, fails: int = 0) -> None:
        self.size, self.passing, self.passes, self.fails = size, passing, passes, fails

    @property
    def decision(self) -> str | None:
        if not self.passes + self.fails:
            return None
        failing = self.size - self.passing
        least = cases_above(self.passes, self.fails, self.size, ALPHA, 0)
        least_failing = cases_above(self.fails, self.passes, self.size, ALPHA, 0)
        return "missed" if least > self.passing or least_failing > failing else None

    def observe(self, x: int, /) -> LeftOut:
        return LeftOut(self.size, self.passing, self.passes + x, self.fails + 1 - x)


@pytest.mark.parametrize("passing", [50, 85, 99, 100])
def test_the_shown_interval_leaves_the_true_share_out_at_most_alpha(passing: int) -> None:
    """At any look, up to the last case."""
    found = walk(LeftOut(100, passing), [urn(100, passing)], 100)[0]

    assert found.chance_of("missed") <= ALPHA
