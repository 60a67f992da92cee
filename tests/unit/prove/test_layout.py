"""Which trials make one observation, and what it counts for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from proveout.domain.case import Case
from proveout.domain.experiment import Budget, Claim, Estimand, Plan
from proveout.prove.layout import Layout, grouped, laid_out
from proveout.prove.lock import draw_order

PLAN = Plan(
    name="p",
    workflow="p",
    question="",
    claim=Claim.FUTURE_TRAFFIC,
    criteria=(),
    candidates=(),
    budget=Budget(),
    time_box=timedelta(days=1),
)
CASES = [
    Case(id=str(number), value=number, expected=None, cluster=source)
    for number, source in enumerate(["ann", "", "bo", "ann", "", "ann"])
]
PER_REQUEST = Estimand.PER_REQUEST


def test_future_traffic_is_drawn_by_sources() -> None:
    """Cases of one source stay together; a case without a source stands alone."""
    assert grouped(CASES, [0, 1, 2, 3, 4, 5], PLAN) == [[0, 3, 5], [1], [2], [4]]
    assert grouped(CASES, [5, 4, 0], PLAN) == [[5, 0], [4]]


def test_these_cases_are_drawn_one_by_one_whatever_their_sources() -> None:
    these = replace(PLAN, claim=Claim.THESE_CASES)

    assert grouped(CASES, range(6), these) == [[0], [1], [2], [3], [4], [5]]


def test_a_large_source_is_no_more_likely_to_come_first() -> None:
    """Groups are drawn, not cases: else the mean over sources would lean to the large ones."""
    groups = [[*range(50)], *([number] for number in range(50, 59))]

    first = [
        laid_out(seed, groups, repeats=1, estimand=PER_REQUEST).order[0] for seed in range(400)
    ]

    assert sum(index < 50 for index in first) / 400 == pytest.approx(0.1, abs=0.045)


def test_cases_that_stand_alone_are_drawn_as_they_always_were() -> None:
    """An experiment that was begun before there were groups goes on in its own order."""
    layout = laid_out(11, [[3], [5], [8], [9]], repeats=1, estimand=PER_REQUEST)

    assert list(layout.order) == draw_order(11, [3, 5, 8, 9])


def test_the_repeats_of_a_case_follow_each_other() -> None:
    layout = Layout(order=(4, 2, 7), repeats=3)

    assert [layout.case_at(position) for position in range(layout.trials)] == [4] * 3 + [2] * 3 + [
        7
    ] * 3
    assert (layout.observations, layout.is_averaged) == (3, True)


@pytest.mark.parametrize(
    ("estimand", "weights"),
    [(Estimand.PER_REQUEST, [0.5, 1.0, 0.25]), (Estimand.PER_SOURCE, [1.0, 1.0, 1.0])],
)
def test_a_source_counts_by_its_requests_or_as_one(
    estimand: Estimand, weights: list[float]
) -> None:
    layout = Layout(order=tuple(range(7)), sources=(2, 4, 1), repeats=2, estimand=estimand)

    assert [layout.weight_of(one) for one in range(3)] == weights
    assert [layout.cases_of(one) for one in range(3)] == [2, 4, 1]
    assert (layout.trials, layout.observations) == (14, 3)


def test_cases_that_all_stand_alone_are_no_sources() -> None:
    layout = laid_out(3, [[0], [1], [2]], repeats=1, estimand=PER_REQUEST)

    assert sorted(layout.order) == [0, 1, 2]
    assert (layout.sources, layout.is_averaged, layout.observations) == ((), False, 3)
    assert layout.weight_of(1) == 1.0
