"""The harness can fail: careless readers come out far above alpha in it.

The true rate sits exactly at the floor, where at most one GO in twenty is allowed.
"""
# ruff: noqa: S311, TID251 - simulated observations, each from a written seed

from __future__ import annotations

import random

import pytest
from exact_walk import coin, walk
from rivals import StudentPeeker, WilsonPeeker, student
from worlds import World, cost, lead, rubric

pytestmark = pytest.mark.calibration

ALPHA = 0.05

FLOORS = [(0.7, 869, 0.364), (0.85, 474, 0.325), (0.95, 386, 0.249)]
"""Floor, fixed sample, and what the published table says of a Wilson peeker."""


@pytest.mark.parametrize(("floor", "fixed", "published"), FLOORS)
def test_peeking_at_a_wilson_interval_is_caught(floor: float, fixed: int, published: float) -> None:
    """25 to 39 % wrong GO where 5 % are allowed."""
    found = walk(WilsonPeeker(floor), [coin(floor)], 3 * fixed)[0]

    assert found.chance_of("go") == pytest.approx(published, abs=6e-4)
    assert found.chance_of("go") > 4 * ALPHA


@pytest.mark.parametrize(("floor", "fixed", "_published"), FLOORS)
def test_peeking_at_a_t_interval_of_passes_is_caught(
    floor: float, fixed: int, _published: float
) -> None:
    """46 to 72 %: ten passes in a row have no spread at all."""
    found = walk(StudentPeeker(floor), [coin(floor)], 3 * fixed)[0]

    assert 0.45 < found.chance_of("go") < 0.73


@pytest.mark.parametrize(
    ("floor", "world"),
    [(0.7, rubric(0.7)), (0.03, lead(0.03)), (-0.03, cost(0.03))],
    ids=["grades", "lead", "cost"],
)
def test_peeking_at_a_t_interval_of_bounded_values_is_caught(floor: float, world: World) -> None:
    """The simulation of bounded means can fail too."""
    dice = random.Random(2030)
    wrong, experiments = 0, 200

    for _ in range(experiments):
        reader = StudentPeeker(floor)
        while reader.decision is None and reader.count < 1000:
            reader = reader.observe(world(dice))
        wrong += reader.decision == "go"

    assert wrong / experiments > 4 * ALPHA


def test_the_t_values_of_the_peeker_are_the_tabulated_ones() -> None:
    """1.833 at 9 degrees of freedom, 1.697 at 30."""
    assert student(9) == pytest.approx(1.833, abs=1e-3)
    assert student(30) == pytest.approx(1.697, abs=1e-3)
