"""Comparing: pairs of real trials on a real store, their leads, and the interval of the mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog import get_logger

from doubles.account import plan_of
from doubles.clock import FixedDice
from proveout.domain.case import Case, Dataset
from proveout.domain.criterion import AtLeast, AtMost, Criterion, Graded, Lead, Scored
from proveout.domain.experiment import OWN, Budget, Candidate, Claim, Estimand
from proveout.faces import entry
from proveout.faces.project import system_bench, throwaway_store
from proveout.prove.begin import begin, layout_of, look_before
from proveout.prove.compare import NothingInCommon, Side, Subject, compare
from proveout.prove.conduct import Conductor, Setup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.domain.experiment import Plan
    from proveout.ports.store import Store
    from proveout.prove.compare import Comparison, Pair
    from proveout.prove.score import Scorer

SIZE = 60
CASES = tuple(
    Case(id=f"c{n}", value=n, expected=n, cluster=f"sender {n // 2 if n < 40 else n}")
    for n in range(SIZE)
)
DATASET = Dataset(name="cases", digest="d", cases=CASES)
RIVALS = (Candidate(name=OWN, entry="w"), Candidate(name="vendor", entry="v"))

RIGHT = Criterion(name="right", measure=Scored(score="exact"), rule=AtLeast(floor=0.3, target=0.9))
LEAD = Criterion(
    name="leads",
    measure=Lead(over="vendor", scored=Scored(score="exact")),
    rule=AtLeast(floor=0.0, target=0.3),
)
WRONG = Criterion(name="wrong", measure=Scored(score="wrong"), rule=AtMost(ceiling=0.5, target=0.2))
GRADE = Criterion(
    name="grade",
    measure=Scored(score="grade", graded=Graded(low=0, high=4)),
    rule=AtLeast(floor=1, target=3),
)
SCORERS: Mapping[str, Scorer] = {
    "right": lambda result, case: result == case.expected,
    "leads": lambda result, case: result == case.expected,
    "wrong": lambda result, case: result != case.expected,
    "grade": lambda result, case: 4 if result == case.expected else 1.5,
}


def own(n: int) -> int:
    """Answer; every tenth wrongly."""
    return n if n % 10 else -1


def vendor(n: int) -> int:
    """Answer; every fourth with an error."""
    if n % 4 == 0:
        raise ValueError("no answer")
    return n


async def conducted(store: Store, plan: Plan, dataset: Dataset = DATASET) -> Conductor:
    """Return an experiment that has ended, so that all of it can be read."""
    known = await store.experiments(plan.workflow)
    bench = replace(system_bench(store, get_logger()), dice=FixedDice(seed=len(known)))
    locked, layout = await begin(bench, plan, dataset, again=bool(known))
    functions = {OWN: own, "vendor": vendor}
    setup = Setup(
        experiment=locked,
        plan=plan,
        dataset=dataset,
        layout=layout,
        workflows={
            one.name: entry.as_workflow(functions[one.name], one.name) for one in plan.candidates
        },
        scorers=SCORERS,
        lease=timedelta(seconds=30),
    )
    conductor = Conductor(bench, setup)
    await conductor.conduct()
    return conductor


def planned(*criteria: Criterion, **changes: Any) -> Plan:
    """Return a plan that no criterion can end early."""
    usual: dict[str, Any] = {"candidates": RIVALS, "budget": Budget()}
    return plan_of(*criteria, **{**usual, **changes})


def subject(conductor: Conductor, criterion: Criterion) -> Subject:
    setup = conductor.setup
    return Subject(
        plan=setup.plan, dataset=setup.dataset, criterion=criterion, scorers=setup.scorers
    )


def number(pair: Pair) -> int:
    """Return the input of a pair's case."""
    return int(pair.case.id[1:])


async def candidates(store: Store, conductor: Conductor, criterion: Criterion) -> Comparison:
    setup = conductor.setup
    b = Side(candidate=OWN, experiment=setup.experiment, layout=setup.layout)
    return await compare(store, subject(conductor, criterion), replace(b, candidate="vendor"), b)


@pytest.mark.parametrize("claim", list(Claim))
async def test_the_lead_is_the_one_that_its_criterion_would_read(claim: Claim) -> None:
    """The same pairs in the same order, by the same test: the same mean and interval."""
    narrow = replace(LEAD, rule=AtLeast(floor=0.0, target=0.999))
    plain = tuple(replace(case, cluster="") for case in CASES)
    dataset = replace(DATASET, cases=plain)
    async with throwaway_store() as store:
        conductor = await conducted(store, planned(RIGHT, LEAD, claim=claim), dataset)
        account = await conductor.account(None)

        found = await candidates(store, conductor, LEAD)
        other = await candidates(store, conductor, narrow)

    lead = account.own.standings[1]
    first = found.pairs[: lead.now.count]
    assert [one.case for one in found.pairs] == [
        plain[index] for index in conductor.layout.order[: len(found.pairs)]
    ]
    assert sum(one.lead for one in first) / len(first) == pytest.approx(lead.now.estimate)
    if len(first) == len(found.pairs):
        assert (found.estimate, found.interval) == (lead.now.estimate, lead.now.interval)
    assert other.estimate == found.estimate
    assert found.of == claim


