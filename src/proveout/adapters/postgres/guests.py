"""Connections of the caller's own, in the words of ours.

The drivers are the caller's: what kind of connection it is, is read from its class, and no
driver is imported that the caller has not.
"""

from __future__ import annotations

import asyncio
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from proveout.adapters.rows import Row

ASYNCPG, PSYCOPG, SQLALCHEMY = "asyncpg", "psycopg", "sqlalchemy"

DRIVERS = ("psycopg", "psycopg_async", "asyncpg")
"""Drivers under SQLAlchemy that take what we send, and give what we read."""

IDLE = 0
"""How psycopg's driver says that a connection is in no transaction."""

NUMBERED = re.compile(r"\$(\d+)")


class Guest(Protocol):
    """What we ask of a caller's connection."""

    async def fetch(self, query: str, *values: object) -> Sequence[Row]:
        """Return the rows of a statement in the caller's transaction."""
        ...


def is_asynchronous(connection: object) -> bool:
    """Whether a connection belongs to an event loop."""
    kinds = type(connection).__mro__
    return _home(kinds) == ASYNCPG or any(
        kind.__name__.lower().startswith("async") and _package(kind) in {PSYCOPG, SQLALCHEMY}
        for kind in kinds
    )


def of_this_thread(connection: Any) -> Any:
    """Return what a proxy stands for in this thread; everything else is what it is."""
    is_scoped = any(kind.__name__.endswith("scoped_session") for kind in type(connection).__mro__)
    return connection.registry() if is_scoped else connection


async def guest(connection: object) -> Guest:
    """Return a caller's connection in our words.

    Raises:
        Mistake: it is no connection that we know, or it is in no transaction.
    """
    connection = of_this_thread(connection)
    waits = is_asynchronous(connection)
    match _home(type(connection).__mro__):
        case "asyncpg":
            return OfAsyncpg(connection)
        case "psycopg":
            return OfPsycopg(connection) if waits else InThread(PlainPsycopg(connection))
        case "sqlalchemy" if waits:
            return await OfSqlalchemy.on(connection)
        case "sqlalchemy":
            return InThread(await _finished(PlainSqlalchemy, connection))
        case _:
            raise Mistake(
                f"connection= is of type {type(connection).__qualname__}",
                why="a transaction of psycopg (3), asyncpg or SQLAlchemy can be joined",
                fix=("pass the connection or session that your transaction is on",),
            )


class OfAsyncpg:
    """A connection of asyncpg."""

    def __init__(self, connection: Any) -> None:
        if not connection.is_in_transaction():
            raise _in_no_transaction()
        self._connection = connection

    async def fetch(self, query: str, *values: object) -> Sequence[Row]:
        """Return the rows of a statement in the caller's transaction."""
        return await self._connection.fetch(query, *values)


class OfPsycopg:
    """An asynchronous connection of psycopg."""

    def __init__(self, connection: Any) -> None:
        _check_psycopg(connection)
        self._connection = connection

    async def fetch(self, query: str, *values: object) -> Sequence[Row]:
        """Return the rows of a statement in the caller's transaction."""
        kind = cast("Any", sys.modules[PSYCOPG]).AsyncCursor
        async with kind(self._connection, row_factory=_by_name) as cursor:
            await cursor.execute(*_pyformat(query, values))
            return await cursor.fetchall() if cursor.description else []


class PlainPsycopg:
    """A connection of psycopg that waits."""

    def __init__(self, connection: Any) -> None:
        _check_psycopg(connection)
        self._connection = connection

    def fetch(self, query: str, *values: object) -> Sequence[Row]:
        """Return the rows of a statement in the caller's transaction."""
        kind = cast("Any", sys.modules[PSYCOPG]).Cursor
        with kind(self._connection, row_factory=_by_name) as cursor:
            cursor.execute(*_pyformat(query, values))
            return cursor.fetchall() if cursor.description else []


def _check_psycopg(connection: Any) -> None:
    if connection.autocommit and connection.info.transaction_status == IDLE:
        raise _in_no_transaction()


