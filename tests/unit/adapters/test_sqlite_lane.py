"""The writer lane of SQLite: one bad piece of work stops nobody."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest

from proveout.adapters.sqlite.lane import Lane
from proveout.adapters.sqlite.store import connect
from proveout.adapters.troubles import StoreUnavailable, Unstorable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Generator
    from pathlib import Path

PATIENCE = 5.0
"""Seconds of real time in which a lane must answer."""


@pytest.fixture
def lane(tmp_path: Path) -> Generator[Lane]:
    """Return a lane on an empty file."""
    lane = Lane(connect(tmp_path / "store.db"))
    yield lane
    lane.close()


def test_an_unexpected_error_reaches_its_caller_alone(lane: Lane) -> None:
    """Whatever a piece of work raises, the lane lives on."""

    def broken(_: sqlite3.Connection) -> int:
        raise KeyError("a fault of our own")

    broke = lane.submit(broken)
    fine = lane.submit(lambda connection: connection.execute("SELECT 1").fetchone()[0])

    with pytest.raises(KeyError):
        broke.result(PATIENCE)
    assert fine.result(PATIENCE) == 1


def test_a_value_of_no_known_type_is_unstorable(lane: Lane) -> None:
    """What SQLite cannot take is the caller's to mend, not an outage."""
    broke = lane.submit(lambda connection: connection.execute("SELECT ?", (object(),)))

    with pytest.raises(Unstorable):
        broke.result(PATIENCE)


def test_work_that_was_given_up_is_not_done(lane: Lane) -> None:
    """A caller who no longer waits breaks nothing, and nothing is written for him."""
    held: Future[None] = Future()
    lane.submit(lambda _: held.result(PATIENCE))
    given_up = lane.submit(lambda connection: connection.execute("CREATE TABLE t (x)"))
    assert given_up.cancel()

    held.set_result(None)

    tables = lane.submit(lambda connection: connection.execute("PRAGMA table_list").fetchall())
    assert "t" not in {row["name"] for row in tables.result(PATIENCE)}


def test_a_group_is_done_in_order_of_rank(lane: Lane) -> None:
    """In one commit lower ranks come first; equals keep the order they came in."""
    held: Future[None] = Future()
    done: list[str] = []
    lane.submit(lambda _: held.result(PATIENCE))
    pieces = [
        lane.submit(lambda _, name=name: done.append(name), rank)
        for name, rank in (("last", 9), ("first", 1), ("second", 3), ("third", 3))
    ]

    held.set_result(None)

    for piece in pieces:
        piece.result(PATIENCE)
    assert done == ["first", "second", "third", "last"]


def test_a_closed_lane_takes_nothing_more(tmp_path: Path) -> None:
    """After closing, work is refused rather than kept for ever."""
    lane = Lane(connect(tmp_path / "store.db"))
    lane.close()

    with pytest.raises(StoreUnavailable):
        lane.submit(lambda _: None)
