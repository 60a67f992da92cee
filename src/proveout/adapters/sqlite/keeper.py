"""Leases in a SQLite store, renewed from a thread of their own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from proveout.adapters.sqlite.lane import say
from proveout.adapters.sqlite.moments import micros
from proveout.adapters.sqlite.schema import connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from pathlib import Path

    from proveout.adapters.sqlite.lane import Lane
    from proveout.domain.run import RunId
    from proveout.ports.clock import Clock
    from proveout.ports.store import Held

PARTS = 6
"""A renewal waits for this part of a lease for the lane, and once more for the file."""


class SqliteKeeper:
    """Renews through the writer lane, or past it while the lane's loop is blocked.

    The lane is first because it is fair: under load another connection would wait for long.
    A blocked loop holds no transaction, since none stays open while a workflow runs.
    """

    def __init__(self, lane: Lane, path: Path, clock: Clock) -> None:
        self._lane = lane
        self._path = path
        self._clock = clock

    def renew(self, held: Sequence[Held], lease: timedelta) -> set[RunId]:
        until = micros(self._clock.now() + lease)
        patience = lease.total_seconds() / PARTS
        renewed = self._lane.submit(lambda connection: _renew(connection, held, until))
        try:
            return renewed.result(patience)
        except TimeoutError:
            renewed.cancel()
        try:
            return _renew_past_the_lane(self._path, held, lease, until)
        except sqlite3.Error as error:
            raise say(error) from error

    def close(self) -> None:
        """Nothing to let go of: the lane belongs to the store."""


def _renew_past_the_lane(
    path: Path, held: Sequence[Held], lease: timedelta, until: int
) -> set[RunId]:
    with closing(connect(path)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {int(lease.total_seconds() * 1000 / PARTS)}")
        connection.execute("BEGIN IMMEDIATE")
        lost = _renew(connection, held, until)
        connection.execute("COMMIT")
        return lost


def _renew(connection: sqlite3.Connection, held: Sequence[Held], until: int) -> set[RunId]:
    lost: set[RunId] = set()
    for one in held:
        renewed = connection.execute(
            "UPDATE runs SET lease_until = ? WHERE id = ? AND fence = ? AND state = 'RUNNING'",
            (until, one.run, one.fence),
        )
        if renewed.rowcount == 0:
            lost.add(one.run)
    return lost
