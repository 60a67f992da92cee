"""Ordering keys: of the runs of one key only the first that has not ended may begin.

The others are WAITING without a due time, so that no claim and no timer ever looks at them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

ALIVE = "('QUEUED', 'RUNNING', 'WAITING', 'PARKED')"

IS_HELD = "(state = 'WAITING' AND fence = 0 AND due IS NULL)"
"""Whether a run waits for its turn."""

# Looked for from the newest backward: a backlog is found at once, however much of it has ended.
LAST = (
    "SELECT 1 FROM runs INDEXED BY runs_ordering WHERE workflow = ? AND ordering = ?"  # noqa: S608 - our own words
    f" AND ordering IS NOT NULL AND state IN {ALIVE} ORDER BY seq DESC LIMIT 1"
)

NEXT = (
    "SELECT seq FROM runs INDEXED BY runs_ordering WHERE workflow = ? AND ordering = ?"  # noqa: S608 - our own words
    f" AND ordering IS NOT NULL AND seq > ? AND state IN {ALIVE} ORDER BY seq LIMIT 1"
)

HAS_COME = (
    "UPDATE runs SET state = CASE WHEN not_before > ?1 THEN 'WAITING' ELSE 'QUEUED' END,"  # noqa: S608 - our own words
    " due = max(not_before, ?1), not_before = NULL, updated = ?1"
    f" WHERE seq = ?2 AND {IS_HELD}"
)
"""What becomes of a run whose turn has come: it is queued, or waits out its own delay."""


def is_taken(connection: sqlite3.Connection, workflow: str, ordering: str | None) -> bool:
    """Whether a run of that key has not ended yet; no key is never taken."""
    if ordering is None:
        return False
    return connection.execute(LAST, (workflow, ordering)).fetchone() is not None


def pass_on(connection: sqlite3.Connection, run: str, now: int) -> None:
    """Give the next run of its key the turn of `run`, which has ended."""
    ended = connection.execute(
        "SELECT seq, workflow, ordering FROM runs WHERE id = ? AND ordering IS NOT NULL", (run,)
    ).fetchone()
    if ended is None:
        return
    following = connection.execute(
        NEXT, (ended["workflow"], ended["ordering"], ended["seq"])
    ).fetchone()
    if following is not None:
        connection.execute(HAS_COME, (now, following["seq"]))
