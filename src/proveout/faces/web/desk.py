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
from proveout.faces.web import gather
from proveout.faces.web.acts import reason_of
from proveout.faces.web.drafts import Editing, draft_of, edited, edited_fields, retyped
from proveout.faces.web.gather_reviews import review_detail, reviews_page
from proveout.faces.web.moments import full_time
from proveout.run.payload import to_json

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.responses import Response

    from proveout.domain.review import Review
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


async def _shown(visit: Visit, found: Review, refused: str = "", status: int = 200) -> Response:
    around = await gather.standing(visit.console.project)
    page = await review_detail(visit, found, around, refused)
    return visit.page(page, gather.frame(visit, around), status)


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
    return to_json(json.loads(text), "the edited content")


async def save(visit: Visit) -> Response:
    """Put an edit in the place of what was shown, and decide nothing."""
    desk, review = _desk(visit), visit.part("review")
    try:
        content = await _content(visit)
    except Mistake as error:
        return await _still_edited(visit, error)
    return await _done(visit, desk.edit(review, visit.sent("digest"), content), "saved")


async def _still_edited(visit: Visit, error: Mistake) -> Response:
    """Show the form again with what somebody typed, and what is wrong with it."""
    found = await gather.find_review(visit.console.project, visit.part("review"))
    around = await gather.standing(visit.console.project)
    said = ": ".join(filter(None, (error.message, error.why)))
    page = await review_detail(visit, found, around, f"{said[:1].upper()}{said[1:]}.")
    typed = visit.sent("content"), visit.all_sent("field")
    draft = retyped(page.draft, visit.sent("editing"), *typed)
    again = replace(page, draft=draft, is_edited=True)
    return visit.page(again, gather.frame(visit, around), status_of(type(error)))


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
    """Mean it for somebody."""
    to = visit.sent("to").strip().lower()
    return await _done(visit, _desk(visit).assign(visit.part("review"), to), "assigned")


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
    is_first = word in {"approved", "edited"} and done.is_waiting
    word = "approved-first" if is_first else word
    return visit.done(f"/reviews/{quote(done.id, safe='')}", word)


def _why_not(visit: Visit, now: Review, error: Refusal) -> str:
    """Return what came before what was sent, in words for who sent it."""
    if not isinstance(error, AlreadyDecided):
        said = f"{error.message}: {error.why}." if error.why else f"{error.message}."
        return f"{said[:1].upper()}{said[1:]}"
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
