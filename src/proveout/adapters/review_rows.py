"""Reviews as rows: what both stores share."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from proveout.adapters.rows import to_place
from proveout.domain.guardrail import Finding
from proveout.domain.review import (
    USUAL,
    Answer,
    OnExpiry,
    Review,
    ReviewId,
    ReviewState,
    SelfApproval,
    Terms,
)
from proveout.domain.run import RunId
from proveout.ports.reviews import Outcome, PastReview

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from proveout.adapters.rows import Row

ASKED = (
    *("id", "run", "path", "name", "occurrence", "queue"),
    *("opened", "deadline", "on_expiry", "terms", "findings"),
)
"""The columns that stay as they were when it was asked."""

CHANGING = (
    *("content", "digest", "state", "answer", "decided", "original", "edited_by"),
    *("claimed_by", "claimed_until", "snoozed_until", "assigned_to"),
    *("escalated", "escalated_by", "escalated_why", "approved_by", "takes_effect"),
    *("decided_by", "outcome"),
)
"""The columns that people change."""

REVIEW = ", ".join((*ASKED, *CHANGING))
"""The columns that make a review."""


def to_review(row: Row, moment: Callable[[Any], datetime]) -> Review:
    """Return the review that a row of `reviews` keeps."""

    def when(column: str) -> datetime | None:
        return None if row[column] is None else moment(row[column])

    return Review(
        id=ReviewId(row["id"]),
        run=RunId(row["run"]),
        place=to_place(row),
        queue=row["queue"],
        content=row["content"],
        digest=row["digest"],
        opened=moment(row["opened"]),
        deadline=when("deadline"),
        on_expiry=OnExpiry(row["on_expiry"]),
        state=_state(row),
        answer=None if row["answer"] is None else Answer.from_json(row["answer"]),
        decided=when("decided"),
        terms=_to_terms(row["terms"]),
        findings=_to_findings(row["findings"]),
        original=row["original"],
        edited_by=row["edited_by"],
        claimed_by=row["claimed_by"],
        claimed_until=when("claimed_until"),
        snoozed_until=when("snoozed_until"),
        assigned_to=row["assigned_to"],
        escalated=when("escalated"),
        escalated_by=row["escalated_by"],
        escalated_why=row["escalated_why"],
        approved_by=row["approved_by"],
        takes_effect=when("takes_effect"),
    )


def _state(row: Row) -> ReviewState:
    """Return the state: what older engines take for open may be claimed, or decided just now."""
    if row["state"] != ReviewState.OPEN:
        return ReviewState(row["state"])
    if row["takes_effect"] is not None:
        return ReviewState.DECIDED
    return ReviewState.CLAIMED if row["claimed_by"] else ReviewState.OPEN


def asked_columns(review: Review) -> tuple[Any, ...]:
    """Return the values of `ASKED`."""
    return (
        review.id,
        review.run,
        *review.place,
        review.queue,
        review.opened,
        review.deadline,
        review.on_expiry,
        _from_terms(review.terms),
        _from_findings(review.findings),
    )


def changing_columns(review: Review) -> tuple[Any, ...]:
    """Return the values of `CHANGING`."""
    answer = review.answer
    is_open = review.is_waiting or review.takes_effect is not None
    return (
        review.content,
        review.digest,
        ReviewState.OPEN if is_open else review.state,
        None if answer is None else answer.to_json(),
        review.decided,
        review.original,
        review.edited_by,
        review.claimed_by,
        review.claimed_until,
        review.snoozed_until,
        review.assigned_to,
        review.escalated,
        review.escalated_by,
        review.escalated_why,
        review.approved_by,
        review.takes_effect,
        "" if answer is None else answer.by,
        "" if answer is None or answer.expired else _outcome(review, answer),
    )


def _outcome(review: Review, answer: Answer) -> str:
    if not answer.approved:
        return Outcome.REJECTED
    return Outcome.EDITED if review.original else Outcome.APPROVED


def to_past(row: Row, moment: Callable[[Any], datetime]) -> PastReview:
    """Return the decision that a row of `reviews` keeps, without its content."""
    return PastReview(
        id=ReviewId(row["id"]),
        queue=row["queue"],
        by=row["decided_by"],
        outcome=Outcome(row["outcome"]),
        opened=moment(row["opened"]),
        decided=moment(row["decided"]),
    )


def _from_terms(terms: Terms) -> str:
    """Return terms as JSON; what is usual is left out."""
    usual = asdict(USUAL)
    unusual = {name: value for name, value in asdict(terms).items() if value != usual[name]}
    return json.dumps(unusual)


def _to_terms(data: str) -> Terms:
    words = json.loads(data)
    if "groups" in words:
        words["groups"] = tuple(words["groups"])
    if "self_approval" in words:
        words["self_approval"] = SelfApproval(words["self_approval"])
    return Terms(**words)


def _from_findings(findings: tuple[Finding, ...]) -> bytes:
    return json.dumps([asdict(one) for one in findings]).encode() if findings else b""


def _to_findings(data: bytes) -> tuple[Finding, ...]:
    return tuple(Finding(**words) for words in json.loads(data)) if data else ()