async def test_each_case_is_a_regression_an_improvement_or_even() -> None:
    """An error is a wrong answer, and is told as what it was."""
    async with throwaway_store() as store:
        found = await candidates(store, await conducted(store, planned(RIGHT, LEAD)), RIGHT)

    worse, better = (
        {number(one) for one in group} for group in (found.regressions, found.improvements)
    )
    tried = {number(one) for one in found.pairs}
    assert worse == {n for n in tried if n % 10 == 0 and n % 4}
    assert better == {n for n in tried if n % 4 == 0 and n % 10}
    assert {number(one) for one in found.even} == tried - worse - better
    assert {one.a.answer for one in found.improvements} == {"ValueError: no answer"}
    assert found.right == 1


async def test_where_lower_is_better_the_lead_is_turned_round() -> None:
    """B leads by what it does less often."""
    async with throwaway_store() as store:
        conductor = await conducted(store, planned(RIGHT, WRONG, LEAD))
        by_right = await candidates(store, conductor, RIGHT)
        by_wrong = await candidates(store, conductor, WRONG)

    assert [one.lead for one in by_wrong.pairs] == [one.lead for one in by_right.pairs]
    assert by_wrong.right == 0


async def test_grades_lead_by_their_difference() -> None:
    """In their own unit; nobody is right or wrong by a grade."""
    async with throwaway_store() as store:
        found = await candidates(store, await conducted(store, planned(RIGHT, GRADE, LEAD)), GRADE)

    grades = {n: ((4 if n % 10 else 1.5) - (4 if n % 4 else 0)) for n in range(SIZE)}
    assert {number(one): one.lead for one in found.pairs}.items() <= grades.items()
    assert found.right is None
    assert -4 <= found.interval[0] <= found.interval[1] <= 4


async def test_repeats_count_by_their_mean() -> None:
    async with throwaway_store() as store:
        plan = planned(RIGHT, repeats=2)
        found = await candidates(store, await conducted(store, plan), RIGHT)

    leads = {n: bool(n % 10) - bool(n % 4) for n in range(SIZE)}
    assert {number(one): one.lead for one in found.pairs}.items() <= leads.items()
    assert len({one.case.id for one in found.pairs}) == len(found.pairs)
    assert found.right is None


@pytest.mark.parametrize("estimand", list(Estimand))
async def test_cases_of_a_source_count_together(estimand: Estimand) -> None:
    """By the weight that the experiment gives them."""
    hard = replace(RIGHT, rule=AtLeast(floor=0.01, target=0.999))
    plan = planned(hard, LEAD, claim=Claim.FUTURE_TRAFFIC, estimand=estimand)
    async with throwaway_store() as store:
        conductor = await conducted(store, plan)
        found = await candidates(store, conductor, RIGHT)

    leads = {number(one): one.lead for one in found.pairs}
    whole: list[tuple[float, float]] = []
    start = 0
    for size in conductor.layout.sources:
        cases = conductor.layout.order[start : start + size]
        start += size
        if all(case in leads for case in cases):
            weight = size / 2 if estimand is Estimand.PER_REQUEST else 1.0
            whole.append((sum(leads[case] for case in cases) / size, weight))
    total = sum(weight for _, weight in whole)
    assert found.estimate == pytest.approx(sum(x * weight for x, weight in whole) / total)


async def test_two_looks_speak_of_the_cases_of_the_first() -> None:
    """In the order of the second, which was drawn afterwards; all of them read is certain."""
    close = replace(RIGHT, rule=AtLeast(floor=0.85, target=0.90))  # it takes most cases
    async with throwaway_store() as store:
        first = await conducted(store, planned(close, candidates=RIVALS[:1]))
        second = await conducted(store, planned(close, candidates=RIVALS[:1]))
        b = Side(candidate=OWN, experiment=second.setup.experiment, layout=second.setup.layout)
        earlier = await look_before(store, b.experiment)
        assert earlier is not None
        a = replace(b, experiment=earlier, layout=layout_of(earlier))

        found = await compare(store, subject(second, close), a, b)

    assert earlier == replace(first.setup.experiment, verdict=earlier.verdict)
    assert found.of == "the cases of look 1"
    assert {one.lead for one in found.pairs} == {0.0}
    order = [number(one) for one in found.pairs]
    assert order == [n for n in second.layout.order if n in order]
    if len(found.pairs) == SIZE:
        assert found.interval == (0, 0)


async def test_what_has_no_trials_in_common_is_refused() -> None:
    """Both numbers are told, and the command that mends it."""
    async with throwaway_store() as store:
        conductor = await conducted(store, planned(RIGHT, budget=Budget(calls=0)))

        with pytest.raises(NothingInCommon) as refused:
            await candidates(store, conductor, RIGHT)

    assert "vendor and workflow have no trials in common" in refused.value.message
    assert "vendor has tried 0 and workflow 0" in refused.value.why
    assert refused.value.fix == ("proveout prove reply-v3",)


async def test_looks_at_future_traffic_never_meet() -> None:
    dataset = replace(DATASET, cases=CASES[:20])
    plan = planned(RIGHT, claim=Claim.FUTURE_TRAFFIC, candidates=RIVALS[:1])
    async with throwaway_store() as store:
        await conducted(store, replace(plan, budget=Budget(calls=9), concurrency=1), dataset)
        second = await conducted(store, replace(plan, concurrency=1), dataset)
        b = Side(candidate=OWN, experiment=second.setup.experiment, layout=second.setup.layout)
        earlier = await look_before(store, b.experiment)
        assert earlier is not None
        a = replace(b, experiment=earlier, layout=layout_of(earlier))

        with pytest.raises(NothingInCommon, match="have no trials of workflow in common"):
            await compare(store, subject(second, RIGHT), a, b)
