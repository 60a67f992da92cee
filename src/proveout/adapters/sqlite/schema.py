"""Opening a file as a store, and bringing it to our schema."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from proveout.adapters.migrations import Applied, migrations, pending
from proveout.adapters.rows import without_content, without_words
from proveout.domain.release import lot
from proveout.domain.run import input_digest

if TYPE_CHECKING:
    from pathlib import Path


WAITS = 30.0
"""Seconds for which a statement waits for a lock that another process holds."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for durable use by several processes at once."""
    connection = sqlite3.connect(
        path, timeout=WAITS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.create_function("lot", 2, lot, deterministic=True)
    connection.create_function("input_digest", 1, input_digest, deterministic=True)
    connection.create_function("without_words", 1, without_words, deterministic=True)
    connection.create_function("without_content", 1, without_content, deterministic=True)
    return connection


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema to our version; one process at a time does it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in pending(migrations("proveout.adapters.sqlite"), _applied(connection)):
            for statement in statements(migration.sql):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO migrations (number, needs) VALUES (?, ?)",
                (migration.number, migration.needs),
            )
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _applied(connection: sqlite3.Connection) -> list[Applied]:
    """Return the migrations that the store remembers; before schema 3 none let others go on."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, needs INTEGER)"
    )
    columns = {row["name"] for row in connection.execute("PRAGMA table_info(migrations)")}
    if "needs" not in columns:
        connection.execute("ALTER TABLE migrations ADD COLUMN needs INTEGER")
    rows = connection.execute(
        "SELECT number, coalesce(needs, number) AS needs FROM migrations ORDER BY number"
    )
    return [Applied(row["number"], row["needs"]) for row in rows]


def statements(sql: str) -> list[str]:
    """Return the single statements of a migration file."""
    found: list[str] = []
    part = ""
    for line in sql.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found
