"""Coming in by an identity provider: who is let in, as what, and every way to lie."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from doubles.desk import open_desk
from doubles.doors import OWNER
from doubles.provider import CLIENT, SECRET, path_of, providing
from proveout.adapters.oidc import Client, OpenIdProvider
from proveout.domain.access import Role
from proveout.errors import Mistake
from proveout.faces.settings_access import OidcSettings
from proveout.faces.web.app import console_app

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from doubles.provider import IdProvider
    from proveout.ports.store import Store

pytestmark = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the console does by itself is the same on every store."""

ROLES = {Role.OWNER: ("it",), Role.REVIEWER: ("support", "legal")}
BEN = {"email": "Ben@example.org", "email_verified": True, "groups": ["staff", "legal"]}


@pytest.fixture
async def provider(clock: WatchedClock) -> AsyncGenerator[IdProvider]:
    """Return a provider at which Ben of the legal department signs in."""
    async with providing(clock) as provider:
        provider.claims = dict(BEN)
        yield provider


@pytest.fixture
def desk(
    tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds, provider: IdProvider
) -> Desk:
    """Return a console that believes that provider."""
    desk = open_desk(tmp_path, store, clock, ids)
    settings = desk.console.project.settings
    oidc = OidcSettings(issuer=provider.address, client=CLIENT, roles=ROLES)
    desk.console.project.settings = replace(settings, access=replace(settings.access, oidc=oidc))
    client = Client(issuer=provider.address, id=CLIENT, secret=SECRET, scopes=oidc.scopes)
    desk.console = replace(desk.console, provider=OpenIdProvider(client, clock))
    desk.app = console_app(desk.console)
    return desk


async def come_in(browser: httpx.AsyncClient, back: str = "") -> httpx.Response:
    """Go to the provider and back, as a browser does; return what the way back is answered."""
    sent = await browser.get(f"/login/provider{back}")
    assert sent.status_code == 303, sent.text
    async with httpx.AsyncClient() as outside:
        returned = await outside.get(sent.headers["location"])
    return await browser.get(path_of(returned.headers["location"]))


async def test_who_is_vouched_for_comes_in(desk: Desk, store: Store) -> None:
    """In the role that their group stands for, to the page they asked for, in the ledger."""
    async with desk.browser() as browser:
        door = await browser.get("/login")
        arrived = await come_in(browser, "?back=/runs%3Fstate=DEAD")
        inside = await browser.get("/runs")

    user = await desk.house.access.user("ben@example.org")
    [entry] = await store.ledger(limit=1)
    assert "/login/provider" in door.text
    assert (arrived.status_code, inside.status_code) == (200, 200)
    assert arrived.headers["refresh"] == "0; url=/runs?state=DEAD"
    assert 'href="/runs?state=DEAD"' in arrived.text
    assert (user.role, user.password) == (Role.REVIEWER, "")
    assert (entry.act, entry.subject) == ("add user", "ben@example.org")
    cookies = arrived.headers.get_list("set-cookie")
    assert any("proveout_session=" in one and "SameSite=Strict" in one for one in cookies)


