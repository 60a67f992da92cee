"""The writer lane of SQLite: one bad piece of work stops nobody."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from doubles.shop import until
from proveout.adapters.sqlite.lane import Lane
from proveout.adapters.sqlite.schema import connect
from proveout.adapters.troubles import StoreUnavailable, Unstorable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


@pytest.fixture
async def lane(tmp_path: Path) -> AsyncGenerator[Lane]:
    """Return a lane on an empty file."""
    lane = Lane(connect(tmp_path / "store.db"))
    yield lane
    await lane.close()


async def test_an_unexpected_error_reaches_its_caller_alone(lane: Lane) -> None:
    """Whatever a piece of work raises, the lane lives on."""

    def broken(_: sqlite3.Connection) -> int:
        raise KeyError("a fault of our own")

    broke = asyncio.ensure_future(lane.do(broken))
    fine = lane.do(lambda connection: connection.execute("SELECT 1").fetchone()[0])

    assert await fine == 1
    with pytest.raises(KeyError):
        await broke


async def test_a_value_of_no_known_type_is_unstorable(lane: Lane) -> None:
    """What SQLite cannot take is the caller's to mend, not an outage."""
    with pytest.raises(Unstorable):
        await lane.do(lambda connection: connection.execute("SELECT ?", (object(),)))


async def test_work_that_was_given_up_is_not_done(lane: Lane) -> None:
    """A caller who no longer waits breaks nothing, and nothing is written for him."""
    given_up = asyncio.ensure_future(
        lane.do(lambda connection: connection.execute("CREATE TABLE t (x)"))
    )
    await asyncio.sleep(0)  # noqa: TID251 - lets it hand its work in
    given_up.cancel()

    tables = await lane.do(lambda connection: connection.execute("PRAGMA table_list").fetchall())

    assert "t" not in {row["name"] for row in tables}


async def test_a_group_is_done_in_order_of_rank(lane: Lane) -> None:
    """In one commit lower ranks come first; equals keep the order they came in."""
    done: list[str] = []

    await asyncio.gather(
        *(
            lane.do(lambda _, name=name: done.append(name), rank)
            for name, rank in (("last", 9), ("first", 1), ("second", 3), ("third", 3))
        )
    )

    assert done == ["first", "second", "third", "last"]


async def test_the_lane_waits_for_another_process_without_holding_the_loop(
    lane: Lane, tmp_path: Path
) -> None:
    """While somebody else writes, everything but writing goes on."""
    other = connect(tmp_path / "store.db")
    other.execute("BEGIN IMMEDIATE")

    writing = asyncio.ensure_future(
        lane.do(lambda connection: connection.execute("CREATE TABLE t (x)"))
    )
    turns = 0
    while turns < 20:
        await asyncio.sleep(0.001)  # noqa: TID251 - the loop turns while the lane waits
        turns += 1
    assert not writing.done()
    other.execute("COMMIT")
    other.close()

    await writing


async def test_work_can_be_handed_in_from_another_thread(lane: Lane) -> None:
    """A heartbeat's, that must not wait for the loop's own tasks."""
    found: list[int] = []

    def ask() -> None:
        work = lane.submit(lambda connection: connection.execute("SELECT 7").fetchone()[0])
        found.append(work.result(5))

    thread = threading.Thread(target=ask)
    thread.start()
    await until(lambda: found)
    thread.join()

    assert found == [7]


async def test_a_commit_that_fails_is_told_to_all_and_leaves_nothing(lane: Lane) -> None:
    """A group whose statement finds the file in trouble is undone as a whole."""

    def trouble(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    both = await asyncio.gather(
        lane.do(lambda connection: connection.execute("CREATE TABLE t (x)"), 1),
        lane.do(trouble, 2),
        return_exceptions=True,
    )
    tables = await lane.do(lambda connection: connection.execute("PRAGMA table_list").fetchall())

    assert [type(one) for one in both] == [StoreUnavailable, StoreUnavailable]
    assert "t" not in {row["name"] for row in tables}


async def test_a_closed_lane_takes_nothing_more(tmp_path: Path) -> None:
    """After closing, work is refused rather than kept for ever."""
    lane = Lane(connect(tmp_path / "store.db"))
    await lane.close()

    with pytest.raises(StoreUnavailable):
        await lane.do(lambda _: None)
