"""Prices of cases: declared, or what the models of a case cost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from doubles.models import called
from proveout.domain.experiment import Budget, Candidate, Claim, Plan
from proveout.domain.journal import Place
from proveout.domain.model_call import Usage
from proveout.domain.money import Usd
from proveout.ports.store import TrialCount
from proveout.prove.price import price_of, spent
from proveout.prove.purse import Purse

CAP = Usd("0.02")
METERED = Candidate(name="workflow", entry="a:b", is_metered=True)
DECLARED = Candidate(name="workflow", entry="a:b", price_per_call=Usd("0.004"))
DRAFT, CHECK = Place("", "draft", 0), Place("", "check", 0)


def test_a_metered_case_costs_what_its_models_cost() -> None:
    """Each call counts, whichever step made it."""
    calls = [called("1", cost="0.001", place=DRAFT), called("2", cost="0.0002", place=CHECK)]

    assert price_of(METERED, CAP, calls) == Usd("0.0012")
    assert price_of(METERED, CAP, []) == Usd(0)


def test_a_declared_price_is_the_price() -> None:
    """What was declared holds, whatever the models of a case cost."""
    assert price_of(DECLARED, CAP, [called(cost="0.011")]) == Usd("0.004")


def test_a_call_that_our_crash_repeated_makes_no_case_dearer() -> None:
    """A lost step's calls are not behind its result; those of a step that had ended are."""
    calls = [
        called("1", cost="0.001", place=DRAFT, fence=1),  # ended, and is not called again
        called("2", cost="0.005", place=CHECK, fence=1),  # lost with its process
        called("3", cost="0.002", place=CHECK, fence=2),
        called("4", cost="0.002", place=CHECK, fence=2),  # its second try
    ]

    assert price_of(METERED, CAP, calls) == Usd("0.005")


def test_a_call_of_unknown_cost_counts_as_the_cap() -> None:
    """What was reserved is what is taken for spent; without a cap nobody can say."""
    calls = [called("1", cost="0.001"), called("2", cost=None)]
    used = [trials(3, Usage(calls=9, cost=Usd("0.001"), unpriced=7), unpriced=2)]

    assert price_of(METERED, CAP, calls) == CAP
    assert price_of(METERED, None, calls) is None
    assert spent(metered(Budget(cap_per_call=CAP)), used) == Usd("0.041")
    assert spent(metered(Budget(calls=9)), used) is None


@pytest.mark.parametrize(
    ("paid", "ended", "begun", "left"),
    [
        ("0", 0, 0, 50),  # every call reserved at 2 cents
        ("0", 0, 8, 42),
        ("0.008", 8, 8, 49),  # eight have ended, and cost a mill each
        ("0.008", 8, 16, 41),
        ("0.99", 100, 100, 0),  # one cent is left, and a call may cost two
        ("1.10", 100, 100, 0),
    ],
)
def test_a_budget_reserves_the_cap_until_a_cost_is_known(
    paid: str, ended: int, begun: int, left: int
) -> None:
    """A dollar lasts for many more calls than fifty, if they cost less than their cap."""
    purse = Purse(metered(Budget(money=Usd(1), cap_per_call=CAP)))
    purse.pay([trials(ended, Usage(calls=ended, cost=Usd(paid)))], ended)

    assert purse.left(begun) == left


def test_what_a_lost_attempt_spent_last_stays_reserved() -> None:
    """Nobody saw the end of its calls."""
    purse = Purse(metered(Budget(money=Usd(1), cap_per_call=CAP)))
    purse.pay([trials(12, Usage(calls=10, cost=Usd("0.01")), repeated=2)], 12)

    assert purse.left(12) == 47


def test_a_budget_without_money_sets_no_limit() -> None:
    """Nor does one whose calls are free."""
    assert Purse(metered(Budget(calls=10))).left(3) is None
    assert Purse(metered(Budget(money=Usd(1), cap_per_call=Usd(0)))).left(3) is None


def metered(budget: Budget) -> Plan:
    """Return a plan whose one candidate costs what its models cost."""
    return Plan(
        name="e",
        workflow="w",
        question="",
        claim=Claim.THESE_CASES,
        criteria=(),
        candidates=(METERED,),
        budget=budget,
        time_box=timedelta(days=1),
    )


def trials(calls: int, usage: Usage, repeated: int = 0, unpriced: int = 0) -> TrialCount:
    """Return what a candidate has used."""
    return TrialCount(
        calls=calls,
        repeated=repeated,
        trials=calls - repeated,
        usage=usage,
        unpriced=unpriced,
    )