async def test_what_is_sent_to_the_provider_proves_who_asked(desk: Desk) -> None:
    """PKCE by S256, a state and a nonce; each time others, and no secret of ours."""
    async with desk.browser() as browser:
        asked = [await browser.get("/login/provider") for _ in range(2)]

    first, second = (httpx.URL(one.headers["location"]).params for one in asked)
    assert first["code_challenge_method"] == "S256"
    assert first["redirect_uri"] == "http://127.0.0.1:8484/login/back"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43
        assert first[name] != second[name]
    assert SECRET not in str(asked[0].headers)
    [cookie] = asked[0].headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"lies": {"nonce": "x" * 43}},
    "no nonce": {"lies": {"nonce": None}},
    "another issuer in the token": {"lies": {"iss": "https://evil.example"}},
    "another issuer on the way back": {"redirects": {"iss": "https://evil.example"}},
    "no issuer on the way back": {"redirects": {"iss": ""}},
    "another audience": {"lies": {"aud": "another-client"}},
    "several audiences, for another party": {"lies": {"aud": [CLIENT, "b"], "azp": "b"}},
    "several audiences, for nobody": {"lies": {"aud": [CLIENT, "b"]}},
    "expired": {"lies": {"exp": 1}},
    "no end": {"lies": {"exp": None}},
    "an end that is no number": {"lies": {"exp": "tomorrow"}},
    "an end that is no moment": {"lies": {"exp": 10**400}},
    "from the future": {"lies": {"iat": 9_999_999_999}},
    "too old": {"lies": {"iat": 1}},
    "not valid yet": {"lies": {"nbf": 9_999_999_999}},
    "about nobody": {"lies": {"sub": ""}},
    "not signed": {"signs": "none"},
    "signed with our secret": {"signs": "our secret"},
    "signed by another key": {"signs": "foreign key"},
    "another state": {"redirects": {"state": "x" * 43}},
    "no state": {"redirects": {"state": ""}},
    "an error": {"redirects": {"error": "access_denied"}},
    "an invented code": {"redirects": {"code": "code-99"}},
    "mail that nobody verified": {"claims": {**BEN, "email_verified": False}},
    "no name": {"claims": {"groups": ["it"]}},
    "no group": {"claims": {**BEN, "groups": []}},
    "a group that stands for nothing": {"claims": {**BEN, "groups": ["staff"]}},
    "groups that are no list": {"claims": {**BEN, "groups": {"it": True}}},
}


@pytest.mark.parametrize("lie", LIES)
async def test_whoever_lies_stays_out(
    desk: Desk, provider: IdProvider, store: Store, lie: str
) -> None:
    """403, no user, no session, nothing in the ledger; told the truth, the same way opens."""
    truth = dict(vars(provider))
    vars(provider).update(LIES[lie])

    async with desk.browser() as browser:
        refused = await come_in(browser)
        left = (await desk.house.access.users(), await desk.house.sessions.all())
        entries = await store.ledger()
        vars(provider).update({name: truth[name] for name in LIES[lie]})
        let_in = await come_in(browser)

    assert (refused.status_code, "proveout_session" in str(refused.headers)) == (403, False)
    assert (left, entries) == (([], []), [])
    assert let_in.status_code == 200


async def test_an_answer_for_another_browser_opens_nothing(desk: Desk) -> None:
    """Nobody can be signed in as somebody else by a link."""
    async with desk.browser() as eve, desk.browser() as victim:
        sent = await eve.get("/login/provider")
        async with httpx.AsyncClient() as outside:
            returned = await outside.get(sent.headers["location"])
        way_back = path_of(returned.headers["location"])
        bare = await victim.get(way_back)
        await victim.get("/login/provider")
        other = await victim.get(way_back)

    assert (bare.status_code, other.status_code) == (403, 403)
    assert await desk.house.sessions.all() == []


async def test_a_code_opens_once(desk: Desk) -> None:
    """Whoever reads the address later comes too late."""
    async with desk.browser() as browser:
        sent = await browser.get("/login/provider")
        way = dict(browser.cookies)
        async with httpx.AsyncClient() as outside:
            returned = await outside.get(sent.headers["location"])
        way_back = path_of(returned.headers["location"])
        first = await browser.get(way_back)
    async with desk.browser() as again:
        again.cookies.update(way)
        second = await again.get(way_back)

    assert (first.status_code, second.status_code) == (200, 403)


async def test_the_role_is_what_the_provider_says_today(desk: Desk, provider: IdProvider) -> None:
    """More, less, and none, which ends the sessions; an owner keeps out whom they will."""
    access = desk.house.access
    roles: list[Any] = []
    async with desk.browser() as browser:
        for groups in (["legal"], ["legal", "it"], ["support"]):
            provider.claims["groups"] = groups
            await come_in(browser)
            roles.append((await access.user("ben@example.org")).role)
        provider.claims["groups"] = []
        gone = await come_in(browser)
        away = await browser.get("/")
        provider.claims["groups"] = ["it"]
        await access.disable(OWNER, "ben@example.org")
        disabled = await come_in(browser)

    assert roles == [Role.REVIEWER, Role.OWNER, Role.REVIEWER]
    assert (gone.status_code, away.status_code, disabled.status_code) == (403, 303, 403)
    assert "is disabled" in disabled.text


