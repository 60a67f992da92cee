"""Build, buy or neither yet: what speaks for and against each side decides, in this order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proveout.domain.verdict import Verdict
from proveout.ready.decision import Ahead, Met, Month, Need, Outcome, Side, beyond, decide

ALL_MET = tuple(Met(need=one, is_met=True, evidence="seen") for one in Need)
OWN = Side(
    name="workflow", is_own=True, verdict=Verdict.GO, cases=40, permissions=(), needs=ALL_MET
)
VENDOR = replace(OWN, name="vendor", is_own=False)
EVEN = Ahead(rival="vendor", said="even", low=-0.1, high=0.1)
VENDOR_LEADS = replace(EVEN, low=0.01)
OWN_LEADS = replace(EVEN, high=-0.01)


def without(need: Need, *, is_met: bool | None) -> tuple[Met, ...]:
    return tuple(replace(one, is_met=is_met) if one.need is need else one for one in ALL_MET)


def test_the_only_one_that_is_good_enough_is_taken() -> None:
    """A rival whose verdict is no GO is out, whichever of them it is."""
    lost = Verdict.NO_GO

    build = decide([OWN, replace(VENDOR, verdict=lost)], [])
    buy = decide([replace(OWN, verdict=lost), VENDOR], [])

    assert (build.outcome, build.chosen) == (Outcome.BUILD, "workflow")
    assert (buy.outcome, buy.chosen) == (Outcome.BUY, "vendor")
    assert buy.reasons[-1] == "workflow is out: its verdict is NO-GO after 40 cases"


@pytest.mark.parametrize(
    ("against", "why"),
    [
        (replace(VENDOR, verdict=Verdict.UNDECIDED), "its verdict is UNDECIDED after 40 cases"),
        (replace(VENDOR, note="exploratory"), "exploratory"),
        (replace(VENDOR, beyond=("all mail",)), "it asks for access that nobody grants: all mail"),
        (replace(VENDOR, open_to_all=True), "it answers whoever asks, without credentials"),
        (replace(VENDOR, needs=without(Need.EXPORT, is_met=False)), "it has no export"),
    ],
    ids=["undecided", "from a file", "too much access", "open to all", "a need is not met"],
)
def test_one_thing_against_it_is_enough(against: Side, why: str) -> None:
    """What a demo hides keeps a candidate out, however good its answers are."""
    found = decide([replace(OWN, verdict=Verdict.NO_GO), against], [VENDOR_LEADS])

    assert (found.outcome, found.chosen) == (Outcome.NEITHER_YET, "")
    assert f"vendor: {why}" in found.reasons


@pytest.mark.parametrize(
    ("leads", "chosen"),
    [([VENDOR_LEADS], "vendor"), ([OWN_LEADS], "workflow"), ([EVEN], ""), ([], "")],
    ids=["the vendor leads", "the workflow leads", "not told apart", "not compared"],
)
def test_of_two_that_are_good_enough_the_better_one_is_taken(
    leads: list[Ahead], chosen: str
) -> None:
    """The paired interval has to lie on one side of even."""
    assert decide([OWN, VENDOR], leads).chosen == chosen


def test_where_they_are_even_worth_tells_them_apart_and_overlap_does_not() -> None:
    """One is worth more only where its interval lies above the other's."""
    little = Month(estimate=100, low=50, high=150)
    much, more = Month(estimate=300, low=200, high=400), Month(estimate=160, low=120, high=200)

    def chosen(worth: Month) -> str:
        return decide([replace(OWN, worth=little), replace(VENDOR, worth=worth)], [EVEN]).chosen

    assert chosen(much) == "vendor"
    assert chosen(more) == ""


def test_last_of_all_the_one_is_taken_about_which_less_is_open() -> None:
    """Claims that are left to prove are work; they are counted, and keep nobody out."""
    found = decide([replace(OWN, open_claims=("poison",)), VENDOR], [EVEN])

    assert (found.outcome, found.chosen) == (Outcome.BUY, "vendor")


def test_nobody_is_taken_while_a_question_is_unanswered() -> None:
    """The better one is named, and what has to be answered first."""
    unknown = replace(VENDOR, needs=without(Need.DELETION, is_met=None), permissions=None)

    found = decide([OWN, unknown], [VENDOR_LEADS])

    assert found.outcome is Outcome.NEITHER_YET
    assert found.first == "close what is open about vendor"
    assert "vendor: unanswered: deletion" in found.reasons
    assert "vendor: nobody has said which access it asks for" in found.reasons


def test_with_several_rivals_the_workflow_has_to_lead_each() -> None:
    """Leading one of two rivals decides nothing; leading both does."""
    other = replace(VENDOR, name="other")
    leads_other = replace(OWN_LEADS, rival="other")

    assert decide([OWN, VENDOR, other], [OWN_LEADS, leads_other]).chosen == "workflow"
    assert decide([OWN, VENDOR, other], [EVEN, leads_other]).chosen == ""


def test_what_is_asked_for_and_not_granted_is_found_however_it_is_written() -> None:
    """Capitals and spaces tell no two permissions apart."""
    assert beyond(("Read  Mail", "read all mail"), ("read mail",)) == ("read all mail",)
