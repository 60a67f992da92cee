"""What is promised where a judge is checked by people, by simulation from written seeds.

The judge passes 97 % of the right answers and 40 % of the wrong ones. 300 experiments know an
error rate of .05 to about .013, so a rate up to .088 is let pass; whoever trusts the judge
comes out at .5 and more.
"""
# ruff: noqa: S311, TID251 - simulated observations, each from a written seed

from __future__ import annotations

import math
import random
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest

from proveout.domain.criterion import AtLeast, AtMost, Criterion, Graded, Judge, Scored
from proveout.prove.calibrate import corrected, drawn, shares_of
from proveout.prove.judge import Bounds, Course, make_test
from proveout.statistics.sequential import BoundedMean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

pytestmark = pytest.mark.calibration

ALPHA = BETA = 0.05
EXPERIMENTS = 300
TOLERATED = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS)
FLOOR, TARGET = 0.85, 0.90
MOST = 6000
"""Cases after which an experiment is given up."""


class Case(NamedTuple):
    """What a person would say of an answer, and what the judge says."""

    person: float
    judge: float


class End(NamedTuple):
    """How an experiment ended."""

    decision: str | None
    cases: int
    labels: int


def criterion(labels: float | None, *, graded: Graded | None = None) -> Criterion:
    measure = Scored(score="app:helpful", judge=Judge(labels=labels), graded=graded)
    return Criterion(name="helpful", measure=measure, rule=AtLeast(floor=FLOOR, target=TARGET))


def lenient(rate: float) -> Callable[[random.Random], Case]:
    """Return answers of which that share is right, and a judge who is hard to displease."""

    def draw(dice: random.Random) -> Case:
        is_right = dice.random() < rate
        return Case(float(is_right), float(dice.random() < (0.97 if is_right else 0.40)))

    return draw


def generous(mean: float) -> Callable[[random.Random], Case]:
    """Return grades of that mean, of which the judge makes a tenth of the range more."""

    def draw(dice: random.Random) -> Case:
        grade = dice.betavariate(4 * mean, 4 * (1 - mean))
        return Case(grade, min(1.0, grade + 0.1))

    return draw


def end_of(one: Criterion, cases: Iterable[Case], seed: int, *, size: int | None = None) -> End:
    """Return where a reader stops who looks after every case, with the labels that it took."""
    shares = shares_of([one])
    bounds = Bounds(alpha=ALPHA, beta=BETA, size=size, shares=shares)
    course, labels = Course(one, make_test(one, bounds)), 0
    for index, case in zip(range(MOST), cases, strict=False):
        found = drawn(shares, seed, index)
        labels += bool(found)
        share = found.get(one.name)
        value = case.judge if share is None else corrected(case.judge, case.person, share)
        course.observe(value)
        if course.test.decision is not None:
            break
    return End(course.test.decision, course.cases, labels)


def ends(one: Criterion, world: Callable[[random.Random], Case], seed: int) -> list[End]:
    dice = random.Random(seed)
    return [end_of(one, (world(dice) for _ in count()), number) for number in range(EXPERIMENTS)]


def share_of(found: list[End], decision: str) -> float:
    return sum(one.decision == decision for one in found) / len(found)


def test_an_unchecked_judge_lets_a_workflow_at_the_floor_through() -> None:
    """The negative control: 73 % wrong GO where 5 % are allowed."""
    found = ends(criterion(None), lenient(FLOOR), 2040)

    assert 0.6 < share_of(found, "go") < 0.85


def test_checked_on_a_quarter_it_gets_a_wrong_go_at_most_alpha() -> None:
    """The same judge, in no more cases and labels than the docs say it takes."""
    found = ends(criterion(0.25), lenient(FLOOR), 2040)

    assert share_of(found, "go") <= TOLERATED
    assert sum(one.cases for one in found) / EXPERIMENTS <= 1100
    assert sum(one.labels for one in found) / EXPERIMENTS <= 275


def test_checked_on_a_quarter_it_gets_a_wrong_no_go_at_most_beta() -> None:
    """A workflow at its target."""
    found = ends(criterion(0.25), lenient(TARGET), 2041)

    assert share_of(found, "no-go") <= TOLERATED
    assert share_of(found, "go") > 0.9


@pytest.mark.parametrize("labels", [0.1, 0.5, 1.0])
def test_any_share_of_labels_keeps_the_promise(labels: float) -> None:
    """Fewer labels take more cases, and never more wrong answers."""
    found = ends(criterion(labels), lenient(FLOOR), 2042)

    assert share_of(found, "go") <= TOLERATED


def test_a_judge_who_always_says_yes_is_found_out() -> None:
    """A useless judge costs cases, never validity."""
    found = ends(criterion(0.25), lambda dice: Case(float(dice.random() < FLOOR), 1.0), 2043)

    assert share_of(found, "go") <= TOLERATED


def test_a_generous_grader_is_put_right() -> None:
    """Trusted as it is, the same judge lets nearly every workflow at the floor through."""
    grades = Graded(low=0, high=1)

    trusted = ends(criterion(None, graded=grades), generous(FLOOR), 2044)
    checked = ends(criterion(0.25, graded=grades), generous(FLOOR), 2044)

    assert share_of(trusted, "go") > 0.9
    assert share_of(checked, "go") <= TOLERATED


def test_where_lower_is_better_it_is_the_same() -> None:
    """A rate of bad answers, at its ceiling; the judge misses two of five."""
    measure = Scored(score="app:harmful", judge=Judge(labels=0.25))
    one = Criterion(name="harmful", measure=measure, rule=AtMost(ceiling=0.15, target=0.10))

    def draw(dice: random.Random) -> Case:
        is_bad = dice.random() < 0.15
        return Case(float(is_bad), float(dice.random() < (0.60 if is_bad else 0.03)))

    assert share_of(ends(one, draw, 2045), "go") <= TOLERATED


def datasets(size: int, seed: int) -> Iterable[list[Case]]:
    """Yield datasets that lie exactly at the floor, each in an order of its own."""
    dice = random.Random(seed)
    for _ in range(EXPERIMENTS):
        people = [float(number < round(FLOOR * size)) for number in range(size)]
        dice.shuffle(people)
        yield [Case(one, float(dice.random() < (0.97 if one else 0.4))) for one in people]


@pytest.mark.parametrize("size", [200, 600])
def test_these_cases_keep_the_promise_too(size: int) -> None:
    """Drawn without replacement, and read as if there were many more of them."""
    found = [
        end_of(criterion(0.25), cases, n, size=size) for n, cases in enumerate(datasets(size, 2046))
    ]

    assert share_of(found, "go") <= TOLERATED


def test_corrected_values_are_no_count_of_these_cases() -> None:
    """The negative control: as if what nobody labelled were known once all cases are read."""
    wrong = 0
    for number, cases in enumerate(datasets(200, 2046)):
        test = BoundedMean(
            threshold=FLOOR, margin=0.05, low=-3, high=4, size=200, alpha=ALPHA, beta=BETA
        )
        for index, case in enumerate(cases):
            is_drawn = drawn({"": 0.25}, number, index)
            x = corrected(case.judge, case.person, 0.25) if is_drawn else case.judge
            test = test.observe(x)
            if test.decision is not None:
                break
        wrong += test.decision == "go"

    assert wrong / EXPERIMENTS > 4 * ALPHA
