"""What all workers share: buckets that are drawn from by many at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from proveout.domain.limit import Draw, Grant, Rate

if TYPE_CHECKING:
    from doubles.postgres import WatchedClock
    from doubles.stores import Open
    from proveout.ports.store import Store

RATE = Rate(name="openai/calls", per_second=2.0, capacity=10.0)


def draw(want: float, least: float = 1.0, rate: Rate = RATE) -> Draw:
    return Draw(rate=rate, want=want, least=least)


async def test_a_bucket_starts_full_and_fills_by_the_stores_clock(
    store: Store, clock: WatchedClock
) -> None:
    assert await store.take(draw(4)) == Grant(4)
    assert await store.take(draw(100)) == Grant(6)
    assert await store.take(draw(4)) == Grant(0, 0.5)

    clock.advance(timedelta(seconds=1.5))

    assert await store.take(draw(100)) == Grant(3)


async def test_a_bucket_holds_no_more_than_its_capacity(store: Store, clock: WatchedClock) -> None:
    await store.take(draw(10))
    clock.advance(timedelta(days=1))

    assert await store.take(draw(100)) == Grant(10)


async def test_more_than_it_holds_leaves_a_debt(store: Store, clock: WatchedClock) -> None:
    """It is given when the bucket is full, and filled up before anything else is given."""
    assert await store.take(draw(30, 30)) == Grant(30)
    assert await store.take(draw(1)) == Grant(0, 10.5)

    clock.advance(timedelta(seconds=10.5))

    assert await store.take(draw(1)) == Grant(1)


async def test_a_clock_that_runs_back_fills_nothing(store: Store, clock: WatchedClock) -> None:
    """And what was filled once is not filled again."""
    await store.take(draw(10))
    clock.advance(timedelta(hours=-1))
    assert (await store.take(draw(1))).amount == 0

    clock.advance(timedelta(hours=1))

    assert (await store.take(draw(1))).amount == 0


async def test_buckets_of_other_names_are_others(store: Store) -> None:
    await store.take(draw(10))
    tokens = Rate(name="openai/tokens", per_second=1500.0, capacity=9000.0)

    assert await store.take(draw(9000, 800, tokens)) == Grant(9000)


@pytest.mark.parametrize("takers", [1, 8])
async def test_many_takers_never_get_more_than_the_rate_allows(
    reopen: Open, clock: WatchedClock, takers: int
) -> None:
    """However many connections take at once: what it held, and what filled it meanwhile."""
    stores = [await reopen() for _ in range(2)]
    given = 0.0
    for moment in range(6):
        grants = await asyncio.gather(
            *(stores[n % 2].take(draw(3, 0.5)) for _ in range(5) for n in range(takers))
        )
        given += sum(grant.amount for grant in grants)
        assert given <= RATE.capacity + RATE.per_second * moment + 1e-6
        clock.advance(timedelta(seconds=1))

    assert given > RATE.capacity + RATE.per_second * 5 - 3, "it gave too little"
