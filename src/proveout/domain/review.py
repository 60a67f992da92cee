"""Reviews: questions to a person, with a deadline."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from proveout.domain.guardrail import Finding
    from proveout.domain.journal import Place
    from proveout.domain.run import RunId

ReviewId = NewType("ReviewId", str)


class ReviewState(StrEnum):
    """Where a review stands; it waits for a person while it is open or claimed."""

    OPEN = "open"
    CLAIMED = "claimed"
    DECIDED = "decided"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


WAITING = frozenset({ReviewState.OPEN, ReviewState.CLAIMED})
"""The states in which a review can be decided."""

REVIEW_MOVES: Mapping[ReviewState, frozenset[ReviewState]] = MappingProxyType(
    {
        ReviewState.OPEN: frozenset(
            {
                ReviewState.CLAIMED,
                ReviewState.DECIDED,
                ReviewState.EXPIRED,
                ReviewState.SUPERSEDED,
            }
        ),
        ReviewState.CLAIMED: frozenset(
            {
                ReviewState.OPEN,  # released, snoozed, assigned, escalated, edited
                ReviewState.DECIDED,
                ReviewState.EXPIRED,
                ReviewState.SUPERSEDED,
            }
        ),
        # Undone, or its run ended, before the decision took effect.
        ReviewState.DECIDED: frozenset({ReviewState.OPEN, ReviewState.SUPERSEDED}),
        ReviewState.EXPIRED: frozenset(),
        ReviewState.SUPERSEDED: frozenset(),
    }
)
"""Every legal move; once a decision has taken effect, no move leads out of it either."""


class OnExpiry(StrEnum):
    """What follows when nobody answers in time; never an approval."""

    REJECT = "reject"
    PARK = "park"


class SelfApproval(StrEnum):
    """Which approvals of their own a person may give alone.

    What they may not give alone waits for a second person, as with four eyes.
    """

    NONE = "none"
    EDITS = "edits"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person decided.

    Attributes:
        content: what was approved, as bytes of JSON: the draft, or an edit of it.
        reason: why, in the person's words; asked for when rejecting.
        expired: nobody answered in time.
        code: which of the queue's reasons a rejection names; "" where it names none.
        first: who approved before `by`, where two people had to.
    """

    approved: bool
    content: bytes
    by: str
    reason: str = ""
    expired: bool = False
    code: str = ""
    first: str = ""

    def to_json(self) -> bytes:
        """Return the answer as bytes of JSON, as a journal and a store keep it."""
        words = {
            "approved": self.approved,
            "content": self.content.decode(),
            "by": self.by,
            "reason": self.reason,
            "expired": self.expired,
        }
        # Left out where empty, so that engines of the version before read it.
        words |= {"code": self.code} if self.code else {}
        words |= {"first": self.first} if self.first else {}
        return json.dumps(words).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Answer:
        """Return the answer that `to_json` wrote."""
        words = json.loads(data)
        return cls(**{**words, "content": words["content"].encode()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms on which a draft was put to people; they stay as they were when it was asked.

    Attributes:
        groups: names of groups or people who may decide; empty for whoever may review.
        four_eyes: whether an approval needs two people.
        self_approval: which approvals of their own people may give alone.
        requester: who asked for the run; "" where that is not known.
        confidence: how sure the workflow is of its draft, 0 to 1; None where it does not say.
        share: which share of drafts is put to people; None where every one is.
    """

    groups: tuple[str, ...] = ()
    four_eyes: bool = False
    self_approval: SelfApproval = SelfApproval.EDITS
    requester: str = ""
    confidence: float | None = None
    share: float | None = None


USUAL = Terms()
"""The terms where nothing was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A question to a person about one exact content.

    Attributes:
        content: what is to be approved, as bytes of JSON: the draft, or somebody's edit of it.
        digest: hexadecimal SHA-256 of `content`; a decision names what it saw by it.
        deadline: after it the review expires; None where it waits for ever.
        findings: what speaks against the draft.
        original: the draft, once somebody has edited it; else empty.
        edited_by: who wrote the edit.
        claimed_by: who works on it; theirs until `claimed_until`, then anybody's again.
        snoozed_until: left out of the queue until then; its deadline does not wait.
        assigned_to: for whom it is meant.
        escalated: since when it is for the people who decide what others cannot.
        approved_by: who approved first, where it takes two people.
        takes_effect: until then a decision can be undone; None once it stands.
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
    terms: Terms = USUAL
    findings: tuple[Finding, ...] = ()
    original: bytes = b""
    edited_by: str = ""
    claimed_by: str = ""
    claimed_until: datetime | None = None
    snoozed_until: datetime | None = None
    assigned_to: str = ""
    escalated: datetime | None = None
    escalated_by: str = ""
    escalated_why: str = ""
    approved_by: str = ""
    takes_effect: datetime | None = None

    @property
    def is_pruned(self) -> bool:
        """Whether its content was removed with the payloads of its run."""
        return not self.content

    @property
    def is_waiting(self) -> bool:
        """Whether a person can decide it."""
        return self.state in WAITING

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of groups or people who may decide; empty for whoever may review."""
        return self.terms.groups

    @property
    def draft(self) -> bytes:
        """What the workflow put to people, before any edit."""
        return self.original or self.content

    def is_held(self, by: str, now: datetime) -> bool:
        """Whether somebody else than `by` works on it."""
        holder = self.holder(now)
        return holder not in {"", by}

    def holder(self, now: datetime) -> str:
        """Return who works on it now; "" where nobody does, or their time has run out."""
        lasts = self.claimed_until is not None and self.claimed_until > now
        return self.claimed_by if lasts else ""

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """What still speaks against `content`: what an edit has changed does no more."""
        if not self.original or self.is_pruned:
            return self.findings
        return tuple(one for one in self.findings if one.stands(self.original, self.content))

    @property
    def is_blocked(self) -> bool:
        """Whether something that stands forbids to approve `content`."""
        return any(one.blocking for one in self.open_findings)


def content_digest(content: bytes) -> str:
    """Return the digest by which a decision names a content."""
    return hashlib.sha256(content).hexdigest()[:32]
