"""Fault 1: workers are killed at any moment; nothing that was acknowledged is lost."""

from __future__ import annotations

import json
import random  # noqa: TID251 - seeded moments to kill at, told when the test fails
import signal
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from faults.conftest import FULL, PATIENCE, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.conftest import Service, Site

pytestmark = pytest.mark.faults

RUNS = 10_000 if FULL else 2_000
KILLS = 200 if FULL else 10
WORK = ("work", "--effects", "live", "--concurrency", "64")
LEASE = 2.0
COMMIT = LEASE / 2
"""Seconds from a step's result to its commit; a repeat comes after a lease, so later."""


def enqueue(site: Site, count: int) -> None:
    """Make `count` runs durable."""
    lines = "".join(f"{number}\n" for number in range(count))
    (site.folder / "inputs.jsonl").write_text(lines, "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")


def test_killed_workers_lose_no_run_and_repeat_no_journaled_step(
    site: Site, service: Service, record_property: Callable[[str, object], None]
) -> None:
    """Every accepted run ends once, under one key per effect, wherever its workers died."""
    seed = random.randrange(1_000_000)  # noqa: S311 - no secret
    moments = random.Random(seed)  # noqa: S311 - no secret
    enqueue(site, RUNS)
    workers = [site.start(*WORK), site.start(*WORK)]
    kills = 0
    while kills < KILLS and len(service.keys) < RUNS:
        time.sleep(moments.uniform(0.6, 1.4))  # noqa: TID251 - the moment to kill at is drawn
        doomed = moments.randrange(2)
        workers[doomed].send_signal(signal.SIGKILL)
        workers[doomed].wait()
        workers[doomed] = site.start(*WORK)
        kills += 1
    for worker in workers:
        worker.kill()
        worker.wait()

    started = time.monotonic()
    site.run(*WORK, "--until-idle")

    record_property("figures", f"{kills} kills, {sum(service.keys.values())} effect calls")
    assert kills >= 2, "too few kills to show anything"
    assert dict(site.states()) == {"SUCCEEDED": RUNS}, seed
    assert len(service.keys) == RUNS, seed
    assert {len(keys) for keys in service.of.values()} == {1}, seed
    assert time.monotonic() - started < PATIENCE
    assert repeated_after_journal(site) == [], seed


def repeated_after_journal(site: Site) -> list[str]:
    """Return the steps that were called again although their result was journaled.

    The journaled call of a step is its last one: a later one began after its result
    could have answered.
    """
    wrong: list[str] = []
    calls = {place: moments for place, moments in site.calls().items() if len(moments) > 1}
    by_input = {run["result"] // 2 - 1: run for run in site.runs()} if calls else {}
    for (name, number), moments in calls.items():
        shown = site.run("runs", "show", by_input[number]["id"], "--json")
        entry = next(e for e in _journal(shown) if e["name"] == name)
        began = datetime.fromisoformat(entry["started_at"]).timestamp()
        if max(moments) > began + entry["seconds"] + COMMIT:
            wrong.append(f"{name} of {number}")
    return wrong


def _journal(shown: str) -> list[dict[str, Any]]:
    return json.loads(shown)["journal"]


def test_without_recovery_the_runs_of_a_killed_worker_stay_for_ever(site: Site) -> None:
    """Negative control: with the lapse of leases switched off, the same kill loses runs."""
    enqueue(site, 400)
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

    time.sleep(2 * LEASE)  # noqa: TID251 - twice the time after which a lease would have lapsed

    assert site.states()["RUNNING"] > 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", [1, 2, 3, 4, 5])
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
