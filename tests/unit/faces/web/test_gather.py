"""From the store to the pages: what is shown is what the store holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from doubles.clock import ManualClock
from doubles.deeds import FIRST, SECOND, release
from doubles.desk import send
from doubles.given import Given, locked
from proveout.domain.access import Role
from proveout.domain.bar import BAR, Waiver
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind, encode
from proveout.domain.release import Share, Stage, Treatment
from proveout.domain.run import RunState
from proveout.domain.unit import Keep, NewRelease
from proveout.faces import settings
from proveout.faces.readiness_facts import asked_now
from proveout.faces.web import gather, gather_overview, gather_readiness, gather_releases
from proveout.faces.web.known import PAYS, Known
from proveout.faces.web.zone import local_zone
from proveout.prove.lock import canonical
from proveout.release.decide import amend
from proveout.release.move import Order, promote, roll_back, start_canary
from proveout.release.route import CanaryPlan

if TYPE_CHECKING:
    from pathlib import Path

    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from proveout.domain.release import Release

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What is gathered is the same from every store."""

R1 = release(FIRST, workflow="answers")
R2 = release(SECOND, workflow="answers", number=2)
WORTH = """
[prove.worth]
value_per_success = "1.20 USD"
loss_per_error = "6 USD"
baseline = { minutes = 6, person_hour = "38 USD" }
"""


@pytest.fixture
async def releases(desk: Desk) -> tuple[Release, Release]:
    """Return two releases that the store knows."""
    for one in (R1, R2):
        deed = Deed(actor="ana", act="create release", subject=one.name, facts={})
        new = NewRelease(release=one, archive=b"files", settings=b"")
        await amend(desk.house.office, deed, (new,))
    return R1, R2


async def make_ready(desk: Desk, one: Release) -> None:
    """Leave nothing that speaks against a release but what a promotion asks for itself."""
    project = desk.console.project
    path = project.settings.path
    text = path.read_text("utf-8").replace("[workflow]\n", '[workflow]\nassumptions = ["small"]\n')
    text = text.replace("[prove]\n", '[prove]\nprice_per_call = "0.01 USD"\n')
    path.write_text(text.replace("[sources.shop]", f"{WORTH}\n[sources.shop]"), "utf-8")
    project.settings = settings.load(path)
    [(name, asked)] = (await asked_now(project.settings)).items()
    own = {"criteria": asked.criteria, "candidates": [{"name": "workflow", "code": one.code}]}
    now = desk.house.office.clock.now()
    experiment = locked(
        name=name,
        workflow="answers",
        dataset=asked.dataset,
        plan=canonical({"locked": own}),
        locked=now,
    )
    kept = await desk.store.lock(experiment)
    await desk.store.conclude(kept.id, canonical({"verdict": "GO", "cases": 1}))
    waivers = tuple(
        Waiver(
            claim=claim.name,
            workflow="answers",
            by="ana",
            second="ben",
            reason="for a test",
            since=now,
            until=now + timedelta(days=7),
        )
        for claim in BAR.claims
    )
    keeps = tuple(Keep(kind=Kind.WAIVER, name=w.claim, body=encode(w)) for w in waivers)
    deed = Deed(actor="ana", act="waive", subject="all", facts={})
    await amend(desk.house.office, deed, keeps)


# The gate


async def test_the_gate_names_all_that_keeps_it_shut(
    desk: Desk, releases: tuple[Release, Release]
) -> None:
    """The page says so, and a form that was sent all the same is refused with every reason."""
    page = await gather_readiness.readiness_page(desk.console)
    async with await desk.as_(Role.OWNER) as owner:
        refused = await send(owner, "/promote", release=releases[1].digest)

    pointer = await desk.store.pointer("answers")
    assert (page.next, page.closed_next) == ("proveout prove", "")  # a drill would find no verdict
    assert not page.gate.is_open
    assert page.gate.release == "r2"
    assert f"of {len(BAR.claims)} claims do not pass" in page.gate.reason
    assert "no experiment has reached a verdict" in page.gate.reason
    assert refused.status_code == 403
    assert "gate-blocked" in refused.text
    assert "proveout drill worker-loss" in refused.text
    assert pointer.stage is Stage.PROOF_OF_CONCEPT


