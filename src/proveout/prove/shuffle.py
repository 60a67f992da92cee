"""A negative control for a verdict: the same answers, judged against other cases' right answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proveout.domain.verdict import Verdict
from proveout.prove.judge import Course, bounds_of, make_test
from proveout.prove.lock import draw_order
from proveout.prove.observe import observe
from proveout.prove.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from proveout.domain.criterion import Criterion
    from proveout.domain.experiment import Plan
    from proveout.prove.calibrate import Said
    from proveout.prove.conduct import Setup
    from proveout.prove.observe import Trialled


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What answers that belong to other cases would have led to.

    Attributes:
        cases: how many were read.
    """

    verdict: Verdict
    cases: int


def asked_again(plan: Plan) -> tuple[Criterion, ...]:
    """Return the criteria that can be asked about answers to other cases."""
    return tuple(one for one in plan.criteria_alone if not one.is_decided)


async def judge_shuffled(
    setup: Setup,
    trials: Sequence[Trialled],
    opinions: Callable[[Trialled], Awaitable[Said]],
    seed: int,
) -> Control:
    """Judge finished trials against each other's right answers; a score that can fail does.

    It ends where the verdict falls. A judge, which may ask for no right answer, is shown the
    whole of the other case; nobody labels that. A lead is left out: it compares two candidates
    on the same right answer. So is what people decide: nobody decides on an answer to another
    case.

    Args:
        setup: what was locked.
        trials: in the recorded order.
        opinions: asks the judges.
        seed: draws whose right answer each trial gets.
    """
    plan, bounds = setup.plan, bounds_of(setup.plan, setup.layout)
    criteria = asked_again(plan)
    courses = [Course(criterion, make_test(criterion, bounds)) for criterion in criteria]
    tally = Tally(plan.candidates[0], courses, setup.layout)
    others = draw_order(seed, range(len(trials)))
    for position, (trial, other) in enumerate(zip(trials, others, strict=True)):
        if tally.verdict is not Verdict.UNDECIDED:
            break
        foreign = trials[other].case
        said = await opinions(replace(trial, case=foreign))
        swapped = replace(trial, case=replace(trial.case, expected=foreign.expected))
        tally.add(swapped, position, observe(criteria, swapped, setup.scorers, said))
    return Control(verdict=tally.verdict, cases=tally.cases)
