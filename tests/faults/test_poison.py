"""Fault 8: a run that kills its process, among others; it alone is dead, and soon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from faults.conftest import FULL, PATIENCE, SETTINGS

if TYPE_CHECKING:
    from faults.conftest import Site

pytestmark = pytest.mark.faults

RUNS = 200 if FULL else 40
POISON = RUNS // 2

APP = f"""
import asyncio
import os
import signal
import time
from proveout import step, workflow
from proveout.domain.workflow import CURRENT

def told(name, n):
    fence = CURRENT.get().attempt.run.fence
    line = f"{{name}} {{n}} {{time.time():.6f}} {{fence}}\\n".encode()
    log = os.open("calls.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(log, line)
    os.close(log)

@step
async def read(n: int) -> int:
    told("read", n)
    await asyncio.sleep(0.05)
    return n

@step
async def think(n: int) -> int:
    told("think", n)
    if n == {POISON}:
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(0.05)
    return n

@workflow
async def answer(n: int) -> int:
    return await think(await read(n))
"""

TOGETHER = """
import asyncio
from proveout.faces.project import Project

async def main():
    async with Project.open() as project:
        worker = project.worker(concurrency=8, captures=True)
        await worker.work(until_idle=True)

asyncio.run(main())
"""
"""A worker that takes suspects among all others, and blames nobody."""

WORK = ("work", "--concurrency", "8", "--until-idle")


@pytest.fixture
def crowded(site: Site) -> Site:
    """Return a project whose queue holds one run that kills, among others."""
    (site.folder / "app.py").write_text(APP, "utf-8")
    (site.folder / "together.py").write_text(TOGETHER, "utf-8")
    lines = "".join(f"{number}\n" for number in range(RUNS))
    (site.folder / "inputs.jsonl").write_text(lines, "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")
    return site


def test_a_run_that_kills_its_process_is_alone_dead(crowded: Site) -> None:
    """One worker dies of it, then three children; all others succeed and repeat nothing."""
    site = crowded
    workers = [site.start(*WORK), site.start(*WORK)]

    ends = sorted(worker.wait(timeout=PATIENCE) for worker in workers)

    runs = site.runs()
    [dead] = [run for run in runs if run["state"] == "DEAD"]
    assert ends == [-signal.SIGKILL, 0]
    assert dict(site.states()) == {"SUCCEEDED": RUNS - 1, "DEAD": 1}
    assert {run["result"] for run in runs} == {*range(RUNS), None} - {POISON}
    assert dead["error"]["type"] == "WorkerCrashed"
    assert len(site.calls()["think", POISON]) == 1 + 3
    assert len(site.calls()["read", POISON]) == 1
    assert site.repeated() == []


def test_without_isolation_it_takes_worker_after_worker(crowded: Site) -> None:
    """Negative control: claimed among all others and blamed by nobody, it keeps killing."""
    site = crowded
    ends: list[int] = []

    for _ in range(4):
        worker = subprocess.Popen(
            [sys.executable, "-m", "together"], cwd=site.folder, env=site.environment
        )
        site.started.append(worker)
        ends.append(worker.wait(timeout=PATIENCE))

    assert ends == [-signal.SIGKILL] * 4
    assert len(site.calls()["think", POISON]) == 4
    assert site.states()["DEAD"] == 0


ENDLESS = """
import asyncio
import os
from proveout import step, workflow

@step
async def think(n: int) -> int:
    with open("pids.log", "a") as log:
        log.write(f"{os.getpid()}\\n")
    await asyncio.Event().wait()
    return n

@workflow
async def answer(n: int) -> int:
    return await think(n)
"""


@pytest.fixture
def endless(site: Site) -> Site:
    """Return a project with one run that never ends, lost by the worker that had it."""
    (site.folder / "app.py").write_text(ENDLESS, "utf-8")
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    site.environment["PROVEOUT_LEASE"] = "1 s"
    site.run("enqueue", "answers", "--input", "0")
    worker = site.start("work")
    assert caller(site, 1) == worker.pid
    worker.kill()
    return site


def caller(site: Site, number: int) -> int:
    """Return the process that made the `number`th call of the endless step, once it did."""
    log = site.folder / "pids.log"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        calls = log.read_text("utf-8").split() if log.exists() else []
        if len(calls) >= number:
            return int(calls[number - 1])
        time.sleep(0.01)  # noqa: TID251 - real processes need real time
    raise AssertionError(f"call {number} was never made")


def is_alive(process: int) -> bool:
    """Whether a process that is not ours still runs."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_killed_machine_makes_nobody_dead(endless: Site) -> None:
    """A child ends with its parent, and that counts against no run, however often."""
    alive: list[bool] = []

    for number in range(2, 5):
        worker = endless.start("work")
        child = caller(endless, number)
        assert child != worker.pid
        worker.kill()
        worker.wait()
        end = time.monotonic() + 10
        while is_alive(child) and time.monotonic() < end:
            time.sleep(0.01)  # noqa: TID251 - real processes need real time
        alive.append(is_alive(child))

    assert alive == [False] * 3
    assert endless.states()["DEAD"] == 0


def test_a_child_killed_under_a_living_worker_counts(endless: Site) -> None:
    """The counterpart: the same kill of the child alone, three times, and the run is dead."""
    worker = endless.start("work", "--until-idle")

    for number in range(2, 5):
        os.kill(caller(endless, number), signal.SIGKILL)

    assert worker.wait(timeout=PATIENCE) == 0
    assert endless.states()["DEAD"] == 1
    assert endless.runs()[0]["error"]["type"] == "WorkerCrashed"
