"""Every path of the console, with the right that it needs, and what is refused at it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from doubles.desk import PHRASE, TOKEN, send, token
from doubles.doors import OWNER
from doubles.given import DRAFT, Given, digest_of
from proveout.domain.access import Right, Role
from proveout.domain.run import RunState
from proveout.faces.api.routes import Open
from proveout.faces.web.app import SAFETY, console_app
from proveout.faces.web.routes import ROUTES, Route, guarded
from proveout.ports.housekeeping import Aged

if TYPE_CHECKING:
    import httpx

    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from proveout.domain.review import Review

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the console does by itself is the same on every store."""

GUARDED = [route for route in ROUTES if isinstance(route.right, Right)]
SAME_SITE = {"origin": "http://127.0.0.1:8484", "sec-fetch-site": "same-origin"}


def name(route: Route) -> str:
    """Return what a route is called in a report."""
    return f"{route.method} {route.path}"


def path_of(route: Route, **blanks: str) -> str:
    """Return a path on which a route finds nothing, but for the blanks that are given."""
    return re.sub(r"\{(\w+)\}", lambda blank: blanks.get(blank[1], "none"), route.path)


@pytest.fixture
async def review(desk: Desk, clock: WatchedClock, ids: CountedIds) -> Review:
    """Return a question that waits for a person."""
    return await Given(desk.store, clock, ids).waiting()


async def state_of(desk: Desk) -> tuple[Any, ...]:
    """Return what only a form may change."""
    store, name = desk.store, desk.console.project.name
    return (
        await store.pointer(name),
        await store.halts(name),
        await store.reviews(),
        await store.head(),
        await store.count(),
    )


# Rights


@ONE_STORE
async def test_who_is_not_signed_in_is_led_to_the_door(desk: Desk) -> None:
    """A page leads to it and back again; a form is refused; an old cookie is none."""
    for forged in ("", "forged"):
        for route in GUARDED:
            async with desk.browser(proveout_session=forged) as browser:
                answer = await browser.request(route.method, path_of(route), headers=SAME_SITE)
            if route.method == "POST":
                assert answer.status_code == 401, name(route)
                assert "You are not signed in" in answer.text
            else:
                assert answer.status_code == 303, name(route)
                assert answer.headers["location"].startswith("/login"), name(route)


@ONE_STORE
async def test_a_key_opens_no_page(desk: Desk) -> None:
    """Programs have the API; people have sessions."""
    secret = await desk.house.key(Role.OWNER)

    async with desk.browser() as browser:
        answer = await browser.get("/runs", headers={"authorization": f"Bearer {secret}"})

    assert answer.status_code == 303


def test_the_paths_without_a_right_are_these() -> None:
    """A new public path is a decision that shows here."""
    found = {name(route) for route in ROUTES if route.right is Open.PUBLIC}

    assert found == {
        "GET /login",
        "POST /login",
        "GET /login/code",
        "POST /login/code",
        "GET /login/provider",
        "GET /login/back",
        "GET /welcome/{token}",
        "POST /welcome/{token}",
        "GET /answer/{token}",
        "POST /answer/{token}",
        "GET /static/{file}",
        "GET /acknowledge/{token}",
        "POST /acknowledge/{token}",
    }
    assert set(guarded()) == {(one.method, one.path, one.right) for one in GUARDED}


def test_a_route_cannot_be_made_without_a_right() -> None:
    """The table itself has no room for a forgotten right."""
    left_out: dict[str, Any] = {"method": "GET", "path": "/bare", "handler": bool}

    with pytest.raises(TypeError, match="right"):
        Route(**left_out)


@ONE_STORE
async def test_the_app_has_no_path_beside_the_table(desk: Desk) -> None:
    """What serves is what is declared."""
    app: Any = desk.app

    serving = {
        (method, one.path) for one in app.routes for method in one.methods if method != "HEAD"
    }

    assert serving == {(route.method, route.path) for route in ROUTES}


