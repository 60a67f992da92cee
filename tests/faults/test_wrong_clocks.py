"""Fault 7: a worker's clock is an hour off, and runs backwards.

On PostgreSQL the database's clock decides what is due and whose lease has lapsed, whatever
the clocks of workers and callers say. On SQLite there is one machine, and its clock decides:
a clock that is set forward lapses leases, one that is set back delays what was due.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from doubles.stores import SQLITE
from faults.conftest import FULL, PATIENCE, SETTINGS, rows

if TYPE_CHECKING:
    import random  # noqa: TID251 - drawn from a seed that is told
    import subprocess
    from pathlib import Path

    from faults.conftest import Site

pytestmark = pytest.mark.faults

RUNS = 120 if FULL else 24
HOUR = 3600.0
PAUSE = 1.5
"""Seconds that each run sleeps between its two steps."""

LONG = 90.0
"""The same where nobody means to wait for it."""

LEASE = 4.0
STEP = 6.0
"""Seconds that its second step takes, where it is to take longer than a lease."""

APP = """
import asyncio
import os
import time
from proveout import sleep, step, workflow
from proveout.domain.workflow import CURRENT

def told(name, n):
    fence = CURRENT.get().attempt.run.fence
    line = f"{name} {n} {time.time():.6f} {fence}\\n".encode()
    log = os.open("calls.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(log, line)
    os.close(log)

@step
async def before(n: int) -> int:
    told("before", n)
    return n

@step
async def after(n: int) -> int:
    told("after", n)
    await asyncio.sleep(STEP)
    return n

@workflow
async def answer(n: int) -> int:
    await before(n)
    await sleep("PAUSE s")
    return await after(n)
"""

WORK = ("work", "--concurrency", str(RUNS))


class Clocks:
    """Clocks of processes, each in a file that says how far it is off."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def set(self, name: str, seconds: float) -> None:
        """Set a clock, whichever processes go by it."""
        new = self._file(name).with_suffix(".new")
        new.write_text(f"{seconds}", "utf-8")
        new.rename(self._file(name))

    def start(self, name: str, *arguments: str, also: str = "") -> subprocess.Popen[bytes]:
        """Start a command that goes by a clock, and also suffers what else is said."""
        self._site.environment["OFFSET"] = str(self._file(name))
        return self._site.start(*arguments, fate=(f"misled{also}", 0))

    def _file(self, name: str) -> Path:
        return self._site.folder / f"{name}.clock"


def prepare(site: Site, pause: float = PAUSE, step: float = STEP) -> Clocks:
    """Write the workflow and its inputs, in two halves."""
    (site.folder / "app.py").write_text(
        APP.replace("PAUSE", f"{pause}").replace("STEP", f"{step}"), "utf-8"
    )
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    site.environment["PROVEOUT_LEASE"] = f"{LEASE} s"
    for half in range(2):
        lines = "".join(f"{n}\n" for n in range(half, RUNS, 2))
        (site.folder / f"half{half}.jsonl").write_text(lines, "utf-8")
    return Clocks(site)


def until_done(site: Site) -> None:
    """Return when every run has succeeded."""
    end = time.monotonic() + PATIENCE
    while site.states() != {"SUCCEEDED": RUNS}:
        assert time.monotonic() < end, site.states()
        time.sleep(0.1)  # noqa: TID251 - real processes need real time


def early(site: Site, pause: float = PAUSE) -> list[int]:
    """Return the runs whose pause was shorter than they asked for."""
    calls = site.calls()
    return [
        n
        for (name, n), after in calls.items()
        if name == "after" and min(after).moment < min(calls["before", n]).moment + pause
    ]


@pytest.fixture
def on_postgres(site: Site) -> Site:
    """Return the site on PostgreSQL only."""
    if site.environment["PROVEOUT_STORE"].startswith(SQLITE):
        pytest.skip("a SQLite store goes by the machine's clock; its own test says what holds")
    return site


def test_wrong_clocks_make_nothing_early_skipped_or_stolen(
    on_postgres: Site, luck: random.Random
) -> None:
    """Three workers, an hour fast, an hour slow and swinging, and two callers that are off."""
    site = on_postgres
    clocks = prepare(site)
    for name, seconds in {"fast": HOUR, "slow": -HOUR, "swinging": 0.0}.items():
        clocks.set(name, seconds)
    workers = [clocks.start(name, *WORK) for name in ("fast", "slow", "swinging")]
    callers = [
        clocks.start(name, "enqueue", "answers", "--file", f"half{half}.jsonl")
        for half, name in enumerate(("fast", "slow"))
    ]
    end = time.monotonic() + PATIENCE
    while site.states() != {"SUCCEEDED": RUNS}:
        assert time.monotonic() < end, site.states()
        clocks.set("swinging", luck.uniform(-HOUR, HOUR))
        time.sleep(0.1)  # noqa: TID251 - real processes need real time

    assert [caller.wait() for caller in callers] == [0, 0]
    assert [worker.poll() for worker in workers] == [None] * 3
    assert early(site) == []
    assert {len(calls) for calls in site.calls().values()} == {1}, "a run was taken from a worker"
    assert set(rows(site.environment["PROVEOUT_STORE"], "SELECT fence FROM {0}runs")) == {(2,)}


def by_own_clocks(url: str) -> None:
    """Have each session of a database go by a clock that it brings itself."""
    moment = "clock_timestamp() + current_setting('proveout.shift', true)::interval"
    rows(
        url,
        "CREATE OR REPLACE FUNCTION {0}moment() RETURNS timestamptz LANGUAGE sql VOLATILE"
        f" AS $$ SELECT coalesce({moment}, clock_timestamp()) $$",
    )


def test_by_the_clocks_of_workers_runs_are_early(on_postgres: Site) -> None:
    """Negative control: the same with a database that believes each worker's clock."""
    site = on_postgres
    clocks = prepare(site, LONG)
    url = site.environment["PROVEOUT_STORE"]
    by_own_clocks(url)
    for half in range(2):
        site.run("enqueue", "answers", "--file", f"half{half}.jsonl")
    for name, seconds in {"right": 0.0, "fast": HOUR}.items():
        clocks.set(name, seconds)
        site.environment["PROVEOUT_STORE"] = f"{url}&proveout.shift={seconds} seconds"
        clocks.start(name, *WORK)
        until_called(site, "before", RUNS)
    site.environment["PROVEOUT_STORE"] = url

    until_called(site, "after", 1)

    assert early(site, LONG) != []


@pytest.fixture
def on_sqlite(site: Site) -> Site:
    """Return the site on SQLite only."""
    if not site.environment["PROVEOUT_STORE"].startswith(SQLITE):
        pytest.skip("on PostgreSQL the database's clock decides; its own test says so")
    return site


def test_a_machine_whose_clock_is_set_loses_and_repeats_nothing_journaled(on_sqlite: Site) -> None:
    """Set an hour forward in the middle, back, and forward again: all end, none from anew.

    Forward, leases lapse while their workers live: fences keep what counts to one of them.
    Backward, what was due before is not due yet; it goes on when the clock comes to it.
    """
    site = on_sqlite
    clocks = prepare(site, step=0.3)
    clocks.set("machine", 0.0)
    workers = [clocks.start("machine", *WORK) for _ in range(2)]
    assert clocks.start("machine", *_enqueue(0)).wait() == 0
    until_called(site, "before", RUNS // 2)
    clocks.set("machine", HOUR)
    until_called(site, "after", RUNS // 2)
    assert clocks.start("machine", *_enqueue(1)).wait() == 0
    clocks.set("machine", 0.0)
    time.sleep(LEASE)  # noqa: TID251 - the fault is that this much time passes
    clocks.set("machine", HOUR)

    until_done(site)
    assert [worker.poll() for worker in workers] == [None, None]
    assert site.repeated() == []
    assert sorted(run["result"] for run in site.runs()) == list(range(RUNS))


def test_without_journals_a_clock_that_is_set_repeats_steps(on_sqlite: Site) -> None:
    """Negative control: the same with a worker that resumes as if nothing had been journaled."""
    site = on_sqlite
    clocks = prepare(site, step=0.3)
    clocks.set("machine", 0.0)
    clocks.start("machine", *WORK, also="+forgetful")
    clocks.start("machine", *_enqueue(0)).wait()
    until_called(site, "before", RUNS // 2)

    clocks.set("machine", HOUR)

    end = time.monotonic() + PATIENCE
    while site.repeated() == []:
        assert time.monotonic() < end, site.states()
        time.sleep(0.1)  # noqa: TID251 - real processes need real time


def _enqueue(half: int) -> tuple[str, ...]:
    return ("enqueue", "answers", "--file", f"half{half}.jsonl")


def until_called(site: Site, name: str, count: int) -> None:
    """Return when the step of that name was called for so many runs."""
    end = time.monotonic() + PATIENCE
    while sum(step == name for step, _ in site.calls()) < count:
        assert time.monotonic() < end, site.states()
        time.sleep(0.05)  # noqa: TID251 - real processes need real time
