"""The wire to a PostgreSQL server: how it is reached, and what its silence means.

The only file that knows the driver, which has no types of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - the driver ships none

from proveout.adapters.postgres.elsewhere import Elsewhere
from proveout.adapters.postgres.hosts import (
    SCHEMA,
    URL,
    Hosts,
    schema_of,
    unreadable,
    without_our_options,
)
from proveout.adapters.postgres.silence import NOTICED
from proveout.adapters.troubles import StoreUnavailable, Unstorable, store_full
from proveout.errors import Mistake, ProveoutError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence

    from proveout.adapters.rows import Row

PATIENCE = 30.0
"""Seconds that one statement may take before its connection counts as lost."""

CONNECTING = 10.0
"""Seconds that a connection may take to open, whichever of several hosts it is to."""

POOL = 4
"""Most connections for claims and reads; the writer lane has one of its own."""

OLDEST = 14
"""The oldest PostgreSQL that will do."""


class Link(Protocol):
    """One connection."""

    async def execute(
        self,
        query: str,
        *values: object,
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's word
    ) -> str: ...

    async def fetch(self, query: str, *values: object) -> list[Row]: ...

    async def fetchrow(self, query: str, *values: object) -> Row | None: ...

    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...

    def add_termination_listener(self, callback: Callable[..., None]) -> None: ...

    def is_closed(self) -> bool: ...

    def terminate(self) -> None: ...

    async def close(self, *, timeout: float) -> None: ...  # noqa: ASYNC109 - the driver's word


class Cause(Enum):
    """Why a group of work could not be applied, by what helps."""

    LOST = "connect again and send it again"
    AGAIN = "send it again"
    FULL = "free space"
    DOWN = "nothing we can do"
    HELD = "leave out the unit that must wait for someone else"
    VALUE = "leave out the unit that holds it"
    OURS = "leave out the unit that shows it"


LOST_STATES = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "25006", "53300")
"""The server let go of us, is starting, or is a standby: another connection may work."""

AGAIN_STATES = ("40001", "40P01", "0A000")
"""A deadlock, or a plan made before a migration: the same work may work now."""

VALUE_STATES = ("22", "23", "54")
"""What was to be written is at fault."""

BY_STATE = {"53100": Cause.FULL, "55P03": Cause.HELD}
"""The volume is full; someone keeps a lock for too long."""

REFUSED_STATES = ("28", "3D", "42501")
"""Who we are, or where we asked to go, is at fault."""


class Unsettled(Exception):
    """What was there a statement ago is gone: nobody's error, and sent again."""


def cause(error: Exception) -> Cause:
    """Return what would help after `error`."""
    state = _state(error)
    if state is None:
        return _cause_on_our_side(error)
    if state.startswith(LOST_STATES):
        return Cause.LOST
    if state.startswith(AGAIN_STATES):
        return Cause.AGAIN
    if state.startswith(VALUE_STATES):
        return Cause.VALUE
    return BY_STATE.get(state, Cause.DOWN)


def _state(error: Exception) -> str | None:
    """Return the five characters by which the server names its errors; None for all others."""
    if not isinstance(error, asyncpg.PostgresError):
        return None
    return cast("str | None", cast("Any", error).sqlstate)


def _cause_on_our_side(error: Exception) -> Cause:
    match error:
        case OSError() | asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return Cause.LOST
        case Unsettled():
            return Cause.AGAIN
        case ValueError() | TypeError() | OverflowError():
            return Cause.VALUE
        case _:
            return Cause.OURS