@ONE_STORE
@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/dead/replay", 405)])
async def test_where_nothing_is_who_is_signed_in_finds_the_way_back(
    desk: Desk, path: str, status: int
) -> None:
    """The address of a form is no page, and stays in the browser after it."""
    async with await desk.as_(Role.VIEWER) as browser:
        answer = await browser.get(path)
    async with desk.browser() as stranger:
        outside = await stranger.get(path)

    assert (answer.status_code, outside.status_code) == (status, status)
    assert 'href="/releases"' in answer.text
    assert 'href="/releases"' not in outside.text


@ONE_STORE
async def test_a_role_that_was_taken_counts_from_the_next_request_on(desk: Desk) -> None:
    """The session stays, what it may do does not; a disabled user is led to the door."""
    async with await desk.as_(Role.OPERATOR) as browser:
        csrf = await token(browser)
        await desk.house.access.change_role(OWNER, "the-operator", Role.VIEWER)
        refused = await browser.post("/halt", data={"csrf": csrf})
        await desk.house.access.disable(OWNER, "the-operator")
        gone = await browser.get("/")

    assert refused.status_code == 403
    assert (gone.status_code, gone.headers["location"]) == (303, "/login")


# Forged forms


@ONE_STORE
async def test_a_form_without_the_token_of_its_session_does_nothing(desk: Desk) -> None:
    """Missing, invented, or another session's; the negative control is the right one."""
    async with await desk.as_(Role.OWNER) as other:
        foreign = await token(other)
    before = await state_of(desk)

    async with await desk.as_(Role.OPERATOR) as browser:
        for fields in ({}, {"csrf": ""}, {"csrf": "x" * 43}, {"csrf": foreign}):
            refused = await browser.post("/halt", data=fields)
            assert refused.status_code == 403
            assert "forged-form" in refused.text
        untouched = await state_of(desk)
        done = await send(browser, "/halt")

    assert untouched[:3] == before[:3]
    assert done.status_code == 303
    assert len(await desk.store.halts("answers")) == 1


@ONE_STORE
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_from_another_page_does_nothing(desk: Desk, headers: dict[str, str]) -> None:
    """Even with the right token, what the browser says of its origin counts."""
    async with await desk.as_(Role.OWNER) as browser:
        fields = {"csrf": await token(browser)}
        refused = await browser.post("/halt", data=fields, headers=headers)
        done = await browser.post("/halt", data=fields, headers=SAME_SITE)

    assert (refused.status_code, done.status_code) == (403, 303)
    assert "cross-origin" in refused.text


@ONE_STORE
async def test_reading_changes_nothing(desk: Desk, review: Review) -> None:
    """A GET with everything that a form would hold is a page, or no path at all."""
    async with await desk.as_(Role.OWNER) as browser:
        csrf = await token(browser)
        before = await state_of(desk)
        fields = f"?csrf={csrf}&decision=approve&digest={review.digest}&treatment=cancel&flash=x"
        for route in ROUTES:
            if "{file}" not in route.path and "{token}" not in route.path:
                known = {"run": review.run, "review": review.id, "alert": f"review:{review.id}"}
                path = path_of(route, **known, experiment="answers")
                answer = await browser.get(f"{path}{fields}")
                assert answer.status_code < 500, (path, answer.text)
        after = await state_of(desk)

    assert after == before


# Hosts and headers


@ONE_STORE
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8484", 200),
        ("localhost:8484", 200),
        ("[::1]:8484", 200),
        ("LOCALHOST:8484", 200),
        ("evil.example:8484", 421),
        ("127.0.0.1.evil.example:8484", 421),
        ("127.0.0.1:9999", 421),
        ("127.0.0.1", 421),
        ("x@127.0.0.1:8484", 421),
        ("127.0.0.1:8484/x", 421),
        ("127.0.0.1:x", 421),
        ("[::1", 421),
    ],
)
async def test_a_name_that_leads_here_is_not_enough(desk: Desk, host: str, status: int) -> None:
    """A page whose own name leads to this machine is told nothing."""
    async with desk.browser() as browser:
        answer = await browser.get("/login", headers={"host": host})

    assert answer.status_code == status


