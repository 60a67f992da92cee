"""The writer lane of PostgreSQL: cut wires, crashed servers, full disks."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.clock import CountedIds, ManualClock
from doubles.cutter import Cutter
from doubles.given import Given, entry, want
from doubles.postgres import OwnServer
from proveout.adapters.postgres import lane, queue
from proveout.adapters.postgres.silence import ABANDONED
from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.postgres.wire import Link, Server, part
from proveout.adapters.system import SystemClock
from proveout.adapters.troubles import StoreFull, StoreUnavailable
from proveout.domain.run import RunId, RunState
from proveout.domain.unit import Done, Enqueue, Enqueued, Stale

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from doubles.cutter import Cut
    from doubles.postgres import Databases
    from proveout.ports.store import Claimed, Store


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


async def one_in(url: str) -> tuple[Store, Given, Claimed]:
    """Return a store with one claimed run."""
    store = await open_postgres(url, SystemClock())
    given = Given(store, ManualClock(), CountedIds())
    return store, given, await given.claimed()


async def somebody_waits(link: Link) -> None:
    """Return when some session waits for a lock."""
    async with asyncio.timeout(5):
        while not await link.fetch("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            await SystemClock().sleep(0.01)


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_commit_that_was_cut_is_written_once(url: str, cut: Cut) -> None:
    """Whether or not the server had committed, the caller gets the one true answer."""
    async with Cutter(url, lambda n: cut if n == 1 else None) as cutter:
        store, given, claimed = await one_in(cutter.url)
        units = [given.record(claimed, entry(occurrence=n)) for n in range(5)]
        end = given.settle(claimed, RunState.SUCCEEDED)

        answers = await asyncio.gather(*(store.write(unit) for unit in (*units, end)))

        assert cutter.cuts == 1
        assert answers == [Done()] * 6
        assert len(await store.journal(claimed.run.id)) == 5
        assert await given.state(claimed.run.id) == RunState.SUCCEEDED
        await store.close()


@pytest.mark.faults
async def test_wires_cut_in_many_commits_lose_and_double_nothing(url: str) -> None:
    """Every other commit is cut, before or after; each unit is written exactly once."""
    plan: dict[int, Cut] = {0: "after", 2: "before"}
    async with Cutter(url, lambda n: plan.get(n % 4)) as cutter:
        store = await open_postgres(cutter.url, SystemClock())
        given = Given(store, ManualClock(), CountedIds())

        async def live(number: int) -> None:
            run = given.run(key=f"{number}")
            answer = await given.enqueue(run)
            assert isinstance(answer, Enqueued)
            assert (answer.run.id, answer.created) == (run.id, True)

        for wave in range(60):
            await asyncio.gather(*(live(wave * 5 + n) for n in range(5)))

        assert cutter.cuts >= 40
        assert await store.count() == {RunState.QUEUED: 300}
        await store.close()


async def test_a_lost_session_is_replaced(url: str, link: Link) -> None:
    """An administrator may end our sessions; nobody who writes or reads notices."""
    store, given, claimed = await one_in(url)
    await link.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    assert await store.write(given.record(claimed)) == Done()
    assert len(await store.journal(claimed.run.id)) == 1
    await store.close()


async def test_what_shows_a_deadlock_is_sent_again(url: str, link: Link) -> None:
    """A group that the server sacrificed to end a deadlock is written after all."""
    store, given, first = await one_in(url)
    second = await given.claimed()
    lock = "SELECT FROM proveout.runs WHERE id = $1 FOR UPDATE"
    await link.execute("BEGIN")
    await link.execute("SET LOCAL deadlock_timeout = '60s'")
    await link.fetch(lock, second.run.id)
    writing = [asyncio.ensure_future(store.write(given.record(one))) for one in (first, second)]
    await somebody_waits(link)

    await link.fetch(lock, first.run.id)
    await link.execute("COMMIT")

    assert await asyncio.gather(*writing) == [Done(), Done()]
    await store.close()


async def test_a_unit_waits_for_whoever_moves_its_run(url: str, link: Link) -> None:
    """A fence is judged when the run's row is ours, not before."""
    store, given, claimed = await one_in(url)
    await link.execute("BEGIN; UPDATE proveout.runs SET fence = 2")
    units = (given.record(claimed), given.settle(claimed, RunState.SUCCEEDED))
    writing = [asyncio.ensure_future(store.write(unit)) for unit in units]
    await somebody_waits(link)

    await link.execute("COMMIT")

    assert await asyncio.gather(*writing) == [Stale(), Stale()]
    assert await store.journal(claimed.run.id) == []
    await store.close()


async def test_a_run_that_someone_holds_delays_only_itself(url: str, link: Link) -> None:
    """Where a stranger keeps a run's row, its unit is an outage; its neighbours commit."""
    store, given, held = await one_in(url)
    others = [await given.claimed() for _ in range(2)]
    await link.execute("BEGIN")
    await link.fetch("SELECT FROM proveout.runs WHERE id = $1 FOR UPDATE", held.run.id)
    units = [given.record(one) for one in (held, *others)]

    refused, *answers = await asyncio.gather(*map(store.write, units), return_exceptions=True)
    await link.execute("COMMIT")

    assert isinstance(refused, StoreUnavailable)
    assert answers == [Done(), Done()]
    assert await store.write(units[0]) == Done()
    await store.close()


