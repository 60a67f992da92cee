"""Reviews as the objects that callers outside rely on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.review import Review


def review_v1(one: Review) -> dict[str, Any]:
    """Return a review as the object that callers outside rely on."""
    answer = one.answer
    open_ = set(one.open_findings)
    return {
        "schema": "review.v1",
        "id": one.id,
        "run": one.run,
        "queue": one.queue,
        "state": one.state,
        "content": None if one.is_pruned else json.loads(one.content),
        "digest": one.digest,
        "opened_at": one.opened.isoformat(),
        "deadline": _when(one.deadline),
        "approved": None if answer is None else answer.approved,
        "by": None if answer is None else answer.by,
        "reason": None if answer is None else answer.reason,
        "code": answer.code or None if answer else None,
        "takes_effect_at": _when(one.takes_effect),
        "claimed_by": one.claimed_by or None,
        "claimed_until": _when(one.claimed_until),
        "snoozed_until": _when(one.snoozed_until),
        "assigned_to": one.assigned_to or None,
        "escalated_at": _when(one.escalated),
        "escalated_by": one.escalated_by or None,
        "escalated_why": one.escalated_why or None,
        "draft": json.loads(one.original) if one.original else None,
        "edited_by": one.edited_by or None,
        "groups": list(one.groups),
        "four_eyes": one.terms.four_eyes,
        "approved_by": one.approved_by or None,
        "requester": one.terms.requester or None,
        "confidence": one.terms.confidence,
        "findings": [{**asdict(found), "open": found in open_} for found in one.findings],
    }


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
