"""Reviews in the tables of a SQLite store: asked, handled, decided, expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from proveout.adapters.review_rows import (
    ASKED,
    CHANGING,
    asked_columns,
    changing_columns,
    to_review,
)
from proveout.adapters.sqlite.decisions import clean
from proveout.adapters.sqlite.moments import micros, moment
from proveout.adapters.sqlite.waits import wake
from proveout.domain.desk import Objection, decide, handle
from proveout.domain.review import Answer, ReviewState
from proveout.domain.unit import Decide, Decided, Handle, Handled, Undecidable

if TYPE_CHECKING:
    import sqlite3

    from proveout.domain.review import Review

OPEN = (
    f"INSERT INTO reviews ({', '.join((*ASKED, *CHANGING))})"  # noqa: S608 - our own words
    f" VALUES ({', '.join('?' * len((*ASKED, *CHANGING)))}) ON CONFLICT DO NOTHING"
)

CHANGE = f"UPDATE reviews SET unit = ?, {', '.join(f'{one} = ?' for one in CHANGING)} WHERE id = ?"  # noqa: S608


def open_review(connection: sqlite3.Connection, review: Review) -> None:
    """Put a question to people."""
    connection.execute(OPEN, _kept(*asked_columns(review), *changing_columns(review)))


def _kept(*values: object) -> tuple[object, ...]:
    """Return values as the tables keep them."""
    return clean(*(micros(one) if isinstance(one, datetime) else one for one in values))


def judge(
    connection: sqlite3.Connection, unit: Decide | Handle, now: int
) -> Decided | Handled | Undecidable:
    """Do what a person asks for with a review, if it may be done."""
    row = connection.execute("SELECT * FROM reviews WHERE id = ?", (unit.review,)).fetchone()
    if row is None:
        return Undecidable(None)
    known = to_review(row, moment)
    if row["unit"] == unit.id:
        return _done(unit, known)
    if isinstance(unit, Decide):
        after = decide(known, unit.digest, unit.answer, moment(now), unit.hold)
    else:
        after = handle(known, unit.act, unit.by, moment(now))
    if isinstance(after, Objection):
        return Undecidable(known, after)
    _write(connection, after, unit.id)
    if after.state is ReviewState.DECIDED and after.takes_effect is None:
        _answer(connection, after, now)
    return _done(unit, after)


def _done(unit: Decide | Handle, review: Review) -> Decided | Handled:
    return Decided(review) if isinstance(unit, Decide) else Handled(review)


def _write(connection: sqlite3.Connection, review: Review, unit: str | None) -> None:
    connection.execute(CHANGE, _kept(unit, *changing_columns(review), review.id))


def _answer(connection: sqlite3.Connection, review: Review, now: int) -> None:
    """Write the answer into the journal that waits for it, and wake its run."""
    assert review.answer is not None  # noqa: S101 - it was decided, or expired
    connection.execute(
        "UPDATE journal SET outcome = 'returned', value = ?"
        " WHERE run = ? AND path = ? AND name = ? AND occurrence = ?",
        (review.answer.to_json(), review.run, *review.place),
    )
    wake(connection, review.run, now)


def expire_reviews(connection: sqlite3.Connection, now: int) -> int:
    """Expire every review past its deadline that nobody decided; return their count."""
    rows: list[Any] = connection.execute(
        "SELECT * FROM reviews WHERE state = 'open' AND deadline <= ? AND takes_effect IS NULL",
        (now,),
    ).fetchall()
    for row in rows:
        review = to_review(row, moment)
        answer = Answer(approved=False, content=review.content, by="", expired=True)
        after = replace(review, state=ReviewState.EXPIRED, answer=answer, decided=moment(now))
        _write(connection, after, row["unit"])
        _answer(connection, after, now)
    return len(rows)


def let_take_effect(connection: sqlite3.Connection, now: int) -> int:
    """Have decisions stand that nobody has undone in time; return their count."""
    rows: list[Any] = connection.execute(
        "SELECT * FROM reviews WHERE takes_effect <= ? AND state = 'open'", (now,)
    ).fetchall()
    for row in rows:
        after = replace(to_review(row, moment), takes_effect=None)
        _write(connection, after, row["unit"])
        _answer(connection, after, now)
    return len(rows)
