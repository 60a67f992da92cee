"""What the forms of the desk come to, and what the page says afterwards."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from doubles.desk import send
from doubles.given import Given
from proveout.domain.access import Role

if TYPE_CHECKING:
    import httpx

    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from proveout.domain.review import Review

pytestmark = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the console says is the same on every store."""

DRAFT = {"reply": "Dear Ana", "amount": 5, "also": None}


@pytest.fixture
async def review(desk: Desk, clock: WatchedClock, ids: CountedIds) -> Review:
    """Return a question that waits for a person."""
    return await Given(desk.store, clock, ids).waiting(content=json.dumps(DRAFT).encode())


async def sent(desk: Desk, review: Review, way: str, **fields: Any) -> httpx.Response:
    """Send a form of a review as a reviewer."""
    async with await desk.as_(Role.REVIEWER) as browser:
        fields = {"digest": review.digest, **fields}
        return await send(browser, f"/reviews/{review.id}/{way}", **fields)


async def after(
    desk: Desk, answer: httpx.Response, path: str = "", role: Role = Role.REVIEWER
) -> str:
    """Return the page that a browser shows after a form, or another one."""
    async with await desk.as_(role) as browser:
        browser.cookies.update(answer.cookies)
        return unescape((await browser.get(path or answer.headers["location"])).text)


def of(text: str, field: str) -> str:
    """Return the beginning of a field of a form, as its markup says it."""
    found = re.search(rf'<(?:textarea|select)[^>]* id="{field}"[^>]*>', text)
    assert found is not None
    return found[0]


# Edits that are not taken


@pytest.mark.parametrize("way", ["decide", "edit"])
async def test_an_edit_that_cannot_be_read_is_mended_where_it_is_wrong(
    desk: Desk, review: Review, way: str
) -> None:
    """The form stands open with what was typed, the wrong field has the focus and the reason."""
    typed = {"editing": "fields", "field": ["Dear Bo", "12,5x", "null"]}

    answer = await sent(desk, review, way, decision="edit", **typed)

    text = unescape(answer.text)
    assert answer.status_code == 400
    assert 'id="edit" name="decide" data-unsaved open>' in text
    assert 'aria-invalid="true" aria-describedby="wrong" autofocus' in of(text, "field-2")
    assert "aria-invalid" not in of(text, "field-1") + of(text, "field-3")
    assert 'The field "amount" is to be a number, such as 12.5.' in text.partition('id="wrong"')[2]
    assert "12,5x</textarea>" in text
    assert "Approve the draft as it was" in text


async def test_an_edit_as_json_is_mended_where_it_is_wrong(desk: Desk, review: Review) -> None:
    """In our words, with the place in the text."""
    answer = await sent(desk, review, "decide", decision="edit", editing="json", content='{"a": }')

    text = unescape(answer.text)
    assert "autofocus" in of(text, "content")
    assert "is not JSON: a value is expected at line 1, character 7." in text


async def test_an_edit_that_comes_too_late_is_not_lost(desk: Desk, review: Review) -> None:
    """Somebody else has put another draft there meanwhile: what was typed stands in the form."""
    other = {"editing": "fields", "field": ["Dear Cy", "5", "null"]}
    await sent(desk, review, "edit", **other)

    mine = {"editing": "fields", "field": ["Dear Bo", "7", "null"]}
    answer = await sent(desk, review, "decide", decision="edit", **mine)

    text = unescape(answer.text)
    assert answer.status_code == 409
    assert "Your edit was not taken. The draft is another one than you saw" in re.sub(
        "<.*?>", "", text
    )
    assert "Dear Bo</textarea>" in text


# What can still be undone


async def test_a_decision_is_taken_back_from_where_one_went_on(
    desk: Desk, review: Review, clock: WatchedClock, ids: CountedIds
) -> None:
    """The queue and the next review offer it to who decided, and to no one else, in time."""
    other = await Given(desk.store, clock, ids).waiting(content=b'"Dear Cy"')
    answer = await sent(desk, review, "decide", decision="approve")
    undo = f'action="/reviews/{review.id}/undo"'

    pages = [await after(desk, answer, path) for path in ("/reviews", f"/reviews/{other.id}")]
    theirs = await after(desk, answer, "/reviews", Role.OPERATOR)
    own = await after(desk, answer)
    clock.advance(timedelta(seconds=10))
    late = await after(desk, answer, "/reviews")

    assert all(undo in one and "You approved “" in one for one in pages)
    assert all(one.count('data-key="z"') == 1 for one in (*pages, own))
    assert "/undo" not in theirs
    assert "/undo" not in late


@pytest.mark.parametrize("said", ["", "nobody", "a b", "x" * 4000])
async def test_a_cookie_of_no_decision_offers_nothing(desk: Desk, said: str) -> None:
    """Whatever a browser says, the store decides."""
    async with await desk.as_(Role.REVIEWER) as browser:
        browser.cookies.set("proveout_decided", said)
        shown = await browser.get("/reviews")

    assert shown.status_code == 200
    assert "/undo" not in shown.text


@pytest.mark.parametrize(
    ("sends", "said"),
    [
        ({"decision": "approve"}, "with the draft that the workflow made."),
        ({"decision": "reject", "reason": "no"}, "with the draft that the workflow made."),
        (
            {"decision": "edit", "editing": "fields", "field": ["Dear Ana", "5", "null"]},
            "with the draft that the workflow made.",
        ),
        (
            {"decision": "edit", "editing": "fields", "field": ["Dear Bo", "5", "null"]},
            "with the draft as it was edited.",
        ),
    ],
)
async def test_undoing_says_which_draft_waits_again(
    desk: Desk, review: Review, sends: dict[str, Any], said: str
) -> None:
    """An edit stays; where nothing was changed, nothing is said to have been."""
    await sent(desk, review, "decide", **sends)

    text = await after(desk, await sent(desk, review, "undo"))

    assert f"Undone. The review waits again, {said}" in text


# Assigning


async def test_a_review_is_assigned_to_somebody_who_may_decide_it(
    desk: Desk, review: Review
) -> None:
    """The form offers those who may; what it does not offer is told on the page."""
    for role in (Role.VIEWER, Role.OPERATOR):
        await desk.as_(role)

    wrong = await sent(desk, review, "assign", to="nobody-known")
    done = await sent(desk, review, "assign", to="the-operator")

    text = unescape(wrong.text)
    offered = re.findall(
        r"<option[^>]*>([^<]+)", text.partition('id="to"')[2].partition("</select>")[0]
    )
    shown = await after(desk, done)
    assert wrong.status_code == 422
    assert offered == ["Whoever comes first", "the-operator", "the-reviewer"]
    assert 'aria-invalid="true" aria-describedby="wrong" autofocus' in of(text, "to")
    assert "Nobody and no group is called nobody-known." in text
    assert "proveout user list" not in text
    assert "<option selected>the-operator" in shown
