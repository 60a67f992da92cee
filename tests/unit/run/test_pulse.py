"""The pulse of a loop: what blocks it is named, and is given up after half a lease."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog
from structlog.testing import capture_logs

from doubles.shop import Shop, top, until
from proveout.domain.run import RunId, RunState
from proveout.ports.store import Held
from proveout.run.define import step, workflow
from proveout.run.lease import Heartbeat
from proveout.run.pulse import Blocked, Pulse

if TYPE_CHECKING:
    from collections.abc import Sequence

LEASE = timedelta(seconds=0.4)


def block(seconds: float) -> None:
    """Do what a careless step does: hold the loop."""
    threading.Event().wait(seconds)


async def inner(seconds: float) -> None:
    """Block in a task of the step's own."""
    block(seconds)


@step
@top
async def read(seconds: float) -> str:
    """Block the loop in a step."""
    block(seconds)
    return "read"


@step
@top
async def gather(seconds: float) -> str:
    """Block the loop in a task within a step."""
    await asyncio.gather(inner(0), inner(seconds))
    return "read"


@workflow
@top
async def triage(seconds: float) -> str:
    """Block the loop in a step."""
    return await read(seconds)


@workflow
@top
async def branched(seconds: float) -> list[str]:
    """Block the loop in a step of a branch."""
    return list(await asyncio.gather(read(0), read(seconds)))


@workflow
@top
async def nested(seconds: float) -> str:
    """Block the loop in a task within a step."""
    return await gather(seconds)


@workflow
@top
async def between(seconds: float) -> None:
    """Block the loop between steps."""
    await read(0)
    block(seconds)


@pytest.mark.parametrize("blocking", [triage, branched, nested, between])
async def test_a_blocked_loop_is_reported_with_what_blocks_it(shop: Shop, blocking: object) -> None:
    """After a second, with workflow, run, step and line; no process is ended by that."""
    with capture_logs() as logs:
        run = await shop.done(blocking, 1.8)  # pyright: ignore[reportArgumentType] - one of four
    [told] = [log for log in logs if log["event"] == "loop.blocked"]

    assert run.state == RunState.SUCCEEDED
    assert (told["workflow"], told["run"]) == (run.workflow, run.id)
    assert told["step"] == {"nested": "gather", "between": ""}.get(run.workflow, "read")
    assert 1.0 <= told["seconds"] < 1.8
    assert re.search(r"test_pulse\.py:\d+ in block$", told["line"])
    [ended] = [log for log in logs if log["event"] == "loop.unblocked"]
    assert ended["seconds"] >= 1.4


async def test_a_loop_blocked_for_half_a_lease_is_given_up_once(shop: Shop) -> None:
    """Whoever can end the process is told what blocks it, in a thread that still runs."""
    given_up: list[tuple[Blocked, str]] = []
    worker = shop.worker(triage, lease=LEASE)
    worker.on_stuck = lambda found: given_up.append((found, threading.current_thread().name))
    run = await shop.enqueue(triage, 0.5)
    await worker.work(until_idle=True)

    [(found, thread)] = given_up
    assert thread == "pulse"
    assert (found.workflow, found.run, found.step) == ("triage", run, "read")
    assert LEASE.total_seconds() / 2 <= found.seconds < 0.5


async def test_a_loop_that_answers_is_left_alone(shop: Shop) -> None:
    """A step slower than the lease is no blocked loop."""

    @step
    @top
    async def slow() -> str:
        await asyncio.sleep(1.2)  # noqa: TID251 - longer than what is reported
        return "slow"

    @workflow
    @top
    async def patient() -> str:
        return await slow()

    given_up: list[Blocked] = []
    with capture_logs() as logs:
        worker = shop.worker(patient, lease=LEASE)
        worker.on_stuck = given_up.append
        run = await shop.enqueue(patient)
        await worker.work(until_idle=True)

    assert (await shop.run(run)).state == RunState.SUCCEEDED
    assert given_up == []
    assert [log for log in logs if log["event"].startswith("loop.")] == []


class Steps:
    """Real time for a watch, of which the test may take away some."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


async def test_time_in_which_the_whole_process_stood_still_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A frozen worker, or a machine that slept, is thawed and goes on."""
    steps = Steps()
    monkeypatch.setattr("proveout.run.pulse.time", steps)
    given_up: list[Blocked] = []
    with capture_logs() as logs:
        pulse = Pulse(
            asyncio.get_running_loop(),
            timedelta(seconds=30),
            given_up.append,
            structlog.get_logger(),
        )
        threading.Timer(0.3, lambda: setattr(steps, "ahead", 3600.0)).start()
        block(0.8)
        await asyncio.to_thread(pulse.stop)

    assert given_up == []
    assert [log for log in logs if log["event"] == "loop.blocked"] == []


class Ledger:
    """A keeper that counts its renewals."""

    def __init__(self) -> None:
        self.renewals = 0

    def renew(self, held: Sequence[Held], lease: timedelta) -> set[RunId]:
        assert held
        assert lease == LEASE
        self.renewals += 1
        return set()

    def close(self) -> None:
        """Have nothing to let go of."""


async def test_while_its_loop_is_given_up_nothing_is_renewed() -> None:
    """And renewed again when it is not: nobody ended the process."""
    stuck = threading.Event()
    ledger = Ledger()
    asked: list[int] = []

    def is_stuck() -> bool:
        asked.append(ledger.renewals)
        return stuck.is_set()

    heartbeat = Heartbeat(ledger, LEASE, lambda _: None, structlog.get_logger(), is_stuck)
    heartbeat.hold(Held(RunId("one"), 1))
    await until(lambda: ledger.renewals > 1)
    stuck.set()
    looks = len(asked)
    await until(lambda: len(asked) > looks + 3)
    assert asked[-1] == asked[-3]

    stuck.clear()
    await until(lambda: ledger.renewals > asked[-1])
    await asyncio.to_thread(heartbeat.stop)
