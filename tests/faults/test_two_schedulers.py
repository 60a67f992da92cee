"""Fault 6: two schedulers look at the same ticks; each tick fires once."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.scheduler import EVERY_MINUTE, START, WORKFLOW, Flight, FlyingClock, let_fly
from doubles.stores import open_url
from faults.conftest import FULL, PATIENCE, TESTS
from proveout.domain.unit import Done, Tick, UnitId
from proveout.ports.store import RunFilter
from proveout.run.schedule import tick_key

if TYPE_CHECKING:
    from proveout.domain.run import Run

pytestmark = pytest.mark.faults

TICKS = 1000 if FULL else 100
PER_SECOND = 40
HEAD_START = 4.0
"""Seconds in which both processes start before time begins to fly."""


async def run_scheduler(url: str, flight: Flight, manner: str) -> None:
    """Run a scheduler in a process of its own until the last tick."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "doubles.scheduler", url, flight.to_json(), manner),
        cwd=TESTS,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, said.decode()


async def fired(url: str, manner: str) -> list[Run]:
    """Have two schedulers live through the ticks; return the runs that they asked for."""
    flight = Flight(began=time.time() + HEAD_START, speed=60 * PER_SECOND, ticks=TICKS)
    store = await open_url(url, FlyingClock(flight))
    await let_fly(url, flight)
    begins = Tick(
        id=UnitId("begins"), workflow=WORKFLOW, name=EVERY_MINUTE.name, since=None, to=START
    )
    assert await store.write(begins) == Done()
    await asyncio.gather(*(run_scheduler(url, flight, manner) for _ in range(2)))
    runs = await store.runs(RunFilter(limit=10 * TICKS))
    await store.close()
    return runs


async def test_each_tick_fires_once_however_many_look(store_url: str) -> None:
    """No tick is left out, none fires twice."""
    runs = await fired(store_url, "whole")

    ticks = [START + timedelta(minutes=n + 1) for n in range(TICKS)]
    assert sorted(run.key or "" for run in runs) == [
        tick_key(EVERY_MINUTE.name, tick) for tick in ticks
    ]


async def test_without_key_and_comparison_ticks_fire_twice(store_url: str) -> None:
    """Negative control: the same two schedulers, each trusting what it read."""
    runs = await fired(store_url, "naive")

    assert len(runs) > TICKS
