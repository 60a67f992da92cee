"""What counts as a trial's time: its own call, and nothing that the load of others brings on."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.shop import Shop, top, until
from proveout.domain.experiment import ExperimentId
from proveout.domain.run import RunState, Trial
from proveout.prove.pace import Pace
from proveout.prove.turns import PacedTurns
from proveout.run.define import step, workflow
from proveout.run.enqueue import Request, enqueue
from proveout.run.limit import limit

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from proveout.domain.run import Run, RunId
    from proveout.domain.workflow import Workflow
    from proveout.ports.store import Store

EXPERIMENT = ExperimentId("experiment-1")


class TooMany(Exception):
    """What a vendor's client raises at a 429."""

    status_code = 429

    def __init__(self, retry_after: float) -> None:
        super().__init__("slow down")
        self.retry_after = retry_after


@pytest.fixture
def shop(store: Store, clock: ManualClock, ids: CountedIds) -> Shop:
    """Return a shop on an empty store, by the manual clock."""
    return Shop(store, clock, ids)


async def queue(shop: Shop, workflow: Workflow[..., Any], position: int = 0) -> RunId:
    trial = Trial(experiment=EXPERIMENT, candidate="workflow", position=position, case="c")
    request = Request(workflow=workflow.name, value=json.dumps(None).encode(), trial=trial)
    return (await enqueue(shop.store, shop.clock, shop.ids, request)).run.id


async def tried(shop: Shop, workflow: Workflow[..., Any]) -> Run:
    """Return a trial that has ended, made at a pace."""
    run = await queue(shop, workflow)
    worker = shop.worker(workflow, experiment=EXPERIMENT, captures=True)
    worker.turns = {workflow.name: PacedTurns(Pace(8), shop.clock)}
    await worker.work(until_idle=True)
    return await shop.run(run)


def passes(shop: Shop, seconds: float) -> None:
    shop.clock.advance(timedelta(seconds=seconds))


async def test_waiting_to_be_asked_again_is_left_out_with_the_try(shop: Shop) -> None:
    """Half a second to be turned away, 20 to wait, and then the two that it takes."""
    tries: list[int] = []

    @step(retries=1)
    @top
    async def ask() -> int:
        tries.append(1)
        passes(shop, 0.5 if len(tries) == 1 else 2.0)
        if len(tries) == 1:
            raise TooMany(20.0)
        return 1

    @workflow
    @top
    async def triage(_: None) -> int:
        passes(shop, 1.0)
        return await ask()

    run = await tried(shop, triage)

    assert (run.state, run.elapsed) == (RunState.SUCCEEDED, pytest.approx(3.0))
    assert sum(shop.slept) >= 20.0


async def test_the_wait_after_a_failure_of_its_own_counts(shop: Shop) -> None:
    """The workflow declared it, and a user waits for it too."""
    tries: list[int] = []

    @step(retries=1)
    @top
    async def ask() -> int:
        tries.append(1)
        passes(shop, 1.0)
        if len(tries) == 1:
            raise LookupError
        return 1

    @workflow
    @top
    async def triage(_: None) -> int:
        return await ask()

    run = await tried(shop, triage)

    [wait] = [one for one in shop.slept if one]
    assert run.elapsed == pytest.approx(2.0 + wait)
    assert wait > 0


async def test_a_plain_workflow_is_measured_in_its_thread(shop: Shop) -> None:
    tries: list[int] = []

    @step(retries=1)
    @top
    def ask() -> int:
        tries.append(1)
        passes(shop, 1.0)
        if len(tries) == 1:
            raise TooMany(20.0)
        return 1

    @workflow
    @top
    def triage(_: None) -> int:
        passes(shop, 0.5)
        return ask()

    run = await tried(shop, triage)

    assert run.elapsed == pytest.approx(1.5)


async def test_a_wait_beside_a_branch_that_works_counts(shop: Shop) -> None:
    """A latency is never told too short: what is left out is the time in which all of it waits."""
    tries: list[int] = []
    waits = asyncio.Event()

    @step(retries=1)
    @top
    async def ask() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise TooMany(20.0)
        return 1

    @step
    @top
    async def read() -> int:
        await waits.wait()
        return 2

    @workflow
    @top
    async def triage(_: None) -> tuple[int, int]:
        return await asyncio.gather(ask(), read())

    run = await queue(shop, triage)
    worker = shop.worker(triage, experiment=EXPERIMENT, captures=True)
    worker.turns = {triage.name: PacedTurns(Pace(8), shop.clock)}
    work = asyncio.create_task(worker.work(until_idle=True))
    await until(lambda: len(tries) == 2)  # the wait has passed while the other one was reading
    waits.set()
    await work

    found = await shop.run(run)
    assert found.elapsed is not None
    assert found.elapsed >= 20.0


async def test_a_wait_of_all_branches_is_left_out(shop: Shop) -> None:
    """Though each began it in its own moment, and their parent waits for both."""
    tries: list[str] = []

    async def once(name: str, seconds: float) -> int:
        tries.append(name)
        if tries.count(name) == 1:
            raise TooMany(seconds)
        return 1

    @step(retries=1)
    @top
    async def ask() -> int:
        return await once("ask", 20.0)

    @step(retries=1)
    @top
    async def read() -> int:
        return await once("read", 20.0)

    @workflow
    @top
    async def triage(_: None) -> tuple[int, int]:
        passes(shop, 1.0)
        return await asyncio.gather(ask(), read())

    run = await tried(shop, triage)

    assert run.elapsed is not None
    assert 1.0 <= run.elapsed < 2.0
    assert sum(shop.slept) >= 20.0


async def test_waiting_for_a_limit_is_left_out(shop: Shop) -> None:
    """Of two trials at a limit of one a minute, the second has waited for the first."""
    slow = limit("slow", per_minute=1, burst=1)

    @step(limits=(slow,))
    @top
    async def ask() -> int:
        passes(shop, 1.0)
        return 1

    @workflow
    @top
    async def triage(_: None) -> int:
        return await ask()

    runs = [await queue(shop, triage, position) for position in range(2)]
    await shop.work(triage, experiment=EXPERIMENT, captures=True, concurrency=1)

    found = [(await shop.run(run)).elapsed for run in runs]
    assert found == pytest.approx([1.0, 1.0])
    assert sum(shop.slept) >= 50.0


async def test_a_run_that_is_no_trial_tells_its_whole_time(shop: Shop) -> None:
    """Whoever waits for it waits in earnest."""
    tries: list[int] = []

    @step(retries=1)
    @top
    async def ask() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise TooMany(20.0)
        return 1

    @workflow
    @top
    async def triage(_: None) -> int:
        return await ask()

    run = await shop.done(triage)

    assert run.elapsed is not None
    assert run.elapsed >= 20.0
