"""Queues of reviews: who decides what is asked there, how much of it, and in which time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from proveout.domain.review import OnExpiry, SelfApproval, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proveout.domain.review import Review
    from proveout.domain.run import RunId

CLAIM_LEASE = timedelta(minutes=10)
"""How long a review stays with who claimed it, where the settings do not say."""


class WhenFull(StrEnum):
    """What happens while as many reviews wait in a queue as it may hold; never an approval."""

    SLOW = "slow"
    REJECT = "reject"
    PARK = "park"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What holds for the reviews of one queue.

    Attributes:
        people: names of people or groups who may decide; empty for whoever may review.
        four_eyes: an approval needs two people.
        self_approval: which approvals of their own people may give alone.
        within: the time to answer in, where the workflow does not say; None for any.
        on_expiry: what follows then, where the workflow does not say.
        sample: the share of drafts that people see; None for every one.
        seed: which drafts those are; another seed draws others.
        reasons: codes of which a rejection names one; empty where its words are enough.
        most_open: reviews that may wait at once; None for any number.
        when_full: what happens past that: new runs are refused, or the draft is answered as
            if nobody had.
        most_each: reviews that one person may have claimed at once; None for any number.
        lease: how long a review stays with who claimed it.
    """

    name: str
    people: tuple[str, ...] = ()
    four_eyes: bool = False
    self_approval: SelfApproval = SelfApproval.EDITS
    within: timedelta | None = None
    on_expiry: OnExpiry = OnExpiry.PARK
    sample: float | None = None
    seed: str = ""
    reasons: tuple[str, ...] = ()
    most_open: int | None = None
    when_full: WhenFull = WhenFull.SLOW
    most_each: int | None = None
    lease: timedelta = CLAIM_LEASE

    def terms(self, requester: str) -> Terms:
        """Return the terms on which a draft of a run is put to people here."""
        return Terms(
            groups=self.people,
            four_eyes=self.four_eyes,
            self_approval=self.self_approval,
            requester=requester,
            share=self.sample,
        )


def find_queue(queues: Iterable[Queue], name: str) -> Queue:
    """Return the queue of that name; one that the settings do not know has no rules."""
    known = {one.name: one for one in queues}
    return known.get(name, Queue(name=name))


def is_drawn(terms: Terms, seed: str, run: RunId, place: str) -> bool:
    """Whether a draft is one that people see; the same draft is drawn every time.

    The less sure the workflow is of it, the likelier: from the share itself, where it is
    quite sure, to every draft, where it is not sure at all.
    """
    if terms.share is None:
        return True
    doubt = 0.0 if terms.confidence is None else 1 - terms.confidence
    likely = terms.share + (1 - terms.share) * doubt
    return _lot(f"{seed}/{run}/{place}") < likely


def _lot(text: str) -> float:
    """Return a number from 0 up to 1 that stands for a text, spread evenly over all texts."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def may_decide(review: Review, name: str, groups: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a person is one of those whom a review is for.

    Args:
        review: names groups or people, or nobody in particular.
        name: of the person.
        groups: who belongs to each.
    """
    if not review.groups:
        return True
    return any(name == one or name in groups.get(one, ()) for one in review.groups)


def with_terms(
    terms: Terms,
    *,
    groups: tuple[str, ...],
    four_eyes: bool,
    confidence: float | None,
    share: float | None,
) -> Terms:
    """Return terms with what a workflow says of one draft: it may add to them, not loosen them."""
    return replace(
        terms,
        groups=groups or terms.groups,
        four_eyes=four_eyes or terms.four_eyes,
        confidence=confidence,
        share=terms.share if share is None else share,
    )
