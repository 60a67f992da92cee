"""Experiments, datasets, compare, deliveries, drills, plan, canary and settings from a store."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.deeds import FIRST, SECOND, release
from doubles.desk import send
from doubles.given import locked
from proveout.domain.access import Role
from proveout.domain.delivery import Delivery
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind, encode
from proveout.domain.release import Share
from proveout.domain.underway import SILENT, Underway, underway_name
from proveout.domain.unit import Keep, NewRelease, Put, Receive, UnitId
from proveout.faces.web import gather_settings
from proveout.faces.web.gather_canary import canary_card
from proveout.faces.web.gather_deliveries import HIDDEN
from proveout.faces.web.gather_drills import drills_page
from proveout.faces.web.gather_experiments import experiments_page
from proveout.faces.web.gather_releases import moves_of
from proveout.faces.web.settings_page import MASK, setting, tables
from proveout.prove.lock import canonical
from proveout.release.decide import amend
from proveout.release.move import promote, start_canary
from proveout.release.route import CanaryPlan

if TYPE_CHECKING:
    from pathlib import Path

    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock

# ruff: noqa: ASYNC240 - small files of a test
ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What is gathered is the same from every store."""


@ONE_STORE
async def test_every_look_is_listed_and_what_has_not_begun(desk: Desk, clock: WatchedClock) -> None:
    """The newest first, each with its verdict; only the newest leads to the verdict's page."""
    project = desk.console.project
    before = await experiments_page(project)
    first = await desk.store.lock(locked(workflow="answers", name="answers", locked=clock.now()))
    await desk.store.conclude(first.id, canonical({"verdict": "NO-GO", "cases": 164}))
    clock.advance(timedelta(days=1))
    again = locked(
        workflow="answers", name="answers", locked=clock.now(), id="experiment-2", look=2
    )
    await desk.store.lock(again)

    page = await experiments_page(project)

    assert [one.name for one in before.ahead] == ["answers"]
    assert [(one.look, one.status, one.cases, one.is_newest) for one in page.rows] == [
        (2, "OPEN", 0, True),
        (1, "NO-GO", 164, False),
    ]
    assert page.ahead == ()


@ONE_STORE
async def test_a_dataset_is_read_again_only_when_it_has_changed(desk: Desk) -> None:
    """As it stands on the disk; what cannot be read says so on its card."""
    path = desk.console.project.settings.experiments[0].dataset
    path.write_text(
        "".join(
            json.dumps({"input": n, "expected": 2 * n, "tags": ["small"]}) + "\n" for n in range(12)
        ),
        "utf-8",
    )
    async with await desk.as_(Role.VIEWER) as browser:
        whole = await browser.get("/datasets")
        kept = desk.console.known.datasets[path][1]
        await browser.get("/datasets")
        same = desk.console.known.datasets[path][1]
        path.write_text("no JSON\n", "utf-8")
        broken = await browser.get("/datasets")
        path.unlink()
        gone = await browser.get("/datasets")

    assert (kept.cases, kept.expected, kept.tags) == (12, 12, (("small", 12),))
    assert same is kept
    assert "4 more cases" in whole.text
    assert (broken.status_code, 'class="problem"' in broken.text) == (200, True)
    assert (gone.status_code, "No such file" in gone.text) == (200, True)


@ONE_STORE
async def test_nothing_to_compare_says_what_would_be(desk: Desk) -> None:
    """Whatever the address asks for; nothing but an outage is a failure of the page."""
    async with await desk.as_(Role.VIEWER) as browser:
        answers = [
            await browser.get(f"/compare{query}")
            for query in (
                "",
                "?experiment=no&a=x&b=y",
                "?before=1",
                "?by=no",
                "?a=workflow&b=workflow",
            )
        ]

    assert {one.status_code for one in answers} == {200}
    assert all("Nothing to compare yet" in one.text for one in answers)


