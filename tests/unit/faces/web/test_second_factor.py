"""The second factor at the console: set up, asked for at the door, dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pyotp.totp import TOTP

from doubles.desk import PHRASE, TOKEN, send, token
from proveout.domain.access import Actor, Role

if TYPE_CHECKING:
    import httpx

    from doubles.desk import Desk
    from doubles.postgres import WatchedClock

pytestmark = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the console does by itself is the same on every store."""

SALT = re.compile(r'name="salt" value="([0-9a-f]{32})"')
TYPED = re.compile(r'class="secret">([A-Z2-7 ]+)<')
REVIEWER = "the-reviewer"
HALF_WAY = "proveout_half_way"


@dataclass
class Offered:
    """What the page of a second factor shows."""

    salt: str
    secret: str
    text: str

    def code(self, clock: WatchedClock) -> str:
        """Return the code that an app with this secret shows."""
        return TOTP(self.secret).at(int(clock.now().timestamp()))


async def offered(browser: httpx.AsyncClient) -> Offered:
    """Open the page of the second factor, and read it."""
    return read((await browser.get("/account/factor")).text)


def read(text: str) -> Offered:
    salt, typed = SALT.search(text), TYPED.search(text)
    assert salt is not None
    assert typed is not None
    return Offered(salt[1], typed[1].replace(" ", ""), text)


async def with_codes(desk: Desk, clock: WatchedClock) -> Offered:
    """Have the reviewer show codes from now on; return what their app has."""
    async with await desk.as_(Role.REVIEWER) as browser:
        offer = await offered(browser)
        fields = {"salt": offer.salt, "current": PHRASE, "code": offer.code(clock)}
        added = await send(browser, "/account/factor", **fields)
    assert added.headers["location"] == "/account"
    clock.advance(timedelta(seconds=30))
    return offer