@ONE_STORE
async def test_a_named_host_is_ours_too(desk: Desk) -> None:
    """Behind a proxy the console is reached by the names that it was given, and no other."""
    named = console_app(desk.console, is_loopback=False, hosts=("console.example",))
    anywhere = console_app(desk.console, is_loopback=False)
    statuses: list[int] = []

    for app, host in ((named, "console.example"), (named, "evil.example"), (anywhere, "a:1")):
        async with desk.browser(app) as browser:
            statuses.append((await browser.get("/login", headers={"host": host})).status_code)

    assert statuses == [200, 421, 200]


@ONE_STORE
async def test_every_answer_is_safe_in_a_browser(desk: Desk) -> None:
    """Pages, redirects, refusals and files: no script, no frame, no guessing, no copy kept."""
    async with await desk.as_(Role.OWNER) as browser:
        answers = [
            await browser.get(path)
            for path in ("/", "/runs/none", "/nope", "/static/style.css", "/welcome/x")
        ]
        answers.append(await browser.post("/halt", data={}))
        answers.append(await browser.get("/", headers={"host": "evil"}))
        answers.append(await browser.put("/"))

    for answer in answers:
        assert {name: answer.headers[name] for name in SAFETY} == SAFETY
        kept = answer.headers["cache-control"]
        assert kept == ("public, max-age=300" if "static" in str(answer.url) else "no-store")
    assert [one.status_code for one in answers] == [200, 404, 404, 200, 403, 403, 421, 405]


@ONE_STORE
async def test_a_bug_is_a_page_and_an_event(desk: Desk) -> None:
    """Nobody reads a traceback in a browser; whoever mends it finds it in the log."""
    private = "what a " + "customer wrote"

    async def broken(*_: object, **__: object) -> Any:
        raise ZeroDivisionError(private)

    desk.store.runs = broken  # pyright: ignore[reportAttributeAccessIssue] - a bug, planted here

    async with await desk.as_(Role.OWNER) as browser:
        answer = await browser.get("/runs")

    [event] = [one for one in desk.house.events if one["event"] == "console.failed"]
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert private not in f"{answer.text}{event}"
    assert (event["level"], event["type"]) == ("error", "ZeroDivisionError")


# The door


async def test_the_first_owner_comes_in_by_the_link(desk: Desk) -> None:
    """Once; looking at it spends nothing, and a slip can be mended."""
    secret = await desk.house.sessions.first_owner_link()
    path = f"/welcome/{secret}"

    async with desk.browser() as browser:
        csrf = await token(browser, path)
        fields = {"csrf": csrf, "name": "Ana", "password": PHRASE}
        differ = await browser.post(path, data={**fields, "again": "another phrase entirely"})
        weak = await browser.post(path, data={**fields, "password": "short", "again": "short"})
        done = await browser.post(path, data={**fields, "again": PHRASE})
        inside = await browser.get("/ledger")
    async with desk.browser() as late:
        spent = await late.get(path)

    assert (differ.status_code, weak.status_code, done.status_code) == (400, 400, 303)
    assert "not the same" in differ.text
    assert inside.status_code == 200
    assert spent.status_code == 403
    assert "link-spent" in spent.text


@ONE_STORE
async def test_signing_in_leads_back_and_no_further(desk: Desk) -> None:
    """To the page that was asked for; never to another site; a wrong password stays."""
    await desk.as_(Role.VIEWER)
    found: list[str] = []

    for back in ("/runs?state=DEAD", "//evil.example", "https://evil.example", "/\\evil", "/\n/x"):
        async with desk.browser() as browser:
            csrf = await token(browser, "/login")
            fields = {"csrf": csrf, "name": "the-viewer", "back": back}
            wrong = await browser.post("/login", data={**fields, "password": "no"})
            right = await browser.post("/login", data={**fields, "password": PHRASE})
        assert wrong.status_code == 401
        assert right.status_code == 303
        found.append(right.headers["location"])

    assert found == ["/runs?state=DEAD", "/", "/", "/", "/"]


