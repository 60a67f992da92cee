"""Those who wait for a change are woken by it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from doubles.given import want
from proveout.domain.run import RunState

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.stores import Open
    from proveout.ports.store import Store

SOON = 5.0
"""Seconds of real time in which a wake-up must have come; it takes milliseconds."""


async def settled(store: Store) -> None:
    """Take note of all that has changed so far."""
    while True:
        try:
            async with asyncio.timeout(0.2):
                await store.changed(60)
        except TimeoutError:
            return


async def test_a_change_wakes_who_waits(given: Given, store: Store) -> None:
    """Whoever waits on the store that wrote is woken at once."""
    await settled(store)
    waiting = asyncio.ensure_future(store.changed(60))

    await given.queued()

    await asyncio.wait_for(waiting, SOON)


async def test_a_change_wakes_other_stores(given: Given, reopen: Open) -> None:
    """A store elsewhere is woken too: by a new run, by its end, and by an answer."""
    other = await reopen()
    await settled(other)

    for change in ("new", "asked", "answered"):
        waiting = asyncio.ensure_future(other.changed(60))
        await asyncio.sleep(0)  # noqa: TID251 - lets it begin to wait
        match change:
            case "new":
                await given.queued()
            case "asked":
                [claimed] = await given.store.claim(want())
                await given.store.write(given.settle(claimed, RunState.WAITING))
            case _:
                await given.waiting()
        await asyncio.wait_for(waiting, SOON)
        await settled(other)


async def test_a_change_wakes_everyone_who_waits(given: Given, store: Store) -> None:
    """One change wakes all that wait on a store, not only the first to notice."""
    await settled(store)
    waiting = [asyncio.ensure_future(store.changed(60)) for _ in range(5)]
    await asyncio.sleep(0)  # noqa: TID251 - lets them begin to wait

    await given.queued()

    await asyncio.wait_for(asyncio.gather(*waiting), SOON)


async def test_a_change_before_the_wait_is_not_missed(given: Given, store: Store) -> None:
    """What changed since the last look is told at once: nobody waits past work."""
    await settled(store)
    await given.queued()

    await asyncio.wait_for(store.changed(60), SOON)


async def test_waiting_ends_when_its_time_is_over(given: Given, store: Store) -> None:
    """Without a change the wait ends by the clock."""
    await settled(store)
    waiting = asyncio.ensure_future(store.changed(2))
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done

    given.clock.advance(timedelta(seconds=2))

    await asyncio.wait_for(waiting, SOON)
