"""Stores are opened by many at once, and keep what they had."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from doubles.other import start, told
from doubles.stores import SQLITE, open_url
from proveout.adapters.migrations import StoreFromTheFuture
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.system import SystemClock
from proveout.domain.run import RunState

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from doubles.given import Given
    from doubles.postgres import Databases
    from doubles.stores import Open


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """Return where a store could be, with nothing there yet."""
    if request.param == "sqlite":
        yield f"{SQLITE}{tmp_path / 'deep' / 'store.db'}"
        return
    postgres: Databases = request.getfixturevalue("postgres")
    url = postgres.empty()
    yield url
    postgres.drop(url)


async def test_many_processes_open_an_empty_store(empty_url: str) -> None:
    """Whoever comes first makes the schema, and the others find it."""
    processes = await asyncio.gather(*(start(empty_url, "open") for _ in range(6)))

    said = await asyncio.gather(*map(told, processes))

    assert said == ["{}"] * 6


async def test_many_open_an_empty_store_in_one_process(empty_url: str) -> None:
    """The same holds within a process."""
    stores = await asyncio.gather(*(open_url(empty_url, SystemClock()) for _ in range(8)))

    counts = [await store.count() for store in stores]

    assert counts == [{}] * 8
    for store in stores:
        await store.close()


async def test_a_store_opened_again_has_what_it_had(given: Given, reopen: Open) -> None:
    """Closing loses nothing."""
    done = await given.in_state(RunState.SUCCEEDED)
    await given.store.close()

    again = await reopen()

    assert await again.count() == {RunState.SUCCEEDED: 1}
    known = await again.run(done.run.id)
    assert known is not None
    assert known.state == RunState.SUCCEEDED


async def test_closing_finishes_what_was_handed_in(given: Given, reopen: Open) -> None:
    """Units that were handed in before the store is closed are durable after it."""
    other = await reopen()
    waiting = [asyncio.ensure_future(given.enqueue(given.run())) for _ in range(30)]
    await asyncio.sleep(0)  # noqa: TID251 - lets them hand in

    await given.store.close()
    await asyncio.gather(*waiting)

    assert await other.count() == {RunState.QUEUED: 30}


async def test_a_newer_store_is_refused(empty_url: str) -> None:
    """A store that a newer Proveout migrated is left alone, in words that say what to do."""
    store = await open_url(empty_url, SystemClock())
    await store.close()
    await _add_migration(empty_url)

    with pytest.raises(StoreFromTheFuture, match="9999") as refused:
        await open_url(empty_url, SystemClock())

    assert refused.value.fix


async def test_an_older_engine_goes_on_where_the_newer_schema_allows_it(empty_url: str) -> None:
    """What a newer Proveout added does not matter to those that it names."""
    store = await open_url(empty_url, SystemClock())
    await store.close()
    await _add_migration(empty_url, needs=3)

    store = await open_url(empty_url, SystemClock())

    assert await store.count() == {}
    await store.close()


async def test_one_migration_that_allows_nobody_is_enough_to_refuse(empty_url: str) -> None:
    """Whatever the others after it say."""
    store = await open_url(empty_url, SystemClock())
    await store.close()
    await _add_migration(empty_url, number=9998, needs=9998)
    await _add_migration(empty_url, needs=3)

    with pytest.raises(StoreFromTheFuture, match="9998"):
        await open_url(empty_url, SystemClock())


async def _add_migration(url: str, *, number: int = 9999, needs: int | None = None) -> None:
    """Leave a migration of a later version; without `needs` as a version before 3 wrote it."""
    if url.startswith(SQLITE):
        connection = sqlite3.connect(url.removeprefix(SQLITE))
        connection.execute("INSERT INTO migrations (number, needs) VALUES (?, ?)", (number, needs))
        connection.commit()
        connection.close()
        return
    link = await Server.at(url).connect("test")
    await link.execute(
        "INSERT INTO proveout.migrations (number, needs) VALUES ($1, $2)", number, needs
    )
    await part(link)