async def test_a_person_promotes_what_nothing_speaks_against(
    desk: Desk, releases: tuple[Release, Release]
) -> None:
    """With every assumption accepted by name, on the digest that the page showed."""
    await make_ready(desk, releases[1])
    page = await gather_readiness.readiness_page(desk.console)

    async with await desk.as_(Role.OWNER) as owner:
        digest = releases[1].digest
        unasked = await send(owner, "/promote", release=digest)
        strange = await send(owner, "/promote", release=digest, accept="large")
        before = await desk.store.pointer("answers")
        done = await send(owner, "/promote", release=digest, accept="small")
        after = await desk.store.pointer("answers")
        shown = await owner.get("/readiness")

    assert (page.gate.is_open, page.gate.assumptions) == (True, ("small",)), page.gate.reason
    assert (unasked.status_code, strange.status_code, done.status_code) == (403, 422, 303)
    assert before.stable is None
    assert (after.stage, after.stable) == (Stage.PRODUCTION, digest)
    assert "Promoted by the-owner" in shown.text
    entries = await desk.store.ledger(limit=2)
    assert [(one.act, one.actor) for one in entries] == [
        ("promote", "the-owner"),
        ("answer for", "the-owner"),
    ]


# Releases


async def test_the_way_back_is_offered_where_there_is_one(
    desk: Desk, releases: tuple[Release, Release], clock: WatchedClock
) -> None:
    """Before a promotion the card names the release that waits; the first has nothing before it."""
    office = desk.house.office
    button = '<button class="btn danger big"'
    async with await desk.as_(Role.OPERATOR) as browser:
        waiting = (await browser.get("/releases")).text
        await promote(office, releases[0], "ana", {})
        first = (await browser.get("/releases")).text
        plan = CanaryPlan(share=Share(points=1000), salt="s", now=clock.now())
        await start_canary(office, releases[1], plan, "ben", {})
        canary = (await browser.get("/releases")).text

    assert "What <bdi>r2</bdi> waits for" in waiting
    assert "proveout release create" not in waiting
    assert (button in first, "there is nothing to roll back to yet" in first) == (False, True)
    assert "Roll back to <bdi>r1</bdi>" in canary


async def test_the_history_of_the_pointer_is_told_from_its_newest_move(
    desk: Desk, releases: tuple[Release, Release], clock: WatchedClock
) -> None:
    """Each move with what served before and after it, and what became of runs in flight."""
    office = desk.house.office
    await promote(office, releases[0], "ana", {})
    plan = CanaryPlan(share=Share(points=1000), salt="s", now=clock.now())
    await start_canary(office, releases[1], plan, "ben", {})
    during = await gather_releases.releases_page(desk.console, await desk.store.pointer("answers"))

    order = Order(workflow="answers", actor="cleo", reason="slow", treatment=Treatment.PARK)
    await roll_back(office, order)
    page = await gather_releases.releases_page(desk.console, await desk.store.pointer("answers"))

    serving = during.serving
    assert (serving.stable, serving.canary, serving.share, serving.back_to) == (
        "r1",
        "r2",
        0.1,
        "r1",
    )
    assert [(row.name, row.state, row.share) for row in during.rows] == [
        ("r2", "CANARY", 0.1),
        ("r1", "STABLE", 0.9),
    ]
    assert [(row.name, row.state) for row in page.rows] == [("r2", "RETIRED"), ("r1", "STABLE")]
    assert [(move.act, move.before, move.after) for move in page.history] == [
        ("roll back", "r1, r2 at 10%", "r1"),
        ("canary 10%", "r1", "r1, r2 at 10%"),
        ("promote", "", "r1"),
    ]
    assert page.history[0].note == "slow; no run was in flight"
    assert (page.serving.canary, page.serving.back_to) == ("", "")


# The overview


