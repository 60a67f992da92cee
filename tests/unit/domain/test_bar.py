"""The bar as data: what must be proven, for how long, and for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doubles.readiness import DAY, NOW, waiver
from proveout.domain.bar import (
    BAR,
    Acceptance,
    ClaimStatus,
    NoSuchClaim,
    Note,
    Profile,
    Settled,
    Thing,
    Trait,
    Waiver,
    pair,
)
from proveout.domain.record import decode, encode

ALL = frozenset(Trait)
NAMES = (
    "signal",
    "worker-loss",
    "store-restart",
    "duplicates",
    "poison",
    "review",
    "escalation",
    "rollback",
    "halt",
    "access",
    "observability",
    "ownership",
)


def test_the_bar_has_its_claims_in_the_order_of_the_path() -> None:
    """A claim that goes missing here would open the gate."""
    assert tuple(one.name for one in BAR.claims) == NAMES


def test_every_claim_says_what_it_promises_and_how_it_is_shown() -> None:
    """In words, with what it depends on, a time and a command."""
    silent = [
        one.name
        for one in BAR.claims
        if not (one.title and one.drill and one.depends and one.takes and one.mending)
    ]

    assert silent == []
    assert BAR.claim("rollback").command == "proveout drill rollback"


def test_what_goes_before_a_claim_is_a_claim_and_never_itself() -> None:
    """Following what goes before always comes to an end."""
    seen: set[str] = set()
    left = list(BAR.claims)
    while left:
        ready = [one for one in left if seen.issuperset(one.after)]
        assert ready, f"{[one.name for one in left]} wait for each other"
        seen.update(one.name for one in ready)
        left = [one for one in left if one not in ready]

    assert seen == set(NAMES)


def test_only_three_statuses_pass() -> None:
    """Whatever is not known to hold stops at the gate."""
    passing = {one for one in ClaimStatus if one.passes}

    assert passing == {ClaimStatus.PROVEN, ClaimStatus.NOT_NEEDED, ClaimStatus.WAIVED}


@pytest.mark.parametrize(
    ("name", "profile", "traits", "reason"),
    [
        ("duplicates", Profile.MONEY, ALL, ""),
        ("duplicates", Profile.MONEY, frozenset[Trait](), "the workflow has no webhook source"),
        ("review", Profile.CUSTOMER, ALL, ""),
        ("review", Profile.CUSTOMER, {Trait.SOURCES}, "the workflow has no review"),
        ("halt", Profile.INTERNAL, ALL, "the internal profile does not ask for it"),
        ("halt", Profile.CUSTOMER, ALL, ""),
        ("rollback", Profile.INTERNAL, frozenset[Trait](), ""),
    ],
)
def test_what_is_not_needed_says_why(
    name: str, profile: Profile, traits: frozenset[Trait], reason: str
) -> None:
    assert BAR.claim(name).not_needed(profile, frozenset(traits)) == reason


@pytest.mark.parametrize("profile", [Profile.CUSTOMER, Profile.MONEY])
def test_customers_and_money_ask_for_everything(profile: Profile) -> None:
    assert [one.name for one in BAR.claims if one.not_needed(profile, ALL)] == []


def test_internal_use_leaves_out_nothing_that_loses_work() -> None:
    """Colleagues can stop its workers by hand; lost runs they cannot bring back."""
    left_out = {one.name for one in BAR.claims if one.not_needed(Profile.INTERNAL, ALL)}

    assert left_out == {"halt"}


@pytest.mark.parametrize(
    ("name", "profile", "policy", "days", "whose"),
    [
        ("poison", Profile.CUSTOMER, {}, 30, "the bar"),
        ("ownership", Profile.INTERNAL, {}, 90, "the bar"),
        ("ownership", Profile.MONEY, {}, 14, "the money profile"),
        ("poison", Profile.CUSTOMER, {"poison": 5 * DAY}, 5, "the policy of this project"),
        ("poison", Profile.CUSTOMER, {"poison": 300 * DAY}, 30, "the bar"),
        ("poison", Profile.MONEY, {"poison": 20 * DAY}, 14, "the money profile"),
        ("poison", Profile.CUSTOMER, {"halt": 5 * DAY}, 30, "the bar"),
    ],
)
def test_the_shortest_word_on_age_holds(
    name: str, profile: Profile, policy: dict[str, timedelta], days: int, whose: str
) -> None:
    """A project's policy can shorten what the bar gives, and cannot lengthen it."""
    assert BAR.lasts(BAR.claim(name), profile, policy) == (days * DAY, whose)


def test_a_name_that_is_no_claim_is_answered_with_the_nearest() -> None:
    with pytest.raises(NoSuchClaim) as caught:
        BAR.claim("rolback")

    assert caught.value.fix == ("proveout drill rollback",)


def test_a_rollback_depends_on_both_releases() -> None:
    """Another release to go back to is another rollback; the first goes back to itself."""
    assert len({pair("b", "a"), pair("b", None), pair("a", "b"), pair("a", None)}) == 4
    assert pair("b", None) == pair("b", "b")
    assert Thing.PAIR in BAR.claim("rollback").depends


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"claim": "poison"}, False),
        ({"workflow": "other"}, False),
        ({"release": "r"}, True),
        ({"release": "another"}, False),
        ({"until": NOW}, False),
        ({"until": NOW + timedelta(seconds=1)}, True),
        ({"since": NOW + timedelta(seconds=1)}, False),
    ],
)
def test_a_waiver_holds_for_its_claim_until_its_end(change: dict[str, Any], holds: bool) -> None:
    """Another claim, workflow, release or moment is not covered."""
    given = replace(waiver("halt"), **change)

    assert given.holds("halt", "triage", "r", NOW) is holds


def test_a_waiver_names_who_gave_it() -> None:
    assert waiver("halt").names == "ana and ben"
    assert waiver("halt", second="").names == "ana, no second person"


@pytest.mark.parametrize(
    "value",
    [
        waiver("halt"),
        Acceptance(
            assumption="English only", workflow="triage", how=Settled.MEASURED, by="ana", at=NOW
        ),
        Note(claim="halt", workflow="triage", text="works on my machine", by="ana", at=NOW),
    ],
    ids=["waiver", "acceptance", "note"],
)
def test_what_people_decide_is_kept_and_read_alike(value: Waiver | Acceptance | Note) -> None:
    """A store keeps it as bytes, and gives back the same value."""
    assert decode(type(value), encode(value)) == value
    assert encode(value) != encode(replace(value, by="ben"))
