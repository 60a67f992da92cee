"""Watching: one of many servers tells, none that dies keeps others from telling."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doubles.watching import MINUTE, Watched
from proveout.domain.record import Kind
from proveout.domain.run import RunState
from proveout.domain.unit import Put
from proveout.watch.deliver import deliver
from proveout.watch.tick import tick

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.stores import Open

EVERYBODY = ("ana", "ben", "cleo")


@pytest.fixture
async def watched(given: Given) -> Watched:
    """Return triage in production, watched, with runs that fail."""
    watched = await Watched(given).promoted()
    await watched.ends(RunState.FAILED, 3)
    return watched


async def look_everywhere(watched: Watched, stores: list[Any]) -> None:
    """Have five servers look at the same moments, for as long as an escalation takes."""
    for _ in range(12):
        await asyncio.gather(*(tick(watched.watch(one)) for one in stores))
        await asyncio.gather(*(watched.hand_over(one) for one in stores))
        watched.given.clock.advance(3 * MINUTE)


async def test_of_many_servers_one_tells(watched: Watched, reopen: Open) -> None:
    """Each on a connection of its own."""
    stores = [watched.store, *[await reopen() for _ in range(4)]]

    await look_everywhere(watched, stores)

    assert watched.notebook.told == [(to, "alert") for to in EVERYBODY]
    assert len(await watched.alerts()) == 1


async def test_a_server_that_is_late_makes_no_first_turn_again(
    watched: Watched, reopen: Open
) -> None:
    """Another has looked with it meanwhile, and would tell what has been told."""
    waits, goes_on = asyncio.Event(), asyncio.Event()

    class Late:
        """Sees that there was no turn, and is held up before it makes one."""

        def __init__(self, inside: Any) -> None:
            self._inside = inside

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inside, name)

        async def write(self, unit: Any) -> Any:
            if isinstance(unit, Put) and unit.makes is not None:
                waits.set()
                await goes_on.wait()
            return await self._inside.write(unit)

    held_up: Any = Late(await reopen())
    late = asyncio.create_task(tick(watched.watch(held_up)))
    await waits.wait()
    await tick(watched.watch())
    goes_on.set()
    await late

    turns = [one for one in await watched.store.records(Kind.WATCH) if one[-1].isdigit()]
    assert len(turns) == 1
    assert len(await watched.alerts()) == 1


class Turnless:
    """A store in which a turn can be taken by everybody, and a notice by every hand.

    The first alert that it would write waits until everybody has looked, as it may be among
    servers apart.
    """

    def __init__(self, inside: Any, looked: asyncio.Barrier) -> None:
        self._inside = inside
        self._looked: asyncio.Barrier | None = looked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)

    async def write(self, unit: Any) -> Any:
        if isinstance(unit, Put):
            begins = any(keep.kind is Kind.ALERT for keep in unit.keeps)
            if begins and self._looked is not None:
                looked, self._looked = self._looked, None
                await looked.wait()
            await self._inside.write(replace(unit, spends=None))
        return await self._inside.write(unit)


async def test_without_turns_they_would_all_tell(watched: Watched, reopen: Open) -> None:
    """Negative control: where nothing is spent, five servers make five alerts of one trouble."""
    inside, looked = [watched.store, *[await reopen() for _ in range(4)]], asyncio.Barrier(5)
    stores = [Turnless(one, looked) for one in inside]

    await look_everywhere(watched, stores)

    assert len(await watched.alerts()) > 1


async def test_who_dies_while_handing_over_is_followed_by_another_a_minute_later(
    watched: Watched,
) -> None:
    """The channel may then hear twice, under the same id, and never not at all."""
    await watched.look()
    watched.given.clock.advance(MINUTE)
    await tick(watched.watch())
    tell = watched.notebook.tell

    async def die(notice: Any) -> None:
        await tell(notice)
        raise asyncio.CancelledError

    watched.notebook.tell = die
    with pytest.raises(asyncio.CancelledError):
        await watched.hand_over()
    watched.notebook.tell = tell
    at_once = await watched.hand_over()
    watched.given.clock.advance(MINUTE)
    later = await watched.hand_over()

    assert (at_once, later) == (0, 1)
    assert len({one.id for one in watched.notebook.notices}) == 1
    assert len(watched.notebook.notices) == 2


async def test_a_notice_in_hand_is_nobody_elses(watched: Watched, reopen: Open) -> None:
    """Two who take the same one: the second finds its record spent."""
    await watched.look()
    watched.given.clock.advance(MINUTE)
    await tick(watched.watch())
    [name] = await watched.store.records(Kind.OUTGOING)
    others = [watched.store, await reopen(), await reopen()]
    ids, now = watched.given.ids, watched.given.clock.now()

    counts = await asyncio.gather(*(deliver(one, ids, watched.notebook, now) for one in others))

    assert sorted(counts) == [0, 0, 1]
    assert name.endswith(".0")
