"""Reviews over HTTP: read what waits for a person, and decide it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proveout.domain.review import Answer, ReviewId, ReviewState
from proveout.domain.unit import Decide, Decided, UnitId
from proveout.faces.api.bodies import read_json
from proveout.faces.api.call import Let, checked_id
from proveout.faces.api.problems import BadRequest
from proveout.faces.cli.review import AlreadyDecided, review_v1
from proveout.faces.project import NoSuch
from proveout.run.payload import say, to_json

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.domain.review import Review
    from proveout.faces.api.call import Call

MOST = 100
"""Reviews of one page."""


class DecisionBody(BaseModel):
    """A decision about exactly what was shown.

    Attributes:
        digest: of the content that the person saw.
        content: what is approved instead of the draft; only when approving.
        reason: why; asked for when rejecting.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    digest: str = Field(pattern="^[0-9a-f]{32,64}$")
    approved: bool
    content: Any = None
    reason: str = Field(default="", max_length=10_000, pattern="^[^\x00]*$")


async def listed(
    call: Let,
    state: Annotated[ReviewState | None, Query()] = ReviewState.OPEN,
    queue: Annotated[str | None, Query(max_length=128, pattern="^[^\x00]*$")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """List reviews, those with the nearest deadline first."""
    found = await call.doors.store.reviews(state, queue, limit)
    return call.answer({"schema": "reviews.v1", "reviews": [review_v1(one) for one in found]})


async def shown(review: str, call: Let) -> Response:
    """Show what is to be approved, whole, with the digest that a decision names."""
    return call.answer_tagged(review_v1(await _review(call, review)))


async def decide(review: str, call: Let) -> Response:
    """Approve or reject; counts once, and only for the content whose digest it names."""
    asked = _body(await read_json(call.request))
    seen = await _review(call, review)
    decision = Decide(
        id=UnitId(call.doors.ids.new()),
        review=seen.id,
        digest=asked.digest,
        answer=Answer(
            approved=asked.approved,
            content=_content(asked, seen),
            by=call.actor.name,
            reason=asked.reason,
        ),
    )
    answer = await call.doors.store.write(decision)
    if not isinstance(answer, Decided):
        now = await _review(call, review)
        raise AlreadyDecided(
            f"review {review} is {now.state}, and its content has the digest {now.digest}",
            why="one decision counts, for exactly the content that was shown",
            fix=(f"GET /api/v1/reviews/{review}",),
        )
    return call.answer(review_v1(answer.review))


def _body(value: object) -> DecisionBody:
    try:
        asked = DecisionBody.model_validate(value)
    except ValidationError as error:
        raise BadRequest(say(error), fix=('{"digest": …, "approved": true}',)) from None
    if not asked.approved and not asked.reason.strip():
        raise BadRequest("a rejection needs a reason", why="whoever reads the run will ask for it")
    if not asked.approved and "content" in asked.model_fields_set:
        raise BadRequest("a rejection approves no content", fix=("leave out content",))
    return asked


def _content(asked: DecisionBody, seen: Review) -> bytes:
    """Return what is approved: the edit, or the draft as it was shown."""
    if "content" not in asked.model_fields_set:
        return seen.content
    return to_json(asked.content, "the edited content")


async def _review(call: Call, review: str) -> Review:
    found = await call.doors.store.review(ReviewId(checked_id(review, "review")))
    if found is None:
        raise NoSuch(f"there is no review {review}", fix=("GET /api/v1/reviews",))
    return found
