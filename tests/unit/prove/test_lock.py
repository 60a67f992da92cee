"""What a lock covers, and that older locks stay what they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doubles.account import LEAD, ROUTING, plan_of
from proveout.domain.case import Case, Dataset
from proveout.domain.criterion import Options, Scored
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
    assert "options" not in words["criteria"][0]["measure"]


@pytest.mark.parametrize("changes", [{"repeats": 3}, {"estimand": Estimand.PER_SOURCE}])
def test_where_it_is_used_it_is_locked(changes: dict[str, Any]) -> None:
    assert lock(replace(PLAN, **changes)) != lock(PLAN)


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
