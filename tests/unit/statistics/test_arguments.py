"""What every statistical argument must satisfy."""

from __future__ import annotations

import math
from typing import Any

import pytest

from proveout.errors import Mistake
from proveout.statistics import arguments


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "1", None, 10**400])
def test_only_ordinary_numbers_are_finite(value: Any) -> None:
    """A refusal names the argument it refuses."""
    with pytest.raises(Mistake, match="worst"):
        arguments.finite("worst", value)


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.1, 5e-324, math.nan])
def test_a_chance_lies_strictly_between_0_and_1(value: float) -> None:
    """Neither certainty nor a probability no float can invert is a chance."""
    with pytest.raises(Mistake, match="alpha"):
        arguments.chance("alpha", value)


@pytest.mark.parametrize("value", [0, -1, 2.0, True, 10**10])
def test_a_size_is_a_whole_number_of_cases(value: Any) -> None:
    """Neither floats nor booleans count cases."""
    with pytest.raises(Mistake, match="size"):
        arguments.size_of("size", value)


@pytest.mark.parametrize("value", [0.5, 2, -1, math.nan, "1", None])
def test_an_outcome_is_0_or_1(value: Any) -> None:
    """Booleans and their numbers are outcomes, nothing else is."""
    with pytest.raises(Mistake, match="x must be 0 or 1"):
        arguments.outcome("x", value)

    assert arguments.outcome("x", 1) is True
    assert arguments.outcome("x", False) is False


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((0.5, 0.1, 1, 0), "high"),
        ((0.5, 0.1, 0, 0), "high"),
        ((0.5, 0.1, -1e300, 1e300), "high"),
        ((0, 0.1, 0, 1), "threshold"),
        ((-0.1, 0.1, 0, 1), "threshold"),
        ((0.5, 0, 0, 1), "margin"),
        ((0.5, -0.1, 0, 1), "margin"),
        ((0.5, 5e-324, 0, 1), "margin"),
        ((0.7, 0.3, 0, 1), r"threshold \+ margin"),
        ((0.8, 0.3, 0, 1), r"threshold \+ margin"),
        ((1.0, 0.1, 0, 1), r"threshold \+ margin"),
    ],
)
def test_a_criterion_without_room_is_refused(values: Any, named: str) -> None:
    """Low < threshold < target < high, each by more than rounding."""
    with pytest.raises(Mistake, match=named):
        arguments.levels(*values)


def test_levels_are_put_on_the_unit_scale() -> None:
    """The machines see every range as [0, 1]."""
    level, margin = arguments.levels(-0.03, 0.006, -0.3, 0)

    assert level == pytest.approx(0.9)
    assert margin == pytest.approx(0.02)
