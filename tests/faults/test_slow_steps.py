"""Fault 11: a step slower than the lease, one that blocks the loop, a thread past its time."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest

from faults.conftest import FULL, PATIENCE, SETTINGS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from faults.conftest import Site

pytestmark = pytest.mark.faults

LEASE = 2.0
PATIENT_LEASE = 4.0
"""Where nobody may take a run over: beside a whole suite a store can stand still for a second."""
ROUNDS = 10 if FULL else 1
BLOCKED = 75

APP = """
import asyncio
import os
import time
from proveout import step, workflow

def note(what, n):
    line = f"{what} {n} {os.getpid()} {time.time():.6f}\\n".encode()
    log = os.open("moments.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(log, line)
    os.close(log)

def is_first(n):
    try:
        os.close(os.open(f"began-{n}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True

@step
async def slow(n: int) -> int:
    note("start", n)
    await asyncio.sleep(1.5 * PATIENT_LEASE)
    note("end", n)
    return n

@step
async def block(n: int) -> int:
    note("start", n)
    if is_first(n):
        time.sleep(BLOCK)
    note("end", n)
    return n

@step(retries=2, timeout=1.0)
def hang(n: int) -> int:
    note("start", n)
    if is_first(n):
        time.sleep(2 * LEASE)
    note("end", n)
    return n

@workflow
async def slowly(n: int) -> int:
    return await slow(n)

@workflow
async def blocking(n: int) -> int:
    return await block(n)

@workflow
async def hanging(n: int) -> int:
    return await asyncio.to_thread(hang, n)
"""


class Execution(NamedTuple):
    """One call of a step, from its start to its end or to the death of its process."""

    process: int
    start: float
    end: float


def settle_on(site: Site, entry: str, *, block: float = 0.0) -> None:
    """Give the project this workflow and the figures of the test."""
    app = APP.replace("PATIENT_LEASE", f"{PATIENT_LEASE}")
    app = app.replace("LEASE", f"{LEASE}").replace("BLOCK", f"{block}")
    (site.folder / "app.py").write_text(app, "utf-8")
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", entry), "utf-8")


def executions(site: Site, deaths: dict[int, float] | None = None) -> dict[int, list[Execution]]:
    """Return the calls of each run's step; one without an end ended with its process."""
    begun: dict[tuple[int, int], list[float]] = defaultdict(list)
    found: dict[int, list[Execution]] = defaultdict(list)
    for line in (site.folder / "moments.log").read_text("utf-8").splitlines():
        what, n, process, moment = line.split()
        place = (int(n), int(process))
        if what == "start":
            begun[place].append(float(moment))
        else:
            found[int(n)].append(Execution(int(process), begun[place].pop(0), float(moment)))
    for (n, process), starts in begun.items():
        end = (deaths or {}).get(process, float("inf"))
        found[n] += [Execution(process, start, end) for start in starts]
    return {n: sorted(calls, key=lambda call: call.start) for n, calls in found.items()}


def overlaps(calls: list[Execution]) -> list[tuple[Execution, Execution]]:
    """Return the calls of one step that were under way at once."""
    return [(one, other) for one, other in pairwise(calls) if other.start < one.end]


def until(condition: Callable[[], object], what: str) -> None:
    """Return when `condition` holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what


def death(worker: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Return what a worker exited with, and when it was seen to be gone."""
    code = worker.wait(timeout=PATIENCE)
    return code, time.time()


def test_a_step_slower_than_the_lease_is_called_once(site: Site) -> None:
    """Its lease is renewed for as long as it takes; nobody else begins it."""
    settle_on(site, "slowly")
    site.environment["PROVEOUT_LEASE"] = f"{PATIENT_LEASE} s"
    for n in range(8):
        site.run("enqueue", "answers", "--input", f"{n}")
    workers = [site.start("work", "--until-idle") for _ in range(2)]

    assert [death(worker)[0] for worker in workers] == [0, 0]

    assert {n: len(calls) for n, calls in executions(site).items()} == dict.fromkeys(range(8), 1)
    assert site.states() == {"SUCCEEDED": 8}


def block_once(site: Site, n: int, fate: str = "") -> subprocess.Popen[bytes]:
    """Return a worker that has come to a step which blocks it."""
    site.run("enqueue", "answers", "--input", f"{n}")
    worker = site.start("work", fate=(fate, 0) if fate else None)
    until((site.folder / f"began-{n}").exists, "the step did not begin")
    return worker


def test_a_step_that_blocks_the_loop_costs_its_worker_and_not_its_run(site: Site) -> None:
    """The worker names it and exits 75; another takes the run over, never beside the first."""
    settle_on(site, "blocking", block=600.0)
    deaths: dict[int, float] = {}
    for n in range(ROUNDS):
        blocked = block_once(site, n)
        other = site.start("work", "--until-idle")

        code, deaths[blocked.pid] = death(blocked)
        assert code == BLOCKED
        assert other.wait(timeout=PATIENCE) == 0

    log = (site.folder / "workers.log").read_text("utf-8")
    ids = {run["id"] for run in site.runs()}
    named = re.findall(r"the step (\w+) of run (\w+) has blocked this worker .*app\.py:\d+ in", log)
    assert {step for step, _ in named} == {"block"}
    assert {run for _, run in named} == ids
    assert log.count("loop.stuck") == ROUNDS
    assert dict(site.states()) == {"SUCCEEDED": ROUNDS}
    for calls in executions(site, deaths).values():
        assert len(calls) == 2
        assert overlaps(calls) == []


def test_the_supervisor_replaces_a_worker_that_blocked(site: Site) -> None:
    """`serve` starts another one for it, and the run ends."""
    settle_on(site, "blocking", block=600.0)
    site.run("enqueue", "answers", "--input", "0")
    server = site.start("serve", "--port", "0", "--workers", "1")

    until(lambda: dict(site.states()) == {"SUCCEEDED": 1}, "the run did not end")

    assert server.poll() is None
    log = (site.folder / "workers.log").read_text("utf-8")
    [died] = re.findall(r'"code": (\d+), "event": "worker.died"', log)
    assert int(died) == BLOCKED
    assert len(executions(site)[0]) == 2


def test_without_the_watch_a_blocked_worker_keeps_its_run_for_ever(site: Site) -> None:
    """Negative control: the same step, and nobody feels the loop: nobody takes the run over."""
    settle_on(site, "blocking", block=600.0)
    blocked = block_once(site, 0, "unwatched")
    other = site.start("work")

    time.sleep(4 * LEASE)  # noqa: TID251 - four times the time after which a lease would lapse

    assert blocked.poll() is None
    assert other.poll() is None
    assert len(executions(site)[0]) == 1
    assert dict(site.states()) == {"RUNNING": 1}


def test_a_thread_that_hangs_past_its_time_is_never_overlapped(site: Site) -> None:
    """The next try begins when the last one has ended; the lease is renewed meanwhile."""
    settle_on(site, "hanging")
    for n in range(4):
        site.run("enqueue", "answers", "--input", f"{n}")
    workers = [site.start("work", "--until-idle") for _ in range(2)]

    assert [death(worker)[0] for worker in workers] == [0, 0]

    found = executions(site)
    assert {n: len(calls) for n, calls in found.items()} == dict.fromkeys(range(4), 2)
    assert [overlaps(calls) for calls in found.values()] == [[]] * 4
    assert len({call.process for calls in found.values() for call in calls}) <= 2
    assert site.states() == {"SUCCEEDED": 4}


def test_when_threads_are_abandoned_at_their_time_they_overlap(site: Site) -> None:
    """Negative control: the same step, retried although its thread goes on."""
    settle_on(site, "hanging")
    site.run("enqueue", "answers", "--input", "0")
    assert death(site.start("work", "--until-idle", fate=("impatient", 0)))[0] == 0

    until(lambda: len(executions(site)[0]) == 2, "the first call did not end")
    moments = [line.split()[0] for line in (site.folder / "moments.log").read_text().splitlines()]
    assert moments[:2] == ["start", "start"], "the second began before the first had ended"
