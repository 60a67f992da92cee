"""What an experiment is expected to take, before its first call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.prove.judge import bounds_of, make_test
from proveout.statistics.planning import plan as foresee_cases

if TYPE_CHECKING:
    from proveout.domain.experiment import Plan
    from proveout.domain.money import Usd
    from proveout.prove.layout import Layout
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
        is_bound: whether that is what they cost at most, not what they are expected to cost.
        warnings: in words, what could keep the verdict from falling.
    """

    expected: int
    p90: int
    fixed: int
    least_go: int | None
    money: tuple[Usd, Usd] | None
    warnings: tuple[str, ...]
    is_bound: bool = False


def foresee(plan: Plan, layout: Layout) -> Forecast:
    """Return what to expect of an experiment whose trials are laid out like that.

    The criteria are foreseen one by one, and the slowest counts: together they take
    about as long. An observation takes as many calls as it has trials on average.
    """
    bounds, most = bounds_of(plan, layout), layout.observations
    plans = {c.name: foresee_cases(make_test(c, bounds), cases=most) for c in plan.criteria}
    each = layout.trials / most
    expected = round(each * max(one.expected for one in plans.values()))
    p90 = round(each * max(one.p90 or most for one in plans.values()))
    fixed = round(each * min(most, max(one.fixed for one in plans.values())))
    least = [one.least_go and round(each * one.least_go) for one in plans.values()]
    price = plan.candidates[0].price_per_call or plan.budget.cap_per_call
    return Forecast(
        expected=expected,
        p90=p90,
        fixed=fixed,
        least_go=None if None in least else max(one for one in least if one is not None),
        money=None if price is None else (price * expected, price * p90),
        warnings=tuple(_warnings(plan, plans, layout, fixed)),
        is_bound=plan.candidates[0].is_metered,
    )


def _warnings(plan: Plan, plans: dict[str, CasePlan], layout: Layout, fixed: int) -> list[str]:
    things = f"{layout.observations} {'sources' if layout.sources else 'cases'}"
    found = [
        f"{name}: {things} can never show GO; it takes at least {one.least_go or 'more'}"
        for name, one in plans.items()
        if not one.can_go
    ]
    calls = plan.budget.calls
    share = None if calls is None else calls // len(plan.candidates)
    enough = round(min(layout.trials, COMFORT * fixed))
    if share is not None and share < enough:
        found.append(f"the budget allows {share} calls a candidate; {enough} are sure to be enough")
    return found
