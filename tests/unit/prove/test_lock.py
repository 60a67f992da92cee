"""What a lock covers, and that older locks stay what they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doubles.account import ROUTING, plan_of
from proveout.domain.case import Case, Dataset
from proveout.domain.criterion import Judge, Options, Scored
from proveout.domain.experiment import Estimand
from proveout.prove.lock import canonical, digest, locked_words

if TYPE_CHECKING:
    from proveout.domain.experiment import Plan

CASES = Dataset(name="cases", digest="d", cases=(Case(id="1", value=1, expected=1),))
PLAN = plan_of(ROUTING)


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