@ONE_STORE
async def test_signing_in_takes_a_form_of_ours(desk: Desk) -> None:
    """Nobody is signed in as somebody else by a page elsewhere."""
    await desk.as_(Role.VIEWER)

    async with desk.browser() as browser:
        fields = {"name": "the-viewer", "password": PHRASE}
        bare = await browser.post("/login", data=fields)
        foreign = await browser.post("/login", data={**fields, "csrf": "x" * 43})

    assert (bare.status_code, foreign.status_code) == (403, 403)
    assert "set-cookie" not in bare.headers or "proveout_session" not in bare.headers["set-cookie"]


@ONE_STORE
async def test_too_many_tries_are_told_when_to_come_again(desk: Desk) -> None:
    """429 with `Retry-After`, on the page that it concerns."""
    async with desk.browser() as browser:
        csrf = await token(browser, "/login")
        fields = {"csrf": csrf, "name": "ana", "password": "no"}
        answers = [await browser.post("/login", data=fields) for _ in range(6)]

    assert [one.status_code for one in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0


@ONE_STORE
async def test_the_cookie_is_for_our_pages_alone(desk: Desk) -> None:
    """No script reads it, no other site sends it, and over TLS it never travels bare."""
    await desk.as_(Role.VIEWER)

    async with desk.browser() as browser:
        csrf = await token(browser, "/login")
        fields = {"csrf": csrf, "name": "the-viewer", "password": PHRASE}
        plain = await browser.post("/login", data=fields)

    [cookie] = [
        one for one in plain.headers.get_list("set-cookie") if one.startswith("proveout_session=")
    ]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


# Decisions


async def decide(desk: Desk, review: Review, **fields: Any) -> httpx.Response:
    """Send a decision as a reviewer."""
    async with await desk.as_(Role.REVIEWER) as browser:
        sent = {"digest": review.digest, **fields}
        return await send(browser, f"/reviews/{review.id}/decide", **sent)


async def test_an_approval_is_of_what_was_shown(desk: Desk, review: Review) -> None:
    """In the name of who is signed in; the page then says so, once."""
    answer = await decide(desk, review, decision="approve")

    async with await desk.as_(Role.REVIEWER) as browser:
        browser.cookies.update(answer.cookies)
        shown = await browser.get(answer.headers["location"])
        again = await browser.get(answer.headers["location"])
    kept = await desk.store.review(review.id)
    assert answer.status_code == 303
    assert kept is not None
    assert kept.answer is not None
    assert (kept.answer.approved, kept.answer.content) == (True, DRAFT)
    assert kept.answer.by == "the-reviewer"
    assert "Approved: exactly this draft" in shown.text
    assert "Approved: exactly this draft" not in again.text


@ONE_STORE
@pytest.mark.parametrize(
    "edit",
    [
        {"editing": "json", "content": '{"reply":\r\n "Dear Ana"}'},
        {"editing": "fields", "field": "Dear Ana"},
    ],
)
async def test_an_edit_is_what_is_approved(
    desk: Desk, review: Review, edit: dict[str, str]
) -> None:
    """As the form sent it, read as the form says."""
    answer = await decide(desk, review, decision="edit", **edit)

    kept = await desk.store.review(review.id)
    assert answer.status_code == 303
    assert kept is not None
    assert kept.answer is not None
    assert json.loads(kept.answer.content) == {"reply": "Dear Ana"}


@ONE_STORE
@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({}, 422, "no decision"),
        ({"decision": "maybe"}, 422, "no decision"),
        ({"decision": "reject"}, 422, "needs a reason"),
        ({"decision": "reject", "reason": " \r\n "}, 422, "needs a reason"),
        ({"decision": "reject", "reason": "x" * 2001}, 422, "2,000 characters"),
        ({"decision": "reject", "reason": "a\0b"}, 422, "2,000 characters"),
        ({"decision": "edit", "editing": "json", "content": "{"}, 400, "not JSON"),
        ({"decision": "edit", "editing": "json", "content": '"\\ud800"'}, 422, "edited content"),
        ({"decision": "edit", "editing": "fields"}, 400, "other fields than the form"),
        ({"decision": "edit", "content": "x"}, 400, "how its text is to be read"),
        ({"decision": "approve", "digest": "f" * 64}, 409, "was not taken"),
    ],
)
async def test_half_a_decision_is_none(
    desk: Desk, review: Review, fields: dict[str, str], status: int, said: str
) -> None:
    """It is told what is missing, and the question stays open."""
    answer = await decide(desk, review, **fields)

    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert await desk.store.review(review.id) == review


