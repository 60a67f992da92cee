"""Fault 4: a worker is frozen for three leases and thawed; its stale writes are refused."""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from faults.conftest import FULL, PATIENCE, SETTINGS

if TYPE_CHECKING:
    from pathlib import Path

    from faults.conftest import Site

pytestmark = pytest.mark.faults

FROZEN = 5 if FULL else 1
"""Workers that are frozen at once; full, 20 rounds make 100 freezes."""

ROUNDS = 20 if FULL else 1
EACH = 2
"""Runs that each of them has in flight."""

RUNS = FROZEN * EACH
LEASE = 0.6

APP = """
import asyncio
import os
from pathlib import Path
from proveout import step, workflow

@step
async def work(n: int) -> str:
    name, log = os.environ["NAME"], Path("calls.log")
    with log.open("a", encoding="utf-8") as calls:
        calls.write(f"{name} {n}\\n")
    holds = log.read_text("utf-8").count(f"{name} ") >= int(os.environ["HOLDS_FROM"])
    while holds and not Path(os.environ["UNTIL"]).exists():
        await asyncio.sleep(0.01)
    return name

@workflow
async def answer(n: int) -> str:
    return await work(n)
"""


def freeze_once(site: Site, round_: int, fate: str) -> Counter[str]:
    """Freeze workers in their steps until another has them; return whose results were kept.

    The other takes the runs of lost workers one after the other. They are thawed while it is
    in the last, and it stays there until each of them was answered what became of its write.
    """
    lines = "".join(f"{round_ * RUNS + n}\n" for n in range(RUNS))
    (site.folder / "inputs.jsonl").write_text(lines, "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")
    first, second = f"first-{round_}", f"second-{round_}"
    thawed, told, released = (
        site.folder / f"{what}-{round_}" for what in ("thawed", "told", "released")
    )

    site.environment |= {"UNTIL": thawed.name, "NAME": first, "HOLDS_FROM": "1", "TOLD": told.name}
    # Where one is slow to start, another would take over its runs, in a child that nobody freezes;
    # and a thawed one that saw how long its loop stood still would go before it writes.
    fates = (f"{fate}+telling+unrecovering+unwatched", 0)
    frozen = [site.start("work", "--concurrency", str(EACH), fate=fates) for _ in range(FROZEN)]
    until_said(site.folder / "calls.log", f"{first} ", RUNS)
    for worker in frozen:
        worker.send_signal(signal.SIGSTOP)
    time.sleep(3 * LEASE)  # noqa: TID251 - the fault is that this much time passes
    site.environment |= {"UNTIL": released.name, "NAME": second, "HOLDS_FROM": str(RUNS)}
    other = site.start("work", "--until-idle")
    until_said(site.folder / "calls.log", f"{second} ", RUNS)
    thawed.touch()
    for worker in frozen:
        worker.send_signal(signal.SIGCONT)
    until_said(told, "\n", RUNS)
    released.touch()

    assert other.wait(timeout=PATIENCE) == 0
    for worker in frozen:
        worker.kill()
        worker.wait()
    return Counter(run["result"].partition("-")[0] for run in site.runs()[:RUNS])


def until_said(log: Path, words: str, count: int) -> None:
    """Return when words stand so often in a file that workers write."""
    end = time.monotonic() + PATIENCE
    while not log.exists() or log.read_text("utf-8").count(words) < count:
        assert time.monotonic() < end, f"{words!r} did not come {count} times in {log.name}"
        time.sleep(0.01)  # noqa: TID251 - real processes need real time


@pytest.fixture
def site(site: Site) -> Site:
    """Return a project whose steps say which worker called them."""
    (site.folder / "app.py").write_text(APP, "utf-8")
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    site.environment["PROVEOUT_LEASE"] = f"{LEASE} s"
    return site


def test_a_thawed_worker_writes_nothing(site: Site) -> None:
    """Its fence is stale: the results that count are those of the worker that took over.

    The frozen worker is deaf to the loss of its leases and does not watch its loop, so that the
    fence alone stands between its writes and the journal.
    """
    for round_ in range(ROUNDS):
        kept = freeze_once(site, round_, "deaf")

        assert kept == {"second": RUNS}


def test_without_fences_a_thawed_worker_writes_over_the_new_one(site: Site) -> None:
    """Negative control: the same freeze, with writes that carry whatever fence is current."""
    kept = freeze_once(site, 0, "deaf+unfenced")

    assert kept["first"] > 0
