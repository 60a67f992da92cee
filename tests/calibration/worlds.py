"""Where simulated values come from, each with a mean that is known exactly."""
# ruff: noqa: TID251 - simulated observations, each from a written seed

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import TypeAlias

World: TypeAlias = Callable[[random.Random], float]
"""Draws one value."""


def rubric(mean: float) -> World:
    """Return grades between 0 and 1 with standard deviation .2."""
    concentration = mean * (1 - mean) / 0.04 - 1
    return lambda dice: dice.betavariate(mean * concentration, (1 - mean) * concentration)


def lead(mean: float) -> World:
    """Return the difference of two candidates that disagree on a fifth of the cases."""
    wins, losses = 0.1 + mean / 2, 0.1 - mean / 2

    def draw(dice: random.Random) -> float:
        luck = dice.random()
        return 1 if luck < wins else -1 if luck < wins + losses else 0

    return draw


def cost(mean: float, cap: float = 0.3) -> World:
    """Return negated costs: exponential, cut at the cap, with that mean after the cut."""
    scale = mean
    for _ in range(50):
        scale *= mean / (scale * -math.expm1(-cap / scale))
    return lambda dice: -min(cap, dice.expovariate(1 / scale))


def finite(world: World, mean: float, size: int, dice: random.Random) -> list[float]:
    """Return `size` values in [0, 1] with exactly this mean, to draw from."""
    values = [world(dice) for _ in range(size)]
    for _ in range(60):
        missing = mean - math.fsum(values) / size
        values = [min(1.0, max(0.0, value + missing)) for value in values]
    return values
