"""What was asked, and answered: locks, trials, holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.given import START, locked, want
from doubles.other import first_word, start, told
from doubles.stores import open_url
from proveout.adapters.system import SystemClock
from proveout.domain.experiment import ExperimentId
from proveout.domain.run import Failure, RunId, RunState
from proveout.domain.unit import Enqueue, Enqueued
from proveout.ports.store import TrialCount

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.stores import Open
    from proveout.ports.store import Store

EXPERIMENT = ExperimentId("experiment-1")


async def test_a_locked_experiment_is_kept(store: Store) -> None:
    """What was locked is read back as it was."""
    assert await store.lock(locked()) == locked()
    assert await store.experiments("triage") == [locked()]
    assert await store.experiments("refunds") == []


async def test_the_same_lock_and_look_is_the_same_experiment(store: Store) -> None:
    """Locking again what is locked returns the first; another look is another experiment."""
    await store.lock(locked())

    again = await store.lock(locked(id="experiment-2", order_seed=8))
    look = await store.lock(locked(id="experiment-3", look=2, locked=START + timedelta(days=1)))

    assert again == locked()
    assert [one.id for one in await store.experiments("triage")] == ["experiment-1", look.id]


async def test_two_processes_lock_the_same_experiment(store_url: str) -> None:
    """Processes that lock at once agree on one id and one order."""
    (await told(await start(store_url, "open")))

    others = await asyncio.gather(*(start(store_url, "lock") for _ in range(3)))
    said = await asyncio.gather(*map(told, others))

    assert len(set(said)) == 1


async def test_the_last_verdict_is_kept(store: Store) -> None:
    """A verdict is kept with its experiment; a later one replaces it."""
    await store.lock(locked())

    await store.conclude(EXPERIMENT, b'{"is": "undecided"}')
    await store.conclude(EXPERIMENT, b'{"is": "go"}')

    [known] = await store.experiments("triage")
    assert known.verdict == b'{"is": "go"}'


async def test_trials_come_in_their_order(given: Given, store: Store) -> None:
    """Trials are read by position, from any of them on."""
    for position in (3, 0, 2, 1):
        await given.enqueue(given.trial(position))
    await given.enqueue(given.trial(1, candidate="vendor"))

    trials = await store.trials(EXPERIMENT, "workflow", first=1, limit=2)

    assert [run.trial and run.trial.position for run in trials] == [1, 2]


async def test_finished_trials_end_before_the_first_that_may_still_change(
    given: Given, store: Store
) -> None:
    """What finished behind an open trial is left out, and so is the open one."""
    for position in range(5):
        await given.enqueue(given.trial(position))
    await given.queued()
    claimed = await store.claim(want(experiment=EXPERIMENT, limit=4))
    states = (RunState.SUCCEEDED, RunState.PARKED, RunState.WAITING, RunState.FAILED)
    for one, state in zip(claimed, states, strict=True):
        await store.write(given.settle(one, state))

    async def finished(first: int) -> list[int | None]:
        trials = await store.trials(EXPERIMENT, "workflow", first, 9, finished=True)
        return [run.trial and run.trial.position for run in trials]

    assert await finished(0) == [0, 1]
    assert await finished(1) == [1]
    assert await finished(2) == []
    assert await finished(3) == [3]


async def test_what_an_experiment_used_is_counted(given: Given, store: Store) -> None:
    """Every claim of a trial is a call; those beyond a trial's first are repeats."""
    assert await store.used(EXPERIMENT) == TrialCount(calls=0, repeated=0, trials=0)
    for position in range(3):
        await given.enqueue(given.trial(position))
    await given.enqueue(given.trial(0, candidate="vendor"))
    await given.queued()
    for claimed in await store.claim(want(experiment=EXPERIMENT, limit=2)):
        await store.write(given.settle(claimed, RunState.QUEUED))
    await store.claim(want(experiment=EXPERIMENT))

    assert await store.used(EXPERIMENT) == TrialCount(calls=6, repeated=2, trials=4)
    assert await store.used(EXPERIMENT, "vendor") == TrialCount(calls=1, repeated=0, trials=1)


async def test_the_cases_that_were_seen_are_known(given: Given, store: Store) -> None:
    """What any experiment of a workflow has called is known; what it only queued is still fresh."""
    await store.lock(locked())
    await store.lock(locked(id="experiment-2", look=2))
    await store.lock(locked(id="experiment-3", workflow="refunds"))
    for number in range(3):
        await given.enqueue(given.trial(0, experiment=f"experiment-{number + 1}", case=f"{number}"))
    await given.enqueue(given.trial(1, case="0"))
    for number in range(3):
        await store.claim(want(experiment=ExperimentId(f"experiment-{number + 1}")))
    await given.enqueue(given.trial(2, case="called off"))

    assert await store.seen("triage") == {"0", "1"}
    assert await store.seen("other") == set()


async def test_one_at_a_time_has_a_hold(store: Store, reopen: Open) -> None:
    """A hold is had by one; it is free again when that one lets go."""
    other = await reopen()
    hold = await store.hold("triage")
    assert hold is not None

    assert await other.hold("triage") is None
    assert await store.hold("triage") is None
    elsewhere = await other.hold("refunds")
    assert elsewhere is not None
    await elsewhere.release()
    await hold.release()

    again = await other.hold("triage")
    assert again is not None
    await again.release()


@pytest.mark.faults
async def test_a_hold_ends_with_its_process(store_url: str) -> None:
    """A killed process holds nothing."""
    clock = SystemClock()
    store = await open_url(store_url, clock)
    process = await start(store_url, "hold")
    assert await first_word(process) == "held"
    assert await store.hold("triage") is None

    process.kill()
    await process.communicate()

    end = clock.monotonic() + 10
    while (hold := await store.hold("triage")) is None:
        assert clock.monotonic() < end
        await clock.sleep(0.02)
    await hold.release()
    await store.close()


@pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.FAILED, RunState.PARKED])
async def test_a_trial_that_reuses_an_answer_enters_as_it_stands(
    given: Given, store: Store, state: RunState
) -> None:
    """It is finished when it is there: nobody claims it, and it is no call."""
    result = b'"billing"' if state is RunState.SUCCEEDED else None
    failure = Failure(type="ValueError", message="no answer", step="read")
    reused = replace(
        given.trial(0),
        state=state,
        result=result,
        failure=None if result else failure,
        elapsed=1.25,
        note="why",
        updated=START - timedelta(days=1),
        origin=RunId("run-of-an-earlier-look"),
    )
    unit = Enqueue(id=given.unit_id(), run=reused)

    answers = [await store.write(unit), await store.write(unit)]
    await given.enqueue(given.trial(1))
    claimed = await store.claim(want(experiment=EXPERIMENT))

    known = replace(await given.known(reused.id), due=None)
    assert [isinstance(one, Enqueued) and one.created for one in answers] == [True, True]
    assert known == reused
    assert [one.run.trial and one.run.trial.position for one in claimed] == [1]
    assert await store.used(EXPERIMENT) == TrialCount(calls=1, repeated=0, trials=2, reused=1)


async def test_where_a_trial_is_none_takes_its_place(given: Given) -> None:
    """Its place in the experiment belongs to the first that entered, called or not."""
    queued = given.trial(0)
    reused = replace(given.trial(0), state=RunState.SUCCEEDED, result=b"1", origin=RunId("r"))
    await given.enqueue(queued)

    answer = await given.enqueue(reused)

    assert isinstance(answer, Enqueued)
    assert (answer.run.id, answer.created) == (queued.id, False)
    assert await given.state(queued.id) is RunState.QUEUED
