"""What an experiment is expected to take, before its first call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.prove.judge import bounds_of, make_test
from proveout.statistics.planning import plan as foresee_cases

if TYPE_CHECKING:
    from proveout.domain.experiment import Plan
    from proveout.domain.money import Usd
    from proveout.statistics.planning import Plan as CasePlan

COMFORT = 1.3
"""A budget under this many times the fixed-sample size may end undecided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Calls and money that one candidate is expected to take, if it is at its targets.

    Attributes:
        expected: mean calls until the slowest criterion is settled.
        p90: calls that suffice in nine of ten experiments.
        fixed: calls of the fixed-sample test that a careful team would run instead.
        money: price of `expected` and of `p90` calls; None where no price is declared.
        warnings: in words, what could keep the verdict from falling.
    """

    expected: int
    p90: int
    fixed: int
    least_go: int | None
    money: tuple[Usd, Usd] | None
    warnings: tuple[str, ...]


def foresee(plan: Plan, cases: int) -> Forecast:
    """Return what to expect of an experiment on `cases` cases.

    The criteria are foreseen one by one, and the slowest counts: together they take
    about as long.
    """
    bounds = bounds_of(plan, cases)
    plans = {c.name: foresee_cases(make_test(c, bounds), cases=cases) for c in plan.criteria}
    expected = round(max(one.expected for one in plans.values()))
    p90 = max(one.p90 or cases for one in plans.values())
    fixed = min(cases, max(one.fixed for one in plans.values()))
    least = [one.least_go for one in plans.values()]
    price = plan.candidates[0].price_per_call or plan.budget.cap_per_call
    return Forecast(
        expected=expected,
        p90=p90,
        fixed=fixed,
        least_go=None if None in least else max(one for one in least if one is not None),
        money=None if price is None else (price * expected, price * p90),
        warnings=tuple(_warnings(plan, plans, cases, fixed)),
    )


def _warnings(plan: Plan, plans: dict[str, CasePlan], cases: int, fixed: int) -> list[str]:
    found = [
        f"{name}: {cases} cases can never show GO; it takes at least {one.least_go or 'more'}"
        for name, one in plans.items()
        if not one.can_go
    ]
    calls = plan.budget.calls
    share = None if calls is None else calls // len(plan.candidates)
    if share is not None and share < min(cases, COMFORT * fixed):
        found.append(
            f"the budget allows {share} calls a candidate;"
            f" {round(min(cases, COMFORT * fixed))} are sure to be enough"
        )
    return found
