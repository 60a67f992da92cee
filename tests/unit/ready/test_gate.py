"""The gate: every reason at once, and nothing passes that has one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.readiness import DAY, NOW, all_proven, at, waiver
from proveout.domain.access import Actor, Role
from proveout.domain.bar import BAR, Acceptance, ClaimStatus, NoSuchClaim, Settled
from proveout.domain.release import Stage
from proveout.domain.verdict import Verdict
from proveout.faces.cli.output import error_text
from proveout.ready.gate import (
    GateBlocked,
    Proposal,
    Reason,
    VerdictOnRecord,
    WaiverRefused,
    check,
    check_waiver,
    judge,
)

if TYPE_CHECKING:
    from proveout.domain.bar import Waiver

GO = VerdictOnRecord(experiment="reply-v3", verdict=Verdict.GO, reached=NOW - DAY)

READY = Proposal(
    workflow="triage",
    release="r2",
    is_known=True,
    stage=Stage.PROOF_OF_CONCEPT,
    actor=Actor(name="ana", role=Role.OWNER),
    standings=all_proven(),
    verdict=GO,
    worth_asked=True,
)


def accepted(assumption: str, **changes: Any) -> Acceptance:
    one = Acceptance(
        assumption=assumption, workflow="triage", how=Settled.ACCEPTED, by="ana", at=NOW
    )
    return replace(one, **changes)


def reasons(**changes: Any) -> tuple[Reason, ...]:
    return judge(replace(READY, **changes), NOW)


def test_what_is_proven_passes() -> None:
    """The control of every test below: nothing speaks against this proposal."""
    check(READY, NOW)

    assert judge(READY, NOW) == ()


@pytest.mark.parametrize("status", [one for one in ClaimStatus if not one.passes])
@pytest.mark.parametrize("name", [one.name for one in BAR.claims])
def test_one_open_claim_shuts_the_gate(name: str, status: ClaimStatus) -> None:
    """Whichever claim it is, and in whatever way it is open."""
    standings = tuple(at(name, status) if one.claim.name == name else one for one in all_proven())

    (found,) = reasons(standings=standings)

    assert (found.code, found.about, found.of) == ("claim-open", name, len(BAR.claims))
    assert found.what == f"{name} is {status}: for this test"
    assert found.fix == f"proveout drill {name}"


@pytest.mark.parametrize("status", [one for one in ClaimStatus if one.passes])
def test_what_passes_needs_no_reason(status: ClaimStatus) -> None:
    assert reasons(standings=(at("halt", status),)) == ()


@pytest.mark.parametrize(
    ("changes", "code", "what", "fix"),
    [
        (
            {"verdict": None},
            "no-verdict",
            "no experiment has reached a verdict",
            "proveout prove",
        ),
        (
            {"verdict": replace(GO, verdict=Verdict.NO_GO)},
            "verdict-not-go",
            "the verdict is NO-GO, not GO",
            "proveout prove reply-v3",
        ),
        (
            {"verdict": replace(GO, is_unchecked=True)},
            "unchecked-judge",
            "the verdict is according to an unchecked judge",
            "declare labels = 0.25 beside judge = true, then proveout prove reply-v3",
        ),
        (
            {"verdict": replace(GO, verdict=Verdict.UNDECIDED)},
            "verdict-not-go",
            "the verdict is UNDECIDED, not GO",
            "proveout prove reply-v3",
        ),
        (
            {"verdict": replace(GO, changed=("the code", "the dataset"))},
            "stale-verdict",
            "the verdict is stale: the code and the dataset changed since",
            "proveout prove reply-v3",
        ),
        (
            {"verdict": replace(GO, reached=NOW - 31 * DAY)},
            "stale-verdict",
            "the verdict is stale: 31 days old",
            "proveout prove reply-v3 --again",
        ),
        (
            {"verdict": replace(GO, reached=NOW + DAY)},
            "stale-verdict",
            "the verdict is stale: dated in the future",
            "proveout prove reply-v3 --again",
        ),
        (
            {"worth_asked": False},
            "worth-not-asked",
            "nobody asked whether it is worth it",
            "add [prove.worth] to proveout.toml",
        ),
        (
            {"assumptions": ("English only",)},
            "assumption-open",
            "nobody has retired, measured or accepted the assumption 'English only'",
            "proveout promote r2 --accept 'English only'",
        ),
        (
            {"actor": Actor(name="ben", role=Role.OPERATOR)},
            "no-right",
            "ben may not promote",
            "ask an owner",
        ),
        (
            {"is_known": False, "release": "r9"},
            "release-unknown",
            "no release of triage is called 'r9'",
            "proveout release list",
        ),
        (
            {"stage": Stage.PRODUCTION},
            "in-production",
            "triage is in production already; a canary moves releases",
            "proveout canary r2 --share 5%",
        ),
    ],
)
def test_each_thing_that_speaks_against_it_is_one_reason(
    changes: dict[str, Any], code: str, what: str, fix: str
) -> None:
    """With what removes it, and no other reason beside it."""
    (found,) = reasons(**changes)

    assert (found.code, found.what, found.fix) == (code, what, fix)


@pytest.mark.parametrize(
    ("age", "count"), [(timedelta(0), 0), (30 * DAY, 0), (30 * DAY + timedelta(seconds=1), 1)]
)
def test_a_verdict_is_fresh_for_thirty_days(age: timedelta, count: int) -> None:
    assert len(reasons(verdict=replace(GO, reached=NOW - age))) == count


def test_a_verdict_on_something_that_changed_is_not_fresh() -> None:
    """However young it is."""
    assert GO.is_fresh(NOW)

    assert not replace(GO, changed=("the criteria",)).is_fresh(NOW)


@pytest.mark.parametrize(
    ("acceptance", "left"),
    [
        (accepted("English only"), 0),
        (accepted("English only", how=Settled.RETIRED), 0),
        (accepted("english only"), 1),
        (accepted("English only", workflow="other"), 1),
        (accepted("English only", by=" "), 1),
        (accepted("English only", by="not known yet"), 1),
    ],
)
def test_an_assumption_is_answered_word_for_word_and_by_name(
    acceptance: Acceptance, left: int
) -> None:
    """Changed words are another assumption; nobody is no name."""
    found = reasons(assumptions=("English only",), acceptances=(acceptance,))

    assert len(found) == left


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.OWNER])
def test_only_an_owner_opens_the_gate(role: Role) -> None:
    assert [one.code for one in reasons(actor=Actor(name="ben", role=role))] == ["no-right"]


def test_every_reason_is_told_at_once() -> None:
    """Nobody comes back a second time to learn of the next one."""
    spoiled = {
        "standings": all_proven(but=["rollback", "halt"]),
        "verdict": None,
        "worth_asked": False,
        "assumptions": ("English only", "under 200 a day"),
        "actor": Actor(name="ben", role=Role.VIEWER),
        "is_known": False,
    }

    found = [(one.code, one.about) for one in reasons(**spoiled)]

    assert found == [
        ("claim-open", "halt"),
        ("claim-open", "rollback"),
        ("no-verdict", ""),
        ("worth-not-asked", ""),
        ("assumption-open", "English only"),
        ("assumption-open", "under 200 a day"),
        ("no-right", ""),
        ("release-unknown", ""),
    ]


def refusal(**changes: Any) -> GateBlocked:
    with pytest.raises(GateBlocked) as caught:
        check(replace(READY, **changes), NOW)
    return caught.value


def test_the_refusal_reads_like_a_list_of_what_to_do() -> None:
    """What, why, and the commands to paste, the cheapest first."""
    blocked = refusal(standings=all_proven(but=["rollback", "poison", "halt", "access", "review"]))

    assert error_text(blocked).splitlines() == [
        "error[gate-blocked]: r2 may not go to production",
        "  why  5 of 12 claims of the production bar are not proven",
        "  fix  proveout audit r2               what is open, and why",
        "       proveout drill halt             the cheapest, about 30 s",
        "       proveout drill access           about 30 s",
        "       proveout drill poison           about 40 s",
        "       proveout drill review           about 40 s",
        "       proveout drill rollback         about 40 s",
        "       proveout waive halt --until 2026-11-29 --reason TEXT --second NAME",
        "  doc  proveout explain gate-blocked",
    ]


def test_the_refusal_carries_every_reason() -> None:
    """For those that read JSON, and in words for all others."""
    changes = {"standings": all_proven(but=["halt"]), "verdict": None, "worth_asked": False}

    blocked = refusal(**changes)

    assert blocked.reasons == reasons(**changes)
    assert blocked.why == (
        "1 of 12 claims of the production bar is not proven; "
        "no experiment has reached a verdict; nobody asked whether it is worth it"
    )
    assert {"proveout prove", "add [prove.worth] to proveout.toml"} <= set(blocked.fix)


def test_without_an_open_claim_no_waiver_is_offered() -> None:
    """What cannot be waived is not offered to be."""
    blocked = refusal(verdict=None)

    assert blocked.fix == (
        "proveout audit r2               what is open, and why",
        "proveout prove",
    )


# Waivers


TEAM = ("ana", "ben", "cleo")


def waiver_refused(given: Waiver, team: tuple[str, ...] = TEAM) -> tuple[str, str]:
    with pytest.raises(WaiverRefused) as caught:
        check_waiver(given, BAR, team, NOW)
    return caught.value.why, caught.value.fix[0]


@pytest.mark.parametrize("name", ["halt", "signal"])
@pytest.mark.parametrize("until", [NOW + timedelta(seconds=1), NOW + 90 * DAY])
def test_two_people_may_waive_for_ninety_days(name: str, until: Any) -> None:
    """The control of the refusals below."""
    check_waiver(waiver(name, until=until), BAR, TEAM, NOW)


@pytest.mark.parametrize(
    ("changes", "why", "fix"),
    [
        (
            {"until": NOW + 90 * DAY + timedelta(seconds=1)},
            "by two people a waiver lasts at most 90 days",
            "--until 2027-02-20",
        ),
        ({"until": NOW}, "its end has passed", "--until 2026-11-29"),
        ({"until": NOW - DAY}, "its end has passed", "--until 2026-11-29"),
        ({"reason": " \n"}, "it says no reason", "--reason TEXT"),
        ({"second": "ana"}, "ana cannot be the second person too", "--second NAME"),
        ({"second": " ANA "}, "ana cannot be the second person too", "--second NAME"),
        ({"second": "dora"}, "nobody is known as 'dora'", "proveout user add dora --role owner"),
        ({"second": ""}, "a second person must agree, and there are 2 others", "--second ben"),
    ],
)
def test_a_waiver_that_breaks_a_rule_is_refused(
    changes: dict[str, Any], why: str, fix: str
) -> None:
    """Each refusal names the option that mends it."""
    assert waiver_refused(waiver("halt", **changes)) == (why, fix)


@pytest.mark.parametrize("team", [(), ("ana",), (" Ana",)])
def test_a_team_of_one_may_waive_for_seven_days(team: tuple[str, ...]) -> None:
    """And it is printed that there was no second person."""
    given = waiver("halt", second="", until=NOW + 7 * DAY)

    check_waiver(given, BAR, team, NOW)

    assert given.names == "ana, no second person"


def test_a_team_of_one_may_not_waive_for_longer() -> None:
    given = waiver("halt", second="", until=NOW + 7 * DAY + timedelta(seconds=1))

    assert waiver_refused(given, ("ana",)) == (
        "without a second person a waiver lasts at most 7 days",
        "--until 2026-11-29",
    )


def test_a_team_of_one_cannot_make_a_second_person_up() -> None:
    """A name that nobody knows does not buy ninety days."""
    given = waiver("halt", second="zoe", until=NOW + 90 * DAY)

    assert waiver_refused(given, ("ana",))[0] == "nobody is known as 'zoe'"


def test_a_waiver_of_no_claim_is_a_mistake() -> None:
    with pytest.raises(NoSuchClaim):
        check_waiver(replace(waiver("halt"), claim="hlat"), BAR, TEAM, NOW)
