"""What every test may ask for: a clock, ids, and each store in turn."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from doubles.clock import CountedIds
from doubles.postgres import NAMED, Databases, NoServerError, OwnServer, WatchedClock
from doubles.stores import SQLITE, open_url

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from doubles.stores import Open
    from proveout.ports.store import Store

STORES = ("sqlite", "postgres")

settings.register_profile("proveout", deadline=None)  # a busy machine breaks no promise
settings.load_profile("proveout")


@pytest.fixture(scope="session", autouse=True)
def own_places() -> Generator[None]:
    """Keep every test's key, and what releases need, out of the home of who runs the tests."""
    with TemporaryDirectory(prefix="proveout-tests-") as folder:
        places = {"PROVEOUT_CACHE": f"{folder}/cache", "PROVEOUT_KEY_FILE": f"{folder}/key"}
        before = {name: os.environ.get(name) for name in places}
        os.environ.update(places)
        yield
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@pytest.fixture
def clock() -> WatchedClock:
    """Return a clock that moves only when the test says so; stores follow it."""
    return WatchedClock()


@pytest.fixture
def ids() -> CountedIds:
    """Return ids that count upward."""
    return CountedIds()


@pytest.fixture(scope="session")
def postgres() -> Generator[Databases]:
    """Return a PostgreSQL server: the one that is named, or one of our own."""
    named = os.environ.get(NAMED)
    with ExitStack() as started:
        try:
            url = named or started.enter_context(OwnServer()).url
        except (NoServerError, OSError) as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no PostgreSQL: {error}; name one in {NAMED}")
        databases = Databases(url)
        started.callback(databases.close)
        yield databases


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """Return where other processes, too, find a store that runs by the real clock."""
    if request.param == "sqlite":
        yield f"{SQLITE}{tmp_path / 'store.db'}"
        return
    postgres: Databases = request.getfixturevalue("postgres")
    url = postgres.fresh()
    yield url
    postgres.drop(url)


@contextmanager
def manual_store(kind: str, request: pytest.FixtureRequest) -> Generator[str]:
    """Make a place for a store of that kind that runs by the test's clock."""
    if kind == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        yield f"{SQLITE}{folder / 'store.db'}"
        return
    clock: WatchedClock = request.getfixturevalue("clock")
    postgres: Databases = request.getfixturevalue("postgres")
    url = postgres.fresh()
    follower = postgres.follow(url, clock)
    yield url
    follower.stop(clock)
    postgres.drop(url)


@pytest.fixture(params=STORES)
def manual_url(request: pytest.FixtureRequest) -> Generator[str]:
    """Return where a store is that runs by `clock`."""
    with manual_store(request.param, request) as url:
        yield url


@pytest.fixture
async def both(
    request: pytest.FixtureRequest, clock: WatchedClock
) -> AsyncGenerator[tuple[Store, ...]]:
    """Return a store of each kind, both empty and by the same clock."""
    with ExitStack() as places:
        urls = [places.enter_context(manual_store(kind, request)) for kind in STORES]
        stores = tuple([await open_url(url, clock) for url in urls])
        yield stores
        for store in stores:
            await store.close()


@pytest.fixture
async def reopen(manual_url: str, clock: WatchedClock) -> AsyncGenerator[Open]:
    """Return a way to open one more store on the same data, by the same clock."""
    opened: list[Store] = []

    async def reopen() -> Store:
        store = await open_url(manual_url, clock)
        opened.append(store)
        return store

    yield reopen
    for store in opened:
        await store.close()


@pytest.fixture
async def store(reopen: Open) -> Store:
    """Return a store by `clock`, with nothing in it."""
    return await reopen()
