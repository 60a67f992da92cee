"""What a SQLite store knows of reviews."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proveout.adapters.review_rows import to_past, to_review
from proveout.adapters.rows import by_run
from proveout.adapters.sqlite.moments import micros, moment
from proveout.adapters.sqlite.office import Reader
from proveout.domain.review import ReviewId, ReviewState

if TYPE_CHECKING:
    from proveout.domain.review import Review
    from proveout.domain.run import RunId
    from proveout.ports.clock import Clock
    from proveout.ports.reviews import PastReview, ReviewFilter

IN_STATE = {
    None: "1",
    ReviewState.OPEN: "state = 'open' AND takes_effect IS NULL",
    ReviewState.CLAIMED: "state = 'open' AND takes_effect IS NULL AND claimed_by <> ''",
    ReviewState.DECIDED: "(state = 'decided' OR (state = 'open' AND takes_effect IS NOT NULL))",
    ReviewState.EXPIRED: "state = 'expired'",
    ReviewState.SUPERSEDED: "state = 'superseded'",
}

PLACE = "coalesce(deadline, 9223372036854775807), id"
"""Where a review stands in its queue."""

PAST = (
    "SELECT id, queue, decided_by, outcome, opened, decided FROM reviews"
    " WHERE state = 'decided' AND outcome <> '' AND (?1 IS NULL OR queue = ?1)"
    " ORDER BY decided DESC, id DESC LIMIT ?2"
)


class Desk(Reader):
    """The reading side of reviews; see `ports/reviews.py` for what each call promises."""

    _clock: Clock

    async def review(self, review: ReviewId) -> Review | None:
        row = await self._one("SELECT * FROM reviews WHERE id = ?", review)
        return None if row is None else to_review(row, moment)

    async def reviews(
        self,
        state: ReviewState | None = None,
        queue: str | None = None,
        limit: int = 100,
        after: ReviewId | None = None,
    ) -> list[Review]:
        rows = await self._all(
            f"SELECT * FROM reviews WHERE {IN_STATE[state]} AND (?1 IS NULL OR queue = ?1)"  # noqa: S608 - our own words
            f" AND (?3 IS NULL OR ({PLACE}) > (SELECT {PLACE} FROM reviews WHERE id = ?3))"
            f" ORDER BY {PLACE} LIMIT ?2",
            queue,
            limit,
            after,
        )
        return [to_review(row, moment) for row in rows]

    async def reviews_of(self, *runs: RunId) -> dict[RunId, list[Review]]:
        rows = await self._all(
            "SELECT * FROM reviews WHERE run IN (SELECT value FROM json_each(?))"
            " ORDER BY opened, id",
            json.dumps(runs),
        )
        return by_run((to_review(row, moment) for row in rows), lambda one: one.run)

    async def waiting(self, which: ReviewFilter) -> list[Review]:
        where = [IN_STATE[ReviewState.OPEN], "coalesce(snoozed_until > ?, 0) = ?"]
        values: list[object] = [micros(self._clock.now()), which.snoozed]
        if which.queue is not None:
            where.append("queue = ?")
            values.append(which.queue)
        if which.escalated:
            where.append("escalated IS NOT NULL")
        if which.after is not None:
            where.append(f"({PLACE}) > (SELECT {PLACE} FROM reviews WHERE id = ?)")  # noqa: S608
            values.append(which.after)
        rows = await self._all(
            f"SELECT * FROM reviews WHERE {' AND '.join(where)} ORDER BY {PLACE} LIMIT ?",  # noqa: S608
            *values,
            which.limit,
        )
        return [to_review(row, moment) for row in rows]

    async def count_waiting(self, queue: str, at_most: int) -> int:
        row = await self._one(
            f"SELECT count(*) AS reviews FROM (SELECT 1 FROM reviews"  # noqa: S608
            f" WHERE {IN_STATE[ReviewState.OPEN]} AND queue = ? LIMIT ?)",
            queue,
            at_most,
        )
        return 0 if row is None else row["reviews"]

    async def queues(self) -> list[str]:
        rows = await self._all("SELECT DISTINCT queue FROM reviews WHERE state = 'open' ORDER BY 1")
        return [row["queue"] for row in rows]

    async def claimed(self, by: str) -> list[ReviewId]:
        rows = await self._all(
            "SELECT id FROM reviews WHERE state = 'open' AND takes_effect IS NULL"
            " AND claimed_by <> '' AND claimed_by = ? AND claimed_until > ? ORDER BY id",
            by,
            micros(self._clock.now()),
        )
        return [ReviewId(row["id"]) for row in rows]

    async def past_reviews(self, queue: str | None = None, limit: int = 500) -> list[PastReview]:
        return [to_past(row, moment) for row in await self._all(PAST, queue, limit)]
