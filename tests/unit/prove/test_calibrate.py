"""Judges checked by people: which cases, what is read of them, and what is told."""

from __future__ import annotations

from dataclasses import replace
from math import fsum
from typing import TYPE_CHECKING

import pytest

from doubles.account import COST, GRADE, ROUTING, START, UNSAFE, WORTH, plan_of
from proveout.domain.case import Case
from proveout.domain.criterion import ACCEPTED, Judge, Scored
from proveout.domain.experiment import ExperimentId
from proveout.domain.label import Label
from proveout.domain.run import Run, RunId, RunState, Trial
from proveout.domain.verdict import Decisions
from proveout.errors import Mistake
from proveout.prove.calibrate import (
    Pair,
    Said,
    agreement_of,
    corrected,
    drawn,
    label_name,
    shares_of,
)
from proveout.prove.foresee import foresee
from proveout.prove.judge import Bounds, Course, bounds_of, make_test
from proveout.prove.layout import Layout
from proveout.prove.observe import Trialled, observe
from proveout.prove.shuffle import asked_again
from proveout.prove.tally import is_loss
from proveout.statistics.sequential import BoundedMean, FixedDataset

if TYPE_CHECKING:
    from proveout.domain.criterion import Criterion

CASE = Case(id="17", value="Where is it?", expected="shipping")
LAYOUT = Layout(order=tuple(range(500)))


def judged(criterion: Criterion, labels: float | None) -> Criterion:
    measure = criterion.measure
    assert isinstance(measure, Scored)
    return replace(criterion, measure=replace(measure, judge=Judge(labels=labels)))


def answered(state: RunState = RunState.SUCCEEDED) -> Trialled:
    run = Run(
        id=RunId("r"),
        workflow="triage",
        value=b"{}",
        created=START,
        due=None,
        state=state,
        trial=Trial(experiment=ExperimentId("e"), candidate="workflow", position=0, case="c"),
        result=b"{}" if state is RunState.SUCCEEDED else None,
    )
    return Trialled(run=run, case=CASE, price=None)


@pytest.mark.parametrize("labels", [0, -0.1, 1.1, float("nan")])
def test_a_share_of_labels_is_above_nothing_and_at_most_all(labels: float) -> None:
    with pytest.raises(Mistake, match="is no share of the cases"):
        Judge(labels=labels)


def test_the_seed_alone_draws_who_is_labelled() -> None:
    """About the share that was declared; of two criteria, the larger share holds the smaller."""
    shares = {"few": 0.1, "many": 0.4, "all": 1.0}

    lots = [drawn(shares, 20_261_101, case) for case in range(5000)]

    assert lots == [drawn(shares, 20_261_101, case) for case in range(5000)]
    assert sum("few" in one for one in lots) == pytest.approx(500, abs=70)
    assert sum("many" in one for one in lots) == pytest.approx(2000, abs=110)
    assert all("all" in one for one in lots)
    assert all("many" in one for one in lots if "few" in one)
    assert lots != [drawn(shares, 20_261_102, case) for case in range(5000)]


def test_worth_is_corrected_where_all_that_decides_on_success_is() -> None:
    """A grade is no success, an unchecked judge has no share, and a cost asks nobody."""
    criteria = (
        judged(ROUTING, 0.5),
        judged(UNSAFE, 0.2),
        judged(GRADE, 0.1),
        judged(replace(ROUTING, name="unchecked"), None),
        COST,
        WORTH,
    )

    assert shares_of(criteria) == {
        ROUTING.name: 0.5,
        UNSAFE.name: 0.2,
        GRADE.name: 0.1,
        WORTH.name: 0.2,
    }
    assert shares_of((ROUTING, WORTH)) == {}


@pytest.mark.parametrize(("judge", "person"), [(1, 0), (0, 1), (1, 1), (0, 0), (4.5, 2)])
def test_over_labelled_and_unlabelled_cases_the_mean_is_the_persons(
    judge: float, person: float
) -> None:
    """One labelled case in four stands for the three that nobody labelled."""
    values = [corrected(judge, person, 0.25), judge, judge, judge]

    assert fsum(values) / 4 == pytest.approx(person)


def test_what_a_person_says_decides_on_the_worth_of_an_answer_too() -> None:
    """Right to the judge and wrong to the person: the loss, counted for four cases."""
    criteria = (judged(ROUTING, 0.25), WORTH)
    said = Said(
        opinions={ROUTING.name: 1.0},
        labels={ROUTING.name: 0.0},
        shares=shares_of(criteria),
    )
    right = Said(opinions={ROUTING.name: 1.0})

    routed, worth = observe(criteria, answered(), {}, said)

    earns, costs = 0.40 + 1.80, -4 + 1.80
    assert routed == -3
    assert worth == pytest.approx(earns + (costs - earns) / 0.25)
    assert observe(criteria, answered(), {}, right) == (1, pytest.approx(earns))


def test_an_answer_that_never_came_asks_neither_judge_nor_person() -> None:
    values = observe((judged(ROUTING, 0.25), judged(UNSAFE, 0.25)), answered(RunState.FAILED), {})

    assert values == (0, 1)