def is_refused(error: Exception) -> bool:
    """Whether the server knows us not, or has no such database."""
    return (_state(error) or "").startswith(REFUSED_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a store is; neither prints its password.

    Attributes:
        place: host, port and database, for messages.
        pooled: reached through a pooler that gives each transaction another session.
        schema: in which everything lives.
    """

    place: str
    user: str
    database: str
    pooled: bool
    schema: str
    _url: str = field(repr=False)
    _hosts: Hosts = field(repr=False, compare=False)

    @classmethod
    def at(cls, url: str) -> Server:
        """Return the server that `url` names; several hosts stand for one that moves.

        Raises:
            Mistake: it is no URL of a PostgreSQL database.
        """
        if not URL.fullmatch(url):
            raise unreadable()
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        who, _, hosts = parts.netloc.rpartition("@")
        user = unquote(who.partition(":")[0]) or options.get("user", ["our own"])[0]
        hosts = hosts or options.get("host", ["localhost"])[0]
        database = unquote(parts.path[1:]) or options.get("dbname", [user])[0]
        try:
            moving = Hosts.of(hosts, options)
        except ValueError:
            raise unreadable() from None
        return cls(
            place=f"{hosts}/{database}",
            user=user,
            database=database,
            pooled=options.get("statement_cache_size") == ["0"],
            schema=schema_of(options),
            _url=without_our_options(url),
            _hosts=moving,
        )

    @property
    def title(self) -> str:
        """How our connections begin to be called in the server's list."""
        return "proveout" if self.schema == SCHEMA else f"proveout {self.schema}"

    async def connect(self, name: str, **settings: str) -> Link:
        """Open a connection that the server lists under `name`; the driver's errors come out.

        A pooler refuses settings at the start of a session, and plans each statement anew.
        """
        ours = {
            **NOTICED,
            "application_name": f"{self.title} {name}",
            "jit": "off",
            "default_transaction_isolation": "read committed",
        }
        link = await self._hosts.first(
            partial(self._open, None if self.pooled else {**ours, **settings}),
            lambda error: cause(error) is Cause.LOST,
        )
        return link if self.schema == SCHEMA else cast("Link", Elsewhere(link, SCHEMA, self.schema))

    async def _open(self, settings: dict[str, str] | None, where: dict[str, Any]) -> Link:
        opening = cast(
            "Coroutine[Any, Any, Link]",
            cast("Any", asyncpg).connect(
                self._url,
                timeout=CONNECTING / self._hosts.count,
                command_timeout=PATIENCE,
                statement_cache_size=0 if self.pooled else 200,
                max_cached_statement_lifetime=0,
                server_settings=settings,
                **where,
            ),
        )
        try:
            return await opening
        except ValueError:  # what it says may hold a part of the URL
            raise unreadable() from None
        except asyncpg.ProtocolViolationError as error:
            if "startup parameter" not in _words(error):
                raise
            raise self._pooled_unsaid() from None

    @contextmanager
    def in_words(self) -> Generator[None]:
        """Let no error of the driver's out, but what it means to a caller."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - each becomes what its reader can mend
            raise self.say(error) from None

    def say(self, error: Exception) -> Exception:
        """Return what `error` means to a caller, in words without values or passwords."""
        if isinstance(error, ProveoutError) or cause(error) is Cause.OURS:
            return error
        if is_refused(error):
            return self._refused(error)
        match cause(error):
            case Cause.FULL:
                return store_full()
            case Cause.VALUE:
                return unstorable(error)
            case Cause.DOWN | Cause.HELD:
                return self._unable(error)
            case _:
                return self._unavailable(error)

    def _pooled_unsaid(self) -> Mistake:
        return Mistake(
            f"a pooler stands before the store at {self.place}",
            why="it gives each transaction another session; we must know, to keep nothing in one",
            fix=("add statement_cache_size=0 to the parameters in PROVEOUT_STORE",),
        )

    def _unable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"the store at {self.place} cannot do it: {_words(error)}",
            why=f"PostgreSQL answered {_state(error)}; nothing was written",
            fix=("look at the server's log, then try again",),
        )

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"the store at {self.place} does not answer: {_words(error)}",
            why="the server is down, restarting, or cannot be reached from here",
            fix=("look at the server and the network between, then try again",),
        )

    def _refused(self, error: Exception) -> Mistake:
        """Return what it means that the server knows us not, or not the database."""
        return Mistake(
            f"PostgreSQL at {self.place} refuses user {self.user}: {_words(error)}",
            why="the user, its password, its rights or the database's name is wrong",
            fix=(
                f"createdb {self.database}",
                f'GRANT CREATE, CONNECT ON DATABASE "{self.database}" TO "{self.user}"',
                "set PROVEOUT_STORE to the right user, password and database",
            ),
        )


def _words(error: Exception) -> str:
    """Return the server's or the system's own words, which hold no values."""
    if isinstance(error, asyncpg.PostgresError):
        return f"{error.args[0] if error.args else type(error).__name__}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def unstorable(error: Exception) -> Unstorable:
    """Return what is wrong with a unit that cannot be written, without showing its values."""
    said = _words(error) if _from_server(error) else "it cannot be sent"
    return Unstorable(
        f"the store refused this value: {said}",
        why="a text holds NUL or half a character, or a number or key is too large",
        fix=("clean the value before handing it in",),
    )


def _from_server(error: Exception) -> bool:
    """Whether the server said so; the driver uses the same class for values it cannot send."""
    return isinstance(error, asyncpg.PostgresError) and bool(cast("Any", error).severity)


async def part(link: Link) -> None:
    """Let go of a connection, politely where it still listens."""
    try:
        await link.close(timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        link.terminate()


def _is_harmless(error: BaseException) -> bool:
    """Whether a connection is as good after `error` as before."""
    return isinstance(error, Exception) and cause(error) is Cause.VALUE


class Pool:
    """A few connections for claims and reads, opened when they are needed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._room = asyncio.Semaphore(POOL)
        self._idle: deque[Link] = deque()
        self._closed = False

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Link]:
        """Lend a connection; one that broke is not lent again.

        Raises:
            Mistake: a value cannot be sent.
            Outage: the server does not answer.
        """
        async with self._room:
            with self._server.in_words():
                link = self._at_rest() or await self._open()
                try:
                    yield link
                except BaseException as error:
                    await self._take_back(link, broken=not _is_harmless(error))
                    raise
                await self._take_back(link, broken=False)

    async def fetch(self, query: str, *values: object) -> Sequence[Row]:
        """Return the rows of a read; a connection that broke meanwhile is replaced once."""
        try:
            async with self.link() as link:
                return await link.fetch(query, *values)
        except StoreUnavailable:
            async with self.link() as link:
                return await link.fetch(query, *values)

    async def close(self) -> None:
        """Let go of all connections."""
        self._closed = True
        while self._idle:
            await part(self._idle.pop())

    def _at_rest(self) -> Link | None:
        while self._idle:
            link = self._idle.pop()
            if not link.is_closed():
                return link
        return None

    async def _open(self) -> Link:
        return await self._server.connect("pool", plan_cache_mode="force_custom_plan")

    async def _take_back(self, link: Link, *, broken: bool) -> None:
        if broken:
            link.terminate()
        elif self._closed:
            await part(link)
        else:
            self._idle.append(link)