@pytest.fixture(params=[b"[149.5]", b'{"reply": "Dear customer", "amount": 149.5}'])
async def structured(
    request: pytest.FixtureRequest, desk: Desk, clock: WatchedClock, ids: CountedIds
) -> Review:
    """Return a question about a draft that is no text: edited whole, or field by field."""
    given = Given(desk.store, clock, ids)
    return await given.waiting(content=request.param, digest=digest_of(request.param))


@ONE_STORE
async def test_an_edit_that_cannot_be_read_stays_in_its_form(
    desk: Desk, structured: Review
) -> None:
    """Whoever wrote it mends a comma, and not the whole; its lines are as they were.

    Browsers end lines by CR LF; shown as a sign, the CR was sent as a part of the edit.
    """
    sent = "[149.5,\r\n]"
    whole, by_field = {"content": sent}, {"field": ["Dear Ana", sent]}
    form = by_field if structured.content.startswith(b"{") else whole
    editing = "fields" if form is by_field else "json"

    answer = await decide(desk, structured, decision="edit", editing=editing, **form)

    shown = unescape(answer.text)
    assert answer.status_code == 400
    assert "[149.5,\n]" in shown
    assert "\u240d" not in shown
    assert ("Dear Ana" in shown) == (form is by_field)
    assert "Your edit cannot be read." in shown
    assert 'id="edit" name="decide" data-unsaved open>' in shown


async def test_who_comes_second_sees_what_happened(desk: Desk, review: Review) -> None:
    """409, with the review as it stands: by whom, and how."""
    first = await decide(desk, review, decision="approve")

    late = await decide(desk, review, decision="reject", reason="too late")

    kept = await desk.store.review(review.id)
    assert (first.status_code, late.status_code) == (303, 409)
    assert "It was approved by the-reviewer" in late.text
    assert kept is not None
    assert kept.answer is not None
    assert kept.answer.approved


# Runs


async def test_a_run_is_cancelled_once(desk: Desk, clock: WatchedClock, ids: CountedIds) -> None:
    """The second time it is final already; the ledger tells who did it."""
    run = await Given(desk.store, clock, ids).queued()

    async with await desk.as_(Role.OPERATOR) as browser:
        first = await send(browser, f"/runs/{run.id}/cancel")
        second = await send(browser, f"/runs/{run.id}/cancel")

    kept = await desk.store.run(run.id)
    assert (first.status_code, second.status_code) == (303, 409)
    assert kept is not None
    assert kept.state is RunState.CANCELLED
    told = [one for one in await desk.store.ledger() if one.act == "cancel run"]
    assert [(one.actor, one.subject) for one in told] == [("the-operator", run.id)]