async def test_deliveries_are_shown_in_pages_without_their_signatures(
    desk: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """Each leads to what it asked for; what would let it be sent again stays hidden."""
    for n in range(101):
        delivery = Delivery(
            source="shop",
            event=f"evt/{n}",
            type="order.paid",
            received=clock.now(),
            headers=(("stripe-signature", "t=1,v1=5f2"), ("content-type", "application/json")),
            body=b'{"who": "<b>ana</b>"}',
        )
        await desk.store.write(Receive(id=UnitId(ids.new()), delivery=delivery, run=None))
    async with await desk.as_(Role.VIEWER) as browser:
        first = await browser.get("/deliveries")
        second = await browser.get("/deliveries?source=shop&of=shop&before=evt/1")
        none = await browser.get("/deliveries?source=bare")
        one = await browser.get("/deliveries/one?source=shop&event=evt%2F7")
        lost = [
            (await browser.get(f"/deliveries/one?source=shop&event={event}")).status_code
            for event in ("evt/900", "%00", "x" * 999)
        ]

    assert "of=shop&amp;before=evt%2F1" in first.text
    assert ">evt/0<" not in first.text
    assert ">evt/0<" in second.text
    assert "Nothing was delivered yet" in none.text
    assert "5f2" not in one.text
    assert HIDDEN in one.text
    assert "&lt;b&gt;ana&lt;/b&gt;" in one.text
    assert lost == [404, 404, 404]


@ONE_STORE
async def test_a_drill_is_followed_from_another_process(
    desk: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """While it goes on, when its process falls silent, and when it broke off."""
    project, store = desk.console.project, desk.store
    going = Underway(
        claim="worker-loss",
        workflow="answers",
        release="r1",
        by="ana",
        started=clock.now(),
        told=clock.now(),
        lines=("09:00:00  200 runs queued",),
    )

    async def keep(one: Underway) -> None:
        name = underway_name(one.workflow, one.claim)
        keep = Keep(kind=Kind.DRILL, name=name, body=encode(one))
        await store.write(Put(id=UnitId(ids.new()), keeps=(keep,)))

    await keep(going)
    async with await desk.as_(Role.VIEWER) as browser:
        shown = await browser.get("/drills")
    clock.advance(SILENT + timedelta(seconds=1))
    silent = await drills_page(project)
    ended = Underway(
        claim="worker-loss",
        workflow="answers",
        release="r1",
        by="ana",
        started=going.started,
        told=clock.now(),
        result="ABORTED",
        summary="its process broke off",
    )
    await keep(ended)
    after = await drills_page(project)

    assert "200 runs queued" in shown.text
    assert "under way" in shown.text
    assert [one.is_silent for one in silent.going] == [True]
    assert after.going == ()
    assert [(one.claim, one.result) for one in after.rows if one.result] == [
        ("worker-loss", "ABORTED")
    ]


@ONE_STORE
async def test_the_plan_is_made_of_what_is_open(desk: Desk) -> None:
    """Every open claim with its command, against the window."""
    async with await desk.as_(Role.VIEWER) as browser:
        page = await browser.get("/plan")

    assert page.status_code == 200
    assert "proveout drill worker-loss" in page.text
    assert "In this order" in page.text


async def releases_of(desk: Desk) -> None:
    """Leave a stable release and another one."""
    for number, digest in ((1, FIRST), (2, SECOND)):
        one = release(digest, workflow="answers", number=number)
        deed = Deed(actor="ana", act="create release", subject=one.name, facts={})
        await amend(desk.house.office, deed, (NewRelease(release=one, archive=b"", settings=b""),))
        if number == 1:
            await promote(desk.house.office, one, "ana", {})


@ONE_STORE
async def test_the_shares_of_a_canary_are_a_ladder(desk: Desk, clock: WatchedClock) -> None:
    """Those it had, where it stands, and what lies ahead; without one there is no ladder."""
    await releases_of(desk)
    project, two = desk.console.project, release(SECOND, workflow="answers", number=2)
    none = await canary_card(desk.console, (await moves_of(project))[0])
    for points in (100, 1000):
        plan = CanaryPlan(share=Share(points=points), salt="s", now=clock.now())
        await start_canary(desk.house.office, two, plan, "ben", {})

    card = await canary_card(desk.console, (await moves_of(project))[0])

    assert none is None
    assert card is not None
    assert [(one.share, one.status) for one in card.ladder] == [
        (0.01, "DONE"),
        (0.1, "NOW"),
        (0.25, "AHEAD"),
        (0.5, "AHEAD"),
        (1.0, "AHEAD"),
    ]
    assert (card.requests, card.hours, card.next_share) == (0, None, 0.25)
    async with await desk.as_(Role.VIEWER) as browser:
        assert "Canary <bdi>r2</bdi>" in (await browser.get("/releases")).text


@ONE_STORE
async def test_a_canary_begins_only_past_the_gate(desk: Desk) -> None:
    """What is no share, or no release, is said; nothing moves."""
    await releases_of(desk)
    async with await desk.as_(Role.OWNER) as owner:
        gate = await send(owner, "/canary", release="r2", share="5")
        odd = await send(owner, "/canary", release="r2", share="much")
        none = await send(owner, "/canary", release="r9", share="5")

    assert (gate.status_code, "gate-blocked" in gate.text) == (403, True)
    assert (odd.status_code, none.status_code) == (400, 404)
    assert (await desk.store.pointer("answers")).canary is None


def test_no_secret_is_shown_of_the_settings() -> None:
    """Neither by its name nor within an address; the name of a variable is none."""
    found = tables(
        {
            "stray": 1,
            "a": {"token": "t-1", "secret_env": "SHOP", "url": "https://u:p-1@vendor.example/x"},
            "b": {"c": [{"password": "p-2"}, {"n": True}], "d": {}, "e": {"api_key": "k-1"}},
        }
    )
    said = {f"{table.name}.{one.name}": one.value for table in found for one in table.settings}

    assert said == {
        ".stray": "1",
        "a.token": MASK,
        "a.secret_env": '"SHOP"',
        "a.url": f'"https://{MASK}@vendor.example/x"',
        "b.c 1.password": MASK,
        "b.c 2.n": "true",
        "b.e.api_key": MASK,
    }
    assert (
        setting("x", {"token": "t-3", "n": [1, "a"]}).value == f'{{ token = {MASK}, n = [1, "a"] }}'
    )


@ONE_STORE
async def test_the_settings_say_whether_the_server_goes_by_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that has changed since, or cannot be read, is told of; a password is not."""
    project = desk.console.project
    monkeypatch.setenv("PROVEOUT_STORE", "postgresql://me:pw-9@127.0.0.1/x")
    path: Path = project.settings.path
    same = gather_settings.settings_page(project)
    path.write_text(path.read_text("utf-8").replace("tess", "tim"), "utf-8")
    other = gather_settings.settings_page(project)
    path.write_text("[workflow\n", "utf-8")
    async with await desk.as_(Role.VIEWER) as browser:
        broken = await browser.get("/settings")

    assert (same.changed, other.changed) == (False, True)
    assert "cannot be read" in broken.text
    assert "pw-9" not in f"{same}{broken.text}"
    assert MASK in broken.text
