"""The promise about a wrong GO where a second look reuses the answers of the first.

A workflow at its floor that fails now and then, and wrong answers that take longer. Each world
has its own chance; which answers are reused is decided by the code that decides it in earnest.
"""
# ruff: noqa: S311, TID251 - simulated experiments, each from a written seed

from __future__ import annotations

import math
import os
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from proveout.domain.case import Case, Dataset
from proveout.domain.experiment import Estimand, ExperimentId
from proveout.domain.run import Run, RunId, RunState, Trial
from proveout.prove.layout import laid_out
from proveout.prove.lock import case_digest
from proveout.prove.reuse import placed
from proveout.statistics.sequential import FixedDataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from proveout.prove.layout import Layout

pytestmark = pytest.mark.calibration

ALPHA = 0.05
EXPERIMENTS = 2000 if os.environ.get("PROVEOUT_CALIBRATION") == "full" else 300
TOLERATED = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS)

FLOOR, TARGET, SIZE = 0.80, 0.88, 150
CASES = tuple(Case(id=str(n), value=n) for n in range(SIZE))
DATASET = Dataset(name="cases", digest="d", cases=CASES)
DIGESTS = [case_digest(case) for case in CASES]
AHEAD = 16
"""Trials that have ended past the last one that a verdict reads."""


RIGHT = 119
"""Of 150 cases the first call of so many is right; with 120 the floor is reached."""


class World:
    """What calls come to: the first of each case as it was drawn, further ones by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._right = set(self.chance.sample(range(SIZE), RIGHT))
        self._called: set[int] = set()

    def call(self, index: int) -> RunState:
        is_right = index in self._right
        if index in self._called:
            is_right = self.chance.random() < RIGHT / SIZE
        self._called.add(index)
        return RunState.SUCCEEDED if is_right else RunState.FAILED


def order(seed: int) -> Layout:
    groups = [[index] for index in range(SIZE)]
    return laid_out(seed, groups, repeats=1, estimand=Estimand.PER_REQUEST)


def look(layout: Layout, known: dict[int, Run], world: World) -> tuple[str | None, int]:
    """Return the decision of a look that calls what is not known, and how many trials ended.

    What it calls is known afterwards.
    """
    test = FixedDataset(size=SIZE, threshold=FLOOR, margin=TARGET - FLOOR, alpha=ALPHA, beta=ALPHA)
    ended = SIZE
    for position in range(SIZE):
        if position not in known:
            known[position] = trial(layout, position, world.call(layout.case_at(position)))
        if test.decision is None:
            test = test.observe(known[position].state is RunState.SUCCEEDED)
            if test.decision is not None:
                ended = min(SIZE, position + 1 + AHEAD)
        if position + 1 >= ended:
            break
    return test.decision, ended


def trial(layout: Layout, position: int, state: RunState) -> Run:
    index = layout.case_at(position)
    return Run(
        id=RunId(f"r{index}"),
        workflow="w",
        value=b"1",
        created=datetime(2026, 11, 16, tzinfo=UTC),
        due=None,
        state=state,
        trial=Trial(
            experiment=ExperimentId("e"),
            candidate="workflow",
            position=position,
            case=DIGESTS[index],
        ),
    )


def second_looks(keeps: Callable[[Run], bool]) -> float:
    """Return how often the third of three looks says GO, which each reuse what `keeps` allows."""
    go = 0
    for number in range(EXPERIMENTS):
        world = World(number)
        answers: dict[str, Run] = {}
        decision = None
        for turn in range(3):
            layout = order(world.chance.getrandbits(63))
            kept = {(case, 0): [run] for case, run in answers.items() if keeps(run)}
            known = placed(layout, DATASET, kept, ())
            decision, ended = look(layout, known, world)
            for position in range(ended):
                run = known[position]
                assert run.trial is not None
                found = replace(run, id=RunId(f"{turn} {run.id}"))
                if run.trial.case not in kept_cases(kept):
                    answers[run.trial.case] = found
        go += decision == "go"
    return go / EXPERIMENTS


def kept_cases(kept: dict[tuple[str, int], list[Run]]) -> set[str]:
    return {case for case, _ in kept}


def test_a_look_that_reuses_answers_gives_a_wrong_go_at_most_alpha() -> None:
    """Right or failed, the first answer stands; the third look is as valid as the first."""
    assert second_looks(lambda _: True) <= TOLERATED


def test_a_look_that_calls_failures_again_says_go_nearly_always() -> None:
    """What a cache does that keeps no errors: the promise is broken, and the suite can see it."""
    assert second_looks(lambda run: run.state is RunState.SUCCEEDED) > 0.5
