"""What a lock covers, and that older locks stay what they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.account import LEAD, ROUTING, plan_of
from proveout.domain.case import Case, Dataset
from proveout.domain.criterion import Judge, Lead, Options, Scored
from proveout.domain.experiment import AnswersFile, Command, Elsewhere, Endpoint, Estimand
from proveout.prove.lock import canonical, digest, locked_words

if TYPE_CHECKING:
    from proveout.domain.experiment import Plan

CASES = Dataset(name="cases", digest="d", cases=(Case(id="1", value=1, expected=1),))
PLAN = plan_of(ROUTING)
MINUTE = timedelta(minutes=1)


def lock(plan: Plan) -> str:
    return digest(canonical(locked_words(plan, CASES)))


def test_what_came_later_is_not_named_where_nobody_uses_it() -> None:
    """An experiment that was locked before there were repeats or options goes on as it was."""
    words = locked_words(PLAN, CASES)

    assert {"repeats", "estimand"} & words.keys() == set()
    assert {"options", "judge"} & words["criteria"][0]["measure"].keys() == set()


@pytest.mark.parametrize("changes", [{"repeats": 3}, {"estimand": Estimand.PER_SOURCE}])
def test_where_it_is_used_it_is_locked(changes: dict[str, Any]) -> None:
    assert lock(replace(PLAN, **changes)) != lock(PLAN)


def test_a_judge_and_its_labels_are_locked() -> None:
    """Who is trusted, and how far he is checked, is part of what was asked."""
    judges = (None, Judge(), Judge(labels=0.25), Judge(labels=0.5))
    measures = [Scored(score="checks:right_label", judge=judge) for judge in judges]

    locks = [lock(replace(PLAN, criteria=(replace(ROUTING, measure=one),))) for one in measures]

    assert locks[0] == lock(PLAN)
    assert len(set(locks)) == 4


def test_the_source_of_a_score_is_locked_where_there_is_one() -> None:
    """So is that of a lead's; a lock without any is what it was."""
    sources = ("", "a" * 64, "b" * 64)
    measures = [Scored(score="checks:right_label", source=one) for one in sources]
    leads = [Lead(over="vendor-x", scored=one) for one in measures]

    for found in (measures, leads):
        plans = [replace(PLAN, criteria=(replace(ROUTING, measure=one),)) for one in found]
        assert len({lock(one) for one in plans}) == 3
    assert "source" not in locked_words(PLAN, CASES)["criteria"][0]["measure"]


def test_whether_answers_are_reused_moves_no_lock() -> None:
    """It is as with the budget: what was asked is the same, and each trial names its origin."""
    [own] = PLAN.candidates

    assert lock(replace(PLAN, candidates=(replace(own, reuse=True),))) == lock(PLAN)


def test_a_lead_is_locked_and_nobody_else_is_touched_by_it() -> None:
    """Over whom, by which score; criteria without one are the words they were."""
    led = replace(PLAN, criteria=(ROUTING, LEAD))
    words = locked_words(led, CASES)["criteria"]

    assert words[:1] == locked_words(PLAN, CASES)["criteria"]
    assert words[1]["measure"]["type"] == "Lead"
    assert words[1]["measure"]["over"] == "vendor-x"
    assert words[1]["measure"]["scored"] == words[0]["measure"]


def test_options_of_a_score_are_locked() -> None:
    """Another tolerance is another experiment."""
    locks = {
        lock(
            replace(
                PLAN,
                criteria=(replace(ROUTING, measure=Scored(score="number", options=options)),),
            )
        )
        for options in (Options(), Options(tolerance=1), Options(tolerance=1, is_relative=True))
    }

    assert len(locks) == 3


def test_a_function_is_locked_as_it_was_before_others_could_answer() -> None:
    words = locked_words(PLAN, CASES)

    assert words["candidates"] == [
        {
            "type": "Candidate",
            "name": "workflow",
            "entry": "app:triage",
            "price_per_call": "0.0125 USD",
            "code": "",
        }
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            Endpoint(url="https://a.example", timeout=MINUTE),
            Endpoint(url="https://b.example", timeout=MINUTE),
        ),
        (Command(words=("a",), timeout=MINUTE), Command(words=("a", "b"), timeout=MINUTE)),
        (Command(words=("a",), timeout=MINUTE), Command(words=("a",), timeout=2 * MINUTE)),
        (AnswersFile(file="a"), AnswersFile(file="b")),
    ],
)
def test_what_answers_elsewhere_is_locked(one: Elsewhere, other: Elsewhere) -> None:
    """Another address, another argument or another time to answer is another experiment."""
    [own] = PLAN.candidates
    plans = [replace(PLAN, candidates=(replace(own, entry=entry),)) for entry in (one, other)]

    assert lock(plans[0]) != lock(plans[1])


def test_other_answers_under_the_same_name_are_locked() -> None:
    """Their digest stands where a function's code does."""
    [own] = PLAN.candidates
    file = replace(own, entry=AnswersFile(file="a"), code="1")

    assert lock(replace(PLAN, candidates=(file,))) != lock(
        replace(PLAN, candidates=(replace(file, code="2"),))
    )
