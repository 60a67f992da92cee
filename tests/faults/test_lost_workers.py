"""Fault 1: workers are killed at any moment; nothing that was acknowledged is lost."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from faults.conftest import FULL, PATIENCE, SETTINGS

if TYPE_CHECKING:
    import random  # noqa: TID251 - drawn from a seed that is told
    from collections.abc import Callable

    from faults.conftest import Service, Site

pytestmark = pytest.mark.faults

RUNS = 10_000 if FULL else 800
KILLS = 200 if FULL else 8
AT_ONCE = 32
WORK = ("work", "--effects", "live", "--concurrency", str(AT_ONCE))
LEASE = 8.0

WRITES = range(1, 6)
POINTS = (
    [(when, write) for when in ("before", "after") for write in WRITES]
    if FULL
    else [("before" if write % 2 == 0 else "after", write) for write in WRITES]
)
"""Around which commit a worker dies; before one is nearly the same as after the one before."""


def enqueue(site: Site, count: int) -> None:
    """Make `count` runs durable."""
    lines = "".join(f"{number}\n" for number in range(count))
    (site.folder / "inputs.jsonl").write_text(lines, "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")


def test_killed_workers_lose_no_run_and_repeat_no_journaled_step(
    site: Site,
    service: Service,
    luck: random.Random,
    record_property: Callable[[str, object], None],
) -> None:
    """Every accepted run ends once, under one key per effect, wherever its workers died.

    Two leases after the last kill, when only runs in flight were left, all are done.
    """
    site.environment["PROVEOUT_LEASE"] = f"{LEASE} s"
    enqueue(site, RUNS)
    workers = [site.start(*WORK), site.start(*WORK)]
    killed = 0.0
    for point in (*sorted(luck.sample(range(RUNS - AT_ONCE), KILLS - 1)), RUNS - AT_ONCE):
        until_done(service, point)
        time.sleep(luck.uniform(0.0, 0.05))  # noqa: TID251 - the moment to kill at is drawn
        doomed = luck.randrange(2)
        workers[doomed].kill()
        workers[doomed].wait()
        killed = time.monotonic()
        workers[doomed] = site.start(*WORK)
    until_done(service, RUNS)
    while site.states() != {"SUCCEEDED": RUNS}:
        assert time.monotonic() < killed + PATIENCE
        time.sleep(0.05)  # noqa: TID251 - real processes need real time
    took = time.monotonic() - killed

    record_property("figures", f"{sum(service.keys.values())} effect calls, {took:.1f} s")
    assert took < 2 * LEASE
    assert len(service.keys) == RUNS
    assert {len(keys) for keys in service.of.values()} == {1}
    assert site.repeated() == []


def until_done(service: Service, count: int) -> None:
    """Return when the effects of so many runs were seen."""
    end = time.monotonic() + PATIENCE
    while len(service.keys) < count:
        assert time.monotonic() < end, f"only {len(service.keys)} runs of {count} came so far"
        time.sleep(0.005)  # noqa: TID251 - real processes need real time


def test_without_recovery_the_runs_of_a_killed_worker_stay_for_ever(site: Site) -> None:
    """Negative control: with the lapse of leases switched off, the same kill loses runs."""
    site.environment["PROVEOUT_LEASE"] = "1 s"
    enqueue(site, 200)
    worker = site.start(*WORK, fate=("unrecovering", 0))
    while not site.calls():
        assert worker.poll() is None
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    other = site.start(*WORK, fate=("unrecovering", 0))
    end = time.monotonic() + PATIENCE
    while site.states()["QUEUED"]:
        assert other.poll() is None
        assert time.monotonic() < end

    time.sleep(2.0)  # noqa: TID251 - twice the time after which a lease would have lapsed

    assert site.states()["RUNNING"] > 0


def test_without_journals_a_killed_worker_has_its_steps_repeated(
    site: Site, service: Service
) -> None:
    """Negative control: the same kill, with workers that resume as if nothing was journaled."""
    site.environment["PROVEOUT_LEASE"] = "1 s"
    enqueue(site, 200)
    worker = site.start(*WORK, fate=("forgetful", 0))
    until_done(service, 20)
    worker.kill()

    site.start(*WORK, fate=("forgetful", 0))

    end = time.monotonic() + PATIENCE
    while site.repeated() == []:
        assert time.monotonic() < end, "no step was called again"
        time.sleep(0.1)  # noqa: TID251 - real processes need real time


@pytest.mark.parametrize(("when", "write"), POINTS)
def test_gathered_branches_resume_with_their_own_values(site: Site, when: str, write: int) -> None:
    """Two branches of two steps, killed around every commit: each value finds its branch."""
    settings = SETTINGS.replace("ENTRY", "gathered")
    (site.folder / "proveout.toml").write_text(settings, "utf-8")
    site.environment["PROVEOUT_LEASE"] = "300 ms"
    site.run("enqueue", "answers", "--input", "7")

    killed = site.start("work", "--until-idle", fate=(when, write))
    killed_by = killed.wait(timeout=PATIENCE)
    site.run("work", "--until-idle")

    run = site.runs()[0]
    assert killed_by == -signal.SIGKILL, "the worker was to die at this write"
    assert run["state"] == "SUCCEEDED"
    assert run["result"] == ["slow1-slow2", "quick1-quick2"]
    calls = site.calls()
    assert set(calls) == {
        (f"{step}-{name}", 0) for step in ("first", "second") for name in ("slow", "quick")
    }
    journaled = write if when == "after" else write - 1
    called = sum(len(moments) for moments in calls.values())
    assert called <= 4 + 2, f"{journaled} writes were durable, {called} calls were made"
