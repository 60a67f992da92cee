"""The lead over another candidate: what it observes, when it closes, and what it needs."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from doubles.account import LEAD, RIVALS, ROUTING, plan_of
from proveout.domain.case import Case
from proveout.domain.criterion import AtLeast, Graded, Lead, Scored
from proveout.domain.experiment import OWN, Claim
from proveout.domain.run import Run, RunId, RunState
from proveout.domain.verdict import Status, Verdict
from proveout.errors import Mistake
from proveout.prove.judge import Course, bounds_of, courses_of, make_test, verdict_of
from proveout.prove.layout import Layout
from proveout.prove.observe import Trialled, observe
from proveout.prove.tally import Tally
from proveout.statistics.sequential import BoundedMean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.prove.score import Scorer

CASE = Case(id="1", value=1, expected=1)
GRADED = replace(
    LEAD,
    measure=Lead(over="vendor-x", scored=Scored(score="tone", graded=Graded(low=1, high=5))),
    rule=AtLeast(floor=0.5, target=1),
)
SCORERS: Mapping[str, Scorer] = {
    ROUTING.name: lambda result, case: result == case.expected,
    LEAD.name: lambda result, case: result == case.expected,
}
GRADES: Mapping[str, Scorer] = {LEAD.name: lambda result, _: result}


def answered(value: object, state: RunState = RunState.SUCCEEDED) -> Trialled:
    run = Run(
        id=RunId("r"),
        workflow="w",
        value=b"1",
        created=datetime(2026, 11, 16, tzinfo=UTC),
        due=None,
        state=state,
        result=json.dumps(value).encode() if state is RunState.SUCCEEDED else None,
    )
    return Trialled(run=run, case=CASE, price=None)


LOST = answered(None, RunState.FAILED)


@pytest.mark.parametrize(
    ("own", "other", "lead"),
    [
        (answered(1), answered(1), 0),
        (answered(1), answered(2), 1),
        (answered(2), answered(1), -1),
        (LOST, answered(1), -1),
        (LOST, answered(2), 0),
        (answered(1), LOST, 1),
        (LOST, LOST, 0),
    ],
)
def test_a_pass_fail_score_leads_by_one_none_or_minus_one(
    own: Trialled, other: Trialled, lead: float
) -> None:
    """No answer is the worst for its side; two of them are even."""
    assert observe((LEAD,), own, SCORERS, beside={"vendor-x": other}) == (lead,)


@pytest.mark.parametrize(
    ("own", "other", "lead"),
    [(answered(4), answered(2.5), 1.5), (LOST, answered(5), -4), (answered(5), LOST, 4)],
)
def test_a_graded_score_leads_by_its_difference(
    own: Trialled, other: Trialled, lead: float
) -> None:
    assert observe((GRADED,), own, GRADES, beside={"vendor-x": other}) == (lead,)


def test_without_the_other_candidate_there_is_no_value_that_a_test_would_take() -> None:
    """A reader who forgets the pair is refused, not believed."""
    course = Course(LEAD, make_test(LEAD, bounds_of(PLAN, Layout(order=(0,)))))

    [value] = observe((LEAD,), answered(1), SCORERS)

    assert math.isnan(value)
    with pytest.raises(Mistake, match="must be finite"):
        course.observe(value)


PLAN = plan_of(ROUTING, LEAD, candidates=RIVALS)


def test_a_lead_is_a_bounded_mean_over_twice_the_range_of_its_score() -> None:
    """For these cases without replacement, for future traffic with no end."""
    these = make_test(LEAD, bounds_of(PLAN, Layout(order=tuple(range(90)))))
    future = replace(PLAN, claim=Claim.FUTURE_TRAFFIC)
    graded = make_test(GRADED, bounds_of(future, Layout(order=tuple(range(90)))))

    assert isinstance(these, BoundedMean)
    assert isinstance(graded, BoundedMean)
    assert (these.low, these.high, these.size, these.variance) == (-1, 1, 90, 0.2)
    assert (graded.low, graded.high, graded.size) == (-4, 4, None)
    assert graded.variance == pytest.approx(4.5 * 3.5)


def test_only_the_workflow_is_judged_by_its_lead() -> None:
    """The other candidate keeps the whole of what is allowed for a wrong NO-GO."""
    layout = Layout(order=tuple(range(90)))
    own, other = (courses_of(PLAN, layout, name) for name in (OWN, "vendor-x"))

    assert [one.criterion for one in own] == [ROUTING, LEAD]
    assert [one.criterion for one in other] == [ROUTING]
    assert own[1].test.alpha == PLAN.errors.wrong_go
    assert own[1].test.beta == PLAN.errors.wrong_no_go / 2
    assert other[0].test.beta == PLAN.errors.wrong_no_go
    best = replace(PLAN, pick_best=True)
    assert bounds_of(best, layout).alpha == PLAN.errors.wrong_go / 2


def led(layout: Layout) -> Tally:
    return Tally(PLAN.candidates[0], courses_of(PLAN, layout, OWN), layout)


def test_a_decided_lead_asks_for_the_other_candidate_no_more() -> None:
    """It stays where it was decided while the other criteria go on."""
    tally = led(Layout(order=tuple(range(400))))
    while tally.leads:
        assert tally.leads == {"vendor-x"}
        tally.add(answered(1), tally.read, (tally.read % 3 > 0, 1.0))
    decided = tally.courses[1].decided_at

    tally.add(answered(1), tally.read, (1.0, math.nan))

    lead = tally.courses[1].standing()
    assert (lead.status, lead.decided_at, lead.now.count) == (Status.MET, decided, decided)
    assert tally.courses[0].cases == tally.read == (decided or 0) + 1


def test_a_lead_ruled_out_is_a_no_go_and_nothing_more_is_asked() -> None:
    tally = led(Layout(order=tuple(range(400))))
    while tally.verdict is Verdict.UNDECIDED:
        tally.add(answered(1), tally.read, (1.0, -1.0 if tally.read % 2 else 0.0))

    assert tally.verdict is Verdict.NO_GO
    assert tally.courses[1].standing().status is Status.FAILED
    assert tally.leads == set()


def test_repeats_and_sources_lead_by_the_difference_of_their_means() -> None:
    """Three trials of each of two cases of a source are one observation."""
    layout = Layout(order=(0, 1), sources=(2,), repeats=3)
    future = replace(PLAN, claim=Claim.FUTURE_TRAFFIC)
    courses = courses_of(future, layout, OWN)
    tally = Tally(PLAN.candidates[0], courses, layout)

    for position, lead in enumerate((1.0, 0.0, 1.0, -1.0, 0.0, 0.0)):
        tally.add(answered(1), position, (1.0, lead))

    assert courses[1].test.count == 1
    assert courses[1].test.mean == pytest.approx((2 / 3 - 1 / 3) / 2)
    assert verdict_of(courses) is Verdict.UNDECIDED