async def knock(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send the form of a page at the door."""
    return await browser.post(path, data={"csrf": await token(browser, "/login"), **fields})


async def test_a_wrong_password_or_code_sets_nothing_up(desk: Desk, clock: WatchedClock) -> None:
    """Who found a browser open must not lock its owner out; the app need not read again."""
    async with await desk.as_(Role.REVIEWER) as browser:
        offer = await offered(browser)
        right = {"salt": offer.salt, "current": PHRASE, "code": offer.code(clock)}
        again = await offered(browser)
        refused = [
            await send(browser, "/account/factor", **{**right, "current": "guessed at"}),
            await send(browser, "/account/factor", **{**right, "code": "12345"}),
            await send(browser, "/account/factor", **{**right, "salt": again.salt}),
            await send(browser, "/account/factor", **{**right, "salt": "x" * 32}),
            await send(browser, "/account/factor"),
        ]

    assert [one.status_code for one in refused] == [401] * 5
    assert (await desk.house.access.user(REVIEWER)).factor is None
    assert [read(one.text).secret for one in refused[:2]] == [offer.secret] * 2
    assert again.secret != offer.secret
    assert "<svg" in offer.text


async def test_the_door_asks_for_the_code_and_leads_on(desk: Desk, clock: WatchedClock) -> None:
    """Where somebody wanted to go; before the code no page opens."""
    offer = await with_codes(desk, clock)
    async with desk.browser() as browser:
        fields = {"name": REVIEWER, "password": PHRASE, "back": "/runs?q=state%3Adead"}
        half = await knock(browser, "/login", **fields)
        outside = await browser.get("/runs")
        asked = await browser.get(half.headers["location"])
        [csrf] = set(TOKEN.findall(asked.text))
        back = re.search(r'name="back" value="([^"]+)"', asked.text)
        assert back is not None
        form = {"csrf": csrf, "back": back[1]}
        wrong = await browser.post("/login/code", data={**form, "code": "12345"})
        came = await browser.post("/login/code", data={**form, "code": offer.code(clock)})
        inside = await browser.get("/runs")
        cookies = dict(browser.cookies)

    assert half.headers["location"] == "/login/code?back=%2Fruns%3Fq%3Dstate%253Adead"
    assert outside.status_code == 303
    assert (asked.status_code, wrong.status_code) == (200, 401)
    assert "The code is not right" in wrong.text
    assert came.headers["location"] == "/runs?q=state%3Adead"
    assert inside.status_code == 200
    assert HALF_WAY not in cookies


async def test_what_is_kept_half_way_is_for_our_pages_alone(
    desk: Desk, clock: WatchedClock
) -> None:
    """For five minutes; no script reads it, and over TLS it is bound to this host."""
    await with_codes(desk, clock)
    async with desk.browser() as browser:
        plain = await knock(browser, "/login", name=REVIEWER, password=PHRASE)
        browser.base_url = "https://127.0.0.1:8484"
        secure = await knock(browser, "/login", name=REVIEWER, password=PHRASE)

    cookies = [cookie_of(one) for one in (plain, secure)]
    for one in cookies:
        assert {"Max-Age=300", "Path=/", "HttpOnly", "SameSite=strict"} <= set(one.split("; "))
    assert cookies[0].startswith(f"{HALF_WAY}=")
    assert cookies[1].startswith(f"__Host-{HALF_WAY}=")
    assert "Secure" in cookies[1].split("; ")


def cookie_of(answer: httpx.Response) -> str:
    [cookie] = [one for one in answer.headers.get_list("set-cookie") if HALF_WAY in one]
    return cookie


async def test_without_the_password_there_is_no_place_for_a_code(
    desk: Desk, clock: WatchedClock
) -> None:
    """Nor with a forged cookie, nor after five minutes: back to the door."""
    offer = await with_codes(desk, clock)
    async with desk.browser() as browser, desk.browser(proveout_half_way="9.9.x") as forger:
        looked = await browser.get("/login/code")
        sent = await knock(browser, "/login/code", code=offer.code(clock))
        forged = await knock(forger, "/login/code", code=offer.code(clock))
        await knock(browser, "/login", name=REVIEWER, password=PHRASE)
        clock.advance(timedelta(minutes=5))
        late = await knock(browser, "/login/code", code=offer.code(clock))

    assert looked.headers["location"] == "/login"
    assert [one.status_code for one in (sent, forged, late)] == [401] * 3
    assert "too long ago" in late.text


async def test_codes_are_dropped_by_who_has_them_or_an_owner(
    desk: Desk, clock: WatchedClock
) -> None:
    """With password and code on one's own account; on the page of access by owners alone."""
    offer = await with_codes(desk, clock)
    path = f"/access/users/{REVIEWER}/factor/drop"
    async with await desk.as_(Role.OWNER) as owner, await desk.as_(Role.REVIEWER) as browser:
        shown = await owner.get("/access")
        fields = {"current": PHRASE, "code": offer.code(clock)}
        refused = [
            await send(browser, path),
            await send(browser, "/account/factor/drop", **{**fields, "current": "guessed at"}),
            await send(browser, "/account/factor/drop", **{**fields, "code": "1"}),
            await send(owner, "/access/users/the-owner/factor/drop"),
            await send(owner, "/access/users/nobody/factor/drop"),
        ]
        dropped = await send(browser, "/account/factor/drop", **fields)
        alone = (await desk.house.access.user(REVIEWER)).factor
        clock.advance(timedelta(seconds=30))
        actor = Actor(name=REVIEWER, role=Role.REVIEWER)
        factors = desk.console.sessions.factors
        await factors.add(actor, offer.salt, offer.code(clock))
        by_owner = await send(owner, path)

    assert "password and code" in shown.text
    assert [one.status_code for one in refused] == [403, 401, 401, 400, 404]
    assert (dropped.status_code, by_owner.status_code) == (303, 303)
    assert alone is None
    assert (await desk.house.access.user(REVIEWER)).factor is None
