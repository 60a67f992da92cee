"""Runs that enter in a transaction of the caller's, on each kind of connection."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - the driver ships none
import psycopg
import pytest
import sqlalchemy
from psycopg.rows import DictRow, dict_row
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from doubles.clock import CountedIds, ManualClock
from doubles.given import Given, want
from proveout.adapters.postgres.joined import Joined
from proveout.adapters.postgres.sandbox import in_schema
from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.system import SystemClock
from proveout.domain.unit import Cancel, Enqueue, Enqueued, KeyTaken
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from doubles.postgres import Databases
    from proveout.domain.run import Run
    from proveout.domain.unit import Answered
    from proveout.ports.store import Store

    End = Callable[[], Awaitable[object]]

REAL = SystemClock()


@pytest.fixture
def url(postgres: Databases) -> Generator[str]:
    """Return a fresh database that runs by the real clock."""
    fresh = postgres.fresh()
    yield fresh
    postgres.drop(fresh)


@pytest.fixture
async def store(url: str) -> AsyncGenerator[Store]:
    """Return the store that workers use."""
    store = await open_postgres(url, REAL)
    yield store
    await store.close()


@pytest.fixture
def given(store: Store) -> Given:
    """Return what brings the store to where a test begins."""
    return Given(store, ManualClock(), CountedIds())


@dataclass
class Caller:
    """An application in the middle of a transaction, with a table of its own.

    Attributes:
        connection: what it hands over.
        commit: how its transaction ends well.
        roll_back: how it ends otherwise.
    """

    connection: object
    commit: End
    roll_back: End


def engine_url(url: str, driver: str) -> sqlalchemy.URL:
    """Return the URL of the same database as SQLAlchemy writes it."""
    parts = urlsplit(url)
    where = parse_qs(parts.query)
    host = where["host"][0] if "host" in where else parts.hostname
    return sqlalchemy.URL.create(
        f"postgresql+{driver}",
        username=parts.username,
        password=parts.password,
        port=parts.port,
        database=parts.path[1:],
        query={"host": host or ""},
    )


def in_thread(call: Callable[[], object]) -> End:
    """Let a call that waits be awaited."""
    return lambda: asyncio.to_thread(call)


@asynccontextmanager
async def of_asyncpg(url: str) -> AsyncGenerator[Caller]:
    connection: Any = await cast("Any", asyncpg).connect(url)
    transaction = connection.transaction()
    await transaction.start()
    yield Caller(connection, transaction.commit, transaction.rollback)
    await connection.close()


@asynccontextmanager
async def of_asyncpg_pool(url: str) -> AsyncGenerator[Caller]:
    async with (
        cast("Any", asyncpg).create_pool(url, min_size=1) as pool,
        pool.acquire() as connection,
    ):
        transaction = connection.transaction()
        await transaction.start()
        yield Caller(connection, transaction.commit, transaction.rollback)


@asynccontextmanager
async def of_psycopg(url: str) -> AsyncGenerator[Caller]:
    connecting = psycopg.Connection[DictRow].connect(url, row_factory=dict_row)
    with connecting as connection:
        yield Caller(connection, in_thread(connection.commit), in_thread(connection.rollback))


@asynccontextmanager
async def of_psycopg_async(url: str) -> AsyncGenerator[Caller]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield Caller(connection, connection.commit, connection.rollback)


@asynccontextmanager
async def of_engine(url: str) -> AsyncGenerator[Caller]:
    engine = sqlalchemy.create_engine(engine_url(url, "psycopg"))
    with engine.connect() as connection:
        yield Caller(connection, in_thread(connection.commit), in_thread(connection.rollback))
    engine.dispose()


@asynccontextmanager
async def of_session(url: str) -> AsyncGenerator[Caller]:
    engine = sqlalchemy.create_engine(engine_url(url, "psycopg"))
    with orm.Session(engine) as session:
        yield Caller(session, in_thread(session.commit), in_thread(session.rollback))
    engine.dispose()


@asynccontextmanager
async def of_scoped_session(url: str) -> AsyncGenerator[Caller]:
    engine = sqlalchemy.create_engine(engine_url(url, "psycopg"))
    scoped = orm.scoped_session(orm.sessionmaker(engine))
    session = scoped()
    yield Caller(scoped, in_thread(session.commit), in_thread(session.rollback))
    scoped.remove()
    engine.dispose()


@asynccontextmanager
async def of_async_engine(url: str) -> AsyncGenerator[Caller]:
    engine = create_async_engine(engine_url(url, "asyncpg"))
    async with engine.connect() as connection:
        yield Caller(connection, connection.commit, connection.rollback)
    await engine.dispose()


@asynccontextmanager
async def of_async_session(url: str) -> AsyncGenerator[Caller]:
    engine = create_async_engine(engine_url(url, "psycopg"))
    async with AsyncSession(engine) as session:
        yield Caller(session, session.commit, session.rollback)
    await engine.dispose()


KINDS = {
    "asyncpg": of_asyncpg,
    "asyncpg pool": of_asyncpg_pool,
    "psycopg": of_psycopg,
    "psycopg async": of_psycopg_async,
    "SQLAlchemy connection": of_engine,
    "SQLAlchemy session": of_session,
    "SQLAlchemy scoped session": of_scoped_session,
    "SQLAlchemy async connection by asyncpg": of_async_engine,
    "SQLAlchemy async session by psycopg": of_async_session,
}


@pytest.fixture(params=KINDS)
async def caller(request: pytest.FixtureRequest, url: str) -> AsyncGenerator[Caller]:
    """Return an application in a transaction, by each kind of connection in turn."""
    async with KINDS[request.param](url) as caller:
        yield caller


class Join:
    """Writes as `Project.enqueue(…, connection=…)` does."""

    def __init__(self, url: str, given: Given) -> None:
        self._url = url
        self._given = given

    async def __call__(self, caller: Caller | object, run: Run) -> Answered:
        connection = caller.connection if isinstance(caller, Caller) else caller
        joined = Joined(connection, self._url, self._given.store)
        return await joined.write(Enqueue(id=self._given.unit_id(), run=run))


@pytest.fixture
def join(url: str, given: Given) -> Join:
    """Return what enters a run in a caller's transaction."""
    return Join(url, given)


