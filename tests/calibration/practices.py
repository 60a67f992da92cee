"""Common practice beside ours: how often each says GO where the truth sits at the floor.

In every simulation 85 % is not good enough, 90 % is hoped for, and one wrong GO in twenty
is allowed. What differs between the two columns is the habit alone.
"""
# ruff: noqa: S311, TID251 - simulated observations, each from a written seed

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exact_walk import coin, walk
from rivals import StudentPeeker, WilsonPeeker
from test_source_promises import (
    AT_FLOOR_PER_REQUEST,
    as_if_independent,
    cases,
    per_request,
    per_source,
    sources,
)

from proveout.statistics.planning import fixed_sample
from proveout.statistics.sequential import BoundedMean, Proportion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    Simulation: TypeAlias = Callable[[random.Random], str | None]

FLOOR, TARGET, ALPHA = 0.85, 0.90, 0.05
TEST = Proportion(threshold=FLOOR, margin=TARGET - FLOOR, alpha=ALPHA, beta=ALPHA)
HORIZON = 3 * fixed_sample(TEST)

AT_ONCE = 64
SLOWER = 4.0
"""Times that a wrong answer takes as long as a right one."""

SENSITIVITY, SPECIFICITY = 0.97, 0.60
LABELLED = 0.25
MENDED = 0.5
"""Of the failures that were seen."""

DATASET = 500
"""Cases of the dataset whose failures are mended."""


@dataclass(frozen=True)
class Practice:
    """A habit, and what is done here instead.

    Attributes:
        wrong_go, ours: the chance of a wrong GO, from 0 to 1.
    """

    name: str
    instead: str
    wrong_go: float
    ours: float


def every_practice(experiments: int) -> list[Practice]:
    """Return each common practice beside ours, simulated so many times or exactly."""
    exact = walk(TEST, [coin(FLOOR)], HORIZON)[0].chance_of("go")
    wilson = walk(WilsonPeeker(FLOOR), [coin(FLOOR)], HORIZON)[0].chance_of("go")
    student = walk(StudentPeeker(FLOOR), [coin(FLOOR)], HORIZON)[0].chance_of("go")

    def share(seed: int, simulation: Simulation) -> float:
        dice = random.Random(seed)
        return sum(simulation(dice) == "go" for _ in range(experiments)) / experiments

    return [
        Practice("a 95 % Wilson interval, read after every case", "evidence", wilson, exact),
        Practice("a 95 % t interval, read after every case", "evidence", student, exact),
        Practice(
            "answers counted as they finish, 64 at once, wrong ones four times slower",
            "the completed prefix of a recorded order",
            share(1, lambda dice: read(finishing(dice))),
            share(2, lambda dice: read(bernoulli(FLOOR, dice))),
        ),
        Practice(
            "five trials of a case counted as five cases",
            "their mean is one observation",
            share(3, lambda dice: as_if_independent(cases(FLOOR, dice))),
            share(4, lambda dice: per_source(cases(FLOOR, dice))),
        ),
        Practice(
            "cases of one source counted as independent",
            "a source is one observation",
            share(5, lambda dice: as_if_independent(sources(*AT_FLOOR_PER_REQUEST, dice))),
            share(6, lambda dice: per_request(sources(*AT_FLOOR_PER_REQUEST, dice))),
        ),
        Practice(
            "a judge believed that passes 40 % of what is wrong",
            "a quarter of the cases labelled by people",
            share(7, lambda dice: read(judged(dice))),
            share(8, lambda dice: read_labelled(labelled(dice))),
        ),
        Practice(
            "half of the seen failures mended, and the same cases tried again",
            "cases never run before",
            share(9, lambda dice: after_mending(dice, on_the_same=True)),
            share(10, lambda dice: after_mending(dice, on_the_same=False)),
        ),
    ]


def read(passes: Iterator[int]) -> str | None:
    """Return the verdict of our rule on passes in the order given."""
    test = TEST
    for x in passes:
        test = test.observe(x)
        if test.decision is not None:
            break
    return test.decision


def bernoulli(rate: float, dice: random.Random, most: int = HORIZON) -> Iterator[int]:
    for _ in range(most):
        yield int(dice.random() < rate)


def finishing(dice: random.Random) -> Iterator[int]:
    """Yield passes as a pool of workers finishes them."""
    running: list[tuple[float, int, int]] = []
    for number, x in enumerate(bernoulli(FLOOR, dice)):
        now = 0.0
        if len(running) == AT_ONCE:
            now, _, done = heapq.heappop(running)
            yield done
        seconds = dice.expovariate(1.0 if x else 1 / SLOWER)
        heapq.heappush(running, (now + seconds, number, x))
    while running:
        yield heapq.heappop(running)[2]


def judged(dice: random.Random) -> Iterator[int]:
    """Yield what a judge makes of answers at the floor."""
    for truth in bernoulli(FLOOR, dice):
        yield opinion(truth, dice)


def opinion(truth: int, dice: random.Random) -> int:
    """Return whether the judge passes an answer that is right or wrong."""
    return int(dice.random() < (SENSITIVITY if truth else 1 - SPECIFICITY))


def labelled(dice: random.Random) -> Iterator[float]:
    """Yield the judge's opinions, corrected where a person labelled the case."""
    for truth in bernoulli(FLOOR, dice, 10 * HORIZON):
        said = opinion(truth, dice)
        is_labelled = dice.random() < LABELLED
        yield said + (truth - said) / LABELLED if is_labelled else said


def read_labelled(values: Iterator[float]) -> str | None:
    """Return the verdict of our rule on corrected opinions."""
    test = BoundedMean(
        threshold=FLOOR,
        margin=TARGET - FLOOR,
        low=1 - 1 / LABELLED,
        high=1 / LABELLED,
        alpha=ALPHA,
        beta=ALPHA,
    )
    for x in values:
        test = test.observe(x)
        if test.decision is not None:
            break
    return test.decision


def after_mending(dice: random.Random, *, on_the_same: bool) -> str | None:
    """Return the verdict of a second look, once half of the failures that were seen are mended.

    Nothing else got better: of cases that were never seen, as many are right as before.
    """
    truths = list(bernoulli(FLOOR, dice, DATASET))
    test, seen = TEST, 0
    while test.decision is None and seen < DATASET:
        test, seen = test.observe(truths[seen]), seen + 1
    if not on_the_same:
        return read(bernoulli(FLOOR, dice, DATASET))
    again = [int(x or dice.random() < MENDED) for x in truths[:seen]] + truths[seen:]
    dice.shuffle(again)
    return read(iter(again))
