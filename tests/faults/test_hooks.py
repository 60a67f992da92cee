"""Whatever was acknowledged to a sender of webhooks is in the store, wherever the server dies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from doubles.callers import open_shop
from doubles.stores import open_url
from faults.conftest import FULL
from proveout.adapters.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from doubles.callers import Server, Shop

pytestmark = pytest.mark.faults

POINTS = range(1, 8 if FULL else 4)
"""Which write the server dies at."""

EVENTS = 12
ATTEMPTS = 5
"""Times that a sender sends one event before it gives up."""


@pytest.fixture
def shop(tmp_path: Path, store_url: str) -> Generator[Shop]:
    """Return a project in production, on each store in turn."""
    shop = open_shop(tmp_path, store_url)
    yield shop
    shop.close()


async def kept(url: str) -> dict[str, str]:
    """Return the run of each event that the store holds both of."""
    store = await open_url(url, SystemClock())
    try:
        found: dict[str, str] = {}
        for delivery in await store.deliveries("shop"):
            run = await store.run_by_key("answers", f"shop:{delivery.event}")
            assert run is not None, f"{delivery.event} has no run"
            found[delivery.event] = run.id
        return found
    finally:
        await store.close()


def deliver_all(server: Server) -> dict[str, str]:
    """Send every event at once; return the run of each that was acknowledged."""
    with ThreadPoolExecutor(EVENTS) as senders:
        answers = list(senders.map(server.deliver, range(EVENTS)))
    good = [one for one in answers if one is not None and one.status < 300]
    return {one.body["event"]: one.body["run"] for one in good}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_what_was_acknowledged_outlives_the_server(
    shop: Shop, store_url: str, when: str
) -> None:
    """Killed at every write in turn: no acknowledged event is lost, and none has two runs."""
    for number in POINTS:
        acknowledged = deliver_all(shop.serve(when, number))

        assert acknowledged.items() <= (await kept(store_url)).items()

    whole = shop.serve()
    again = deliver_all(whole)
    last = await kept(store_url)
    assert again == last
    assert len(last) == EVENTS


async def test_a_server_that_dies_before_its_write_acknowledges_nothing(
    shop: Shop, store_url: str
) -> None:
    """One event at its first write: killed before, neither side has it; after, the store does."""
    before = shop.serve("before", 1).deliver(1)
    then = await kept(store_url)
    after = shop.serve("after", 1).deliver(1)
    now = await kept(store_url)

    assert (before, then) == (None, {})
    assert after is None
    assert list(now) == ["evt_1"]


async def test_a_sender_that_tries_again_gets_its_run(shop: Shop, store_url: str) -> None:
    """Not acknowledged, sent again to the next server, acknowledged: one run in the end."""
    answers = [shop.serve("after", 1).deliver(1)]
    answers += [shop.serve().deliver(1) for _ in range(ATTEMPTS)]

    assert answers[0] is None
    runs = {one.body["run"] for one in answers if one is not None}
    assert runs == set((await kept(store_url)).values())
    assert len(runs) == 1


async def test_a_store_that_answers_early_loses_what_it_acknowledged(
    shop: Shop, store_url: str
) -> None:
    """The negative control: acknowledged before the commit, a dying server loses events."""
    server = shop.serve("early")

    acknowledged = deliver_all(server)
    server.kill()

    assert len(acknowledged) == EVENTS
    assert set(await kept(store_url)) < set(acknowledged)
