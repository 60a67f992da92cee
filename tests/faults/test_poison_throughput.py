"""Fault 8, measured: a run that kills its workers costs the others a tenth at most."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from faults.conftest import FULL, PATIENCE, SETTINGS, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.conftest import Site

pytestmark = [
    pytest.mark.faults,
    pytest.mark.measured,
    pytest.mark.skipif(not FULL, reason="a throughput is measured by make faults only"),
]

WORKERS = 4
AT_ONCE = 50
"""Runs in flight in each worker: 200 in all."""

BACKLOG = 24_000
"""More runs than the workers can do in the time that is measured."""

SECONDS = 60.0
"""How long each measurement takes."""

HEAD = "UPDATE {0}runs SET due = (SELECT min(due) FROM {0}runs) WHERE id = '@' RETURNING id"
"""Puts a run before all others."""

POISON = -1

APP = f"""
import asyncio
import os
import signal
from proveout import step, workflow

@step
async def read(n: int) -> int:
    await asyncio.sleep(1.0)
    return n

@step
async def think(n: int) -> int:
    if n == {POISON}:
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(1.0)
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
    """Return how many more runs finish in `SECONDS` under full load."""
    first = site.states()["SUCCEEDED"]
    time.sleep(SECONDS)  # noqa: TID251 - what is measured is what happens in this time
    states = site.states()
    assert states["QUEUED"] > WORKERS * AT_ONCE, "the load did not last"
    return states["SUCCEEDED"] - first


def until(site: Site, state: str, count: int) -> None:
    """Return when so many runs are in a state."""
    end = time.monotonic() + PATIENCE
    while site.states()[state] < count:
        assert time.monotonic() < end, site.states()
        time.sleep(0.2)  # noqa: TID251 - real processes need real time


def test_a_poison_run_costs_the_others_a_tenth_at_most(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    """Supervised workers under one load, before it, beside it and after it; it alone is dead."""
    (site.folder / "app.py").write_text(APP, "utf-8")
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    enqueue(site, list(range(BACKLOG)))
    serving = site.start(
        *("serve", "--port", "0", "--workers", str(WORKERS), "--concurrency", str(AT_ONCE))
    )
    until(site, "SUCCEEDED", 2 * WORKERS * AT_ONCE)

    before = throughput(site)
    poison = json.loads(site.run("enqueue", "answers", "--input", str(POISON), "--json"))["id"]
    assert rows(site.environment["PROVEOUT_STORE"], HEAD.replace("@", poison)) == [(poison,)]
    beside = throughput(site)
    until(site, "DEAD", 1)
    after = throughput(site)
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(timeout=PATIENCE) == 0

    record_property("figures", f"{before} runs before it, {beside} beside it, {after} after it")
    assert site.states()["DEAD"] == 1
    assert beside >= 0.9 * (before + after) / 2
