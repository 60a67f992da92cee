"""Accounts as an experiment gives them: real tests on answers drawn by a written seed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.case import Case, Dataset
from proveout.domain.criterion import (
    AtLeast,
    AtMost,
    Baseline,
    Cost,
    Criterion,
    Graded,
    Latency,
    Lead,
    Scored,
    Worth,
    scored_of,
)
from proveout.domain.experiment import (
    OWN,
    Budget,
    Candidate,
    Claim,
    ExperimentId,
    Plan,
)
from proveout.domain.money import Usd
from proveout.domain.run import Failure, Run, RunId, RunState, Trial
from proveout.domain.verdict import StoppedBy, Verdict
from proveout.faces.report.render import Extra
from proveout.ports.store import TrialCount
from proveout.prove.account import Account
from proveout.prove.foresee import foresee
from proveout.prove.judge import courses_of
from proveout.prove.layout import Layout
from proveout.prove.lock import canonical, case_digest, digest, draw_order, locked_words
from proveout.prove.observe import Trialled, observe
from proveout.prove.tally import Tally, judgement_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from proveout.domain.verdict import Judgement
    from proveout.prove.score import Scorer

PRICE = Usd("0.0125")
START = datetime(2026, 11, 16, 9, 12, tzinfo=UTC)
LABELS = ("billing", "shipping", "refund", "account")
MAILS = (
    "Hello,\nI was charged twice for order {n}. Please refund one of them.\nAna",
    "Where is parcel {n}? It was due on Tuesday.",
    "Great, the third broken cup in a row. You people are amazing. Order {n}.",
    "Guten Tag, wo bleibt Bestellung {n}? Viele Grüße",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How a candidate answers, as chances.

    Attributes:
        seconds: time of a usual answer; it varies by a half.
    """

    right: float
    unsafe: float = 0.0
    crash: float = 0.0
    grade: float = 4.2
    seconds: float = 5.0


def unsafe(result: Any, case: Case) -> bool:
    """Whether an answer promises what no policy holds."""
    del case
    return bool(result["unsafe"])


def graded(result: Any, case: Case) -> float:
    """Return the grade of an answer, 1 to 5."""
    del case
    return float(result["grade"])


def right_label(result: Any, case: Case) -> bool:
    """Whether the label is the expected one."""
    return result["label"] == case.expected


FUNCTIONS: Mapping[str, Scorer] = {
    "checks:right_label": right_label,
    "checks:unsafe": unsafe,
    "checks:graded": graded,
}

ROUTING = Criterion(
    name="Correct routing",
    measure=Scored(score="checks:right_label"),
    rule=AtLeast(floor=0.85, target=0.90),
)
HALF_RIGHT = replace(ROUTING, rule=AtLeast(floor=0.5, target=0.7))
UNSAFE = Criterion(
    name="Unsafe reply",
    measure=Scored(score="checks:unsafe"),
    rule=AtMost(ceiling=0.05, target=0.015),
)
GRADE = Criterion(
    name="Tone of the reply",
    measure=Scored(score="checks:graded", graded=Graded(low=1, high=5, variance_guess=0.5)),
    rule=AtLeast(floor=3.8, target=4.0),
)
IN_TIME = Criterion(
    name="Answered in time",
    measure=Latency(within=timedelta(seconds=9)),
    rule=AtLeast(floor=0.92, target=0.97),
)
COST = Criterion(
    name="Cost per mail",
    measure=Cost(cap=Usd("0.08")),
    rule=AtMost(ceiling=0.03, target=0.02),
)
LEAD = Criterion(
    name="Beats the vendor",
    measure=Lead(over="vendor-x", scored=Scored(score="checks:right_label"), variance_guess=0.2),
    rule=AtLeast(floor=0.0, target=0.1),
)
WORTH = Criterion(
    name="Net worth per mail",
    measure=Worth(
        value_per_success=Usd("0.40"),
        loss_per_error=Usd(4),
        worst=Usd(-4),
        best=Usd(3),
        baseline=Baseline(minutes=3, person_hour=Usd(36)),
        volume_per_month=6000,
        fixed_cost_per_month=Usd(1200),
    ),
    rule=AtLeast(floor=0.0, target=0.5),
)


def chance(*of: object) -> float:
    """Return a number from 0 to 1 that depends on nothing but its arguments."""
    return int.from_bytes(hashlib.sha256(repr(of).encode()).digest()[:7], "big") / 2**56


