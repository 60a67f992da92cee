"""Fault 5: a run completes while its lease lapses; no final state is ever overwritten."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.given import LEASE, Given, want
from faults.conftest import FULL
from proveout.adapters.postgres.wire import Server, part
from proveout.domain.run import RunState
from proveout.domain.unit import Done

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from doubles.stores import Open
    from proveout.domain.run import RunId

pytestmark = pytest.mark.faults

RACES = 10_000 if FULL else 400
AT_ONCE = 100


async def overwritten(
    reopen: Open,
    clock: WatchedClock,
    ids: CountedIds,
    reap: Callable[[list[RunId]], Coroutine[None, None, None]],
) -> int:
    """Race completions against `reap`; return how many completed runs did not stay completed."""
    store = await reopen()
    given = Given(store, clock, ids)
    lost = 0
    for _ in range(RACES // AT_ONCE):
        for _ in range(AT_ONCE):
            await given.queued()
        claimed = await store.claim(want())
        clock.advance(LEASE + timedelta(seconds=1))
        runs = [one.run.id for one in claimed]

        units = [given.settle(one, RunState.SUCCEEDED, result=b'"mine"') for one in claimed]
        reaping = asyncio.create_task(reap(runs))
        answers = await asyncio.gather(*map(store.write, units))
        await reaping

        for run, answer in zip(runs, answers, strict=True):
            now = await store.run(run)
            assert now is not None
            if isinstance(answer, Done):
                lost += (now.state, now.result) != (RunState.SUCCEEDED, b'"mine"')
            else:
                assert now.state == RunState.QUEUED
        for one in await store.claim(want()):
            await store.write(given.settle(one, RunState.SUCCEEDED, result=b'"theirs"'))
    return lost


async def test_a_completed_run_stays_completed_whoever_reaps(
    reopen: Open, clock: WatchedClock, ids: CountedIds
) -> None:
    """Of completion and lapse one comes first, and the other learns it."""
    other = await reopen()

    async def reap(_: list[RunId]) -> None:
        await other.tend()

    assert await overwritten(reopen, clock, ids, reap) == 0


async def test_a_reaper_that_does_not_look_again_overwrites(
    reopen: Open, clock: WatchedClock, ids: CountedIds, manual_url: str
) -> None:
    """Negative control: the same race against an update without the guard on the state."""

    async def reap(runs: list[RunId]) -> None:
        if manual_url.startswith("sqlite:///"):
            connection = sqlite3.connect(manual_url.removeprefix("sqlite:///"), timeout=30)
            marks = ", ".join("?" * len(runs))
            with connection:
                connection.execute(f"UPDATE runs SET state = 'QUEUED' WHERE id IN ({marks})", runs)  # noqa: S608
            connection.close()
            return
        link = await Server.at(manual_url).connect("naive")
        await link.execute(
            "UPDATE proveout.runs SET state = 'QUEUED' WHERE id = ANY ($1::text[])", runs
        )
        await part(link)

    async def late(runs: list[RunId]) -> None:
        store = await reopen()
        for run in runs:
            found = await store.run(run)
            if found is not None and found.state is RunState.SUCCEEDED:
                break
        await reap(runs)

    assert await overwritten(reopen, clock, ids, late) > 0
