"""What is kept in a SQLite store, and for how long: payloads go first, their rows later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from proveout.adapters.rows import delivery_of, without_words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from proveout.ports.housekeeping import Aged

ENDED = "state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED')"


def marks(values: Sequence[object]) -> str:
    """Return as many question marks as there are values."""
    return ", ".join("?" * len(values))


def prune(connection: sqlite3.Connection, aged: Aged, now: int) -> int:
    """Remove the payloads of runs and deliveries that are old enough; return their count."""
    rows = connection.execute(
        f"SELECT id FROM runs WHERE workflow = ? AND pruned IS NULL AND experiment IS NULL"  # noqa: S608 - our own words
        f" AND {ENDED} AND updated <= ? ORDER BY updated LIMIT ?",
        (aged.workflow, _before(aged, now), aged.limit),
    ).fetchall()
    return prune_runs(connection, [row["id"] for row in rows], now) + _blank_strays(
        connection, aged, now
    )


def _before(aged: Aged, now: int) -> int:
    return now - aged.age // timedelta(microseconds=1)


def prune_runs(connection: sqlite3.Connection, runs: Sequence[str], now: int) -> int:
    """Remove the payloads of these runs, if they have ended; return how many had any."""
    rows: list[Any] = connection.execute(
        f"SELECT id, key, failure FROM runs WHERE id IN ({marks(runs)}) AND pruned IS NULL"  # noqa: S608
        f" AND {ENDED}",
        runs,
    ).fetchall()
    for row in rows:
        connection.execute(
            "UPDATE runs SET pruned = ?, input = input_digest(value), value = x'', result = NULL,"
            " note = '', failure = ? WHERE id = ?",
            (now, without_words(row["failure"]), row["id"]),
        )
        _prune_journal(connection, row["id"])
        connection.execute(
            "UPDATE reviews SET content = x'', original = x'', findings = x'', escalated_why = '',"
            " answer = without_content(answer) WHERE run = ?",
            (row["id"],),
        )
        connection.execute("DELETE FROM signals WHERE run = ?", (row["id"],))
        connection.execute("DELETE FROM model_answers WHERE run = ?", (row["id"],))
        connection.execute(
            "UPDATE deliveries SET headers = '[]', body = x''"
            " WHERE source = ? AND event = ? AND run = ?",
            (*delivery_of(row["key"]), row["id"]),
        )
    return len(rows)


def _prune_journal(connection: sqlite3.Connection, run: str) -> None:
    connection.execute(
        "UPDATE journal SET arguments = '', value = CASE outcome WHEN 'raised'"
        " THEN without_words(value) END WHERE run = ?",
        (run,),
    )


def _blank_strays(connection: sqlite3.Connection, aged: Aged, now: int) -> int:
    """Remove the payloads of deliveries that asked for no run."""
    return connection.execute(
        "UPDATE deliveries SET headers = '[]', body = x'' WHERE seq IN (SELECT seq"  # noqa: S608
        " FROM deliveries WHERE run IS NULL AND length(body) > 0"
        f" AND source IN ({marks(aged.sources)}) AND received <= ? ORDER BY received LIMIT ?)",
        (*aged.sources, _before(aged, now), aged.limit),
    ).rowcount


def forget(connection: sqlite3.Connection, aged: Aged, now: int) -> int:
    """Remove what is left of pruned runs and deliveries, keys included; return their count."""
    rows: list[Any] = connection.execute(
        "DELETE FROM runs WHERE seq IN (SELECT seq FROM runs WHERE workflow = ?"
        " AND pruned IS NOT NULL AND updated <= ? ORDER BY updated LIMIT ?) RETURNING id, key",
        (aged.workflow, _before(aged, now), aged.limit),
    ).fetchall()
    for row in rows:
        connection.execute("DELETE FROM journal WHERE run = ?", (row["id"],))
        connection.execute("DELETE FROM reviews WHERE run = ?", (row["id"],))
        connection.execute("DELETE FROM model_calls WHERE run = ?", (row["id"],))
        connection.execute(
            "DELETE FROM deliveries WHERE source = ? AND event = ? AND run = ?",
            (*delivery_of(row["key"]), row["id"]),
        )
    strays = connection.execute(
        "DELETE FROM deliveries WHERE seq IN (SELECT seq FROM deliveries WHERE run IS NULL"  # noqa: S608
        f" AND length(body) = 0 AND source IN ({marks(aged.sources)}) AND received <= ?"
        " ORDER BY received LIMIT ?)",
        (*aged.sources, _before(aged, now), aged.limit),
    ).rowcount
    return len(rows) + strays
