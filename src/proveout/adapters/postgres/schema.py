"""Bringing a database to our schema, whoever else is doing so at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.migrations import Applied, migrations, pending
from proveout.adapters.postgres.wire import OLDEST, Cause, cause
from proveout.errors import Mistake

if TYPE_CHECKING:
    from proveout.adapters.postgres.wire import Link

MIGRATING = 0x70726F76656F7574
"""The advisory lock under which one process at a time migrates."""

PATIENCE = 3600.0
"""Seconds that a migration may take, or another process's that we wait for."""

TRIES = 60
"""How often a migration is tried again because running workers were in its way."""

HELD = 1000
"""Milliseconds for which a try waits for one lock."""

FACTS = (
    "SELECT current_setting('server_version_num')::int / 10000 AS version,"
    " current_setting('server_encoding') AS encoding,"
    " current_setting('synchronous_commit') AS durable,"
    " to_regclass('proveout.migrations') IS NOT NULL AS known"
)


async def prepare(link: Link) -> None:
    """Leave the database with our schema, or say what keeps it from having it.

    Raises:
        Mistake: this database cannot hold a store.
        StoreFromTheFuture: a newer Proveout made it.
    """
    facts = await link.fetchrow(FACTS)
    assert facts is not None  # noqa: S101 - a query without a table has one row
    _check(facts["version"], facts["encoding"], facts["durable"])
    applied = await _applied(link) if facts["known"] else []
    if pending(migrations(__package__ or ""), applied):
        await _migrate(link)


def _check(version: int, encoding: str, durable: str) -> None:
    if version < OLDEST:
        raise Mistake(f"PostgreSQL {version} is too old", why=f"{OLDEST} or newer is needed")
    if encoding != "UTF8":
        raise Mistake(
            f"the database's encoding is {encoding}",
            why="only UTF8 can hold every text",
            fix=("createdb --encoding=UTF8 --template=template0 NAME",),
        )
    if durable == "off":
        raise Mistake(
            "synchronous_commit is off",
            why="the server would acknowledge runs that a crash then loses",
            fix=("ALTER ROLE CURRENT_USER SET synchronous_commit = on",),
        )


APPLIED = (
    "SELECT number, coalesce((to_jsonb(migrations) ->> 'needs')::bigint, number) AS needs"
    " FROM proveout.migrations ORDER BY number"
)
"""Read so that the column may be missing, as it is before schema 3."""


async def _applied(link: Link) -> list[Applied]:
    return [Applied(row["number"], row["needs"]) for row in await link.fetch(APPLIED)]


async def _migrate(link: Link) -> None:
    """Apply what is pending; where running workers are in the way, let them finish and try again.

    A lock that we wait for keeps everyone else waiting behind us, so no try waits for long.
    """
    for left in reversed(range(TRIES)):
        try:
            await _apply_pending(link)
        except Exception as error:
            if left == 0 or cause(error) not in {Cause.AGAIN, Cause.HELD}:
                raise
        else:
            return


async def _apply_pending(link: Link) -> None:
    await link.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
    try:
        await link.execute("SELECT pg_advisory_xact_lock($1)", MIGRATING, timeout=PATIENCE)
        await link.execute(f"SET LOCAL lock_timeout = {HELD}")
        await _make_room(link)
        for migration in pending(migrations(__package__ or ""), await _applied(link)):
            await link.execute(migration.sql, timeout=PATIENCE)
            await link.execute(
                "INSERT INTO proveout.migrations (number, needs) VALUES ($1, $2)",
                migration.number,
                migration.needs,
            )
    except BaseException:
        if not link.is_closed():
            await link.execute("ROLLBACK")
        raise
    await link.execute("COMMIT")


async def _make_room(link: Link) -> None:
    """Make our schema where it is missing; where it is not, no right to make one is needed."""
    row = await link.fetchrow("SELECT to_regnamespace('proveout') IS NOT NULL AS known")
    if row is None or not row["known"]:
        await link.execute("CREATE SCHEMA proveout")
    await link.execute(
        "CREATE TABLE IF NOT EXISTS proveout.migrations (number bigint PRIMARY KEY);"
        " ALTER TABLE proveout.migrations ADD COLUMN IF NOT EXISTS needs bigint"
    )