async def test_nobody_takes_over_a_user_by_their_name(desk: Desk, provider: IdProvider) -> None:
    """Neither one with a password, nor another person whom the provider calls the same."""
    phrase = "four words quite unrelated"
    await desk.house.access.add_user(OWNER, "ben@example.org", Role.OWNER, phrase)
    async with desk.browser() as browser:
        taken = await come_in(browser)
        await desk.house.access.add_user(OWNER, "cleo", Role.OWNER, phrase)
        provider.claims["email"] = "new@example.org"
        first = await come_in(browser)
        provider.lies = {"sub": "person-2"}
        other = await come_in(browser)
        csrf_free = await desk.house.access.who("new@example.org", "")

    assert (taken.status_code, first.status_code, other.status_code) == (409, 200, 409)
    assert csrf_free is None


async def test_a_key_that_the_provider_changed_is_learned(desk: Desk, provider: IdProvider) -> None:
    """Read again once, when no known key fits."""
    async with desk.browser() as browser:
        first = await come_in(browser)
        provider.change_key()
        second = await come_in(browser)

    assert (first.status_code, second.status_code) == (200, 200)
    assert provider.asked.count("keys") == 2
    assert provider.asked.count("described") == 1


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"jwks_uri": ["x"]},
    ],
)
async def test_a_provider_that_says_nothing_of_use_is_an_outage(
    desk: Desk, provider: IdProvider, metadata: dict[str, Any]
) -> None:
    """503 with `Retry-After`, and passwords go on opening the door."""
    provider.metadata = metadata

    async with desk.browser() as browser:
        answer = await browser.get("/login/provider")
        door = await browser.get("/login")

    assert (answer.status_code, door.status_code) == (503, 200)
    assert "retry-after" in answer.headers


async def test_no_provider_leads_over_a_plain_wire(desk: Desk, provider: IdProvider) -> None:
    """Our secret is not sent where anybody could listen."""
    provider.metadata = {"token_endpoint": "http://evil.example/token"}
    async with desk.browser() as browser:
        plain = await browser.get("/login/provider")

    assert plain.status_code == 400
    assert "evil.example" not in plain.text


async def test_tries_from_one_place_are_counted(
    desk: Desk, provider: IdProvider, clock: WatchedClock
) -> None:
    """Past five that fail within five minutes, the next is not looked at."""
    provider.signs = "none"
    async with desk.browser() as browser:
        failed = [(await come_in(browser)).status_code for _ in range(6)]
        provider.signs = "own key"
        held = await come_in(browser)
        clock.advance(timedelta(minutes=5))
        later = await come_in(browser)

    assert failed == [403] * 5 + [429]
    assert (held.status_code, later.status_code) == (429, 200)


def test_an_issuer_over_a_plain_wire_is_refused(clock: WatchedClock, manual_url: str) -> None:
    """Whoever listens there could sign in as anybody."""
    del manual_url
    client = Client(issuer="http://login.example.org", id=CLIENT, scopes=("openid",))

    with pytest.raises(Mistake, match="over a plain wire"):
        OpenIdProvider(client, clock)


async def test_without_a_provider_its_doors_lead_nowhere(
    tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """404, and the page at the door does not name one."""
    desk = open_desk(tmp_path, store, clock, ids)
    async with desk.browser() as browser:
        statuses = [
            (await browser.get(path)).status_code for path in ("/login/provider", "/login/back")
        ]
        door = await browser.get("/login")

    assert statuses == [404, 404]
    assert "/login/provider" not in door.text
    desk.house.access.close()
