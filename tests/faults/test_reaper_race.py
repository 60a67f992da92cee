"""Fault 5: a run completes while its lease lapses; no final state is ever overwritten."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from doubles.given import LEASE, Given, want
from doubles.stores import SQLITE
from faults.conftest import FULL
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.system import SystemClock
from proveout.domain.run import RunState
from proveout.domain.unit import Done

if TYPE_CHECKING:
    import random  # noqa: TID251 - drawn from a seed that is told
    from collections.abc import Callable, Coroutine

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from doubles.stores import Open
    from proveout.domain.run import RunId
    from proveout.domain.unit import Unit
    from proveout.ports.store import Claimed

T = TypeVar("T")

pytestmark = pytest.mark.faults

RACES = 10_000 if FULL else 500
AT_ONCE = 25
SPREAD = 0.006
"""Seconds over which completions and the reaper of one round are spread."""


@dataclass
class Race:
    """Completions against a reaper, each at a moment that is drawn.

    Attributes:
        luck: draws the moments.
        won: count of runs whose completion was answered as durable.
        beaten: count of runs whose completion came too late.
        overwritten: count of completed runs that did not stay completed.
    """

    given: Given
    clock: WatchedClock
    luck: random.Random
    won: int = 0
    beaten: int = 0
    overwritten: int = 0

    async def run(self, reap: Callable[[list[RunId]], Coroutine[None, None, None]]) -> None:
        """Race `RACES` completions against `reap`, a round at a time."""
        for _ in range(RACES // AT_ONCE):
            await self._round(reap)

    async def _round(self, reap: Callable[[list[RunId]], Coroutine[None, None, None]]) -> None:
        store = self.given.store
        await asyncio.gather(*(self.given.queued() for _ in range(AT_ONCE)))
        claimed = await store.claim(want())
        self.clock.advance(LEASE + timedelta(seconds=1))
        runs = [one.run.id for one in claimed]

        reaping = asyncio.create_task(self._later(reap(runs)))
        answers = await asyncio.gather(
            *(self._later(store.write(self._end(one, b'"mine"'))) for one in claimed)
        )
        await reaping

        for run, answer in zip(runs, answers, strict=True):
            await self._judge(run, is_done=isinstance(answer, Done))
        await asyncio.gather(
            *(store.write(self._end(one, b'"theirs"')) for one in await store.claim(want()))
        )

    async def _judge(self, run: RunId, *, is_done: bool) -> None:
        now = await self.given.known(run)
        if is_done:
            self.won += 1
            self.overwritten += (now.state, now.result) != (RunState.SUCCEEDED, b'"mine"')
        else:
            self.beaten += 1
            assert now.state == RunState.QUEUED

    def _end(self, claimed: Claimed, result: bytes) -> Unit:
        return self.given.settle(claimed, RunState.SUCCEEDED, result=result)

    async def _later(self, work: Coroutine[Any, Any, T]) -> T:
        await SystemClock().sleep(self.luck.uniform(0.0, SPREAD))
        return await work


@pytest.fixture
async def race(reopen: Open, clock: WatchedClock, ids: CountedIds, luck: random.Random) -> Race:
    """Return a race on each store in turn."""
    return Race(Given(await reopen(), clock, ids), clock, luck)


async def test_a_completed_run_stays_completed_whoever_reaps(reopen: Open, race: Race) -> None:
    """Of completion and lapse one comes first, and the other learns it; each does sometimes."""
    other = await reopen()

    async def reap(_: list[RunId]) -> None:
        await other.tend()

    await race.run(reap)

    assert race.won + race.beaten == RACES
    assert race.overwritten == 0
    assert min(race.won, race.beaten) > RACES / 100


async def test_a_reaper_that_does_not_look_again_overwrites(race: Race, manual_url: str) -> None:
    """Negative control: the same race against an update without the guard on the state."""

    async def reap(runs: list[RunId]) -> None:
        if manual_url.startswith(SQLITE):
            await asyncio.to_thread(_requeue, manual_url.removeprefix(SQLITE), runs)
            return
        link = await Server.at(manual_url).connect("naive")
        await link.execute(
            "WITH mine AS MATERIALIZED (SELECT seq FROM proveout.runs WHERE id = ANY ($1::text[])"
            " ORDER BY id FOR UPDATE) UPDATE proveout.runs SET state = 'QUEUED' FROM mine"
            " WHERE runs.seq = mine.seq",
            runs,
        )
        await part(link)

    await race.run(reap)

    assert race.overwritten > 0


def _requeue(path: str, runs: list[RunId]) -> None:
    """Queue runs in a SQLite file, whatever state they are in."""
    marks = ", ".join("?" * len(runs))
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute(f"UPDATE runs SET state = 'QUEUED' WHERE id IN ({marks})", runs)  # noqa: S608
