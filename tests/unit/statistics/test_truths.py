"""Where passes come from."""

from __future__ import annotations

import math

import pytest

from proveout.statistics.truths import Coin, Truth, Urn, chance_of_count, chance_of_next


@pytest.mark.parametrize("truth", [Coin(0.3), Urn(20, 6)])
def test_the_chances_of_all_counts_sum_to_one(truth: Truth) -> None:
    """Every number of passes among ten cases, and none beyond."""
    chances = [chance_of_count(truth, 10, passes) for passes in range(-1, 12)]

    assert math.fsum(chances) == pytest.approx(1)
    assert chances[0] == chances[-1] == 0


@pytest.mark.parametrize("truth", [Coin(0.3), Urn(20, 6)])
def test_counts_follow_from_the_chance_of_the_next_case(truth: Truth) -> None:
    """One case more is a pass more or a fail more."""
    before, now = chance_of_count(truth, 9, 2), chance_of_count(truth, 9, 3)

    arrived = before * chance_of_next(truth, 9, 2) + now * (1 - chance_of_next(truth, 9, 3))

    assert chance_of_count(truth, 10, 3) == pytest.approx(arrived)
