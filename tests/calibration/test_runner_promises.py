"""The promise about a wrong GO, kept by the real runner and not by its formulas alone.

64 trials at once on a real store, wrong answers that take four times as long, and a dataset
one case short of its floor. Whoever counts answers as they finish sees the right ones first.
"""
# ruff: noqa: S311, TID251 - simulated experiments, each from a written seed

from __future__ import annotations

import asyncio
import math
import os
import random
from typing import TYPE_CHECKING

import pytest

from proveout import prove, score
from proveout.statistics.sequential import FixedDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

pytestmark = pytest.mark.calibration

ALPHA = 0.05
EXPERIMENTS = 400 if os.environ.get("PROVEOUT_CALIBRATION") == "full" else 30
TOLERATED = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS)

FLOOR, TARGET, SIZE = 0.85, 0.90, 300
RIGHT = 254
"""Of 300 cases; with 255 the floor is reached."""

AT_ONCE = 64
QUICK, SLOW = 0.03, 0.12
"""Seconds that a right and a wrong answer take."""

right_ones: set[int] = set()
finished: list[bool] = []


async def answer(n: int) -> bool:
    """Answer, the wrong way slowly; remember in which order answers come."""
    is_right = n in right_ones
    await asyncio.sleep(QUICK if is_right else SLOW)
    finished.append(is_right)
    return is_right


def as_they_finish(answers: Iterable[bool]) -> str | None:
    """Return the verdict of a reader for whom the order of finishing is an order like any."""
    test = FixedDataset(size=SIZE, threshold=FLOOR, margin=TARGET - FLOOR, alpha=ALPHA, beta=ALPHA)
    for one in answers:
        test = test.observe(one)
        if test.decision is not None:
            break
    return test.decision


async def test_the_real_runner_gives_a_wrong_go_at_most_alpha(
    record_property: Callable[[str, object], None],
) -> None:
    """And the reader beside it, the negative control, of the very same answers does not."""
    dice = random.Random(2036)
    criterion = score("exact", floor=FLOOR, target=TARGET)
    cases = [{"input": n, "expected": True} for n in range(SIZE)]
    wrong = careless = 0
    for _ in range(EXPERIMENTS):
        right_ones.clear()
        right_ones.update(dice.sample(range(SIZE), RIGHT))
        finished.clear()

        account = await prove(answer, cases, [criterion], concurrency=AT_ONCE)

        wrong += account.own.verdict == "GO"
        careless += as_they_finish(finished) == "go"
        assert account.own.verdict != "UNDECIDED"

    record_property("figures", f"{wrong} wrong GO, {careless} as they finish, of {EXPERIMENTS}")
    assert wrong / EXPERIMENTS <= TOLERATED
    assert careless / EXPERIMENTS > 2 * TOLERATED
