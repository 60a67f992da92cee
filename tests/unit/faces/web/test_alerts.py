"""Alerts in the console: seen, taken and silenced; and links in notices, which only lead here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.desk import send
from doubles.given import Given
from doubles.watching import Watched
from proveout.domain.access import Role
from proveout.domain.record import Kind
from proveout.domain.run import RunState
from proveout.faces.links import token_of

if TYPE_CHECKING:
    import httpx

    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from proveout.domain.alert import Alert

pytestmark = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)

SETTINGS = """
[workflow]
name = "triage"
entry = "app:answer"

[production]
objective = { success = 0.99, within = "60 s" }
escalation = [{ to = "ana" }, { to = "ben", after = "15 min" }]

[channels.ana]
url_env = "ANA_URL"
"""
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture(autouse=True)
def watches_triage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the project's workflow be the one whose runs the tests make."""
    monkeypatch.setattr("doubles.doors.SETTINGS", SETTINGS)
    monkeypatch.setenv("ANA_URL", "json://127.0.0.1/ana")


@pytest.fixture
async def watched(desk: Desk, clock: WatchedClock, ids: CountedIds) -> Watched:
    """Return a workflow whose runs fail, and of which the first tier was told."""
    watched = await Watched(Given(desk.store, clock, ids)).promoted()
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(2)
    return watched


@pytest.fixture
async def alert(watched: Watched) -> Alert:
    [alert] = await watched.alerts()
    return alert


async def test_what_is_wrong_is_shown_with_who_was_told(desk: Desk, alert: Alert) -> None:
    """In the list, on its own page with every tier, on the overview, and beside the menu."""
    async with await desk.as_(Role.VIEWER) as browser:
        listed = (await browser.get("/alerts")).text
        shown = (await browser.get(f"/alerts/{alert.id}")).text
        overview = (await browser.get("/")).text
        unknown = await browser.get("/alerts/nobody")
        failed = await browser.get("/runs?q=state:failed,dead")

    assert "3 of the last 3 runs failed" in listed
    assert "No channel reaches" in listed
    assert shown.index("<bdi>ana</bdi>") < shown.index("<bdi>ben</bdi>")
    assert "the channel took it" in shown
    assert "no channel" in shown
    assert 'href="/runs?q=state:failed,dead">the runs that failed</a>' in shown
    assert (failed.status_code, 'role="alert"' in failed.text) == (200, False)
    assert f'href="/alerts/{alert.id}"' in overview
    assert 'Alerts<span class="c hot">1</span>' in overview
    assert "told ana</" in overview
    assert "an alert waits for somebody" in overview
    assert unknown.status_code == 404


async def test_whose_turn_came_and_whom_no_channel_reaches_was_not_told(
    desk: Desk, watched: Watched
) -> None:
    """The overview says no more than the page of the alert."""
    await watched.minutes(60, 10)

    async with await desk.as_(Role.VIEWER) as browser:
        overview = (await browser.get("/")).text

    assert ("ben", "alert") in watched.notebook.told
    assert "told ana</" in overview


async def test_an_operator_takes_it(desk: Desk, watched: Watched, alert: Alert) -> None:
    """From then on the page says who has it, and nobody else is told."""
    async with await desk.as_(Role.OPERATOR) as browser:
        answer = await send(browser, f"/alerts/{alert.id}/take", **{"for": "4 h"})
        shown = (await browser.get(answer.headers["location"])).text
        overview = (await browser.get("/")).text
    await watched.minutes(60, 10)

    assert answer.status_code == 303
    assert "the-operator" in shown
    assert "1 alert taken, not over" in overview
    assert "nothing is wrong" not in overview
    assert watched.notebook.told == [("ana", "alert")]


async def test_a_silence_is_made_and_ended_by_forms(desk: Desk, alert: Alert) -> None:
    """With its reason beside it; without one it is refused."""
    async with await desk.as_(Role.OPERATOR) as browser:
        bad = await send(browser, "/silences", rule="failures", reason=" ", **{"for": "1 h"})
        odd = await send(browser, "/silences", rule="odd", reason="why", **{"for": "1 h"})
        await send(browser, "/silences", rule="failures", reason="we move", **{"for": "1 h"})
        [name] = await desk.store.records(Kind.SILENCE)
        shown = (await browser.get(f"/alerts/{alert.id}")).text
        ended = await send(browser, f"/silences/{name}/end")

    assert (bad.status_code, odd.status_code, ended.status_code) == (422, 422, 303)
    assert "silenced by the-operator: we move" in shown
    assert await desk.store.records(Kind.SILENCE) == {}


