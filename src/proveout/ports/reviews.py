"""Reviews: what a store knows of questions to people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.review import Review, ReviewId, ReviewState
    from proveout.domain.run import RunId


class Outcome(StrEnum):
    """What a person made of a draft."""

    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastReview:
    """A decision that was made, without its content."""

    id: ReviewId
    queue: str
    by: str
    outcome: Outcome
    opened: datetime
    decided: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFilter:
    """Which waiting reviews to list, those with the nearest deadline first.

    Attributes:
        queue: only of this queue.
        escalated: only those that were escalated.
        snoozed: those that are left out of the queue now, and no others.
        after: only those behind this one, to go on where a page ended.
    """

    queue: str | None = None
    escalated: bool = False
    snoozed: bool = False
    after: ReviewId | None = None
    limit: int = 100


class Reviews(Protocol):
    """Questions to people."""

    async def review(self, review: ReviewId) -> Review | None:
        """Return the review of that id, or None."""
        ...

    async def reviews(
        self,
        state: ReviewState | None = None,
        queue: str | None = None,
        limit: int = 100,
        after: ReviewId | None = None,
    ) -> list[Review]:
        """Return reviews that match, those with the nearest deadline first.

        One that is claimed is open, too. Where `after` names one, only those that come later;
        none where it does not exist.
        """
        ...

    async def reviews_of(self, *runs: RunId) -> dict[RunId, list[Review]]:
        """Return the reviews of each run that asked a person, in the order of asking."""
        ...

    async def waiting(self, which: ReviewFilter) -> list[Review]:
        """Return reviews that wait for a person, those with the nearest deadline first."""
        ...

    async def count_waiting(self, queue: str, at_most: int) -> int:
        """Return how many reviews wait in a queue, up to `at_most`."""
        ...

    async def queues(self) -> list[str]:
        """Return the names of the queues in which something waits, sorted."""
        ...

    async def claimed(self, by: str) -> list[ReviewId]:
        """Return what a person has claimed whose lease has not run out."""
        ...

    async def past_reviews(self, queue: str | None = None, limit: int = 500) -> list[PastReview]:
        """Return decisions of people, the newest first."""
        ...
