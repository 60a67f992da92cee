"""Who works on what, in a SQLite store: claims, leases, timers and deadlines."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from proveout.adapters.rows import crashed, from_failure, to_pointer
from proveout.adapters.sqlite.moments import moment
from proveout.adapters.sqlite.reviews import expire_reviews, let_take_effect
from proveout.adapters.sqlite.turns import pass_on
from proveout.domain.release import DRAFT, release_scope
from proveout.domain.run import RunId
from proveout.ports.store import Tended

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from proveout.ports.store import Want


class FileHold:
    """A lock on a file; the system lets go of it when the process ends."""

    def __init__(self, file: Any, forget: Callable[[FileHold], None]) -> None:
        self._file = file
        self._forget = forget

    async def release(self) -> None:
        self._forget(self)
        with suppress(OSError):
            self._file.close()


def claim(
    connection: sqlite3.Connection, want: Want, now: int
) -> list[tuple[sqlite3.Row, list[sqlite3.Row]]]:
    """Give runs to a worker, each with its journal."""
    if want.most_running is None or want.experiment is not None:
        rows = _claim(connection, want, now)
    else:
        rows = _claim_within(connection, want, want.most_running, now)
    rows.sort(key=lambda row: (-row["priority"], row["due"], row["seq"]))
    return [(row, _entries(connection, row)) for row in rows]


def _claim_within(
    connection: sqlite3.Connection, want: Want, most: int, now: int
) -> list[sqlite3.Row]:
    """Claim so that at most so many runs of each workflow are running."""
    connection.execute(LAPSED, (now,))  # a run that lapsed has no place to keep
    rows: list[sqlite3.Row] = []
    for workflow in sorted(want.workflows):
        running: int = connection.execute(
            "SELECT count(*) FROM runs WHERE state = 'RUNNING' AND experiment IS NULL"
            " AND workflow = ?",
            (workflow,),
        ).fetchone()[0]
        limit = min(want.limit - len(rows), most - running)
        if limit > 0:
            one = replace(want, workflows=(workflow,), limit=limit)
            rows += _claim(connection, one, now)
    return rows


def _claim(connection: sqlite3.Connection, want: Want, now: int) -> list[sqlite3.Row]:
    whose, values = _whose(connection, want)
    return connection.execute(
        "UPDATE runs SET state = 'RUNNING', fence = fence + 1, worker = ?, lease_until = ?,"  # noqa: S608
        " wake = 0, updated = ?, release = CASE WHEN experiment IS NULL"
        " THEN coalesce(release, ?) END WHERE seq IN (SELECT seq FROM runs"
        f" WHERE state = 'QUEUED' AND due <= ? AND {whose}"
        " ORDER BY priority DESC, due, seq LIMIT ?) RETURNING *",
        (
            want.worker,
            now + want.lease // timedelta(microseconds=1),
            now,
            want.release,
            now,
            *values,
            want.limit,
        ),
    ).fetchall()


def is_idle(connection: sqlite3.Connection, want: Want, horizon: int) -> bool:
    """Whether nothing of `want` is queued or running, and nothing is due before `horizon`."""
    whose, values = _whose(connection, replace(want, suspects=None), halted=True)
    row = connection.execute(
        f"SELECT 1 FROM runs WHERE {whose} AND (state IN ('QUEUED', 'RUNNING')"  # noqa: S608
        " OR (state = 'WAITING' AND due <= ?)) LIMIT 1",
        (*values, horizon),
    ).fetchone()
    return row is None


def _whose(
    connection: sqlite3.Connection, want: Want, *, halted: bool = False
) -> tuple[str, list[object]]:
    """Return the condition under which a run is one that `want` asks for, and its values.

    With `halted`, what is halted counts as well.
    """
    parts: list[str] = []
    values: list[object] = []
    for workflow in want.workflows:
        if want.experiment is None and not halted and _is_halted(connection, workflow, want):
            continue
        routed, of_route = _routed(connection, workflow, want)
        parts.append(f"(workflow = ? AND {routed})")
        values += [workflow, *of_route]
    whose = " OR ".join(parts) or "0"
    if want.experiment is None and want.suspects is not None:
        return f"experiment IS ? AND suspect = ? AND ({whose})", [None, want.suspects, *values]
    return f"experiment IS ? AND ({whose})", [want.experiment, *values]


def _is_halted(connection: sqlite3.Connection, workflow: str, want: Want) -> bool:
    row = connection.execute(
        "SELECT 1 FROM halts WHERE workflow = ? AND scope IN ('workflow', ?)",
        (workflow, release_scope(want.release)),
    ).fetchone()
    return row is not None


def _routed(connection: sqlite3.Connection, workflow: str, want: Want) -> tuple[str, list[object]]:
    """Return the condition under which a run of `workflow` belongs to the worker's release."""
    if want.experiment is not None:
        return "1", []
    row = connection.execute("SELECT * FROM pointers WHERE workflow = ?", (workflow,)).fetchone()
    pointer = None if row is None else to_pointer(row, moment)
    stable = (pointer and pointer.stable) or DRAFT
    canary = pointer.canary if pointer and pointer.stable else None
    if canary and want.release in {canary.release, stable}:
        side = "<" if want.release == canary.release else ">="
        return (
            f"(release = ? OR (release IS NULL AND lot(?, coalesce(key, id)) {side} ?))",
            [want.release, canary.salt, canary.share.points],
        )
    if want.release == stable:
        return "(release = ? OR release IS NULL)", [want.release]
    return "release = ?", [want.release]