async def test_a_run_is_there_when_the_caller_commits(
    caller: Caller, join: Join, given: Given, store: Store
) -> None:
    """Before the commit nobody sees it; after it a worker has it, as it was handed in."""
    run = given.run(key="mail-1", value='{"text": "Grüße 100 % 🙂"}'.encode())

    answer = await join(caller, run)
    before = await store.run(run.id)
    await caller.commit()
    [claimed] = await store.claim(want())

    assert answer == Enqueued(run, created=True)
    assert before is None
    assert claimed.run.id == run.id
    assert (claimed.run.value, claimed.run.key) == (run.value, run.key)
    assert claimed.run.created == run.created


async def test_a_run_never_was_when_the_caller_rolls_back(
    caller: Caller, join: Join, given: Given, store: Store
) -> None:
    """Nothing is left of it, and its key is free."""
    run = given.run(key="mail-1")
    await join(caller, run)

    await caller.roll_back()

    assert await store.run(run.id) is None
    assert await store.claim(want()) == []
    free = await given.enqueue(given.run(key="mail-1", value=b'"other"'))
    assert isinstance(free, Enqueued)
    assert free.created


async def test_keys_hold_as_they_do_elsewhere(caller: Caller, join: Join, given: Given) -> None:
    """The same input is the same run; another one is told whose key it is."""
    first = await given.queued(key="mail-1")
    again = await join(caller, given.run(key="mail-1"))
    taken = await join(caller, given.run(key="mail-1", value=b'"other"'))
    await caller.commit()

    assert isinstance(again, Enqueued)
    assert (again.run.id, again.created) == (first.id, False)
    assert again.run.created == first.created
    assert isinstance(taken, KeyTaken)
    assert taken.run.id == first.id


async def test_the_commit_wakes_who_waits(
    caller: Caller, join: Join, given: Given, store: Store
) -> None:
    """Workers hear of the run at the commit, and not a second later."""
    await store.changed(0)
    waiting = asyncio.ensure_future(store.changed(60))
    await join(caller, given.run())
    early, _ = await asyncio.wait([waiting], timeout=0.1)
    began = REAL.monotonic()

    await caller.commit()
    await waiting

    assert early == set()
    assert REAL.monotonic() - began < 0.5