async def test_the_overview_tells_what_needs_a_person(
    desk: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """Reviews with the nearest deadline, dead and parked runs; nothing where nothing is."""
    found = await gather.standing(desk.console.project)
    quiet = await gather_overview.overview(desk.console, found)
    given = Given(desk.store, clock, ids)
    await given.waiting()
    await given.in_state(RunState.DEAD)
    await given.in_state(RunState.PARKED)

    found = await gather.standing(desk.console.project)
    page = await gather_overview.overview(desk.console, found)

    assert quiet.concerns == ()
    assert [step.name for step in quiet.path] == ["Prove", "Run", "Release", "Watch", "Ready"]
    assert quiet.next.command == "proveout prove"
    assert [one.title for one in page.concerns] == [
        "1 review waits",
        "1 dead letter nobody has run again",
        "1 run is parked",
    ]
    assert {one.state: one.number for one in page.counts if one.number} == {
        RunState.WAITING: 1,
        RunState.DEAD: 1,
        RunState.PARKED: 1,
    }


async def test_a_review_that_is_put_off_is_not_counted(
    desk: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """Neither beside the menu nor on the overview, as it is not in the queue."""
    review = await Given(desk.store, clock, ids).waiting()
    async with await desk.as_(Role.REVIEWER) as browser:
        before = (await browser.get("/")).text
        await send(browser, f"/reviews/{review.id}/snooze", **{"for": "1 h"})
        after = (await browser.get("/")).text

    assert "1 review waits" in before
    assert " waiting for review</span>" in before
    assert "1 review waits" not in after
    assert " waiting for review</span>" not in after


@pytest.mark.parametrize(
    ("value", "start"),
    [
        (b'"hello"', "hello"),
        (b'{"a": "short", "b": "the longest text"}', "the longest text"),
        (b'{"a": 1}', '{"a": 1}'),
        (b"7", "7"),
        (b'"' + b"x" * 200 + b'"', "x" * 90 + "…"),
        (b'"' + b"y" * 20_000 + b'"', '"' + "y" * 89 + "…"),
        (b'"two\\n lines"', "two lines"),
    ],
)
def test_an_input_is_told_by_its_beginning(value: bytes, start: str) -> None:
    """By what says most, in one line, whatever its size."""
    assert gather.start_of(value) == start


# What is known


async def test_what_takes_long_is_not_found_out_on_every_page() -> None:
    """It is kept for so many times as long as it took; what is quick is never kept."""
    clock = ManualClock()
    known, asked = Known(clock), 0
    cost = timedelta(seconds=2)

    async def find() -> dict[RunState, int]:
        nonlocal asked
        asked += 1
        clock.advance(cost)
        return {RunState.DEAD: asked}

    slow = [await known.counts(find), await known.counts(find)]
    clock.advance(cost * PAYS)
    slow.append(await known.counts(find))
    clock.advance(cost * PAYS)
    cost = timedelta()
    quick = [await known.counts(find), await known.counts(find)]

    assert [one[RunState.DEAD] for one in slow] == [1, 1, 2]
    assert [one[RunState.DEAD] for one in quick] == [3, 4]


async def test_readiness_is_found_out_anew_when_the_pointer_moves(
    desk: Desk, clock: WatchedClock
) -> None:
    """A promotion shows at once; otherwise what was found will do for a while."""
    found = await gather_readiness.look(desk.console)
    known = desk.console.known

    now = known.readiness(found.pointer.version)
    moved = known.readiness(found.pointer.version + 1)
    clock.advance(timedelta(minutes=5))
    later = known.readiness(found.pointer.version)
    told = known.claims
    clock.advance(timedelta(minutes=6))

    assert (now, moved, later) == (found, None, None)
    assert told == (0, len(BAR.claims))
    assert known.claims is None


# The zone


def test_the_zone_of_a_machine_has_its_name(tmp_path: Path) -> None:
    """By `TZ`, or by what its clock is set to; else there is an offset at least."""
    now = datetime(2026, 7, 1, tzinfo=UTC)
    link = tmp_path / "localtime"
    (tmp_path / "zoneinfo" / "America").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "America" / "Lima").write_bytes(b"")
    link.symlink_to(tmp_path / "zoneinfo" / "America" / "Lima")

    named = local_zone({"TZ": ":Europe/Berlin"}, now, link)
    linked = local_zone({}, now, link)
    plain = local_zone({"TZ": "Etc/UTC"}, now, link)
    strange = local_zone({"TZ": "../etc/passwd"}, now, link)

    assert (named, linked, plain) == (ZoneInfo("Europe/Berlin"), ZoneInfo("America/Lima"), UTC)
    assert now.astimezone(strange).utcoffset() == now.astimezone().utcoffset()
