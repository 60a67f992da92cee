"""Reviews in the tables of a PostgreSQL store: asked, handled, decided, expired.

Whoever writes about a review holds the row of its run first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proveout.adapters.postgres.columns import columns, moment
from proveout.adapters.postgres.waits import WAKE
from proveout.adapters.review_rows import (
    ASKED,
    CHANGING,
    REVIEW,
    asked_columns,
    changing_columns,
    to_review,
)
from proveout.domain.desk import Objection, decide, handle
from proveout.domain.review import Answer, ReviewState
from proveout.domain.unit import Decide, Decided, Handle, Handled, Undecidable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from proveout.adapters.postgres.wire import Link
    from proveout.domain.review import Review

TYPES = {
    **dict.fromkeys(("content", "answer", "original", "findings"), "bytea"),
    **dict.fromkeys(("opened", "deadline", "decided", "claimed_until"), "timestamptz"),
    **dict.fromkeys(("snoozed_until", "escalated", "takes_effect"), "timestamptz"),
    "occurrence": "bigint",
}
"""The types of columns that are no text."""


def _arrays(names: Sequence[str]) -> str:
    """Return an array for each column, as a statement takes them."""
    types = (TYPES.get(name, "text") for name in names)
    return ", ".join(f"${place}::{one}[]" for place, one in enumerate(types, 1))


OPEN = (
    f"INSERT INTO proveout.reviews ({', '.join((*ASKED, *CHANGING))})"  # noqa: S608 - our own words
    f" SELECT * FROM unnest({_arrays((*ASKED, *CHANGING))}) ON CONFLICT DO NOTHING"
)

JUDGE = (
    f"SELECT {REVIEW}, unit, (SELECT proveout.moment()) AS now FROM proveout.reviews"  # noqa: S608
    " WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE"
)

GIVEN = ("id", "unit", *CHANGING)

CHANGE = (
    "UPDATE proveout.reviews SET unit = given.unit,"  # noqa: S608 - our own words
    f" {', '.join(f'{one} = given.{one}' for one in CHANGING)}"
    f" FROM unnest({_arrays(GIVEN)}) AS given ({', '.join(GIVEN)}) WHERE reviews.id = given.id"
)

ANSWER = (
    "UPDATE proveout.journal SET outcome = 'returned', value = given.answer FROM unnest("
    "$1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[])"
    " AS given (run, path, name, occurrence, answer) WHERE journal.run = given.run"
    " AND journal.path = given.path AND journal.name = given.name"
    " AND journal.occurrence = given.occurrence"
)


async def open_reviews(link: Link, asked: Sequence[Review]) -> None:
    """Put questions to people."""
    rows = ((*asked_columns(one), *changing_columns(one)) for one in asked)
    await link.execute(OPEN, *columns(rows))


async def judge(
    link: Link, units: Sequence[tuple[int, Decide | Handle]], known: list[str]
) -> tuple[dict[int, Decided | Handled | Undecidable], list[Review]]:
    """Do what people ask for with reviews, where it may be done.

    Args:
        link: where the rows of their runs are locked.
        units: what is asked for, each with its place in its group.
        known: the reviews that there are.

    Returns:
        The answer by place, and the reviews whose runs go on by it.
    """
    rows = await link.fetch(JUDGE, known) if known else []
    now = {row["id"]: to_review(row, moment) for row in rows}
    last: dict[str, str | None] = {row["id"]: row["unit"] for row in rows}
    changed: set[str] = set()
    answers: dict[int, Decided | Handled | Undecidable] = {}
    for place, unit in units:
        review = now.get(unit.review)
        if review is not None and last[review.id] != unit.id:
            after = _after(unit, review, rows[0]["now"])
            if isinstance(after, Objection):
                answers[place] = Undecidable(review, after)
                continue
            review = now[review.id] = after
            last[review.id] = unit.id
            changed.add(review.id)
        answers[place] = _done(unit, review)
    after = [now[one] for one in sorted(changed)]
    await _write(link, [(one, last[one.id]) for one in after])
    ends = [one for one in after if one.state is ReviewState.DECIDED and not one.takes_effect]
    await _answer(link, ends)
    return answers, ends


def _after(unit: Decide | Handle, review: Review, now: datetime) -> Review | Objection:
    if isinstance(unit, Decide):
        return decide(review, unit.digest, unit.answer, now, unit.hold)
    return handle(review, unit.act, unit.by, now)


def _done(unit: Decide | Handle, review: Review | None) -> Decided | Handled | Undecidable:
    if review is None:
        return Undecidable(None)
    return Decided(review) if isinstance(unit, Decide) else Handled(review)


async def _write(link: Link, changed: Sequence[tuple[Review, str | None]]) -> None:
    if changed:
        rows = ((one.id, unit, *changing_columns(one)) for one, unit in changed)
        await link.execute(CHANGE, *columns(rows))


async def _answer(link: Link, decided: Sequence[Review]) -> None:
    """Write answers into the journals that wait for them, and wake their runs."""
    rows: list[tuple[Any, ...]] = [
        (one.run, *one.place, one.answer.to_json()) for one in decided if one.answer is not None
    ]
    if rows:
        await link.execute(ANSWER, *columns(rows))
        await link.execute(WAKE, list({one.run for one in decided}))


ROUND = 1000
"""Most reviews that one round of housekeeping moves for one reason."""


def _due(which: str, by: str) -> str:
    """Return what locks the reviews that are due; one whose run is busy waits a round."""
    mine = ", ".join(f"reviews.{one}" for one in (*ASKED, *CHANGING))
    return (
        f"WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now) SELECT {mine},"  # noqa: S608
        " reviews.unit, (SELECT now FROM clock) AS now"
        " FROM proveout.reviews JOIN proveout.runs ON runs.id = reviews.run"
        f" WHERE reviews.state = 'open' AND {which} ORDER BY {by}"
        f" LIMIT {ROUND} FOR NO KEY UPDATE SKIP LOCKED"
    )


OVERDUE = _due(
    "reviews.deadline <= (SELECT now FROM clock) AND reviews.takes_effect IS NULL",
    "reviews.deadline",
)
HELD = _due("reviews.takes_effect <= (SELECT now FROM clock)", "reviews.takes_effect")


async def expire(link: Link) -> int:
    """Expire reviews past their deadline that nobody decided; return their count."""
    rows = await link.fetch(OVERDUE)
    ended: list[tuple[Review, str | None]] = []
    for row in rows:
        one = to_review(row, moment)
        answer = Answer(approved=False, content=one.content, by="", expired=True)
        expired = replace(one, state=ReviewState.EXPIRED, answer=answer, decided=row["now"])
        ended.append((expired, row["unit"]))
    await _write(link, ended)
    await _answer(link, [one for one, _ in ended])
    return len(ended)


async def let_take_effect(link: Link) -> int:
    """Have decisions stand that nobody has undone in time; return their count."""
    rows = await link.fetch(HELD)
    stand = [(replace(to_review(row, moment), takes_effect=None), row["unit"]) for row in rows]
    await _write(link, stand)
    await _answer(link, [one for one, _ in stand])
    return len(stand)
