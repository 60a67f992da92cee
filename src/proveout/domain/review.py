"""Reviews: questions to a person, with a deadline."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.journal import Place
    from proveout.domain.run import RunId

ReviewId = NewType("ReviewId", str)


class ReviewState(StrEnum):
    """Where a review stands; only an open one can be decided."""

    OPEN = "open"
    DECIDED = "decided"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class OnExpiry(StrEnum):
    """What follows when nobody answers in time; never an approval."""

    REJECT = "reject"
    PARK = "park"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person decided.

    Attributes:
        content: what was approved, as bytes of JSON: the draft, or an edit of it.
        reason: why, in the person's words; asked for when rejecting.
        expired: nobody answered in time.
    """

    approved: bool
    content: bytes
    by: str
    reason: str = ""
    expired: bool = False

    def to_json(self) -> bytes:
        """Return the answer as bytes of JSON, as a journal and a store keep it."""
        words = {
            "approved": self.approved,
            "content": self.content.decode(),
            "by": self.by,
            "reason": self.reason,
            "expired": self.expired,
        }
        return json.dumps(words).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Answer:
        """Return the answer that `to_json` wrote."""
        words = json.loads(data)
        return cls(**{**words, "content": words["content"].encode()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A question to a person about one exact content.

    Attributes:
        content: the draft, as bytes of JSON.
        digest: hexadecimal SHA-256 of `content`; a decision names what it saw by it.
        deadline: after it the review expires; None where it waits for ever.
    """

    id: ReviewId
    run: RunId
    place: Place
    queue: str
    content: bytes
    digest: str
    opened: datetime
    deadline: datetime | None = None
    on_expiry: OnExpiry = OnExpiry.PARK
    state: ReviewState = ReviewState.OPEN
    answer: Answer | None = None
    decided: datetime | None = None

    @property
    def is_pruned(self) -> bool:
        """Whether its content was removed with the payloads of its run."""
        return not self.content
