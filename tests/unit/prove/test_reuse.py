"""Reusing answers: which stand for a call of a later look, and which never do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog import get_logger

from doubles.account import plan_of
from doubles.clock import FixedDice
from doubles.stores import open_url
from proveout.adapters.system import SystemClock
from proveout.domain.case import Case, Dataset
from proveout.domain.criterion import (
    AtLeast,
    AtMost,
    Cost,
    Criterion,
    Judge,
    Latency,
    Scored,
)
from proveout.domain.experiment import (
    OWN,
    AnswersFile,
    Budget,
    Candidate,
    Claim,
    Command,
    Endpoint,
    ErrorRates,
    ExperimentId,
)
from proveout.domain.model_call import Caller, ModelCall, Tokens
from proveout.domain.money import Usd
from proveout.domain.record import Kind, encode
from proveout.domain.run import Run, RunId, RunState, Trial
from proveout.domain.unit import Charge, Enqueue, Keep, Put, UnitId
from proveout.domain.verdict import StoppedBy
from proveout.faces import entry
from proveout.faces.project import system_bench
from proveout.prove.begin import NoFreshCases, begin
from proveout.prove.conduct import Conductor, Setup
from proveout.prove.layout import foreseen
from proveout.prove.lock import case_digest
from proveout.prove.reuse import UNKNOWN, Surroundings, answers_to, foresee_reuse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from proveout.domain.experiment import Elsewhere, Plan
    from proveout.ports.store import LockedExperiment, Store
    from proveout.prove.account import Account

SIZE = 40
CASES = tuple(Case(id=f"c{n}", value=n, expected=n) for n in range(SIZE))
DATASET = Dataset(name="cases", digest="d", cases=CASES)
RIGHT = Criterion(
    name="right", measure=Scored(score="exact"), rule=AtLeast(floor=0.5, target=0.875)
)
QUICK = Criterion(
    name="quick",
    measure=Latency(within=timedelta(hours=1)),
    rule=AtLeast(floor=0.5, target=0.99),
)
"""Open when all cases were tried, at error rates as small as these."""

RARE = ErrorRates(wrong_go=1e-12, wrong_no_go=1e-12)

HERE = "these packages"
MINUTE = timedelta(minutes=1)
CODE = Candidate(name=OWN, entry="app:answer", code="1")


@dataclass
class Bench:
    """Conducts looks on one store, and counts what is really called."""

    store: Store
    calls: list[int] = field(default_factory=list[int])
    opinions: list[str] = field(default_factory=list[str])
    here: str = HERE
    last: LockedExperiment | None = None

    async def look(self, plan: Plan, dataset: Dataset = DATASET, *, again: bool = False) -> Account:
        """Return the account of a look that went as far as its plan allows."""
        known = await self.store.experiments(plan.workflow)
        bench = system_bench(self.store, get_logger())
        bench = replace(bench, dice=FixedDice(seed=len(known)))
        locked, layout = await begin(bench, plan, dataset, again=again)
        self.last = locked
        workflow = entry.as_workflow(self._answer, "answer")
        setup = Setup(
            experiment=locked,
            plan=plan,
            dataset=dataset,
            layout=layout,
            workflows={one.name: workflow for one in plan.candidates},
            scorers={one.name: self._score for one in plan.criteria},
            lease=timedelta(seconds=30),
            surroundings=lambda: self.here,
        )
        return await Conductor(bench, setup).conduct()

    async def trials(self, candidate: str = OWN) -> list[Run]:
        """Return the trials of the last look."""
        assert self.last is not None
        return await self.store.trials(self.last.id, candidate, 0, 1000)

    def _answer(self, n: int) -> int:
        self.calls.append(n)
        if n % 8 == 0:
            raise ValueError("no answer")
        return n

    def _score(self, result: object, case: Case) -> bool:
        self.opinions.append(case.id)
        return result == case.expected


@pytest.fixture
async def bench(store_url: str) -> AsyncGenerator[Bench]:
    store = await open_url(store_url, SystemClock())
    yield Bench(store)
    await store.close()


def planned(*criteria: Criterion, **changes: Any) -> Plan:
    """Return a plan that tries every case."""
    usual: dict[str, Any] = {"candidates": (CODE,), "budget": Budget(), "errors": RARE}
    return plan_of(*(criteria or (RIGHT,)), QUICK, **{**usual, **changes})


def asked_otherwise(number: int = 1) -> Plan:
    """Return the same plan with another lock."""
    return planned(question=f"And now, the {number}th time?")


async def test_another_lock_calls_nothing_that_was_answered(bench: Bench) -> None:
    """Every trial is there, durable, with its origin; it is no call, and costs nothing."""
    first = await bench.look(planned())
    originals = {run.id for run in await bench.trials()}
    called = len(bench.calls)

    second = await bench.look(asked_otherwise())

    trials = await bench.trials()
    assert called == first.calls == SIZE
    assert len(bench.calls) == called
    assert (second.calls, second.reused, second.own.cases) == (0, SIZE, SIZE)
    assert float(second.spent or 0) == 0
    assert {run.origin for run in trials} == originals
    assert second.order != first.order
    assert second.own.standings[0].now.estimate == first.own.standings[0].now.estimate


async def test_each_trial_reuses_what_its_own_case_was_answered(bench: Bench) -> None:
    """Input, answer, failure, time and moment are those of the call."""
    await bench.look(planned())
    first = {run.id: run for run in await bench.trials()}

    await bench.look(asked_otherwise())

    for run in await bench.trials():
        assert run.origin is not None
        origin = first[run.origin]
        assert (run.value, run.result, run.failure) == (
            origin.value,
            origin.result,
            origin.failure,
        )
        assert (run.state, run.elapsed, run.updated) == (
            origin.state,
            origin.elapsed,
            origin.updated,
        )
        assert run.fence == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "2"},
        {"entry": "app:other"},
        {"is_metered": True},
    ],
)
async def test_another_candidate_is_called(bench: Bench, changed: dict[str, Any]) -> None:
    """Other code, another function of the same code, or calls that are held to a cap."""
    await bench.look(planned())

    second = await bench.look(planned(candidates=(replace(CODE, **changed),)))

    assert (second.calls, second.reused) == (SIZE, 0)


async def test_what_a_call_is_said_to_cost_does_not_make_another_candidate(bench: Bench) -> None:
    await bench.look(planned())

    priced = replace(CODE, price_per_call=Usd(1))
    second = await bench.look(planned(candidates=(priced,)))

    assert (second.calls, second.reused) == (0, SIZE)
    assert second.spent == Usd(0)


async def test_other_packages_answer_for_themselves(bench: Bench) -> None:
    """So does a look of which a part was called among others, and one that nobody can name."""
    await bench.look(planned())
    bench.here = "other packages"
    second = await bench.look(asked_otherwise())
    bench.here = UNKNOWN
    third = await bench.look(asked_otherwise(2))
    fourth = await bench.look(asked_otherwise(3))

    assert [one.reused for one in (second, third, fourth)] == [0, 0, 0]


async def test_a_look_that_went_on_elsewhere_is_not_reused(bench: Bench) -> None:
    """Nobody can tell which of its answers were given where."""
    await bench.look(planned(budget=Budget(calls=10)))
    bench.here = "other packages"
    await bench.look(planned())

    second = await bench.look(asked_otherwise())
    bench.here = HERE
    third = await bench.look(asked_otherwise(2))

    assert (second.reused, third.reused) == (0, 0)


async def test_a_look_from_before_answers_were_reused_is_not(bench: Bench) -> None:
    """Under what its trials were called nobody wrote down."""
    await bench.look(planned())
    assert bench.last is not None
    keep = Keep(kind=Kind.SURROUNDINGS, name=bench.last.id, body=None)
    await bench.store.write(Put(id=UnitId("forget"), keeps=(keep,)))

    assert (await bench.look(asked_otherwise())).reused == 0


async def test_asked_anew_everything_is_called_and_what_is_older_is_over(bench: Bench) -> None:
    """`--again` is asking; later looks reuse what it was answered, and nothing from before."""
    await bench.look(planned())
    old = {run.id for run in await bench.trials()}

    again = await bench.look(planned(), again=True)
    new = {run.id for run in await bench.trials()}
    third = await bench.look(asked_otherwise())

    origins = {run.origin for run in await bench.trials()}
    assert (again.calls, again.reused) == (SIZE, 0)
    assert third.reused == SIZE
    assert origins == new
    assert not origins & old


async def test_what_was_called_first_stays_the_origin(bench: Bench) -> None:
    """A look that reused part of its answers hands all of them on, each by its call."""
    await bench.look(planned(budget=Budget(calls=12)))
    first = {run.trial.case: run.id for run in await bench.trials() if run.trial and run.fence}
    second = await bench.look(asked_otherwise())
    rest = {run.trial.case: run.id for run in await bench.trials() if run.trial and run.fence}

    third = await bench.look(asked_otherwise(2))

    origins = {run.trial.case: run.origin for run in await bench.trials() if run.trial}
    assert (second.reused, third.reused) == (12, SIZE)
    assert {**first, **rest} == origins


async def test_repeats_are_never_shared(bench: Bench) -> None:
    """Two trials of one case are two calls: further ones are made, and each reused as itself."""
    await bench.look(planned())
    second = await bench.look(planned(repeats=3))
    assert (second.calls, second.reused) == (2 * SIZE, SIZE)
    assert set(Counter(bench.calls).values()) == {3}

    third = await bench.look(planned(question="Once more?", repeats=3))

    trials = await bench.trials()
    assert (third.calls, third.reused) == (0, 3 * SIZE)
    assert len({run.origin for run in trials}) == len(trials) == 3 * SIZE
    repeat = {run.origin: run.trial.position % 3 for run in trials if run.trial and run.origin}
    assert Counter(repeat.values()) == {0: SIZE, 1: SIZE, 2: SIZE}


async def test_cases_that_are_alike_share_no_call(bench: Bench) -> None:
    """Two cases with one input are two cases; one earlier answer stands for one of them."""
    await bench.look(planned())
    twins = tuple(replace(case, id=f"twin of {case.id}") for case in CASES)
    both = replace(DATASET, digest="both", cases=(*CASES, *twins))

    second = await bench.look(planned(), both)
    once = [run.origin for run in await bench.trials() if run.origin]
    third = await bench.look(asked_otherwise(), both)

    twice = [run.origin for run in await bench.trials()]
    assert (second.calls, second.reused) == (SIZE, SIZE)
    assert len(set(once)) == SIZE
    assert (third.calls, third.reused) == (0, 2 * SIZE)
    assert len(set(twice)) == 2 * SIZE


async def test_candidates_that_are_alike_share_no_call(bench: Bench) -> None:
    """Whoever compares a workflow with itself wants to see how its answers vary."""
    rival = replace(CODE, name="rival")
    await bench.look(planned())

    second = await bench.look(planned(candidates=(CODE, rival)))

    assert [one.reused for one in second.judgements] == [SIZE, 0]
    assert second.calls == SIZE


async def test_a_failure_stays_one(bench: Bench) -> None:
    """Failed calls made again, and right ones kept, would have any workflow pass in the end."""
    first = await bench.look(planned())
    second = await bench.look(asked_otherwise())

    failed = [run for run in await bench.trials() if run.failure is not None]
    assert first.own.errors == second.own.errors == len(failed) == 5
    assert all(run.failure and run.failure.type == "ValueError" for run in failed)


async def test_answers_past_a_gap_are_not_reused(bench: Bench) -> None:
    """Those that finished first are the quick ones: only a completed prefix is reused."""
    plan = planned(budget=Budget(calls=0))
    await bench.look(plan)
    assert bench.last is not None
    states = {0: RunState.SUCCEEDED, 2: RunState.SUCCEEDED, 3: RunState.SUCCEEDED}
    experiment = replace(bench.last, id=ExperimentId("by hand"), look=9)
    await bench.store.lock(experiment)
    body = encode(Surroundings((HERE,)))
    keep = Keep(kind=Kind.SURROUNDINGS, name="by hand", body=body)
    await bench.store.write(Put(id=UnitId("note"), keeps=(keep,)))
    for position in range(4):
        case = CASES[position]
        trial = Trial(
            experiment=experiment.id, candidate=OWN, position=position, case=case_digest(case)
        )
        run = Run(
            id=RunId(f"r{position}"),
            workflow=plan.workflow,
            value=b"1",
            created=experiment.locked,
            due=None,
            trial=trial,
            state=states.get(position, RunState.QUEUED),
            result=b"1",
            updated=experiment.locked,
        )
        await bench.store.write(Enqueue(id=UnitId(f"u{position}"), run=run))

    found = await answers_to(bench.store, plan, CODE, HERE)

    assert [run.id for runs in found.values() for run in runs] == ["r0"]


async def test_future_traffic_reuses_nothing(bench: Bench) -> None:
    """It is about cases that were never tried; those that were are not among them."""
    await bench.look(planned())
    future = planned(claim=Claim.FUTURE_TRAFFIC)

    assert not await answers_to(bench.store, future, CODE, HERE)
    with pytest.raises(NoFreshCases):
        await bench.look(future)


@pytest.mark.parametrize(
    "entry_",
    [
        Endpoint(url="https://vendor.example", timeout=MINUTE),
        Command(words=("./answer",), timeout=MINUTE),
    ],
)
async def test_what_nobody_can_see_is_reused_only_where_somebody_vouches(
    bench: Bench, entry_: Elsewhere
) -> None:
    """An address may change unseen, and a command import what its lock does not cover."""
    vendor = Candidate(name=OWN, entry=entry_)
    vouched = replace(vendor, reuse=True)
    await bench.look(planned(candidates=(vendor,)))

    second = await bench.look(planned(candidates=(vendor,), question="Again?"))
    third = await bench.look(planned(candidates=(vouched,), question="And now?"))

    assert (second.reused, third.reused) == (0, SIZE)


def test_answers_in_a_file_are_looked_up_each_time() -> None:
    assert not Candidate(name="last-year", entry=AnswersFile(file="a")).is_reusable


async def test_a_budget_that_is_used_up_does_not_stop_what_is_free(bench: Bench) -> None:
    """The budget ends at the first case in order that has to be called."""
    await bench.look(planned())
    more = (*CASES, *(Case(id=f"n{n}", value=n, expected=n) for n in range(100, 104)))
    larger = replace(DATASET, digest="larger", cases=more)

    nothing = await bench.look(planned(budget=Budget(calls=0)), larger)
    two = await bench.look(planned(budget=Budget(calls=2)), larger)

    assert nothing.stopped_by is StoppedBy.BUDGET
    assert nothing.calls == 0
    assert nothing.own.cases == next(at for at, index in enumerate(nothing.order) if index >= SIZE)
    assert two.calls == 2
    assert two.own.cases > nothing.own.cases


async def test_it_keeps_the_time_that_the_call_took(bench: Bench) -> None:
    """Latency speaks of calls that were made, whenever that was."""
    await bench.look(planned())
    first = {run.id: run.elapsed for run in await bench.trials()}
    quick = min(filter(None, first.values()))
    late = Criterion(
        name="late",
        measure=Latency(within=timedelta(seconds=quick / 2)),
        rule=AtLeast(floor=0.1, target=0.2),
    )

    second = await bench.look(planned(late))

    assert second.reused > 0
    assert second.own.standings[0].now.estimate == 0


async def test_it_keeps_what_its_models_cost_and_nobody_pays_again(bench: Bench) -> None:
    """The cost of a case is that of its call; what this look spent is nothing."""
    metered = replace(CODE, is_metered=True)
    cost = Criterion(name="cost", measure=Cost(cap=Usd(1)), rule=AtMost(ceiling=0.9, target=0.001))
    changes: dict[str, Any] = {
        "candidates": (metered,),
        "budget": Budget(cap_per_call=Usd(1)),
    }
    await bench.look(planned(**changes))
    calls = tuple(
        ModelCall(
            id=f"call of {run.id}",
            caller=Caller(run=run.id, fence=1, place=None),
            provider="openai",
            asked="m",
            answered="m",
            status=200,
            tokens=Tokens(read=1, cached=0, written=1),
            cost=Usd("0.25"),
            started=run.created,
            elapsed=0.1,
        )
        for run in await bench.trials()
    )
    await bench.store.write(Charge(id=UnitId("charge"), calls=calls))

    second = await bench.look(planned(cost, **changes))

    assert (second.calls, second.spent) == (0, Usd(0))
    assert second.own.standings[0].now.estimate == pytest.approx(0.25)


def judged(floor: float = 0.5, source: str = "s1") -> Criterion:
    measure = Scored(score="judges:kind", judge=Judge(), source=source)
    return Criterion(name="kind", measure=measure, rule=AtLeast(floor=floor, target=0.875))


async def test_a_judge_is_asked_once_of_an_answer_however_often_it_is_reused(bench: Bench) -> None:
    """Another floor is another question to the evidence, and none to the judge."""
    await bench.look(planned(judged()))
    asked = Counter(bench.opinions)

    second = await bench.look(planned(judged(floor=0.4)))

    assert second.reused == SIZE
    assert set(asked.values()) == {1}
    assert Counter(bench.opinions) == asked


async def test_another_judge_is_asked_again(bench: Bench) -> None:
    """By its source it is another; and so is the question where another answer is right."""
    await bench.look(planned(judged()))
    once = len(bench.opinions)
    await bench.look(planned(judged(source="s2")))
    twice = len(bench.opinions)
    others = tuple(replace(case, expected=float(case.id[1:])) for case in CASES)
    third = await bench.look(planned(judged()), replace(DATASET, digest="e", cases=others))

    assert (twice, len(bench.opinions)) == (2 * once, 3 * once)
    assert third.reused == SIZE


async def test_it_goes_on_where_it_was_with_what_it_reuses(bench: Bench) -> None:
    """Begun again it enters no trial twice, and takes no original a second time."""
    await bench.look(planned())
    more = replace(DATASET, digest="more", cases=(*CASES, Case(id="new", value=999, expected=999)))
    first = await bench.look(planned(budget=Budget(calls=0)), more)

    second = await bench.look(planned(), more)

    origins = [run.origin for run in await bench.trials() if run.origin]
    assert (first.calls, second.calls, second.reused) == (0, 1, SIZE)
    assert len(set(origins)) == SIZE
    assert Counter(bench.calls)[999] == 1


async def test_what_a_plan_would_reuse_is_known_beforehand(bench: Bench) -> None:
    """Nothing is entered, and nothing called, to say so."""
    await bench.look(planned())
    plan = planned(repeats=2)

    found = await foresee_reuse(bench.store, plan, DATASET, foreseen(plan, DATASET), HERE)
    nowhere = await foresee_reuse(bench.store, plan, DATASET, foreseen(plan, DATASET), UNKNOWN)

    assert (found.answers, found.trials, nowhere.answers) == (SIZE, 2 * SIZE, 0)
