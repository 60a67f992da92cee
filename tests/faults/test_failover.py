"""Fault 13: the primary is killed and its standby promoted; what was acknowledged is there."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from doubles.cluster import Addressed, Standby, at
from doubles.intake import Intake, asking
from faults.conftest import FULL
from faults.watch import all_ended, all_working, seconds_until_claimed, states, until, watching
from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from faults.conftest import Service, Site

pytestmark = pytest.mark.faults

ROUNDS = 5 if FULL else 1
WORK = ("work", "--effects", "live", "--concurrency", "16")

FOLLOWED = "SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = $1"

CAUGHT_UP = "SELECT FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()"


class Pair(NamedTuple):
    """A primary and its standby, and the one URL of both."""

    primary: Addressed
    standby: Standby
    url: str


@contextmanager
def made_pair() -> Generator[Pair]:
    """Start a primary and a standby."""
    with ExitStack() as started:
        primary = started.enter_context(Addressed())
        standby = started.enter_context(Standby(primary))
        yield Pair(primary, standby, at(primary.url, primary, standby))


@asynccontextmanager
async def pair(*, synchronous: bool) -> AsyncGenerator[Pair]:
    """Return a primary whose standby follows it, synchronously or as it can."""
    making = made_pair()
    pair = await asyncio.to_thread(making.__enter__)
    try:
        async with watching(pair.url) as link:
            if synchronous:
                await link.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                await link.execute("SELECT pg_reload_conf()")
            await until(link, FOLLOWED, "sync" if synchronous else "async")
        yield pair
    finally:
        await asyncio.to_thread(making.__exit__, None, None, None)


def fail_over(pair: Pair) -> None:
    """Kill the primary, and promote the standby."""
    pair.primary.kill()
    pair.standby.promote()


@pytest.fixture
def store_url() -> str:
    """Return nothing yet: each round has servers of its own."""
    return ""


async def test_workers_go_on_at_the_promoted_standby(
    site: Site, service: Service, record_property: Callable[[str, object], None]
) -> None:
    """One URL names both servers; nobody is told, and nothing acknowledged is missing."""
    waits: list[float] = []
    for round_ in range(ROUNDS):
        async with pair(synchronous=True) as servers:
            site.environment["PROVEOUT_STORE"] = servers.url
            async with asking(servers.url, round_ * 100_000) as intake:
                workers = [site.start(*WORK), site.start(*WORK)]
                await all_working(site)
                await seconds_until_claimed(servers.url)
                await SystemClock().sleep(0.5)

                await asyncio.to_thread(fail_over, servers)
                waits.append(await seconds_until_claimed(servers.url))
            await all_ended(servers.url)

            found = await states(servers.url)
            assert [worker.poll() for worker in workers] == [None, None]
            assert [one for one in intake.acknowledged if found.get(one) != "SUCCEEDED"] == []
            site.stop()
    record_property("figures", f"claiming again after {max(waits):.1f} s")
    assert {len(keys) for keys in service.of.values()} == {1}


async def test_without_synchronous_replication_the_same_kill_loses_runs() -> None:
    """Negative control: a standby that may be away has not what the primary acknowledged."""
    async with pair(synchronous=False) as servers:
        store = await open_postgres(servers.url, SystemClock())
        intake = Intake(store)
        await intake.ask(0)
        async with watching(servers.url) as link:
            await until(link, CAUGHT_UP)
        servers.standby.kill()
        for number in range(1, 20):
            await intake.ask(number)

        servers.primary.kill()
        await asyncio.to_thread(servers.standby.start)
        await asyncio.to_thread(servers.standby.promote)

        found = await states(servers.url)
        assert 1 <= len(found) < len(intake.acknowledged)
        await store.close()
