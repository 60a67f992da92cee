"""A negative control for a verdict: the same answers, judged against other cases' right answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proveout.prove.judge import Course, bounds_of, make_test
from proveout.prove.lock import draw_order
from proveout.prove.observe import Trialled, observe
from proveout.prove.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proveout.domain.experiment import Plan
    from proveout.domain.verdict import Verdict
    from proveout.prove.layout import Layout
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
    plan: Plan,
    trials: Sequence[Trialled],
    scorers: Mapping[str, Scorer],
    layout: Layout,
    seed: int,
) -> Control:
    """Judge finished trials against each other's right answers; a score that can fail does.

    A lead is left out: it compares two candidates on the same right answer.

    Args:
        plan: what was locked.
        trials: in the recorded order.
        scorers: the score functions by the name of their criterion.
        layout: which of the trials make an observation.
        seed: draws whose right answer each trial gets.
    """
    bounds = bounds_of(plan, layout)
    criteria = plan.criteria_alone
    courses = [Course(criterion, make_test(criterion, bounds)) for criterion in criteria]
    tally = Tally(plan.candidates[0], courses, layout)
    others = draw_order(seed, range(len(trials)))
    for position, (trial, other) in enumerate(zip(trials, others, strict=True)):
        case = replace(trial.case, expected=trials[other].case.expected)
        swapped = replace(trial, case=case)
        tally.add(swapped, position, observe(criteria, swapped, scorers))
    return Control(verdict=tally.verdict, cases=tally.cases)
