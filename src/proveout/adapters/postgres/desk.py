"""What a PostgreSQL store knows of reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.postgres.columns import moment
from proveout.adapters.postgres.office import Reader
from proveout.adapters.review_rows import REVIEW, to_past, to_review
from proveout.adapters.rows import by_run
from proveout.domain.review import ReviewId, ReviewState

if TYPE_CHECKING:
    from proveout.domain.review import Review
    from proveout.domain.run import RunId
    from proveout.ports.reviews import PastReview, ReviewFilter

OPEN = "state = 'open' AND takes_effect IS NULL"

IN_STATE = {
    None: "true",
    ReviewState.OPEN: OPEN,
    ReviewState.CLAIMED: f"{OPEN} AND claimed_by <> ''",
    ReviewState.DECIDED: "(state = 'decided' OR (state = 'open' AND takes_effect IS NOT NULL))",
    ReviewState.EXPIRED: "state = 'expired'",
    ReviewState.SUPERSEDED: "state = 'superseded'",
}

PLACE = "coalesce(deadline, 'infinity'), id"
"""Where a review stands in its queue."""

QUEUES = (
    "WITH RECURSIVE found AS (SELECT min(queue) AS queue FROM proveout.reviews"
    " WHERE state = 'open' UNION ALL SELECT (SELECT min(queue) FROM proveout.reviews"
    " WHERE state = 'open' AND queue > found.queue) FROM found WHERE found.queue IS NOT NULL)"
    " SELECT queue FROM found WHERE queue IS NOT NULL"
)
"""Every queue in which something waits, found by one step in the index each."""

CLAIMED = (
    f"SELECT id FROM proveout.reviews WHERE {OPEN} AND claimed_by <> ''"  # noqa: S608 - our own words
    " AND claimed_by = $1 AND claimed_until > (SELECT proveout.moment()) ORDER BY id"
)

PAST = (
    "SELECT id, queue, decided_by, outcome, opened, decided FROM proveout.reviews"
    " WHERE state = 'decided' AND outcome <> '' AND ($1::text IS NULL OR queue = $1)"
    " ORDER BY decided DESC, id DESC LIMIT $2"
)


class Desk(Reader):
    """The reading side of reviews; see `ports/reviews.py` for what each call promises."""

    async def review(self, review: ReviewId) -> Review | None:
        row = await self._one(
            f"SELECT {REVIEW} FROM proveout.reviews WHERE id = $1",  # noqa: S608
            review,
        )
        return None if row is None else to_review(row, moment)

    async def reviews(
        self,
        state: ReviewState | None = None,
        queue: str | None = None,
        limit: int = 100,
        after: ReviewId | None = None,
    ) -> list[Review]:
        rows = await self._all(
            f"SELECT {REVIEW} FROM proveout.reviews WHERE {IN_STATE[state]}"  # noqa: S608
            " AND ($1::text IS NULL OR queue = $1) AND ($3::text IS NULL OR"
            f" ({PLACE}) > (SELECT {PLACE} FROM proveout.reviews WHERE id = $3))"
            f" ORDER BY {PLACE} LIMIT $2",
            queue,
            limit,
            after,
        )
        return [to_review(row, moment) for row in rows]

    async def reviews_of(self, *runs: RunId) -> dict[RunId, list[Review]]:
        rows = await self._all(
            f"SELECT {REVIEW} FROM proveout.reviews WHERE run = ANY($1) ORDER BY opened, id",  # noqa: S608
            runs,
        )
        return by_run((to_review(row, moment) for row in rows), lambda one: one.run)

    async def waiting(self, which: ReviewFilter) -> list[Review]:
        values: list[object] = [which.limit, which.snoozed]
        where = [
            OPEN,
            "coalesce(snoozed_until > (SELECT proveout.moment()), false) = $2::boolean",
        ]
        if which.queue is not None:
            values.append(which.queue)
            where.append(f"queue = ${len(values)}")
        if which.escalated:
            where.append("escalated IS NOT NULL")
        if which.after is not None:
            values.append(which.after)
            where.append(
                f"({PLACE}) > (SELECT {PLACE} FROM proveout.reviews WHERE id = ${len(values)})"  # noqa: S608
            )
        rows = await self._all(
            f"SELECT {REVIEW} FROM proveout.reviews WHERE {' AND '.join(where)}"  # noqa: S608
            f" ORDER BY {PLACE} LIMIT $1",
            *values,
        )
        return [to_review(row, moment) for row in rows]

    async def count_waiting(self, queue: str, at_most: int) -> int:
        row = await self._one(
            "SELECT count(*) AS reviews FROM (SELECT FROM proveout.reviews"  # noqa: S608
            f" WHERE {OPEN} AND queue = $1 LIMIT $2) AS page",
            queue,
            at_most,
        )
        return 0 if row is None else row["reviews"]

    async def queues(self) -> list[str]:
        return [row["queue"] for row in await self._all(QUEUES)]

    async def claimed(self, by: str) -> list[ReviewId]:
        return [ReviewId(row["id"]) for row in await self._all(CLAIMED, by)]

    async def past_reviews(self, queue: str | None = None, limit: int = 500) -> list[PastReview]:
        return [to_past(row, moment) for row in await self._all(PAST, queue, limit)]
