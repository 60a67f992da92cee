"""Fault 8, measured: a run that kills its workers costs the others a tenth at most."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from faults.conftest import FULL, PATIENCE, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.conftest import Site

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not FULL, reason="a throughput is measured by make faults only"),
]

WORKERS = 4
AT_ONCE = 50
"""Runs in flight in each worker: 200 in all."""

BACKLOG = 8_000
"""More runs than the workers can do in the time that is measured."""

SECONDS = 30.0
POISON = -1

APP = f"""
import asyncio
import os
import signal
from proveout import step, workflow

@step
async def read(n: int) -> int:
    await asyncio.sleep(0.5)
    return n

@step
async def think(n: int) -> int:
    if n == {POISON}:
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(0.5)
    return n

@workflow
async def answer(n: int) -> int:
    return await think(await read(n))
"""


def enqueue(site: Site, inputs: list[int]) -> None:
    """Make runs durable."""
    (site.folder / "inputs.jsonl").write_text("".join(f"{n}\n" for n in inputs), "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")


def throughput(site: Site) -> int:
    """Return how many more runs supervised workers finish in `SECONDS` under full load.

    They go on until a run that kills its workers is dead.
    """
    before = site.states()["SUCCEEDED"]
    serving = site.start(
        *("serve", "--port", "0", "--workers", str(WORKERS), "--concurrency", str(AT_ONCE))
    )
    end = time.monotonic() + PATIENCE
    while site.states()["SUCCEEDED"] < before + WORKERS * AT_ONCE:
        assert time.monotonic() < end, "no run came to its end"
        time.sleep(0.1)  # noqa: TID251 - real processes need real time
    first = site.states()["SUCCEEDED"]
    time.sleep(SECONDS)  # noqa: TID251 - what is measured is what happens in this time
    states = site.states()
    assert states["QUEUED"] > 0, "the load did not last"
    while site.states()["DEAD"] == 0:
        assert time.monotonic() < end, "the run that kills its workers is not dead"
        time.sleep(0.5)  # noqa: TID251 - real processes need real time
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(timeout=PATIENCE) == 0
    return states["SUCCEEDED"] - first


def test_a_poison_run_costs_the_others_a_tenth_at_most(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    """The same load on the same workers, beside it and then without it; it alone is dead."""
    (site.folder / "app.py").write_text(APP, "utf-8")
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    inputs = list(range(2 * BACKLOG))
    inputs.insert(2 * WORKERS * AT_ONCE, POISON)
    enqueue(site, inputs)
    beside = throughput(site)
    without = throughput(site)

    record_property("figures", f"{without} runs without it, {beside} beside it")
    assert site.states()["DEAD"] == 1
    assert beside >= 0.9 * without