def dataset_of(size: int, name: str = "mail-2026-11") -> Dataset:
    """Return that many mails with their labels."""
    cases = tuple(
        Case(
            id=f"mail-{number:04}",
            value=MAILS[number % len(MAILS)].format(n=88_000 + number),
            expected=LABELS[int(chance("label", number) * len(LABELS))],
            tags=("German",) if number % len(MAILS) == 3 else ("English",),
        )
        for number in range(size)
    )
    return Dataset(name=name, digest=digest(canonical([case.id for case in cases])), cases=cases)


def plan_of(*criteria: Criterion, **changes: Any) -> Plan:
    """Return a plan with these criteria and one candidate."""
    usual: dict[str, Any] = {
        "name": "reply-v3",
        "workflow": "support-triage",
        "question": "Can the new prompt sort our support mail without a person looking?",
        "claim": Claim.THESE_CASES,
        "criteria": criteria or (ROUTING,),
        "candidates": (Candidate(name=OWN, entry="app:triage", price_per_call=PRICE),),
        "budget": Budget(calls=1500, money=Usd(20), cap_per_call=Usd("0.02")),
        "time_box": timedelta(days=10),
    }
    return Plan(**{**usual, **changes})


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One experiment from its plan to where it stands.

    Attributes:
        answers: how each candidate answers, by its name.
        most: cases after which something else than a verdict ended it.
        ended_by: what, where it was not a verdict.
    """

    plan: Plan
    dataset: Dataset
    answers: Mapping[str, Answers]
    seed: int = 7
    most: int | None = None
    ended_by: StoppedBy | None = None
    look: int = 1
    price: Usd | None = PRICE


def account_of(story: Story, edit: Callable[[str], str] = str) -> Account:
    """Return the account of an experiment: every case read by the real tests, in order.

    Args:
        story: what was planned, and how its candidates answer.
        edit: what becomes of the text that a model answers with.
    """
    plan, dataset = story.plan, story.dataset
    order = tuple(draw_order(story.seed, range(len(dataset.cases))))
    layout = Layout(order=order)
    tallies = [Tally(one, courses_of(plan, layout, one.name), layout) for one in plan.candidates]
    calls = 0
    judgements: list[Judgement] = []
    for tally in tallies:
        repeated = _try(story, tally, order, edit)
        count = TrialCount(calls=tally.read + repeated, repeated=repeated, trials=tally.read)
        calls += count.calls
        judgements.append(judgement_of(tally, count, whole=True))
    return Account(
        plan=plan,
        dataset=dataset.name,
        dataset_digest=dataset.digest,
        look=story.look,
        lock=digest(canonical(locked_words(plan, dataset))),
        order_seed=story.seed,
        order=order,
        locked=START,
        at=START + timedelta(days=3, hours=3, minutes=52),
        spent=None if story.price is None else story.price * calls,
        stopped_by=story.ended_by,
        judgements=tuple(judgements),
    )


def _try(story: Story, tally: Tally, order: tuple[int, ...], edit: Callable[[str], str]) -> int:
    """Read cases until the verdict falls or something else ends it; return the repeats."""
    repeated = 0
    scorers = {
        one.name: FUNCTIONS[scored.score]
        for one in story.plan.criteria
        if (scored := scored_of(one.measure)) is not None
    }
    criteria = story.plan.criteria_of(tally.candidate.name)
    last = len(order) if story.most is None else min(len(order), story.most)
    while tally.verdict is Verdict.UNDECIDED and tally.read < last:
        trialled = _trial(story, tally.candidate.name, tally.read, order, edit)
        repeated += trialled.run.fence - 1
        beside = {name: _trial(story, name, tally.read, order, edit) for name in tally.leads}
        tally.add(trialled, tally.read, observe(criteria, trialled, scorers, beside=beside))
    return repeated


def _trial(
    story: Story, name: str, position: int, order: tuple[int, ...], edit: Callable[[str], str]
) -> Trialled:
    case = story.dataset.cases[order[position]]
    how = story.answers[name]

    def luck(what: str) -> float:
        return chance(story.seed, name, position, what)

    wrong = LABELS[(LABELS.index(str(case.expected)) + 1) % len(LABELS)]
    label = str(case.expected) if luck("right") < how.right else edit(wrong)
    grade = 1 + 4 * min(1.0, max(0.0, (how.grade - 1) / 4 + 0.5 * (luck("grade") - 0.5)))
    result = {"label": label, "unsafe": luck("unsafe") < how.unsafe, "grade": round(grade, 2)}
    run = Run(
        id=RunId(f"run-{name}-{position}"),
        workflow=story.plan.workflow,
        value=json.dumps(case.value).encode(),
        created=START,
        due=None,
        state=RunState.SUCCEEDED,
        fence=2 if luck("again") < 0.03 else 1,
        trial=Trial(
            experiment=ExperimentId("e"), candidate=name, position=position, case=case_digest(case)
        ),
        result=json.dumps(result, ensure_ascii=False).encode(errors="replace"),
        elapsed=how.seconds * (0.5 + luck("seconds")),
    )
    if luck("crash") < how.crash:
        failure = Failure(type="TimeoutError", message=edit("the model did not answer within 30 s"))
        run = replace(run, state=RunState.FAILED, result=None, failure=failure)
    return Trialled(run=run, case=case, price=story.price)


def extra_of(account: Account, **changes: Any) -> Extra:
    """Return what the report says beyond the account."""
    usual: dict[str, Any] = {
        "workflow": account.plan.workflow,
        "owner": "the founder",
        "forecast": foresee(account.plan, Layout(order=account.order)),
        "version": "0.1.0",
        "verify": f"proveout verdict {account.plan.name} --json",
        "repeat": f"proveout prove {account.plan.name} --again",
    }
    return Extra(**{**usual, **changes})


RIVALS = (
    Candidate(name=OWN, entry="app:triage", price_per_call=PRICE),
    Candidate(name="vendor-x", entry="vendor:triage"),
)

STORIES: Mapping[str, Story] = {
    "go": Story(
        plan=plan_of(),
        dataset=dataset_of(500),
        answers={OWN: Answers(right=0.93, crash=0.004)},
        ended_by=StoppedBy.VERDICT,
    ),
    "go on six criteria": Story(
        plan=plan_of(ROUTING, UNSAFE, GRADE, IN_TIME, COST, WORTH),
        dataset=dataset_of(900),
        answers={OWN: Answers(right=0.95, unsafe=0.004, crash=0.004, seconds=4)},
        ended_by=StoppedBy.VERDICT,
    ),
    "no-go beside a rival": Story(
        plan=plan_of(ROUTING, UNSAFE, claim=Claim.FUTURE_TRAFFIC, candidates=RIVALS),
        dataset=dataset_of(900),
        answers={
            OWN: Answers(right=0.84, unsafe=0.01, crash=0.01),
            "vendor-x": Answers(right=0.96),
        },
        ended_by=StoppedBy.VERDICT,
        look=2,
    ),
    "go with a lead": Story(
        plan=plan_of(ROUTING, LEAD, candidates=RIVALS),
        dataset=dataset_of(900),
        answers={OWN: Answers(right=0.95, crash=0.01), "vendor-x": Answers(right=0.82)},
        ended_by=StoppedBy.VERDICT,
    ),
    "no-go behind a rival": Story(
        plan=plan_of(ROUTING, LEAD, claim=Claim.FUTURE_TRAFFIC, candidates=RIVALS),
        dataset=dataset_of(900),
        answers={OWN: Answers(right=0.92), "vendor-x": Answers(right=0.97)},
        ended_by=StoppedBy.VERDICT,
    ),
    "undecided, out of budget": Story(
        plan=plan_of(ROUTING, GRADE, claim=Claim.FUTURE_TRAFFIC, budget=Budget(calls=112)),
        dataset=dataset_of(600),
        answers={OWN: Answers(right=0.90)},
        most=110,
        ended_by=StoppedBy.BUDGET,
        price=None,
    ),
    "undecided, out of time": Story(
        plan=plan_of(WORTH, HALF_RIGHT, claim=Claim.FUTURE_TRAFFIC),
        dataset=dataset_of(300),
        answers={OWN: Answers(right=0.55)},
        most=25,
        ended_by=StoppedBy.TIME_BOX,
    ),
    "undecided, out of cases": Story(
        plan=plan_of(ROUTING, claim=Claim.FUTURE_TRAFFIC),
        dataset=dataset_of(40),
        answers={OWN: Answers(right=0.90)},
        ended_by=StoppedBy.CASES,
    ),
    "not a case yet": Story(
        plan=plan_of(ROUTING, COST, WORTH, GRADE),
        dataset=dataset_of(500),
        answers={OWN: Answers(right=0.93)},
        most=0,
    ),
    "one case": Story(
        plan=plan_of(ROUTING, COST, WORTH, GRADE),
        dataset=dataset_of(500),
        answers={OWN: Answers(right=0.93)},
        most=1,
    ),
    "every case, certain": Story(
        plan=plan_of(),
        dataset=dataset_of(20),
        answers={OWN: Answers(right=0.9)},
        ended_by=StoppedBy.VERDICT,
    ),
}
"""An experiment for each way in which one stands, by what is special about it."""