async def test_a_failed_run_is_replayed_as_a_new_one(
    desk: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """On the same input, with a journal of its own; one that goes on is not."""
    given = Given(desk.store, clock, ids)
    claimed = await given.claimed()
    going = claimed.run

    async with await desk.as_(Role.OPERATOR) as browser:
        refused = await send(browser, f"/runs/{going.id}/replay")
        await desk.store.write(given.settle(claimed, RunState.FAILED))
        done = await send(browser, f"/runs/{going.id}/replay")
        shown = await browser.get(done.headers["location"])

    new = await desk.store.run(type(going.id)(done.headers["location"].rpartition("/")[2]))
    assert refused.status_code == 409
    assert "not-replayable" in refused.text
    assert new is not None
    assert new.value == going.value
    assert (new.id != going.id, new.state) == (True, RunState.QUEUED)
    assert "same input" in shown.text


async def test_a_pruned_run_and_its_review_say_so(
    desk: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """Lists and pages show that their payloads are gone, and offer no replay."""
    given = Given(desk.store, clock, ids)
    claimed, review = await given.asked()
    await desk.store.write(given.decide(review))
    await desk.store.write(given.settle(claimed, RunState.FAILED))
    clock.advance(timedelta(days=90))
    aged = Aged(workflow="triage", sources=(), age=timedelta(days=90))
    assert await desk.store.prune(aged) == 1

    async with await desk.as_(Role.OPERATOR) as browser:
        shown = await browser.get(f"/runs/{claimed.run.id}")
        asked = await browser.get(f"/reviews/{review.id}")
        refused = await send(browser, f"/runs/{claimed.run.id}/replay")

    assert shown.status_code == asked.status_code == 200
    assert "Pruned on" in shown.text
    assert "Replay</" not in shown.text
    assert "was pruned" in asked.text
    assert (refused.status_code, "was pruned on" in refused.text) == (409, True)


# The switch and the gate


async def test_the_workflow_is_halted_and_resumed(desk: Desk) -> None:
    """Each stands in the ledger by name; every page tells of it."""
    async with await desk.as_(Role.OPERATOR) as browser:
        halted = await send(browser, "/halt", reason="refunds go out twice")
        page = await browser.get("/ledger")
        resumed = await send(browser, "/resume")
        again = await send(browser, "/resume")

    entries = await desk.store.ledger(limit=2)
    assert (halted.status_code, resumed.status_code, again.status_code) == (303, 303, 403)
    assert "refunds go out twice" in page.text
    assert [(one.act, one.actor) for one in entries] == [
        ("resume", "the-operator"),
        ("halt", "the-operator"),
    ]


@ONE_STORE
async def test_nothing_is_rolled_back_where_nothing_serves(desk: Desk) -> None:
    """A refusal with the next move; the form must say what becomes of the runs in flight."""
    async with await desk.as_(Role.OPERATOR) as browser:
        refused = await send(browser, "/rollback", treatment="finish")
        vague = await send(browser, "/rollback", treatment="forget")

    assert (refused.status_code, vague.status_code) == (403, 422)
    assert "not-promoted" in refused.text


@ONE_STORE
async def test_no_release_is_promoted_that_nobody_knows(desk: Desk) -> None:
    """The digest in the form names the release; an invented one names none."""
    async with await desk.as_(Role.OWNER) as browser:
        answer = await send(browser, "/promote", release="f" * 64)

    assert answer.status_code in {400, 404}
    assert "no-such-release" in answer.text


# Pages and lists


async def test_lists_go_on_where_they_ended(
    desk: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """A hundred a page, none twice and none left out; a wrong cursor is told."""
    given = Given(desk.store, clock, ids)
    runs = [await given.queued(workflow="answers") for _ in range(101)]
    for _ in range(51):
        await desk.house.access.create_key(OWNER, f"k{ids.new()}", Role.VIEWER)

    async with await desk.as_(Role.VIEWER) as browser:
        first = await browser.get("/runs")
        second = await browser.get(f"/runs?before={runs[1].id}")
        wrong = [
            (await browser.get(path)).status_code
            for path in ("/runs?q=state:odd", "/runs?before=%20", "/ledger?before=x")
        ]

    assert f"before={runs[1].id}" in first.text
    assert f">{runs[0].id}<" not in first.text
    assert f">{runs[0].id}<" in second.text
    assert f">{runs[1].id}<" not in second.text
    assert "Older" not in second.text
    assert wrong == [422, 404, 422]


@ONE_STORE
async def test_what_came_of_a_form_is_a_word_of_ours(desk: Desk) -> None:
    """A cookie with other words says nothing at all."""
    async with await desk.as_(Role.VIEWER) as browser:
        browser.cookies.set("proveout_flash", "send your password to ana")
        answer = await browser.get("/ledger?flash=halted")

    assert "send your password" not in answer.text
    assert 'role="status"' not in answer.text


@ONE_STORE
async def test_each_page_holds_the_token_of_its_session_alone(desk: Desk) -> None:
    """All forms of a page carry the same; another session has another."""
    async with await desk.as_(Role.OWNER) as one, await desk.as_(Role.VIEWER) as other:
        ours = set(TOKEN.findall((await one.get("/")).text))
        theirs = set(TOKEN.findall((await other.get("/")).text))

    assert (len(ours), len(theirs)) == (1, 1)
    assert ours != theirs
