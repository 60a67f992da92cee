"""Who comes in over HTTP, when, and how many."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.doors import House, open_house, order, signed, write_project
from proveout.adapters.troubles import StoreUnavailable, store_full
from proveout.domain.access import Role
from proveout.domain.unit import Enqueue, Receive

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.domain.unit import Answered, Unit
    from proveout.errors import Outage
    from proveout.ports.store import Store

RUNS = "/api/v1/workflows/answers/runs"


@pytest.fixture
async def house(tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds) -> House:
    """Return a project in production that lets two runs wait."""
    declared = write_project(tmp_path)
    limited = replace(declared, workflow=replace(declared.workflow, intake=2))
    house = open_house(tmp_path, store, clock, ids, settings=limited)
    await house.into_production()
    return house


async def ask(house: House, n: int, query: str = "", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with await house.as_(Role.OPERATOR) as client:
        return await client.post(f"{RUNS}{query}", json=n, headers=named)


async def deliver(house: House, number: int) -> httpx.Response:
    body = order(number)
    async with house.client(**signed(body, house.doors.clock.now())) as client:
        return await client.post("/hooks/shop", content=body)


async def test_past_the_intake_limit_the_answer_is_429(house: House) -> None:
    """With when to try again; nothing is written, and what is known is answered as ever."""
    first = await ask(house, 1, idempotency_key="one")
    await deliver(house, 2)

    asked, delivered = await ask(house, 3), await deliver(house, 4)
    again, twice = await ask(house, 1, idempotency_key="one"), await deliver(house, 2)

    for refused in (asked, delivered):
        assert (refused.status_code, refused.json()["code"]) == (429, "intake-full")
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["content-type"] == "application/problem+json"
    assert (again.json()["id"], again.json()["created"]) == (first.json()["id"], False)
    assert (twice.status_code, twice.json()["created"]) == (200, False)
    assert await house.store.delivery("shop", "evt_4") is None
    assert sum((await house.store.count()).values()) == 2


async def test_a_caller_says_when_and_in_which_order(house: House, clock: WatchedClock) -> None:
    """Priority, ordering key and delay come as parameters of the address."""
    made = await ask(house, 1, "?priority=7&ordering=ana&delay=10%20min")
    run = await house.store.run(made.json()["id"])

    assert run is not None
    assert (run.priority, run.ordering) == (7, "ana")
    assert run.due == clock.now() + timedelta(minutes=10)
    assert made.json()["state"] in {"QUEUED", "WAITING"}


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("?priority=101", 422, "less than or equal to 100"),
        ("?priority=-101", 422, "greater than or equal to -100"),
        ("?priority=high", 422, "integer"),
        ("?ordering=", 422, "at least 1 character"),
        (f"?ordering={'x' * 256}", 422, "at most 255 characters"),
        ("?delay=soon", 400, "is not a duration"),
        ("?delay=-1%20h", 400, "is not a duration"),
    ],
)
async def test_what_no_run_can_have_is_refused_with_its_range(
    house: House, query: str, status: int, said: str
) -> None:
    """And nothing is written."""
    refused = await ask(house, 1, query)

    assert refused.status_code == status
    assert said in refused.json()["detail"]
    assert await house.store.count() == {}


class Broken:
    """A store that takes no new runs now."""

    def __init__(self, inside: Store, error: Outage) -> None:
        self._inside = inside
        self._error = error

    def __getattr__(self, name: str) -> object:
        return getattr(self._inside, name)

    async def write(self, unit: Unit) -> Answered:
        if isinstance(unit, Enqueue | Receive):
            raise self._error
        return await self._inside.write(unit)


@pytest.mark.parametrize("error", [store_full(), StoreUnavailable("it is down")])
async def test_a_store_that_cannot_write_is_never_a_2xx(
    tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds, error: Outage
) -> None:
    """503 at the API and at the hooks, with when to try again."""
    house = open_house(tmp_path, Broken(store, error), clock, ids)
    await house.into_production()

    for answer in (await ask(house, 1), await deliver(house, 2)):
        assert (answer.status_code, answer.json()["code"]) == (503, error.code)
        assert int(answer.headers["retry-after"]) > 0
