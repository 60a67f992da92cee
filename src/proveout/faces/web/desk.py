"""What the forms of the desk lead to: each is one thing that a person does with a review."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from proveout.domain.duration import duration
from proveout.errors import Mistake, Refusal
from proveout.faces.api.problems import BadRequest, status_of
from proveout.faces.desk import UNDO, AlreadyDecided, Desk
from proveout.faces.project import NoSuch
from proveout.faces.web import gather
from proveout.faces.web.acts import reason_of
from proveout.faces.web.drafts import (
    BadEdit,
    Editing,
    draft_of,
    edited,
    edited_fields,
    retyped,
    same,
)
from proveout.faces.web.gather_reviews import DECIDED, review_detail, reviews_page
from proveout.faces.web.moments import full_time
from proveout.faces.web.visit import set_cookie
from proveout.run.payload import Unjournalable, to_json

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.responses import Response

    from proveout.domain.review import Review
    from proveout.errors import ProveoutError
    from proveout.faces.web.visit import Visit

APPROVE, EDIT, REJECT = "approve", "edit", "reject"
WORDS = {APPROVE: "approved", EDIT: "edited", REJECT: "rejected"}


async def queue(visit: Visit) -> Response:
    """List what waits for a person."""
    page = await reviews_page(visit)
    return visit.page(page, gather.frame(visit, await gather.standing(visit.console.project)))


async def item(visit: Visit) -> Response:
    """Show what is to be approved, whole; looking changes nothing."""
    found = await gather.find_review(visit.console.project, visit.part("review"))
    return await _shown(visit, found)


async def _shown(
    visit: Visit, found: Review, refused: str = "", status: int = 200, *, wrong: str = ""
) -> Response:
    """Show a review, with what was typed in place of its draft where that was not taken."""
    around = await gather.standing(visit.console.project)
    page = await review_detail(visit, found, around, refused)
    if (editing := visit.sent("editing")) and page.is_open:
        draft = retyped(page.draft, editing, visit.sent("content"), visit.all_sent("field"))
        page = replace(page, draft=draft, is_edited=True)
    return visit.page(replace(page, wrong=wrong), gather.frame(visit, around), status)


async def decide(visit: Visit) -> Response:
    """Approve, edit or reject what was shown; it can be undone for ten seconds."""
    way = visit.sent("decision")
    if way not in WORDS:
        raise BadRequest("the form holds no decision", fix=("load the page again",))
    desk, review, digest = _desk(visit), visit.part("review"), visit.sent("digest")
    if way == REJECT:
        doing = desk.reject(review, digest, _reason(visit), code=visit.sent("code"), hold=UNDO)
        return await _done(visit, doing, WORDS[way])
    try:
        content = await _content(visit) if way == EDIT else None
    except Mistake as error:
        return await _still_edited(visit, error)
    return await _done(visit, desk.approve(review, digest, content, hold=UNDO), WORDS[way])


def _reason(visit: Visit) -> str:
    reason = reason_of(visit)
    if not reason and not visit.sent("code"):
        raise BadRequest("a rejection needs a reason", why="whoever reads the run will ask for it")
    return reason


async def _content(visit: Visit) -> bytes:
    if visit.sent("editing") == Editing.FIELDS:
        found = await gather.find_review(visit.console.project, visit.part("review"))
        text = edited_fields(draft_of(found.content), visit.all_sent("field"))
    else:
        text = edited(visit.sent("content"), visit.sent("editing"))
    try:
        return to_json(json.loads(text), "the edited content")
    except Unjournalable:
        why = r"\ud800 to \udfff stand for no character alone"
        raise BadRequest("the edited content holds half a character", why=why) from None


async def save(visit: Visit) -> Response:
    """Put an edit in the place of what was shown, and decide nothing."""
    desk, review = _desk(visit), visit.part("review")
    try:
        content = await _content(visit)
    except Mistake as error:
        return await _still_edited(visit, error)
    return await _done(visit, desk.edit(review, visit.sent("digest"), content), "saved")


async def _still_edited(visit: Visit, error: Mistake) -> Response:
    """Show the form again with what somebody typed, and where it is wrong."""
    found = await gather.find_review(visit.console.project, visit.part("review"))
    return await _shown(
        visit, found, _said(error), status_of(type(error)), wrong=_wrong_field(visit, error)
    )


def _wrong_field(visit: Visit, error: Mistake) -> str:
    """Return the field of the edit form that an error is about; "" where no one of them is."""
    if visit.sent("editing") != Editing.FIELDS:
        return "content"
    place = error.field if isinstance(error, BadEdit) else None
    return "" if place is None else f"field-{place + 1}"


def _said(error: ProveoutError) -> str:
    said = ": ".join(filter(None, (error.message, error.why)))
    return f"{said[:1].upper()}{said[1:]}."


async def claim(visit: Visit) -> Response:
    """Have it for oneself for a while."""
    return await _done(visit, _desk(visit).claim(visit.part("review")), "claimed")


async def release(visit: Visit) -> Response:
    """Give it back without a decision."""
    return await _done(visit, _desk(visit).release(visit.part("review")), "released")


async def snooze(visit: Visit) -> Response:
    """Leave it out of the queue for a time."""
    lasts = duration(visit.sent("for"))
    return await _done(visit, _desk(visit).snooze(visit.part("review"), lasts), "snoozed")


async def assign(visit: Visit) -> Response:
    """Mean it for somebody who is known."""
    review, to = visit.part("review"), visit.sent("to")
    try:
        return await _done(visit, _desk(visit).assign(review, to), "assigned")
    except NoSuch as error:
        found = await gather.find_review(visit.console.project, review)
        return await _shown(visit, found, _said(error), status_of(BadRequest), wrong="to")


async def escalate(visit: Visit) -> Response:
    """Hand it to the people who decide what others cannot."""
    doing = _desk(visit).escalate(visit.part("review"), reason_of(visit))
    return await _done(visit, doing, "escalated")


async def undo(visit: Visit) -> Response:
    """Take back what was decided, before it takes effect."""
    return await _done(visit, _desk(visit).undo(visit.part("review")), "undone")


def _desk(visit: Visit) -> Desk:
    console = visit.console
    return Desk(console.access.office, console.project.settings, visit.actor)


async def _done(visit: Visit, doing: Awaitable[Review], word: str) -> Response:
    """Send the browser to the review afterwards, or say what stood in the way."""
    try:
        done = await doing
    except Refusal as error:
        now = await gather.find_review(visit.console.project, visit.part("review"))
        return await _shown(visit, now, _why_not(visit, now, error), status_of(type(error)))
    answer = visit.done(f"/reviews/{quote(done.id, safe='')}", _came_of(word, done))
    if done.takes_effect is not None:
        lasts = int(UNDO.total_seconds())
        set_cookie(answer, DECIDED, done.id, secure=visit.is_secure, lasts=lasts)
    return answer


def _came_of(word: str, done: Review) -> str:
    """Return by which name a page says what came of a form."""
    if word in {"approved", "edited"} and done.is_waiting:
        return "approved-first"
    is_edit = done.original and not same(done.content, done.original)
    return "undone-edited" if word == "undone" and is_edit else word


def _why_not(visit: Visit, now: Review, error: Refusal) -> str:
    """Return what came before what was sent, in words for who sent it."""
    if not isinstance(error, AlreadyDecided):
        return _said(error)
    if now.answer is None:
        return (
            "The draft is another one than you saw; what stands here now is what it is about."
            if now.digest != visit.sent("digest")
            else f"The review is {now.state}."
            if not now.is_waiting
            else "Its deadline has passed."
        )
    if now.answer.expired:
        return "Nobody had answered in time, and it expired."
    word = "approved" if now.answer.approved else "rejected"
    at = "" if now.decided is None else f" at {full_time(now.decided, visit.console.zone)}"
    return f"It was {word} by {now.answer.by}{at}. One decision counts."