@pytest.mark.parametrize(
    ("criterion", "value", "lost"),
    [(ROUTING, -3, True), (ROUTING, 4, False), (UNSAFE, 4, True), (UNSAFE, -3, False)],
)
def test_a_corrected_case_is_lost_where_the_person_says_so(
    criterion: Criterion, value: float, lost: bool
) -> None:
    one = judged(criterion, 0.25)
    course = Course(one, make_test(one, bounds_of(plan_of(one), LAYOUT)))

    assert is_loss(course, value) is lost


@pytest.mark.parametrize("criterion", [ROUTING, UNSAFE, GRADE])
@pytest.mark.parametrize("share", [0.003, 0.1, 0.25, 0.3, 0.7])
def test_no_correction_leaves_the_range_of_its_test(criterion: Criterion, share: float) -> None:
    """Whatever rounding does; what is shown stays within what a mean can be."""
    one = judged(criterion, share)
    low, high = (1.0, 5.0) if criterion is GRADE else (0.0, 1.0)
    course = Course(one, make_test(one, bounds_of(plan_of(one), LAYOUT)))

    for judge, person in ((low, high), (high, low), (low + 0.1 * (high - low), high)):
        course.observe(corrected(judge, person, share))

    now = course.standing().now
    assert low <= now.interval[0] <= now.interval[1] <= high
    assert now.estimate is not None
    assert low <= now.estimate <= high


def test_only_a_judge_whom_people_check_on_every_case_counts_these_cases() -> None:
    """What is estimated is read as of many more cases; what is known is counted."""
    bounds = bounds_of(plan_of(judged(ROUTING, 0.25)), LAYOUT)
    estimated = make_test(judged(ROUTING, 0.25), bounds)
    counted = make_test(judged(ROUTING, 1), replace(bounds, shares={ROUTING.name: 1.0}))
    trusted = make_test(judged(ROUTING, None), Bounds(alpha=0.05, beta=0.05, size=500))

    assert isinstance(estimated, BoundedMean)
    assert estimated.size is None
    assert isinstance(counted, FixedDataset)
    assert counted == trusted == make_test(ROUTING, Bounds(alpha=0.05, beta=0.05, size=500))


def test_fewer_labels_are_foreseen_to_take_more_cases() -> None:
    expected = [
        foresee(plan_of(judged(ROUTING, share)), Layout(order=tuple(range(20_000)))).expected
        for share in (1, 0.5, 0.25, 0.1)
    ]

    assert expected == sorted(set(expected))


def test_a_label_is_for_one_answer_to_one_question() -> None:
    """Another input, right answer, answer, measure or range is another question."""
    plan, one = plan_of(), judged(ROUTING, 0.25)
    names = {
        label_name(plan, one, CASE, "a"),
        label_name(plan, one, CASE, "b"),
        label_name(plan, one, replace(CASE, value="?"), "a"),
        label_name(plan, one, replace(CASE, expected="refund"), "a"),
        label_name(plan, judged(UNSAFE, 0.25), CASE, "a"),
        label_name(plan, judged(replace(GRADE, name=ROUTING.name), 0.25), CASE, "a"),
        label_name(replace(plan, workflow="other"), one, CASE, "a"),
    }

    assert len(names) == 7
    assert label_name(plan, judged(ROUTING, 0.5), replace(CASE, id="x"), "a") in names


def test_agreement_is_told_in_counts() -> None:
    pairs = [Pair(1, 1), Pair(1, 1), Pair(0, 1), Pair(1, 0), Pair(0, 0)]

    found = agreement_of(pairs)

    assert (found.labelled, found.agreed) == (5, 3)
    assert (found.yes, found.yes_by_both, found.no, found.no_by_both) == (3, 2, 2, 1)
    assert found.difference == 0
    assert agreement_of([Pair(5, 4), Pair(3, 3)]).difference == 0.5
    assert agreement_of([]).difference is None


def test_what_people_decide_is_read_as_any_pass_or_fail() -> None:
    """Every answer is decided on: the test is exact on these cases, and nothing is corrected."""
    criterion = replace(ROUTING, measure=Scored(score=ACCEPTED))
    plan, name = plan_of(criterion, WORTH), criterion.name
    label = Label(value=0, case="17", criterion=name, answer="a", by="ana", at=START, edit="1")
    said = Said(opinions={name: 0.0}, decisions={name: label})
    course = Course(criterion, make_test(criterion, bounds_of(plan, LAYOUT)))

    course.hear([said, Said(), said])
    values = [
        observe((criterion,), answered(), {}, said),
        observe((criterion,), answered(RunState.FAILED), {}),
    ]

    assert isinstance(course.test, FixedDataset)
    assert shares_of(plan.criteria) == {}
    assert course.standing().decisions == Decisions(edited=2)
    assert course.standing().agreement is None
    assert values == [(0.0,), (0.0,)]
    assert said.edit == "1"


def test_nobody_is_asked_about_answers_to_other_cases() -> None:
    accepted = replace(ROUTING, name="accepted", measure=Scored(score=ACCEPTED))

    assert asked_again(plan_of(accepted, ROUTING)) == (ROUTING,)
