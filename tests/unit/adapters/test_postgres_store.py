"""What only a PostgreSQL store does: its bell, its keeper, its limits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.clock import CountedIds, ManualClock
from doubles.given import LEASE, Given, want
from proveout.adapters.postgres.queue import ROUND
from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.postgres.wire import Link, Server, part
from proveout.adapters.system import SystemClock
from proveout.domain.run import RunState
from proveout.domain.unit import Done
from proveout.errors import Mistake, Outage
from proveout.ports.store import Held

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from doubles.postgres import Databases
    from proveout.ports.store import Store

REAL = SystemClock()


@pytest.fixture
def url(postgres: Databases) -> Generator[str]:
    """Return a fresh database that runs by the real clock."""
    fresh = postgres.fresh()
    yield fresh
    postgres.drop(fresh)


@pytest.fixture
async def link(url: str) -> AsyncGenerator[Link]:
    """Return a connection of the test's own to the same database."""
    link = await Server.at(url).connect("test")
    yield link
    await part(link)


@pytest.fixture
async def store(url: str) -> AsyncGenerator[Store]:
    """Return a store on that database."""
    store = await open_postgres(url, REAL)
    yield store
    await store.close()


@pytest.fixture
def given(store: Store) -> Given:
    """Return what brings the store to where a test begins."""
    return Given(store, ManualClock(), CountedIds())


async def end(link: Link, name: str) -> None:
    """End our sessions of that name."""
    ended = await link.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = $1",
        f"proveout {name}",
    )
    assert ended


async def seconds_until_changed(store: Store) -> float:
    began = REAL.monotonic()
    await store.changed(60)
    return REAL.monotonic() - began


async def test_many_changes_ring_at_most_fifty_times_a_second(given: Given, link: Link) -> None:
    """Groups that follow quickly share a ring, and the last one is heard."""
    heard: list[float] = []
    await link.add_listener("proveout", lambda *_: heard.append(REAL.monotonic()))
    began = REAL.monotonic()

    for _ in range(300):
        await given.enqueue(given.run())
    lasted = REAL.monotonic() - began
    await REAL.sleep(0.1)

    assert 1 <= len(heard) <= lasted * 50 + 2
    assert heard[-1] >= began + lasted - 0.001


async def test_a_store_that_hears_nothing_looks_for_itself(store: Store) -> None:
    """Without a word from anyone a waiting caller looks after a second."""
    await store.changed(60)

    assert 0.9 <= await seconds_until_changed(store) <= 1.5


async def test_a_lost_listener_listens_again(url: str, link: Link, given: Given) -> None:
    """When the listening connection is lost it is made anew, and nobody waits past a change."""
    other = await open_postgres(url, REAL)
    await end(link, "bell")
    # Both bells notice, wake those who wait since they may have missed something, and return.
    for _ in range(100):
        rows = await link.fetch(
            "SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'proveout bell' AND state = 'idle' AND query <> ''"
        )
        if len(rows) == 2:
            break
        await REAL.sleep(0.05)
    await other.changed(0.2)
    waiting = asyncio.ensure_future(seconds_until_changed(other))
    await REAL.sleep(0.05)

    await given.queued()

    assert await waiting < 0.5
    await other.close()


async def test_the_keeper_survives_its_connection(given: Given, store: Store, link: Link) -> None:
    """A renewal over a lost connection is an outage; the next one connects again."""
    claimed = await given.claimed()
    held = [Held(claimed.run.id, 1)]
    keeper = store.keeper()
    assert await asyncio.to_thread(keeper.renew, held, LEASE) == set()
    await end(link, "keeper")

    with pytest.raises(Outage):
        await asyncio.to_thread(keeper.renew, held, LEASE)

    assert await asyncio.to_thread(keeper.renew, held, LEASE) == set()
    await asyncio.to_thread(keeper.close)


async def test_a_keeper_can_be_used_and_closed_from_the_loop(given: Given, store: Store) -> None:
    """Its own thread does the work, so that any caller may wait for it."""
    claimed = await given.claimed()
    keeper = store.keeper()

    assert keeper.renew([Held(claimed.run.id, 2)], LEASE) == {claimed.run.id}
    keeper.close()
    store.keeper().close()


async def test_housekeeping_is_done_in_rounds(given: Given, store: Store, link: Link) -> None:
    """However many leases lapse at once, a round moves no more than it may."""
    over = ROUND + 200
    await asyncio.gather(*(given.enqueue(given.run()) for _ in range(over)))
    await store.claim(want(limit=over))
    await link.execute("UPDATE proveout.runs SET lease_until = now() - interval '1 second'")

    rounds = [(await store.tend()).lapsed for _ in range(3)]

    assert rounds == [ROUND, 200, 0]


async def test_nobody_waits_for_a_locked_run(given: Given, store: Store, link: Link) -> None:
    """Claims and housekeeping pass by rows that someone else holds."""
    busy = await given.queued()
    free = await given.queued()
    await link.execute("BEGIN")
    await link.fetch("SELECT FROM proveout.runs WHERE id = $1 FOR UPDATE", busy.id)

    claimed = await store.claim(want(lease=timedelta(0)))
    tended = await store.tend()

    assert [one.run.id for one in claimed] == [free.id]
    assert tended.lapsed == 1
    await link.execute("ROLLBACK")


async def test_a_mistaken_claim_is_told_and_harms_no_one(given: Given, store: Store) -> None:
    """A worker's name that cannot be sent is a mistake; the connection serves on."""
    await given.queued()

    with pytest.raises(Mistake):
        await store.claim(want(worker="\0"))

    assert len(await store.claim(want())) == 1


async def test_it_works_behind_a_transaction_pooler(url: str) -> None:
    """Without sessions of our own, everything but the bell works: that is then a poll."""
    store = await open_postgres(f"{url}&statement_cache_size=0", REAL)
    given = Given(store, ManualClock(), CountedIds())

    review = await given.waiting()
    await store.write(given.decide(review))
    [claimed] = await store.claim(want())
    settled = await store.write(given.settle(claimed, RunState.SUCCEEDED))
    hold = await store.hold("triage")

    assert settled == Done()
    assert hold is not None
    assert await store.hold("triage") is None
    await store.changed(0.1)
    await store.close()


async def test_due_times_are_the_databases(given: Given, store: Store, link: Link) -> None:
    """A worker whose clock is an hour ahead enqueues for now, and its leases end in time."""
    ahead = REAL.now() + timedelta(hours=1)
    await given.queued(created=ahead)

    [claimed] = await store.claim(want())

    [row] = await link.fetch(
        "SELECT lease_until - now() BETWEEN interval '25 s' AND interval '30 s' AS right"
        " FROM proveout.runs"
    )
    assert row["right"]
    assert abs(claimed.now - REAL.now()) < timedelta(seconds=5)