# Links in notices


def link_of(desk: Desk, watched: Watched) -> str:
    """Return the path of the link in the notice that was sent first."""
    signer = desk.house.office.signer
    return f"/acknowledge/{token_of(signer, watched.notebook.notices[0])}"


async def taken(desk: Desk) -> dict[str, bytes]:
    return await desk.store.records(Kind.ACKNOWLEDGEMENT)


async def press(browser: httpx.AsyncClient, page: httpx.Response) -> httpx.Response:
    """Press the button of a page, as a browser would."""
    found = TOKEN.search(page.text)
    assert found is not None
    return await browser.post(str(page.url), data={"csrf": found[1]})


async def test_looking_at_a_link_takes_nothing_however_often(desk: Desk, watched: Watched) -> None:
    """Scanners of mail open every link, and follow what they find; only the form takes."""
    link = link_of(desk, watched)
    async with desk.browser() as scanner:
        pages = [await scanner.request(method, link) for method in ("GET", "HEAD", "GET")]
        bare = await scanner.post(link)
        other = await desk.browser().post(link, data={"csrf": "guessed"})

    assert [page.status_code for page in pages] == [200] * 3
    assert "Opening this page has taken nothing" in pages[0].text
    assert (bare.status_code, other.status_code) == (403, 403)
    assert await taken(desk) == {}


async def test_the_button_behind_a_link_takes_it(
    desk: Desk, watched: Watched, alert: Alert
) -> None:
    """In the name of whom the notice was sent to; nobody is signed in by it."""
    link = link_of(desk, watched)
    async with desk.browser() as browser:
        done = await press(browser, await browser.get(link))
        inside = await browser.get("/alerts")

    assert done.status_code == 200
    assert "It is yours" in done.text
    assert inside.status_code == 303
    assert set(await taken(desk)) == {alert.subject}
    assert b"ana, by a link" in (await taken(desk))[alert.subject]


async def test_a_link_works_for_who_is_signed_in_too(desk: Desk, watched: Watched) -> None:
    """A browser keeps its session from a link in a mail, and shows it when the form is sent."""
    link = link_of(desk, watched)
    async with desk.browser() as browser:
        page = await browser.get(link)
        async with await desk.as_(Role.VIEWER) as signed:
            browser.cookies.update(signed.cookies)
        done = await press(browser, page)

    assert done.status_code == 200


async def test_a_link_that_is_not_ours_or_too_old_leads_nowhere(
    desk: Desk, watched: Watched, clock: WatchedClock
) -> None:
    """Changed by one letter, for another notice, or a day later."""
    link = link_of(desk, watched)
    name, until, seal = link.removeprefix("/acknowledge/").split(".")
    forged = [
        f"{name}.{until}.{seal[:-1]}{'0' if seal[-1] != '0' else '1'}",
        f"{name}.{int(until) + 86_400}.{seal}",
        f"another.{until}.{seal}",
        f"{name}.{'9' * 40}.{seal}",
        f"{name}.\u0661.{seal}",
        "nothing",
        f"{name}..{seal}",
    ]
    async with desk.browser() as browser:
        refused = [(await browser.get(f"/acknowledge/{one}")).status_code for one in forged]
        clock.advance(timedelta(days=1))
        old = await browser.get(link)

    assert refused == [403] * len(forged)
    assert old.status_code == 403
    assert await taken(desk) == {}


async def test_what_is_over_cannot_be_taken_by_a_link(desk: Desk, watched: Watched) -> None:
    """Who comes late is told so."""
    link = link_of(desk, watched)
    await watched.ends(RunState.SUCCEEDED, 10)
    await watched.minutes(4)
    async with desk.browser() as browser:
        late = await press(browser, await browser.get(link))

    assert late.status_code == 409
    assert await taken(desk) == {}
