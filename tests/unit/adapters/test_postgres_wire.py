"""How a PostgreSQL server is reached, and what is said when it is not."""

from __future__ import annotations

import secrets
import traceback
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import pytest

from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.postgres.wire import Server
from proveout.adapters.system import SystemClock
from proveout.errors import Mistake, Outage, ProveoutError

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.postgres import Databases

SECRET = "whk-5f2"  # noqa: S105 - a password for a test


@pytest.fixture
def empty(postgres: Databases) -> Generator[str]:
    """Return a database without our schema."""
    url = postgres.empty()
    yield url
    postgres.drop(url)


@pytest.fixture
def role(postgres: Databases) -> Generator[str]:
    """Return a user of the server who may do nothing but come in."""
    name = f"proveout_test_{secrets.token_hex(4)}"
    postgres.order(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    postgres.order(f"DROP ROLE {name}")


def as_user(url: str, user: str, database: str | None = None) -> str:
    """Return `url` for another user with a password, and perhaps another database."""
    parts = urlsplit(url)
    path = parts.path if database is None else f"/{database}"
    return urlunsplit(parts._replace(netloc=f"{user}:{SECRET}@", path=path))


async def refused(url: str) -> ProveoutError:
    """Return why `url` cannot be opened, having looked for the password in every word."""
    with pytest.raises(ProveoutError) as told:
        await open_postgres(url, SystemClock())
    error = told.value
    words = "".join(traceback.format_exception(error)) + "".join((error.why, *error.fix))
    assert SECRET not in words
    assert SECRET[:3] not in words
    assert error.why
    assert error.fix
    return error


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://me:{SECRET}@localhost/proveout",
        f"postgresql://me:{SECRET}@localhost:port/proveout",
        f"postgresql://me:{SECRET}/x@localhost/proveout",
        f"postgresql://me:1{SECRET}?@localhost/proveout",
        f"postgresql://me:1/{SECRET}@localhost/proveout",
        f"postgresql://me:1#{SECRET}@localhost/proveout",
        f"postgresql://me:{SECRET}@[::1/proveout",
        f"postgresql://me:{SECRET}@localhost/proveout?sslmode=never",
        SECRET,
    ],
)
async def test_a_url_that_cannot_be_read_is_a_mistake(url: str) -> None:
    """The message tells the right form, and shows nothing of the wrong one."""
    assert isinstance(await refused(url), Mistake)


async def test_a_server_that_is_not_there_is_an_outage() -> None:
    """Nobody answers at that address: say where, and try again."""
    error = await refused(f"postgresql://me:{SECRET}@127.0.0.1:1/proveout")

    assert isinstance(error, Outage)
    assert "127.0.0.1:1/proveout" in error.message


async def test_an_unknown_user_is_a_mistake(empty: str) -> None:
    """The server knows no such user."""
    error = await refused(as_user(empty, "nobody-known"))

    assert isinstance(error, Mistake)
    assert "nobody-known" in error.message


async def test_a_missing_database_is_a_mistake(empty: str) -> None:
    """The database is named, with the command that makes it."""
    error = await refused(as_user(empty, "postgres", "not_there"))

    assert isinstance(error, Mistake)
    assert "createdb not_there" in error.fix


async def test_a_user_without_rights_is_told_which_it_needs(
    role: str, empty: str, postgres: Databases
) -> None:
    """Making the schema needs the right to create in the database, and nothing more."""
    error = await refused(as_user(empty, role))
    assert isinstance(error, Mistake)
    assert any(fix.startswith("GRANT CREATE") for fix in error.fix)

    postgres.order(f"GRANT CREATE ON DATABASE {urlsplit(empty).path[1:]} TO {role}")
    store = await open_postgres(as_user(empty, role), SystemClock())

    assert await store.count() == {}
    await store.close()


async def test_a_server_that_acknowledges_too_early_is_refused(empty: str) -> None:
    """A commit that a crash can undo is none."""
    error = await refused(f"{empty}&synchronous_commit=off")

    assert isinstance(error, Mistake)
    assert "synchronous_commit" in error.message


def test_several_hosts_stand_for_one_server() -> None:
    """A primary that moves is named by all the places where it may be."""
    server = Server.at(
        f"postgresql://me:{SECRET}@one:5432,two:5433/db?target_session_attrs=primary"
    )

    assert server.place == "one:5432,two:5433/db"
    assert SECRET not in repr(server)
    assert (server.user, server.database, server.pooled) == ("me", "db", False)
