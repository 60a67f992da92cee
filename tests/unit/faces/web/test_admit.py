"""Users, keys and sessions at the console."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doubles.desk import PHRASE, send, token
from doubles.doors import OWNER
from doubles.given import Given
from proveout.domain.access import NotSignedIn, Right, Role
from proveout.domain.trace import trace_id
from proveout.faces.settings_telemetry import TelemetrySettings

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock

pytestmark = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the console does by itself is the same on every store."""

SECRET = re.compile(r"pk_[\w-]{43}")


async def test_a_new_key_is_shown_once(desk: Desk) -> None:
    """On the page that answers the form; in no address, cookie, ledger or later page."""
    async with await desk.as_(Role.OWNER) as browser:
        made = await send(
            browser, "/access/keys", name="ci", role="operator", only=["enqueue"], lasts="90 days"
        )
        later = await browser.get("/access")
        ledger = await browser.get("/ledger")

    [secret] = set(SECRET.findall(made.text))
    actor = await desk.house.access.program(secret)
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert (actor.name, actor.role, actor.only) == ("ci", Role.OPERATOR, {Right.ENQUEUE})
    called = html.unescape(made.text).partition("curl ")[2].partition("</code>")[0]
    assert called.startswith(f"-X POST {browser.base_url}/api/v1/workflows/")
    assert secret not in called
    for elsewhere in (later.text, ledger.text, str(made.headers), str(made.url)):
        assert secret not in elsewhere


async def test_people_are_added_trusted_and_kept_out(desk: Desk) -> None:
    """By an owner; what is wrong is told, and the last owner stays."""
    access = desk.house.access
    async with await desk.as_(Role.OWNER) as browser:
        added = await send(browser, "/access/users", name="Ben", role="viewer", password=PHRASE)
        raised = await send(browser, "/access/users/ben/role", role="operator")
        role = (await access.user("ben")).role
        out = await send(browser, "/access/users/ben/disable")
        wrong = [
            await send(browser, "/access/users", name="eve", role="viewer", password="x" * 5),
            await send(browser, "/access/users", name="eve", role="king", password=PHRASE),
            await send(browser, "/access/users/nobody/role", role="viewer"),
            await send(browser, "/access/users/the-owner/disable"),
            await send(browser, "/access/keys", name="ci", role="viewer", only="promote"),
            await send(browser, "/access/keys", name="ci", role="viewer", only="fly"),
            await send(browser, "/access/keys", name="ci", role="viewer", lasts="soon"),
            await send(browser, "/access/keys/nothing/revoke"),
            await send(browser, "/sessions/000000000000/end"),
        ]

    assert (added.status_code, raised.status_code, out.status_code) == (303, 303, 303)
    assert role is Role.OPERATOR
    assert (await access.user("ben")).disabled
    statuses = [one.status_code for one in wrong]
    assert statuses == [400, 422, 404, 403, 403, 422, 400, 404, 404]
    assert "last-owner" in wrong[3].text


async def test_the_last_owner_is_not_offered_to_be_kept_out(desk: Desk) -> None:
    """Nor to have a smaller role; beside another owner both are."""
    ways = ("/access/users/the-owner/disable", "/access/users/the-owner/role")
    async with await desk.as_(Role.OWNER) as browser:
        alone = (await browser.get("/access")).text
        await send(browser, "/access/users", name="Ben", role="owner", password=PHRASE)
        beside = (await browser.get("/access")).text

    assert [way in alone for way in ways] == [False, False]
    assert "the last owner" in alone
    assert [way in beside for way in ways] == [True, True]
    assert "the last owner" not in beside


async def test_a_person_ends_their_own_sessions_and_no_others(desk: Desk) -> None:
    """A viewer finds neither the ids nor a way to end those of an owner."""
    owner = await desk.house.sessions.session(await secret_of(desk, Role.OWNER))
    async with await desk.as_(Role.VIEWER) as browser:
        elsewhere = await desk.house.sessions.begin(await desk.house.access.user("the-viewer"))
        page = await browser.get("/account")
        refused = await send(browser, f"/sessions/{owner.session.id}/end")
        ended = await send(browser, f"/sessions/{elsewhere.session.id}/end")

    assert elsewhere.session.id in page.text
    assert owner.session.id not in page.text
    assert (refused.status_code, ended.status_code) == (403, 303)
    with pytest.raises(NotSignedIn):
        await desk.house.sessions.session(elsewhere.secret)
    await desk.house.sessions.session(await secret_of(desk, Role.OWNER))


async def secret_of(desk: Desk, role: Role) -> str:
    """Return what the cookie of somebody of that role holds."""
    async with await desk.as_(role):
        return desk.secrets[role]


async def test_another_password_asks_for_the_one_before(desk: Desk) -> None:
    """Who found an open browser cannot keep it; afterwards every session has ended."""
    new = "another four words entirely"
    async with await desk.as_(Role.REVIEWER) as browser:
        fields = {"password": new, "again": new}
        wrong = await send(browser, "/account/password", current="guessed at", **fields)
        differ = await send(browser, "/account/password", current=PHRASE, **{**fields, "again": ""})
        kept = await desk.house.access.who("the-reviewer", PHRASE)
        done = await send(browser, "/account/password", current=PHRASE, **fields)
        gone = await browser.get("/")

    assert (wrong.status_code, differ.status_code, done.status_code) == (401, 422, 303)
    assert kept is not None
    assert await desk.house.access.who("the-reviewer", new) is not None
    assert gone.headers["location"] == "/login"


async def test_a_run_leads_to_its_trace(desk: Desk, clock: WatchedClock, ids: CountedIds) -> None:
    """Where the settings name a viewer of traces; elsewhere the page has no such link."""
    run = await Given(desk.store, clock, ids).queued(workflow="answers")
    async with await desk.as_(Role.VIEWER) as browser:
        bare = await browser.get(f"/runs/{run.id}")
        project = desk.console.project
        telemetry = TelemetrySettings(trace_link="https://traces.example.org/{trace}")
        project.settings = replace(project.settings, telemetry=telemetry)
        linked = await browser.get(f"/runs/{run.id}")

    assert "traces.example.org" not in bare.text
    assert f'href="https://traces.example.org/{trace_id(run.id)}"' in linked.text


async def test_over_tls_the_cookie_is_bound_to_this_host(desk: Desk) -> None:
    """Its name has the prefix that browsers guard; one set over a plain wire is not read."""
    await desk.house.access.add_user(OWNER, "ben", Role.VIEWER, PHRASE)
    async with desk.browser() as browser:
        browser.base_url = "https://127.0.0.1:8484"
        csrf = await token(browser, "/login")
        fields = {"csrf": csrf, "name": "ben", "password": PHRASE}
        begun = await browser.post("/login", data=fields)
        inside = await browser.get("/ledger")
        plain = begun.cookies["__Host-proveout_session"]
    async with desk.browser(proveout_session=plain) as other:
        other.base_url = "https://127.0.0.1:8484"
        planted = await other.get("/ledger")

    [cookie] = [one for one in begun.headers.get_list("set-cookie") if "_session=" in one]
    assert cookie.startswith("__Host-proveout_session=")
    assert "Secure" in cookie
    assert begun.headers["strict-transport-security"] == "max-age=31536000"
    assert (inside.status_code, planted.status_code) == (200, 303)
