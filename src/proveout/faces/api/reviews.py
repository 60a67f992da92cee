"""Reviews over HTTP: read what waits for a person, and do with it what people do.

A decision over HTTP takes effect at once: a program does not press the wrong key.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proveout.domain.duration import duration
from proveout.domain.review import ReviewState
from proveout.faces.api.bodies import LASTING, read_json
from proveout.faces.api.call import Let, checked_id
from proveout.faces.api.problems import BadRequest
from proveout.faces.desk import LONGEST_REASON, Desk
from proveout.faces.review_words import review_v1
from proveout.ports.reviews import ReviewFilter
from proveout.run.payload import say, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from proveout.faces.api.call import Call

MOST = 100
"""Reviews of one page."""

NO_NUL = "^[^\x00]*$"
DIGEST = "^[0-9a-f]{32,64}$"

REJECTED: Mapping[str, Any] = MappingProxyType(
    {
        "if": {"properties": {"approved": {"const": False}}},
        "then": {
            "anyOf": [
                {"required": ["reason"], "properties": {"reason": {"pattern": r"\S"}}},
                {"required": ["code"], "properties": {"code": {"minLength": 1}}},
            ],
            "properties": {"content": False},
        },
    }
)
"""What a rejection holds besides."""


class Body(BaseModel):
    """What is sent with an act; nothing else is taken."""

    model_config = ConfigDict(extra="forbid", strict=True)


class DecisionBody(Body):
    """A decision about exactly what was shown.

    Attributes:
        digest: of the content that the person saw.
        content: what is approved instead of the draft; only when approving.
        reason: why; asked for when rejecting.
        code: which of the queue's reasons a rejection names, where it has some.
    """

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={**REJECTED})

    digest: str = Field(pattern=DIGEST)
    approved: bool
    content: Any = None
    reason: str = Field(default="", max_length=LONGEST_REASON, pattern=NO_NUL)
    code: str = Field(default="", max_length=60, pattern=NO_NUL)


class SnoozeBody(Body):
    """For how long a review is left out of the queue, such as "1 h"."""

    length: str = Field(alias="for", pattern=LASTING)


class AssignBody(Body):
    """Whom a review is meant for; "" for whoever comes first."""

    to: str = Field(max_length=64, pattern=NO_NUL)


class EditBody(Body):
    """Another content in the place of the one that was shown.

    Attributes:
        digest: of the content that the person saw.
    """

    digest: str = Field(pattern=DIGEST)
    content: Any


class EscalateBody(Body):
    """Why somebody else must decide."""

    why: str = Field(min_length=1, max_length=LONGEST_REASON, pattern=NO_NUL)


B = TypeVar("B", bound=Body)


async def listed(
    call: Let,
    state: Annotated[ReviewState | None, Query()] = ReviewState.OPEN,
    queue: Annotated[str | None, Query(max_length=128, pattern=NO_NUL)] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """List reviews, those with the nearest deadline first.

    Those that are open, claimed ones among them, leave out what is snoozed.
    """
    store = call.doors.store
    after = None
    if cursor is not None:
        after = (await _desk(call).find(checked_id(cursor, "review"))).id
    if state is ReviewState.OPEN:
        found = await store.waiting(ReviewFilter(queue=queue, after=after, limit=limit))
    else:
        found = await store.reviews(state, queue, limit, after)
    next_ = found[-1].id if len(found) == limit else None
    words = [review_v1(one) for one in found]
    return call.answer({"schema": "reviews.v1", "reviews": words, "next": next_})


async def shown(review: str, call: Let) -> Response:
    """Show what is to be approved, whole, with the digest that a decision names."""
    return call.answer_tagged(review_v1(await _desk(call).find(checked_id(review, "review"))))


async def decide(review: str, call: Let) -> Response:
    """Approve or reject; counts once, and only for the content whose digest it names.

    Where it takes two people, the first approval leaves the review open, and the answer
    says who gave it.
    """
    asked = await _asked(call, DecisionBody, '{"digest": …, "approved": true}')
    desk, known = _desk(call), checked_id(review, "review")
    has_content = "content" in asked.model_fields_set
    if asked.approved:
        content = to_json(asked.content, "the edited content") if has_content else None
        done = await desk.approve(known, asked.digest, content, reason=asked.reason)
    elif has_content:
        raise BadRequest("a rejection approves no content", fix=("leave out content",))
    elif not asked.reason.strip() and not asked.code:
        raise BadRequest("a rejection needs a reason", why="whoever reads the run will ask for it")
    else:
        done = await desk.reject(known, asked.digest, asked.reason, code=asked.code)
    return call.answer(review_v1(done))


async def claim(review: str, call: Let) -> Response:
    """Have it for oneself until the lease of its queue ends; again, for longer."""
    return call.answer(review_v1(await _desk(call).claim(checked_id(review, "review"))))


async def release(review: str, call: Let) -> Response:
    """Give it back without a decision."""
    return call.answer(review_v1(await _desk(call).release(checked_id(review, "review"))))


async def undo(review: str, call: Let) -> Response:
    """Take back one's own decision before it takes effect, or one's first approval of two."""
    return call.answer(review_v1(await _desk(call).undo(checked_id(review, "review"))))


async def snooze(review: str, call: Let) -> Response:
    """Leave it out of the queue for a time; its deadline does not wait."""
    asked = await _asked(call, SnoozeBody, '{"for": "1 h"}')
    done = await _desk(call).snooze(checked_id(review, "review"), duration(asked.length))
    return call.answer(review_v1(done))


async def assign(review: str, call: Let) -> Response:
    """Mean it for somebody; to take it from who has claimed it needs the right to operate."""
    asked = await _asked(call, AssignBody, '{"to": "ana"}')
    return call.answer(review_v1(await _desk(call).assign(checked_id(review, "review"), asked.to)))


async def edit(review: str, call: Let) -> Response:
    """Put another content in its place, which has a new digest; decides nothing."""
    asked = await _asked(call, EditBody, '{"digest": …, "content": …}')
    content = to_json(asked.content, "the edited content")
    done = await _desk(call).edit(checked_id(review, "review"), asked.digest, content)
    return call.answer(review_v1(done))


async def escalate(review: str, call: Let) -> Response:
    """Hand it to the people who decide what others cannot."""
    asked = await _asked(call, EscalateBody, '{"why": "above my limit"}')
    done = await _desk(call).escalate(checked_id(review, "review"), asked.why)
    return call.answer(review_v1(done))


def _desk(call: Call) -> Desk:
    doors = call.doors
    return Desk(doors.access.office, doors.settings, call.actor)


async def _asked(call: Call, body: type[B], example: str) -> B:
    """Return what the request asks for.

    Raises:
        BadRequest: it is not of that shape.
    """
    try:
        return body.model_validate(await read_json(call.request))
    except ValidationError as error:
        raise BadRequest(say(error), fix=(example,)) from None
