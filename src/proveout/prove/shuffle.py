"""A negative control for a verdict: the same answers, judged against other cases' right answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proveout.prove.judge import Course, bounds_of, make_test, verdict_of
from proveout.prove.lock import draw_order
from proveout.prove.observe import Trialled, observe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proveout.domain.experiment import Plan
    from proveout.domain.verdict import Verdict
    from proveout.prove.score import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What answers that belong to other cases would have led to.

    Attributes:
        cases: how many were read.
    """

    verdict: Verdict
    cases: int


def judge_shuffled(
    plan: Plan, trials: Sequence[Trialled], scorers: Mapping[str, Scorer], *, size: int, seed: int
) -> Control:
    """Judge finished trials against each other's right answers; a score that can fail does.

    Args:
        plan: what was locked.
        trials: in the recorded order.
        scorers: the score functions by the name of their criterion.
        size: cases in the dataset.
        seed: draws whose right answer each trial gets.
    """
    courses = [
        Course(criterion, make_test(criterion, bounds_of(plan, size)))
        for criterion in plan.criteria
    ]
    others = draw_order(seed, range(len(trials)))
    for trial, other in zip(trials, others, strict=True):
        case = replace(trial.case, expected=trials[other].case.expected)
        values = observe(plan.criteria, replace(trial, case=case), scorers)
        for course, value in zip(courses, values, strict=True):
            course.observe(value)
    return Control(verdict=verdict_of(courses), cases=len(trials))
