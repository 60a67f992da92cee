"""The desk: what people may do with a review, decided on values alone.

A store locks the review, asks here what becomes of it, and writes that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from proveout.domain.review import ReviewState, SelfApproval, content_digest

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from proveout.domain.review import Answer, Review

THROUGH = ", through "
"""What stands between whom a caller names and who the caller is."""


class Objection(StrEnum):
    """Why a review stays as it is."""

    CLOSED = "closed"
    LATE = "late"
    OTHER_CONTENT = "other-content"
    HELD = "held"
    BLOCKED = "blocked"
    SAME_PERSON = "same-person"
    NOT_YOURS = "not-yours"
    STANDS = "stands"


@dataclass(frozen=True, slots=True)
class ToClaim:
    """Work on it alone until the lease ends; again, to have it for longer."""

    lease: timedelta


@dataclass(frozen=True, slots=True)
class ToRelease:
    """Give it back without a decision."""


@dataclass(frozen=True, slots=True)
class ToSnooze:
    """Leave it out of the queue for so long; its deadline does not wait."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class ToAssign:
    """Mean it for somebody; "" for whoever comes first."""

    person: str


@dataclass(frozen=True, slots=True)
class ToEdit:
    """Put another content in the place of the one with that digest."""

    digest: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ToEscalate:
    """Hand it to the people who decide what others cannot."""

    why: str


@dataclass(frozen=True, slots=True)
class ToUndo:
    """Take back one's own decision before it takes effect, or one's first of two approvals."""


Act: TypeAlias = ToClaim | ToRelease | ToSnooze | ToAssign | ToEdit | ToEscalate | ToUndo


def handle(review: Review, act: Act, by: str, now: datetime) -> Review | Objection:
    """Return the review once `by` has done `act`, or why it stays as it is."""
    if isinstance(act, ToUndo):
        return _undone(review, by, now)
    if not review.is_waiting:
        return Objection.CLOSED
    # Who hands out work may take it from somebody, such as a person who fell ill.
    if not isinstance(act, ToAssign) and review.is_held(by, now):
        return Objection.HELD
    if isinstance(act, ToRelease) and review.claimed_by != by:
        return Objection.NOT_YOURS
    if isinstance(act, ToEdit) and act.digest != review.digest:
        return Objection.OTHER_CONTENT
    return _handled(review, act, by, now)


def _handled(
    review: Review,
    act: ToClaim | ToRelease | ToSnooze | ToAssign | ToEdit | ToEscalate,
    by: str,
    now: datetime,
) -> Review:
    free = _free(review)
    match act:
        case ToClaim(lease):
            until = now + lease
            return replace(free, state=ReviewState.CLAIMED, claimed_by=by, claimed_until=until)
        case ToRelease():
            return free
        case ToSnooze(length):
            return replace(free, snoozed_until=now + length)
        case ToAssign(person):
            return replace(free, assigned_to=person)
        case ToEdit(content=content):
            return review if content == review.content else _edited(review, content, by)
        case ToEscalate(why):
            return replace(free, escalated=now, escalated_by=by, escalated_why=why)


def decide(
    review: Review, digest: str, answer: Answer, now: datetime, hold: timedelta
) -> Review | Objection:
    """Return the review once that answer was given to it, or why it stays as it is.

    An approval that needs a second person leaves it open, and remembers the first.

    Args:
        review: as it stands.
        digest: of the content that the person saw.
        answer: with what they approve; where that is not what they saw, it is an edit of it.
        now: the moment, by the clock of the store.
        hold: for how long the decision can be undone before it takes effect.
    """
    if (objection := _objection(review, digest, answer.by, now)) is not None:
        return objection
    if answer.approved:
        if answer.content != review.content:
            review = _edited(review, answer.content, answer.by)
        if review.is_blocked:
            return Objection.BLOCKED
        first = review.approved_by
        if needs_second(review, answer.by) and first in {"", person(answer.by)}:
            is_again = first != ""
            waits = replace(_free(review), approved_by=person(answer.by))
            return Objection.SAME_PERSON if is_again else waits
        answer = replace(answer, first="" if first == person(answer.by) else first)
    return replace(
        _free(review),
        state=ReviewState.DECIDED,
        answer=answer,
        decided=now,
        takes_effect=now + hold if hold else None,
    )


def _objection(review: Review, digest: str, by: str, now: datetime) -> Objection | None:
    if not review.is_waiting:
        return Objection.CLOSED
    if review.deadline is not None and review.deadline <= now:
        return Objection.LATE
    if digest != review.digest:
        return Objection.OTHER_CONTENT
    return Objection.HELD if review.is_held(person(by), now) else None


def needs_second(review: Review, by: str) -> bool:
    """Whether an approval by that person takes effect only with somebody else's."""
    terms, who = review.terms, person(by)
    of_request = terms.self_approval is not SelfApproval.ALL and who == terms.requester
    of_edit = terms.self_approval is SelfApproval.NONE and who == review.edited_by
    return terms.four_eyes or of_request or of_edit


def person(by: str) -> str:
    """Return who is answerable for what somebody did in another's name."""
    return by.rpartition(THROUGH)[2]


def _undone(review: Review, by: str, now: datetime) -> Review | Objection:
    answer = review.answer
    if review.is_waiting and review.approved_by == by:
        return replace(review, approved_by="")
    if answer is None or review.state is not ReviewState.DECIDED:
        return Objection.CLOSED
    if person(answer.by) != by:
        return Objection.NOT_YOURS
    if review.takes_effect is None or review.takes_effect <= now:
        return Objection.STANDS
    return replace(review, state=ReviewState.OPEN, answer=None, decided=None, takes_effect=None)


def _edited(review: Review, content: bytes, by: str) -> Review:
    """Return the review of another content: what was approved of the one before is void."""
    return replace(
        review,
        content=content,
        digest=content_digest(content),
        original=review.draft,
        edited_by=person(by),
        approved_by="",
    )


def _free(review: Review) -> Review:
    """Return the review as nobody's."""
    return replace(
        review,
        state=ReviewState.OPEN,
        claimed_by="",
        claimed_until=None,
        snoozed_until=None,
    )
