"""Fault 2: PostgreSQL is restarted at once and often; nothing acknowledged is lost or stranded."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded moments to restart at, told when the test fails
from typing import TYPE_CHECKING

import pytest

from doubles.cluster import Addressed, at
from doubles.intake import Intake, asking
from faults.conftest import FULL
from faults.watch import all_ended, all_working, seconds_until_claimed, states
from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from faults.conftest import Service, Site

pytestmark = pytest.mark.faults

RESTARTS = 30 if FULL else 3
AGAIN = 5.0
"""Seconds after which workers claim again, once the server answers."""

WORK = ("work", "--effects", "live", "--concurrency", "16")


@pytest.fixture
def server() -> Generator[Addressed]:
    """Return a server as durable as a server is by default."""
    with Addressed() as server:
        yield server


@pytest.fixture
def store_url(server: Addressed) -> str:
    """Return where the store is."""
    return at(server.url, server)


async def test_a_server_that_restarts_loses_and_strands_nothing(
    server: Addressed,
    store_url: str,
    site: Site,
    service: Service,
    record_property: Callable[[str, object], None],
) -> None:
    """Workers return by themselves; every run that was acknowledged ends once."""
    seed = random.randrange(1_000_000)  # noqa: S311 - no secret
    moments = random.Random(seed)  # noqa: S311 - no secret
    clock = SystemClock()
    waits: list[float] = []
    async with asking(store_url) as intake:
        workers = [site.start(*WORK), site.start(*WORK)]
        await all_working(site)
        await seconds_until_claimed(store_url)
        for number in range(RESTARTS):
            await clock.sleep(moments.uniform(0.3, 1.2))
            server.crash()
            if number % 3 == 1:  # and once more while it recovers
                server.begin()
                await clock.sleep(moments.uniform(0.02, 0.2))
                server.crash()
            await asyncio.to_thread(server.start)
            waits.append(await seconds_until_claimed(store_url))
    await all_ended(store_url)

    found = await states(store_url)
    again = f"claiming again after {max(waits):.1f} s at most"
    record_property("figures", f"{RESTARTS} restarts, {len(found)} runs, {again}; seed {seed}")
    assert [worker.poll() for worker in workers] == [None, None], seed
    assert [one for one in intake.acknowledged if found.get(one) != "SUCCEEDED"] == [], seed
    assert len(service.keys) == len(found), seed
    assert {len(keys) for keys in service.of.values()} == {1}, seed
    assert max(waits) < AGAIN, seed


def accept(*facts: object) -> None:
    """Find nothing wrong with a server, whatever its settings."""


async def test_without_durable_commits_the_same_crash_loses_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Negative control: a server that answers before it has written, which we refuse to use."""
    monkeypatch.setattr("proveout.adapters.postgres.schema._check", accept)
    hasty = ("synchronous_commit=off", "wal_writer_delay=10s")
    with Addressed(*hasty) as server:
        url = at(server.url, server)
        store = await open_postgres(url, SystemClock())
        intake = Intake(store)
        for number in range(100):
            await intake.ask(number)

        server.crash()
        await asyncio.to_thread(server.start)

        found = await states(url)
        assert len(found) < len(intake.acknowledged)
        await store.close()
