"""Fault 3: the connection is cut in mid-commit; nothing is lost, nothing is written twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from doubles.clock import CountedIds, ManualClock
from doubles.cutter import Cutter
from doubles.given import Given
from faults.conftest import FULL
from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.system import SystemClock
from proveout.domain.run import RunState
from proveout.domain.unit import Enqueued

if TYPE_CHECKING:
    import random  # noqa: TID251 - drawn from a seed that is told
    from collections.abc import Generator

    from doubles.cutter import Cut
    from doubles.postgres import Databases

pytestmark = pytest.mark.faults

CUTS = 1_000 if FULL else 30
AT_ONCE = 5
WAYS: list[Cut] = ["before", "after", None, None, None, None]
"""A third of all commits are cut: before the server hears of it, or after it has answered."""


@pytest.fixture
def url(postgres: Databases) -> Generator[str]:
    """Return a fresh database that runs by the real clock."""
    fresh = postgres.fresh()
    yield fresh
    postgres.drop(fresh)


async def test_cut_commits_lose_nothing_and_write_nothing_twice(
    url: str, luck: random.Random
) -> None:
    """Each unit is sent again under its own id, and answered as it was the first time."""
    async with Cutter(url, lambda _: luck.choice(WAYS)) as cutter:
        store = await open_postgres(cutter.url, SystemClock())
        given = Given(store, ManualClock(), CountedIds())
        runs = 0
        while cutter.cuts < CUTS:
            answers = await asyncio.gather(*(given.enqueue(given.run()) for _ in range(AT_ONCE)))
            runs += len(answers)
            assert all(isinstance(one, Enqueued) and one.created for one in answers)

        kept = await store.count()
        await store.close()

    assert kept == {RunState.QUEUED: runs}


async def test_without_unit_ids_the_same_cuts_write_twice(url: str, luck: random.Random) -> None:
    """Negative control: who sends again what has no id of its own writes it twice."""
    async with Cutter(url, lambda _: luck.choice(WAYS)) as cutter:
        server = Server.at(cutter.url)
        link = await server.connect("naive")
        await link.execute("CREATE TABLE naive (number int)")
        number = 0
        while cutter.cuts < 20:
            number += 1
            while True:
                try:
                    await link.execute("BEGIN")
                    await link.execute("INSERT INTO naive VALUES ($1)", number)
                    await link.execute("COMMIT")
                    break
                except Exception:  # noqa: BLE001 - whatever the cut looked like, it tries again
                    link.terminate()
                    link = await server.connect("naive")
        rows = len(await link.fetch("SELECT FROM naive"))
        await part(link)

    assert rows > number