def _by_name(cursor: Any) -> Callable[[Sequence[Any]], Row]:
    """Make rows that are read by the names of their columns, whatever the caller likes best."""
    names = [column.name for column in cursor.description or ()]
    return lambda values: _row(dict(zip(names, values, strict=True)))


class OfSqlalchemy:
    """An asynchronous connection of SQLAlchemy's, or that of a session."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def on(cls, given: Any) -> OfSqlalchemy:
        """Take a session's connection, or the one given."""
        connection = await given.connection() if hasattr(given, "get_bind") else given
        _check_sqlalchemy(connection, await connection.get_raw_connection())
        return cls(connection)

    async def fetch(self, query: str, *values: object) -> Sequence[Row]:
        """Return the rows of a statement in the caller's transaction."""
        done = await self._connection.exec_driver_sql(*_for(self._connection, query, values))
        return [_row(row) for row in done.mappings()] if done.returns_rows else []


class PlainSqlalchemy:
    """A connection of SQLAlchemy's that waits, or that of a session."""

    def __init__(self, given: Any) -> None:
        self._connection: Any = given.connection() if hasattr(given, "get_bind") else given
        _check_sqlalchemy(self._connection, self._connection.connection)

    def fetch(self, query: str, *values: object) -> Sequence[Row]:
        """Return the rows of a statement in the caller's transaction."""
        done = self._connection.exec_driver_sql(*_for(self._connection, query, values))
        return [_row(row) for row in done.mappings()] if done.returns_rows else []


def _check_sqlalchemy(connection: Any, raw: Any) -> None:
    driver = f"{connection.dialect.name}+{connection.dialect.driver}"
    if driver not in {f"postgresql+{one}" for one in DRIVERS}:
        raise Mistake(
            f"SQLAlchemy's connection is by {driver}",
            why=f"a run is written by a driver that is one of {', '.join(DRIVERS)}",
            fix=('create_engine("postgresql+psycopg://…")',),
        )
    if raw.dbapi_connection.autocommit:
        raise _in_no_transaction()


def _for(connection: Any, query: str, values: Sequence[object]) -> tuple[Any, ...]:
    """Return a statement and its values as the driver under SQLAlchemy takes them."""
    if connection.dialect.driver == ASYNCPG:
        return (query, tuple(values)) if values else (query,)
    return _pyformat(query, values)


def _pyformat(query: str, values: Sequence[object]) -> tuple[Any, ...]:
    """Return a statement and its values, which we number, as drivers take them that name them.

    To these drivers a list is an array, and a tuple a row.
    """
    if not values:
        return (query,)
    named = NUMBERED.sub(r"%(v\1)s", query.replace("%", "%%"))
    return named, {
        f"v{number}": list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
        for number, value in enumerate(values, 1)
    }


def _row(columns: Mapping[str, Any]) -> Row:
    """Return a row with its moments in UTC, as our own driver gives them."""
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in columns.items()
    }


class Plain(Protocol):
    """A connection that holds its thread while it waits."""

    def fetch(self, query: str, *values: object) -> Sequence[Row]: ...


class InThread:
    """A connection that waits, used from a loop that may not."""

    def __init__(self, plain: Plain) -> None:
        self._plain = plain

    async def fetch(self, query: str, *values: object) -> Sequence[Row]:
        """Return the rows of a statement in the caller's transaction."""
        return await _finished(self._plain.fetch, query, *values)


async def _finished(call: Callable[..., Any], *arguments: object) -> Any:
    """Return what a call in a thread returned; whoever gives up waits for its end all the same.

    Else the caller would roll back on a connection that is still busy.
    """
    calling = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
    try:
        return await asyncio.shield(calling)
    except asyncio.CancelledError:
        await asyncio.wait([calling])
        raise


def _home(kinds: Sequence[type]) -> str:
    """Return the library that an object's classes come from, where it is one that we know."""
    packages = {_package(kind) for kind in kinds}
    return next((name for name in (ASYNCPG, PSYCOPG, SQLALCHEMY) if name in packages), "")


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _in_no_transaction() -> Mistake:
    return Mistake(
        "the connection is in no transaction",
        why="it commits each statement by itself, so there is nothing to join",
        fix=("begin a transaction first", "enqueue without connection="),
    )
