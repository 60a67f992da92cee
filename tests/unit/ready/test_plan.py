"""The release plan: what exists, in which order the rest is closed, and what does not fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from doubles.readiness import DAY, NOW, SUBJECT, all_proven, at, evidence, file
from proveout.domain.bar import BAR, ClaimStatus, Thing
from proveout.ready.people import Paged, People, Support
from proveout.ready.plan import Plan, Window, plan, support_markdown, time_needed, to_markdown
from proveout.ready.standing import ClaimStanding, Dossier, stand

PEOPLE = People(owner="ana", operator="ben", reviewer="cleo", downstream="the ledger of sales")
NAMES = [one.name for one in BAR.claims]
NOTHING = stand(BAR, SUBJECT, Dossier(), NOW)


def planned(
    standings: tuple[ClaimStanding, ...], weeks: float = 12, people: People = PEOPLE
) -> Plan:
    window = Window(workflow="triage", release="r2", length=timedelta(weeks=weeks))
    return plan(standings, people, window, NOW)


def order(one: Plan) -> list[str]:
    return [item.standing.claim.name for item in one.items]


def test_every_open_claim_has_its_place() -> None:
    """What passes is kept and not planned."""
    found = planned(all_proven(but=["rollback", "poison"]))

    assert sorted(order(found)) == ["poison", "rollback"]
    assert len(found.kept) == 10


def test_nothing_begins_before_what_goes_before_it() -> None:
    """Nor before whoever closes it is free."""
    items = planned(NOTHING).items
    ends = {one.standing.claim.name: one.end for one in items}

    early = [
        one.standing.claim.name
        for one in items
        if any(one.start < ends[name] for name in one.standing.claim.after)
    ]

    assert sorted(ends) == sorted(NAMES)
    assert early == []
    for who in ("ana", "ben", "cleo"):
        mine = [one for one in items if one.owner == who]
        assert all(one.end <= two.start for one, two in pairwise(mine))


def test_people_work_beside_each_other() -> None:
    """The reviewer does not wait for the operator; one person for all does everything in turn."""
    standings = all_proven(but=["review", "poison"])

    two = planned(standings)
    one = planned(standings, people=replace(PEOPLE, reviewer="ben"))

    assert [item.start for item in two.items] == [NOW, NOW]
    assert [item.start for item in one.items] == [NOW, one.items[0].end]


@pytest.mark.parametrize(
    ("standings", "first"),
    [
        ((at("poison", ClaimStatus.MISSING), at("rollback", ClaimStatus.FAILED)), "rollback"),
        ((at("poison", ClaimStatus.MISSING), at("rollback", ClaimStatus.MISSING)), "poison"),
        ((at("rollback", ClaimStatus.MISSING), at("poison", ClaimStatus.MISSING)), "poison"),
        ((at("halt", ClaimStatus.MISSING), at("rollback", ClaimStatus.MISSING)), "halt"),
        ((at("rollback", ClaimStatus.MISSING), at("halt", ClaimStatus.MISSING)), "rollback"),
        ((at("rollback", ClaimStatus.FAILED), at("signal", ClaimStatus.MISSING)), "signal"),
    ],
)
def test_what_failed_and_what_risks_more_goes_first(
    standings: tuple[ClaimStanding, ...], first: str
) -> None:
    """Unless something else must go before it; alike, the order of the bar decides."""
    assert order(planned(standings))[0] == first


@pytest.mark.parametrize("status", [one for one in ClaimStatus if not one.passes])
def test_a_drill_that_passed_before_is_only_repeated(status: ClaimStatus) -> None:
    """Everything else is planned as if its first drill failed."""
    needs = time_needed(at("poison", status))

    again = status is ClaimStatus.EXPIRED
    assert needs == BAR.claim("poison").takes + (timedelta(0) if again else DAY)


def test_what_ends_after_the_window_is_cut() -> None:
    """Exactly what ends later, and nothing in a window that is long enough."""
    whole = planned(NOTHING)
    length = whole.items[4].end - NOW

    short = planned(NOTHING, weeks=length / timedelta(weeks=1))

    assert whole.cut == ()
    assert {one.standing.claim.name for one in short.cut} == {
        one.standing.claim.name for one in whole.items if one.end > whole.items[4].end
    }
    assert short.cut
    assert short.done == whole.done


def test_claims_that_wait_for_each_other_still_get_a_plan() -> None:
    """A mistake in a bar must not hang the plan."""
    one, two = at("halt", ClaimStatus.MISSING), at("access", ClaimStatus.MISSING)
    circle = (
        replace(one, claim=replace(one.claim, after=("access",))),
        replace(two, claim=replace(two.claim, after=("halt",))),
    )

    assert sorted(order(planned(circle))) == ["access", "halt"]


def test_the_page_says_keep_cut_and_prove_in_that_order() -> None:
    """With owner, command and time of each open claim."""
    page = to_markdown(planned(all_proven(but=["rollback", "review"]), weeks=0.3))

    heads = [line for line in page.splitlines() if line.startswith("#")]
    assert heads == ["# Release plan: triage, r2", "## Keep", "## Cut", "## Prove"]
    assert (
        "| 2 | A bad release is found, and one command takes it back | MISSING: never drilled "
        "| ben | `proveout drill rollback` | 40 s | 2 days | 2026-11-24 |"
    ) in page
    assert "launch with no review: then it is not needed; or move the date" in page
    assert "**1 claim does not fit**: at this pace the last one is closed by 2026-11-25." in page


def test_a_plan_with_nothing_open_promotes() -> None:
    page = to_markdown(planned(all_proven()))

    assert "Nothing is open: `proveout promote r2`" in page
    assert "## Prove" not in page
    assert "12 of 12 claims of the production bar pass" in page


def test_the_same_standings_give_the_same_page() -> None:
    """Nothing in it depends on the moment or the order of evidence."""
    proofs = [evidence(name) for name in ("halt", "access", "poison")]
    moved = {**SUBJECT.depends, Thing.ROLES.value: "another"}
    subject = replace(SUBJECT, depends=moved)

    pages = {
        to_markdown(planned(stand(BAR, subject, Dossier(evidence=file(*some)), NOW)))
        for some in (proofs, proofs[::-1])
    }

    assert len(pages) == 1
    assert "EXPIRED: drilled on 2026-11-21; the roles changed since" in pages.pop()


@pytest.mark.parametrize("name", ["ben | <script>", "[ben](x)", "*ben*", "ben\n# ben", "\\|"])
def test_a_name_cannot_break_the_page(name: str) -> None:
    """Whatever stands in the settings stays in its cell."""
    standings = all_proven(but=["poison"])
    plain = to_markdown(planned(standings)).splitlines()

    page = to_markdown(planned(standings, people=replace(PEOPLE, operator=name))).splitlines()

    assert len(page) == len(plain)
    (row,) = [line for line in page if "drill poison" in line]
    assert row.replace("\\\\", "").replace("\\|", "").count("|") == 9
    assert "<script>" not in row
    assert "[ben](" not in row


def test_nobody_is_told_as_nobody() -> None:
    """An unknown owner is not left out of the plan; it is a line of it."""
    found = planned(all_proven(but=["poison"]), people=People())

    assert [one.owner for one in found.items] == ["not known yet"]


# Support


def test_support_says_what_users_may_expect() -> None:
    support = Support(
        hours="Monday to Friday, 9 to 17 in Lisbon",
        first_answer=timedelta(hours=4),
        paged=(
            Paged(who="ben", after=timedelta(0)),
            Paged(who="ana", after=timedelta(minutes=15)),
        ),
        channel="the status page",
        not_supported=("attachments", "languages but English"),
    )

    page = support_markdown("triage", PEOPLE, support)

    assert page.splitlines() == [
        "# Support: triage",
        "",
        "- **Hours**: Monday to Friday, 9 to 17 in Lisbon",
        "- **Time to first answer**: 4 h",
        "- **How users hear of trouble**: the status page",
        "- **Owner**: ana",
        "- **Operator**: ben",
        "- **Reviewer**: cleo",
        "- **Receives the results**: the ledger of sales",
        "",
        "## Who is paged",
        "",
        "1. ben, at once",
        "1. ana, after 15 min",
        "",
        "## What is not supported",
        "",
        "- attachments",
        "- languages but English",
    ]


def test_support_that_nobody_said_is_not_known_yet() -> None:
    """Every line is there; a promise that nobody made is not made up."""
    page = support_markdown("triage", People(), Support())

    assert page.casefold().count("not known yet") == 9
    assert len(page.splitlines()) == 17