def _entries(connection: sqlite3.Connection, row: sqlite3.Row) -> list[sqlite3.Row]:
    if row["fence"] == 1:
        return []
    return connection.execute(
        "SELECT * FROM journal WHERE run = ? ORDER BY seq", (row["id"],)
    ).fetchall()


NEEDS_TENDING = (
    "SELECT EXISTS (SELECT 1 FROM runs WHERE state = 'RUNNING' AND lease_until < ?1)"
    " OR EXISTS (SELECT 1 FROM runs WHERE state = 'WAITING' AND due <= ?1)"
    " OR EXISTS (SELECT 1 FROM reviews WHERE state = 'open' AND deadline <= ?1"
    " AND takes_effect IS NULL)"
    " OR EXISTS (SELECT 1 FROM reviews WHERE state = 'open' AND takes_effect <= ?1)"
)


def needs_tending(connection: sqlite3.Connection, now: int) -> bool:
    """Whether a lease has lapsed, a timer fired, a review is overdue or a decision stands."""
    return bool(connection.execute(NEEDS_TENDING, (now,)).fetchone()[0])


LAPSED = (
    "UPDATE runs SET state = 'QUEUED', suspect = experiment IS NULL, updated = ?1"
    " WHERE state = 'RUNNING' AND lease_until < ?1"
)


def tend(connection: sqlite3.Connection, now: int) -> Tended:
    """Move what is due."""
    lapsed = connection.execute(LAPSED, (now,)).rowcount
    woken = connection.execute(
        "UPDATE runs SET state = 'QUEUED', updated = ?1 WHERE state = 'WAITING' AND due <= ?1",
        (now,),
    ).rowcount
    return Tended(
        lapsed=lapsed,
        woken=woken,
        expired=expire_reviews(connection, now),
        decided=let_take_effect(connection, now),
    )


CRASHED = (
    "UPDATE runs SET crashes = crashes + 1, suspect = 1, worker = NULL, lease_until = NULL,"
    " state = CASE WHEN crashes + 1 >= ?1 THEN 'DEAD' ELSE 'QUEUED' END, updated = ?2,"
    " failure = CASE WHEN crashes + 1 >= ?1 THEN ?3 END"
    " WHERE worker = ?4 AND state = 'RUNNING' RETURNING id, state"
)
"""Count a crash against the runs of a worker that died alone."""


def blame(connection: sqlite3.Connection, worker: str, at_most: int, now: int) -> list[RunId]:
    """Count a crash against the runs that a dead worker held; return them."""
    failure = from_failure(crashed(at_most))
    rows = connection.execute(CRASHED, (at_most, now, failure, worker)).fetchall()
    for row in rows:
        if row["state"] == "DEAD":
            connection.execute(
                "UPDATE reviews SET state = 'superseded', decided = ?"
                " WHERE run = ? AND state = 'open'",
                (now, row["id"]),
            )
            pass_on(connection, row["id"], now)
    return [RunId(row["id"]) for row in rows]
