"""Beginning: what is said to have changed since the look before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog import get_logger

from doubles.account import LEAD, RIVALS, ROUTING, plan_of
from proveout.domain.case import Case, Dataset
from proveout.domain.criterion import AtLeast, Criterion, Lead, Scored
from proveout.faces.project import system_bench, throwaway_store
from proveout.prove.begin import begin, changed_now, changed_since

CASES = Dataset(name="cases", digest="d", cases=(Case(id="1", value=1, expected=1),))
HELPFUL = Criterion(
    name="helpful",
    measure=Scored(score="judges:helpful", source="one"),
    rule=AtLeast(floor=0.5, target=0.9),
)
OTHER = replace(HELPFUL, measure=Scored(score="judges:helpful", source="two"))
STRICTER = replace(OTHER, rule=AtLeast(floor=0.6, target=0.9))
LED = replace(LEAD, measure=Lead(over="vendor-x", scored=Scored(score="a:b", source="one")))
LED_OTHERWISE = replace(LEAD, measure=Lead(over="vendor-x", scored=Scored(score="a:b", source="")))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ((ROUTING,), (ROUTING,), ()),
        ((HELPFUL,), (OTHER,), ("the source of a score",)),
        ((ROUTING, HELPFUL), (ROUTING, STRICTER), ("the criteria", "the source of a score")),
        ((HELPFUL,), (replace(HELPFUL, rule=STRICTER.rule),), ("the criteria",)),
        ((ROUTING,), (ROUTING, HELPFUL), ("the criteria",)),
        ((ROUTING, LED), (ROUTING, LED_OTHERWISE), ("the source of a score",)),
    ],
)
async def test_a_score_that_was_edited_is_named_as_what_changed(
    before: tuple[Criterion, ...], after: tuple[Criterion, ...], said: tuple[str, ...]
) -> None:
    """Not as another criterion, unless it is that too; before the next look and with it."""
    plans = [plan_of(*criteria, candidates=RIVALS) for criteria in (before, after)]
    async with throwaway_store() as store:
        bench = system_bench(store, get_logger())
        unknown = await changed_now(store, plans[0], CASES)
        await begin(bench, plans[0], CASES, again=False)
        now = await changed_now(store, plans[1], CASES)
        second, _ = await begin(bench, plans[1], CASES, again=True)
        since = await changed_since(store, second)

    assert unknown is None
    assert now == since == said
