"""What is promised about a lead over another candidate, by the tally that the runner reads with.

Both candidates try the same cases; some cases are hard for both, and the workflow gives no
answer where it would have been wrong. Its true lead is exactly the floor.
"""
# ruff: noqa: S311, TID251 - simulated experiments, each from a written seed

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rivals import StudentPeeker

from doubles.account import HALF_RIGHT, LEAD, RIVALS, plan_of
from proveout.domain.case import Case
from proveout.domain.criterion import AtLeast
from proveout.domain.experiment import OWN, Claim
from proveout.domain.run import Run, RunId, RunState
from proveout.prove.judge import courses_of
from proveout.prove.layout import Layout
from proveout.prove.observe import Trialled, observe
from proveout.prove.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proveout.domain.experiment import Plan
    from proveout.prove.judge import Course

pytestmark = pytest.mark.calibration

ALPHA = 0.05
EXPERIMENTS = 500
TOLERATED = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS)
SIZE = 400

PLAN = plan_of(HALF_RIGHT, LEAD, candidates=RIVALS)


def is_right(result: object, case: Case) -> bool:
    """Whether an answer is the expected one."""
    return result == case.expected


SCORERS = {one.name: is_right for one in PLAN.criteria}
CASE = Case(id="1", value=1, expected=True)


@dataclass(frozen=True)
class Pair:
    """What both candidates said of one case; None is no answer."""

    own: bool | None
    other: bool


def trialled(result: bool | None) -> Trialled:
    run = Run(
        id=RunId("r"),
        workflow="w",
        value=b"1",
        created=datetime(2026, 11, 16, tzinfo=UTC),
        due=None,
        state=RunState.FAILED if result is None else RunState.SUCCEEDED,
        result=None if result is None else json.dumps(result).encode(),
    )
    return Trialled(run=run, case=CASE, price=None)


TRIALLED = {result: trialled(result) for result in (True, False, None)}


def deck(dice: random.Random, size: int) -> list[Pair]:
    """Return cases of which each candidate alone is right in a tenth: nobody leads."""
    alone = size // 10
    pairs = [Pair(own=True, other=False)] * alone + [Pair(own=None, other=True)] * alone
    pairs += [Pair(own=None, other=False)] * alone
    pairs += [Pair(own=True, other=True)] * (size - len(pairs))
    return dice.sample(pairs, size)


def read(plan: Plan, pairs: Sequence[Pair]) -> Course:
    """Return the course of the lead where a reader stops who looks after every case."""
    layout = Layout(order=tuple(range(len(pairs))))
    tally = Tally(plan.candidates[0], courses_of(plan, layout, OWN), layout)
    for position, pair in enumerate(pairs):
        if not tally.leads:
            break
        beside = {"vendor-x": TRIALLED[pair.other]}
        own = TRIALLED[pair.own]
        tally.add(own, position, observe(plan.criteria, own, SCORERS, beside=beside))
    assert tally.courses[0].test.decision != "no-go"
    return tally.courses[1]


def drawn(dice: random.Random, count: int) -> list[Pair]:
    """Return requests that never end, each like a case of the deck."""
    return dice.choices(deck(dice, 100), k=count)


def test_a_lead_at_its_floor_over_these_cases_gets_a_wrong_go_at_most_alpha() -> None:
    """Drawn without replacement from cases on which nobody leads, and looked at every time."""
    dice = random.Random(2041)

    ends = [read(PLAN, deck(dice, SIZE)) for _ in range(EXPERIMENTS)]

    decisions = [end.test.decision for end in ends]
    assert decisions.count("go") / EXPERIMENTS <= TOLERATED
    assert decisions.count("no-go") > EXPERIMENTS / 2


def test_a_lead_at_its_floor_in_future_traffic_gets_a_wrong_go_at_most_alpha() -> None:
    """And readers of the same pairs who peek, or leave out what was not answered, do not."""
    dice = random.Random(2042)
    plan = plan_of(HALF_RIGHT, LEAD, candidates=RIVALS, claim=Claim.FUTURE_TRAFFIC)
    wrong = peeking = leaving_out = 0

    for _ in range(EXPERIMENTS):
        pairs = drawn(dice, SIZE)
        wrong += read(plan, pairs).test.decision == "go"
        peeking += peeks(pairs)
        answered = [pair for pair in pairs if pair.own is not None]
        leaving_out += read(plan, answered).test.decision == "go"

    assert wrong / EXPERIMENTS <= TOLERATED
    assert peeking / EXPERIMENTS > 4 * ALPHA
    assert leaving_out / EXPERIMENTS > 4 * ALPHA


def test_a_lead_at_its_target_gets_a_wrong_no_go_at_most_its_share_of_beta() -> None:
    """Two criteria share it; the workflow leads by a tenth, which is the target."""
    dice = random.Random(2043)
    assert LEAD.rule == AtLeast(floor=0.0, target=0.1)
    leading = [Pair(own=True, other=False)] * 60 + [Pair(own=None, other=True)] * 20
    leading += [Pair(own=True, other=True)] * 320

    ends = [read(PLAN, dice.sample(leading, len(leading))) for _ in range(EXPERIMENTS)]

    share = PLAN.errors.wrong_no_go / 2
    tolerated = share + 3 * math.sqrt(share * (1 - share) / EXPERIMENTS)
    assert sum(end.test.decision == "no-go" for end in ends) / EXPERIMENTS <= tolerated


def peeks(pairs: Iterable[Pair]) -> bool:
    """Whether a reader of a t interval, after every pair, ever says that the workflow leads."""
    reader = StudentPeeker(0.0)
    for pair in pairs:
        reader = reader.observe(bool(pair.own) - pair.other)
        if reader.decision is not None:
            break
    return reader.decision == "go"
