"""Behind a transaction pooler, where each transaction may be in another session."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.clock import CountedIds, ManualClock
from doubles.given import Given, want
from doubles.pooler import OURS, Pooler
from doubles.postgres import Databases, NoServerError, OwnServer
from doubles.shop import until
from faults.conftest import FULL, PATIENCE, SETTINGS
from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.system import SystemClock
from proveout.domain.run import RunState
from proveout.domain.unit import Done
from proveout.errors import Mistake
from proveout.ports.store import Held

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from faults.conftest import Service, Site
    from proveout.ports.store import Store

pytestmark = pytest.mark.faults

RUNS = 2_000 if FULL else 80
ROUNDS = 200 if FULL else 12
AT_ONCE = 12
LEASE = timedelta(seconds=30)

APP = """
import asyncio
import os
import urllib.request
from proveout import effect, review, sleep, step, workflow

@step
async def read(n: int) -> int:
    return n + 1

@effect
def send(n: int, *, idempotency_key: str = "") -> None:
    call = urllib.request.Request(os.environ["SERVICE"], data=str(n).encode(),
                                  headers={"Idempotency-Key": idempotency_key})
    urllib.request.urlopen(call, timeout=30).read()

@workflow
async def answer(n: int) -> int:
    found = await read(n)
    await sleep("0.2 s")
    if n == 7:
        found = (await review(found, queue="people")).value
    await asyncio.to_thread(send, n)
    return found
"""


@pytest.fixture(scope="module")
def pooler() -> Generator[tuple[Pooler, Databases]]:
    """Return a pooler, and the databases behind it."""
    with ExitStack() as started:
        try:
            server = started.enter_context(OwnServer())
            pooler = started.enter_context(Pooler(server.url))
        except NoServerError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no pooler: {error}")
        databases = Databases(server.url)
        started.callback(databases.close)
        yield pooler, databases


@pytest.fixture
def store_url(pooler: tuple[Pooler, Databases]) -> Generator[str]:
    """Return where a fresh store is, by way of the pooler."""
    between, databases = pooler
    url = databases.fresh()
    yield between.before(url)
    databases.drop(url)


async def crowd(store: Store, given: Given) -> list[BaseException]:
    """Enter, claim, renew, read and settle at once, round after round; return what broke."""
    keeper = store.keeper()

    async def live() -> None:
        run = await given.queued()
        for claimed in await store.claim(want(limit=1)):
            held = [Held(claimed.run.id, claimed.run.fence)]
            assert await asyncio.to_thread(keeper.renew, held, LEASE) == set()
            assert await store.write(given.record(claimed)) == Done()
            assert len(await store.journal(claimed.run.id)) == 1
            assert await store.write(given.settle(claimed, RunState.SUCCEEDED)) == Done()
        found = await store.run(run.id)
        assert found is not None
        assert found.id == run.id

    broken: list[BaseException] = []
    for _ in range(ROUNDS):
        done = await asyncio.gather(*(live() for _ in range(AT_ONCE)), return_exceptions=True)
        broken += [one for one in done if one is not None]
    await asyncio.to_thread(keeper.close)
    return broken


async def test_a_crowd_shares_few_sessions(store_url: str) -> None:
    """Whichever session a transaction gets, each caller has his own answer."""
    stores = [await open_postgres(store_url, SystemClock()) for _ in range(2)]
    ids = CountedIds()
    crowds = [crowd(store, Given(store, ManualClock(), ids)) for store in stores]

    broken = await asyncio.gather(*crowds)

    assert broken == [[], []]
    counts = await stores[0].count()
    assert sum(counts.values()) == 2 * ROUNDS * AT_ONCE
    assert counts[RunState.SUCCEEDED] > ROUNDS * AT_ONCE
    for store in stores:
        await store.close()


async def test_who_keeps_statements_in_a_session_finds_them_gone(
    pooler: tuple[Pooler, Databases],
) -> None:
    """Negative control: the same crowd with statements that are prepared once and used again."""
    _, databases = pooler
    url = databases.fresh()
    with Pooler(databases.url, ignored=OURS) as careless:
        as_if_direct = careless.before(url).replace("&statement_cache_size=0", "")
        store = await open_postgres(as_if_direct, SystemClock())

        assert await crowd(store, Given(store, ManualClock(), CountedIds()))

        await store.close()
    databases.drop(url)


async def test_a_pooler_that_nobody_told_us_of_is_a_mistake(store_url: str) -> None:
    """It refuses what we ask of a session of our own; the mistake says what to add."""
    with pytest.raises(Mistake, match="pooler") as told:
        await open_postgres(store_url.replace("&statement_cache_size=0", ""), SystemClock())

    assert "statement_cache_size=0" in told.value.fix[0]


async def test_a_hold_is_kept_by_a_transaction(store_url: str) -> None:
    """One process at a time has it, and it is free when that one lets go or is gone."""
    first = await open_postgres(store_url, SystemClock())
    second = await open_postgres(store_url, SystemClock())

    hold = await first.hold("triage")
    refused = await second.hold("triage")
    other = await second.hold("refunds")
    assert hold is not None
    await hold.release()
    # The pooler ends the session behind it a moment after ours is closed.
    await until(lambda: second.hold("triage"))

    assert refused is None
    assert other is not None
    await second.close()
    await until(lambda: first.hold("triage"))
    await first.close()


@pytest.fixture
def site(site: Site) -> Site:
    """Return a project whose runs sleep, ask a person, and have an effect."""
    (site.folder / "app.py").write_text(APP, "utf-8")
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    return site


def test_workers_behind_a_pooler_finish_what_one_of_them_left(
    site: Site, service: Service, tmp_path: Path
) -> None:
    """Steps, sleeps, reviews, effects and recovery, all by polling and over three sessions."""
    work = ("work", "--effects", "live", "--concurrency", "8")
    (tmp_path / "inputs.jsonl").write_text("".join(f"{n}\n" for n in range(RUNS)), "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")
    doomed, other = site.start(*work), site.start(*work)
    while len(service.keys) < RUNS // 4:
        assert doomed.poll() is None
        assert other.poll() is None
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()

    [review] = _open_reviews(site)
    site.run("review", "approve", review["id"])
    other.send_signal(signal.SIGTERM)
    assert other.wait(timeout=PATIENCE) == 0
    site.run(*work, "--until-idle")

    assert dict(site.states()) == {"SUCCEEDED": RUNS}
    assert len(service.keys) == RUNS
    assert {len(keys) for keys in service.of.values()} == {1}


def _open_reviews(site: Site) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    while not found:
        lines = site.run("review", "list", "--json").splitlines()
        found = [json.loads(line) for line in lines]
    return found