async def test_the_same_keys_in_any_order_are_no_deadlock(url: str, link: Link) -> None:
    """Stores that enqueue the same keys at once, each in its own order, never wait in a ring."""
    stores = [await open_postgres(url, SystemClock()) for _ in range(3)]
    givens = [Given(store, ManualClock(), CountedIds()) for store in stores]
    for wave in range(5):
        runs = [
            given.run(id=RunId(f"{place}-{wave}-{n}"), key=f"{wave}-{n if place else 199 - n}")
            for place, given in enumerate(givens)
            for n in range(200)
        ]
        await asyncio.gather(*(givens[n // 200].enqueue(run) for n, run in enumerate(runs)))
    assert await stores[0].count() == {RunState.QUEUED: 1000}

    for store in stores:
        await store.close()

    [row] = await link.fetch(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert row["deadlocks"] == 0


async def test_a_full_disk_is_told_and_recovered_from(url: str, link: Link) -> None:
    """All of a group that found the disk full are told so; later ones are written."""
    store, given, claimed = await one_in(url)
    await link.execute(
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END$$;"
        " CREATE TRIGGER filled BEFORE INSERT ON proveout.journal EXECUTE FUNCTION fill()"
    )
    units = [given.record(claimed, entry(occurrence=n)) for n in range(5)]

    refused = await asyncio.gather(*map(store.write, units), return_exceptions=True)
    await link.execute("DROP TRIGGER filled ON proveout.journal")
    answers = await asyncio.gather(*map(store.write, units))

    assert [type(answer) for answer in refused] == [StoreFull] * 5
    assert answers == [Done()] * 5
    await store.close()


async def test_a_missing_table_is_an_outage(url: str, link: Link) -> None:
    """What nobody in the group caused fails the group, and says what the server said."""
    store, given, claimed = await one_in(url)
    await link.execute("DROP TABLE proveout.journal")

    with pytest.raises(StoreUnavailable, match="journal"):
        await store.write(given.record(claimed))

    assert isinstance(await given.enqueue(given.run()), Enqueued)
    await store.close()


async def test_large_payloads_go_in_groups_that_fit(url: str, link: Link) -> None:
    """Sixty runs of a mebibyte each are written, whatever one message can carry."""
    store = await open_postgres(url, SystemClock())
    given = Given(store, ManualClock(), CountedIds())
    large = b"7" * 2**20

    answers = await asyncio.gather(*(given.enqueue(given.run(value=large)) for _ in range(60)))

    assert all(isinstance(answer, Enqueued) for answer in answers)
    [row] = await link.fetch("SELECT sum(length(value)) AS bytes FROM proveout.runs")
    assert row["bytes"] == 60 * 2**20
    await store.close()


@pytest.mark.faults
async def test_a_crashed_server_loses_nothing_that_was_acknowledged() -> None:
    """While the server crashes and recovers, writers wait; then they go on."""
    with OwnServer() as server:
        store = await open_postgres(f"{server.url}&dbname=postgres", SystemClock())
        given = Given(store, ManualClock(), CountedIds())

        async def live() -> None:
            for _ in range(40):
                assert isinstance(await given.enqueue(given.run()), Enqueued)

        living = [asyncio.ensure_future(live()) for _ in range(10)]
        for _ in range(3):
            await asyncio.to_thread(server.stop, "immediate")
            await asyncio.to_thread(server.start)
        await asyncio.gather(*living)

        assert await store.count() == {RunState.QUEUED: 400}
        await store.close()


@pytest.mark.faults
async def test_a_server_that_stays_away_is_an_outage() -> None:
    """Writers wait half a minute for a server; those who come later are told at once."""
    clock = ManualClock()
    with OwnServer() as server:
        store = await open_postgres(f"{server.url}&dbname=postgres", clock)
        given = Given(store, clock, CountedIds())
        await asyncio.to_thread(server.stop, "immediate")

        began = clock.monotonic()
        writing = asyncio.ensure_future(given.enqueue(given.run()))
        while not writing.done():
            clock.advance(timedelta(seconds=1))
            await SystemClock().sleep(0.001)
        waited = clock.monotonic() - began

        with pytest.raises(StoreUnavailable, match="does not answer"):
            await writing
        with pytest.raises(StoreUnavailable):
            await given.enqueue(given.run())
        with pytest.raises(StoreUnavailable):
            await store.claim(want())
        assert waited >= 30
        await asyncio.to_thread(server.start)
        assert isinstance(await given.enqueue(given.run()), Enqueued)
        await store.close()


async def test_a_group_holds_no_more_than_it_may(url: str) -> None:
    """Two thousand units handed in at once are all answered."""
    store, given, _ = await one_in(url)
    units = [Enqueue(id=given.unit_id(), run=given.run()) for _ in range(2000)]

    answers = await asyncio.gather(*map(store.write, units))

    assert all(isinstance(answer, Enqueued) and answer.created for answer in answers)
    await store.close()


@pytest.mark.parametrize("begin", [lane.BEGIN, queue.BEGIN])
async def test_a_transaction_that_falls_silent_is_ended(link: Link, begin: str) -> None:
    """A machine that is cut off in mid-transaction keeps its rows from the others for seconds."""
    await link.execute(begin)

    [row] = await link.fetch("SHOW idle_in_transaction_session_timeout")

    assert row["idle_in_transaction_session_timeout"] == f"{ABANDONED}s"
    await link.execute("ROLLBACK")
