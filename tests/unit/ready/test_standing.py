"""Where a claim stands: on the newest sound evidence about exactly this, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doubles.readiness import (
    DAY,
    DEPENDS,
    NOW,
    SUBJECT,
    all_proven,
    at,
    evidence,
    file,
    one_standing,
    waiver,
)
from proveout.domain.bar import BAR, ClaimStatus, Note, Profile, Thing, Trait
from proveout.domain.evidence import ControlResult, DrillResult
from proveout.domain.release import ReleaseDigest
from proveout.ready.standing import Dossier, cheapest_first, claim_words, stand

NAMES = [one.name for one in BAR.claims]
OTHER = {"release": ReleaseDigest("a" * 64), "code": "code-1"}


def changed_subject(**changes: Any) -> dict[str, Any]:
    return {"subject": replace(SUBJECT, **changes)}


@pytest.mark.parametrize("name", NAMES)
def test_a_passed_drill_with_its_control_proves_a_claim(name: str) -> None:
    """The control of every test below: nothing is wrong with this evidence."""
    standing = one_standing(name, evidence(name))

    assert (standing.status, standing.refused) == (ClaimStatus.PROVEN, ())
    assert standing.evidence == f"{1:064x}"
    assert standing.summary == "off: 14 lost; on: 0"
    assert standing.until == NOW - DAY + BAR.claim(name).lasts


@pytest.mark.parametrize("name", NAMES)
def test_what_was_never_drilled_is_missing(name: str) -> None:
    """Evidence for every other claim is none for this one."""
    standing = next(one for one in all_proven(but=[name]) if one.claim.name == name)

    assert (standing.status, standing.why) == (ClaimStatus.MISSING, "never drilled")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "aborted": ({"result": DrillResult.ABORTED}, "the drill was aborted before it showed anything"),
    "control": (
        {"control": ControlResult.DID_NOT_FAIL},
        "its control did not fail: a drill that cannot fail proves nothing",
    ),
    "future": (
        {"started": NOW, "ended": NOW + timedelta(hours=1)},
        "it is dated 2026-11-22, in the future",
    ),
    "backwards": ({"started": NOW}, "it ended before it began"),
    "zone": ({"ended": (NOW - DAY).replace(tzinfo=None)}, "its times name no zone"),
    "newer bar": ({"bar": 2}, "it was drilled for the bar of version 2, and this is 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_evidence_that_shows_nothing_is_not_counted(name: str) -> None:
    """It proves nothing, and the reason is said."""
    changes, why = REFUSED[name]

    standing = one_standing("halt", evidence("halt", **changes))

    assert (standing.status, standing.why) == (ClaimStatus.MISSING, why)
    assert standing.refused == (f"{1:064x}"[:12] + f": {why}",)
    assert standing.evidence is None


@pytest.mark.parametrize("name", REFUSED)
def test_evidence_that_is_not_counted_hides_no_older_one(name: str) -> None:
    """A drill that never ran neither proves nor disproves; it is still named."""
    changes, why = REFUSED[name]
    older = evidence("halt", started=NOW - 3 * DAY, ended=NOW - 2 * DAY)

    standing = one_standing("halt", older, evidence("halt", **changes))

    assert (standing.status, standing.evidence) == (ClaimStatus.PROVEN, f"{1:064x}")
    assert why in standing.refused[0]


@pytest.mark.parametrize("control", list(ControlResult))
def test_a_failed_drill_fails_the_claim_whatever_its_control_did(control: ControlResult) -> None:
    """An older success does not cover it."""
    older = evidence("halt", started=NOW - 3 * DAY, ended=NOW - 2 * DAY)
    failed = evidence("halt", result=DrillResult.FAILED, control=control)

    standing = one_standing("halt", failed, older)

    assert (standing.status, standing.evidence) == (ClaimStatus.FAILED, f"{1:064x}")
    assert standing.why == "its drill failed on 2026-11-21"


def test_a_success_after_a_failure_proves_the_claim() -> None:
    """The newest decides, wherever it stands in the list."""
    failed = evidence("halt", result=DrillResult.FAILED, started=NOW - 3 * DAY, ended=NOW - 2 * DAY)

    both = {one_standing("halt", failed, evidence("halt")).status}
    both.add(one_standing("halt", evidence("halt"), failed).status)

    assert both == {ClaimStatus.PROVEN}


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_at_one_moment_the_failure_decides(order: int) -> None:
    both = [evidence("halt"), evidence("halt", result=DrillResult.FAILED)][::order]

    assert one_standing("halt", *both).status is ClaimStatus.FAILED


# What changed since


CHANGES: dict[Thing, tuple[dict[str, Any], str]] = {
    Thing.CODE: (OTHER, "the code"),
    Thing.ENVIRONMENT: ({"environment": "packages-2"}, "the packages it runs among"),
    Thing.ENGINE: ({"engine": "0.2.0"}, "the version of Proveout"),
    **{
        thing: ({"depends": {**DEPENDS, thing.value: "another"}}, words)
        for thing, words in (
            (Thing.DATASET, "the dataset"),
            (Thing.CRITERIA, "the criteria"),
            (Thing.SOURCES, "the webhook sources"),
            (Thing.PEOPLE, "the people or how they are reached"),
            (Thing.ROLES, "the roles"),
            (Thing.PAIR, "the pair of releases"),
        )
    },
}


@pytest.mark.parametrize("thing", list(Thing))
@pytest.mark.parametrize("name", NAMES)
def test_only_claims_that_depend_on_what_changed_reopen(name: str, thing: Thing) -> None:
    """The others stay proven, on evidence of before."""
    changes, words = CHANGES[thing]

    standing = one_standing(name, evidence(name), **changed_subject(**changes))

    if thing in BAR.claim(name).depends:
        assert standing.status is ClaimStatus.EXPIRED
        assert standing.why == f"drilled on 2026-11-21; {words} changed since"
        assert standing.until is None
    else:
        assert standing.status is ClaimStatus.PROVEN


def test_every_thing_is_depended_on_by_some_claim() -> None:
    """The table above tries each change on a claim that reopens."""
    assert frozenset[Thing]().union(*(one.depends for one in BAR.claims)) == set(Thing)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"environment": "packages-2"}, "the packages it runs among"),
        ({}, "what the release executes"),
    ],
)
def test_another_release_of_the_same_code_reopens_what_depends_on_it(
    changes: dict[str, Any], words: str
) -> None:
    """A release is what executes; whatever made it another one may matter."""
    other = {"release": ReleaseDigest("c" * 64), **changes}

    standing = one_standing("poison", evidence("poison"), **changed_subject(**other))

    assert standing.status is ClaimStatus.EXPIRED
    assert f"{words} changed since" in standing.why


@pytest.mark.parametrize("known", [DEPENDS, {}])
@pytest.mark.parametrize("recorded", [DEPENDS, {}])
def test_what_is_not_known_counts_as_changed(
    known: dict[str, str], recorded: dict[str, str]
) -> None:
    """Silence on either side, or on both, proves nothing."""
    proof = evidence("ownership", depends=recorded)

    standing = one_standing("ownership", proof, **changed_subject(depends=known))

    proven = known is DEPENDS and recorded is DEPENDS
    assert (standing.status is ClaimStatus.PROVEN) is proven


def test_evidence_about_exactly_this_goes_before_newer_evidence_of_another_release() -> None:
    """Drilling the next release does not reopen this one."""
    older = evidence("poison", started=NOW - 3 * DAY, ended=NOW - 2 * DAY)

    standing = one_standing("poison", older, evidence("poison", **OTHER))

    assert (standing.status, standing.evidence) == (ClaimStatus.PROVEN, f"{1:064x}")


def test_the_failure_of_another_release_is_told_and_is_none_of_this_one() -> None:
    standing = one_standing("poison", evidence("poison", result=DrillResult.FAILED, **OTHER))

    assert standing.status is ClaimStatus.MISSING
    assert standing.why == "its drill failed on 2026-11-21; the code changed since"


def test_evidence_of_another_workflow_is_not_looked_at() -> None:
    standing = one_standing("halt", evidence("halt", workflow="other"))

    assert (standing.status, standing.why) == (ClaimStatus.MISSING, "never drilled")


def test_evidence_from_before_a_claim_changed_its_meaning_expires() -> None:
    """Other claims of the new bar keep theirs."""
    claims = tuple(replace(one, since=2) if one.name == "halt" else one for one in BAR.claims)
    bar = replace(BAR, version=2, claims=claims)
    proofs = [evidence(name) for name in ("halt", "access")]
    dossier = Dossier(evidence=file(*proofs))

    standings = {one.claim.name: one for one in stand(bar, SUBJECT, dossier, NOW)}

    assert standings["halt"].status is ClaimStatus.EXPIRED
    assert standings["halt"].why == "the bar asks for more since version 2"
    assert standings["access"].status is ClaimStatus.PROVEN


# Age


@pytest.mark.parametrize(
    ("age", "status", "warns"),
    [
        (timedelta(0), ClaimStatus.PROVEN, False),
        (23 * DAY - timedelta(seconds=1), ClaimStatus.PROVEN, False),
        (23 * DAY, ClaimStatus.PROVEN, True),
        (30 * DAY - timedelta(seconds=1), ClaimStatus.PROVEN, True),
        (30 * DAY, ClaimStatus.EXPIRED, False),
        (400 * DAY, ClaimStatus.EXPIRED, False),
    ],
)
def test_evidence_ages(age: timedelta, status: ClaimStatus, warns: bool) -> None:
    """It warns for the last seven days, and ends with the last second."""
    proof = evidence("halt", started=NOW - age, ended=NOW - age)

    standing = one_standing("halt", proof)

    assert (standing.status, standing.warns) == (status, warns)
    assert standing.until == (NOW - age + 30 * DAY if status.passes else None)


def test_an_old_failure_stays_a_failure() -> None:
    """Time mends nothing."""
    long_ago = NOW - 400 * DAY
    proof = evidence("halt", result=DrillResult.FAILED, started=long_ago, ended=long_ago)

    assert one_standing("halt", proof).status is ClaimStatus.FAILED


@pytest.mark.parametrize(
    ("changes", "whose"),
    [
        ({"policy": {"halt": DAY}}, "the policy of this project gives it 1 day"),
        ({"profile": Profile.MONEY}, "the money profile gives it 2 weeks"),
    ],
)
def test_policy_and_profile_shorten_the_life_of_evidence(
    changes: dict[str, Any], whose: str
) -> None:
    """The reason names whose word it is; without it the same evidence holds."""
    day = NOW - 15 * DAY
    proof = evidence("halt", started=day, ended=day)

    standing = one_standing("halt", proof, **changed_subject(**changes))

    assert one_standing("halt", proof).status is ClaimStatus.PROVEN
    assert (standing.status, standing.why) == (
        ClaimStatus.EXPIRED,
        f"drilled on 2026-11-07; {whose}",
    )


def test_a_clock_that_is_a_little_ahead_is_forgiven() -> None:
    """Drills run on other machines; seconds are not the future."""
    proof = evidence("halt", started=NOW, ended=NOW + timedelta(seconds=90))

    assert one_standing("halt", proof).status is ClaimStatus.PROVEN


# Not needed, claimed, waived


@pytest.mark.parametrize("name", ["duplicates", "review"])
def test_what_a_workflow_does_not_have_needs_no_proof(name: str) -> None:
    """Only where it is known not to have it."""
    without = changed_subject(traits=frozenset[Trait]())

    assert one_standing(name, **without).status is ClaimStatus.NOT_NEEDED
    assert one_standing(name).status is ClaimStatus.MISSING


def test_a_note_is_no_proof() -> None:
    """Somebody says so; the gate stays shut."""
    note = Note(claim="halt", workflow="triage", text="tried it by hand", by="ben", at=NOW - DAY)

    standing = one_standing("halt", notes=(note,))

    assert (standing.status, standing.is_open) == (ClaimStatus.CLAIMED, True)
    assert standing.why == "ben says so since 2026-11-21; no drill ran"
    assert standing.summary == "tried it by hand"
    assert one_standing("halt", evidence("halt"), notes=(note,)).status is ClaimStatus.PROVEN
    assert one_standing("access", notes=(note,)).status is ClaimStatus.MISSING


@pytest.mark.parametrize(
    ("proofs", "beneath"),
    [
        ((), ClaimStatus.MISSING),
        ((evidence("halt", result=DrillResult.FAILED),), ClaimStatus.FAILED),
        ((evidence("halt", engine="0.0.9"),), ClaimStatus.EXPIRED),
    ],
)
def test_a_waiver_lets_pass_and_hides_nothing(
    proofs: tuple[Any, ...], beneath: ClaimStatus
) -> None:
    """Who, until when and why are said, and what it would be without."""
    standing = one_standing("halt", *proofs, waivers=(waiver("halt"),))

    assert (standing.status, standing.beneath) == (ClaimStatus.WAIVED, beneath)
    assert standing.until == NOW + 10 * DAY
    assert standing.why == (
        "waived by ana and ben, until 2026-12-02: the vendor mends it next week"
    )


def test_what_is_proven_needs_no_waiver() -> None:
    standing = one_standing("halt", evidence("halt"), waivers=(waiver("halt"),))

    assert standing.status is ClaimStatus.PROVEN


def test_a_waiver_ends() -> None:
    """On its last day it warns; then the claim is open again."""
    given = (waiver("halt", until=NOW + DAY),)

    before = one_standing("halt", waivers=given)
    after = one_standing("halt", waivers=given, now=NOW + DAY)

    assert (before.status, before.warns) == (ClaimStatus.WAIVED, True)
    assert after.status is ClaimStatus.MISSING


def test_of_several_waivers_the_latest_end_counts() -> None:
    given = (waiver("halt", until=NOW + 9 * DAY), waiver("halt"), waiver("halt", until=NOW + DAY))

    assert one_standing("halt", waivers=given).until == NOW + 10 * DAY


# What follows


def test_every_claim_has_its_standing_in_the_order_of_the_bar() -> None:
    standings = all_proven(but=["poison"])

    assert [one.claim.name for one in standings] == NAMES
    assert [one.claim.name for one in standings if one.is_open] == ["poison"]


def test_the_cheapest_comes_first() -> None:
    """Only of what is open."""
    standings = [
        at("worker-loss", ClaimStatus.FAILED),
        at("halt", ClaimStatus.MISSING),
        at("access", ClaimStatus.PROVEN),
    ]

    assert [one.claim.name for one in cheapest_first(standings)] == ["halt", "worker-loss"]


def test_a_standing_is_plain_data_for_programs() -> None:
    """The names that audit.v1 promises are there, and it is JSON."""
    words = claim_words(one_standing("halt", evidence("halt")))

    assert json.loads(json.dumps(words)) == words
    assert {"claim", "status", "evidence", "expires", "command"} <= set(words)
    assert (words["status"], words["expires"]) == ("PROVEN", "2026-12-21T09:00:00+00:00")
    assert claim_words(one_standing("halt"))["expires"] is None