async def test_a_key_in_two_transactions_has_one_winner(
    url: str, join: Join, given: Given, store: Store
) -> None:
    """The second waits for the first, and enters its run where the first rolls back."""
    async with of_psycopg_async(url) as first, of_psycopg(url) as second:
        await join(first, given.run(key="mail-1"))
        run = given.run(key="mail-1", value=b'"other"')
        waiting = asyncio.ensure_future(join(second, run))
        await first.roll_back()

        answer = await waiting
        await second.commit()

    assert answer == Enqueued(run, created=True)
    assert await store.run(run.id) is not None


async def test_a_connection_to_another_database_is_refused(
    postgres: Databases, join: Join, given: Given
) -> None:
    """It would commit where no worker looks; both databases are named."""
    elsewhere = postgres.fresh(), postgres.empty()
    async with AsyncExitStack() as open_:
        for other in elsewhere:
            caller = await open_.enter_async_context(of_asyncpg(other))

            with pytest.raises(Mistake, match=urlsplit(other).path[1:]):
                await join(caller, given.run())
    for other in elsewhere:
        postgres.drop(other)


async def test_a_connection_that_commits_by_itself_is_refused(
    url: str, join: Join, given: Given
) -> None:
    """Where there is no transaction there is nothing to join, and nothing is written."""
    plain: Any = await cast("Any", asyncpg).connect(url)
    engine = sqlalchemy.create_engine(engine_url(url, "psycopg"), isolation_level="AUTOCOMMIT")
    with psycopg.connect(url, autocommit=True) as each, engine.connect() as also:
        for connection in (plain, each, also):
            with pytest.raises(Mistake, match="in no transaction"):
                await join(connection, given.run())
        with each.transaction():
            answer = await join(each, given.run())
    engine.dispose()
    await plain.close()

    assert isinstance(answer, Enqueued)
    assert len(await given.store.claim(want(limit=9))) == 1


async def test_what_is_no_connection_is_refused(join: Join, given: Given) -> None:
    """The mistake names what was handed over, and what can be joined."""
    with pytest.raises(Mistake, match="of type str"):
        await join("postgresql://", given.run())
    sqlite = sqlalchemy.create_engine("sqlite://")
    with sqlite.connect() as connection, pytest.raises(Mistake, match="sqlite"):
        await join(connection, given.run())
    sqlite.dispose()


async def test_only_new_runs_join(url: str, given: Given) -> None:
    """What moves runs that are there goes through the writer lane."""
    async with of_asyncpg(url) as caller:
        with pytest.raises(Mistake, match="only new runs"):
            await Joined(caller.connection, url, given.store).write(
                Cancel(id=given.unit_id(), run=given.run().id)
            )


async def test_an_ordinary_user_needs_three_grants(
    url: str, postgres: Databases, join: Join, given: Given, store: Store
) -> None:
    """No superuser is needed; what is needed is told, and is enough."""
    role = f"app_{urlsplit(url).path[-12:]}"
    postgres.order(f"CREATE ROLE {role} LOGIN PASSWORD 'app'")
    admin: Any = await cast("Any", asyncpg).connect(url)
    parts = urlsplit(url)
    as_role = parts._replace(netloc=f"{role}:app@{parts.netloc.rpartition('@')[2]}").geturl()
    async with of_psycopg_async(as_role) as caller:
        with pytest.raises(Mistake, match="no right") as told:
            await join(caller, given.run())
        await caller.roll_back()
        for grant in told.value.fix:
            await admin.execute(grant.replace("…", role))
        run = given.run()

        await join(caller, run)
        await caller.commit()

    assert await store.run(run.id) is not None
    await admin.execute(f"DROP OWNED BY {role}")
    await admin.close()
    postgres.order(f"DROP ROLE {role}")


async def test_a_store_in_another_schema_is_joined_there(url: str) -> None:
    """The caller's statements name the schema of the store."""
    other = in_schema(url, "proveout_beside")
    store = await open_postgres(other, REAL)
    given = Given(store, ManualClock(), CountedIds())
    run = given.run()
    async with of_psycopg(url) as caller:
        await Join(other, given)(caller, run)
        await caller.commit()

    assert await store.run(run.id) is not None
    await store.close()
