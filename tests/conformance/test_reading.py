"""What happened, page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.experiment import ExperimentId
from proveout.domain.run import Failure, RunId, RunState
from proveout.ports.store import RunFilter

if TYPE_CHECKING:
    from datetime import datetime

    from doubles.given import Given
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store


async def test_runs_are_listed_newest_first_in_pages(given: Given, store: Store) -> None:
    """Pages follow one another without gaps, and end."""
    runs = [(await given.queued()).id for _ in range(5)]
    pages: list[list[RunId]] = []
    before = None

    while page := await store.runs(RunFilter(limit=2, before=before)):
        pages.append([run.id for run in page])
        before = page[-1].id

    assert [run for page in pages for run in page] == runs[::-1]
    assert [len(page) for page in pages] == [2, 2, 1]


async def test_runs_are_listed_by_what_they_are(given: Given, store: Store) -> None:
    """State, workflow and experiment narrow the list; trials come only when asked for."""
    other = await given.queued(workflow="refunds")
    trial = given.trial(0)
    await given.enqueue(trial)
    done = await given.in_state(RunState.SUCCEEDED)
    parked = await given.in_state(RunState.PARKED)

    async def listed(which: RunFilter) -> list[RunId]:
        return [run.id for run in await store.runs(which)]

    both = (RunState.SUCCEEDED, RunState.PARKED)
    assert await listed(RunFilter()) == [parked.run.id, done.run.id, other.id]
    assert await listed(RunFilter(states=both)) == [parked.run.id, done.run.id]
    assert await listed(RunFilter(states=both[:1])) == [done.run.id]
    assert await listed(RunFilter(workflow="refunds")) == [other.id]
    assert await listed(RunFilter(experiment=ExperimentId("experiment-1"))) == [trial.id]
    assert await listed(RunFilter(before=RunId("never"))) == []


async def test_runs_are_listed_by_how_they_failed(given: Given, store: Store) -> None:
    """By text in the error's type or message, in any case; never by the names of its fields."""
    failure = Failure(
        type="TimeoutError",
        message='the model "m" took\tToo long: \xfc \0',
        traceback="line 7, in secret_function",
        step="draft",
    )
    claimed = await given.claimed()
    await store.write(given.settle(claimed, RunState.FAILED, failure=failure))
    await given.in_state(RunState.SUCCEEDED)
    said = f"{failure.type}: {failure.message}"

    async def found(error: str, *states: RunState) -> int:
        return len(await store.runs(RunFilter(error=error, states=states)))

    assert await found(said[:30].upper()) == 1
    assert await found(said, RunState.FAILED) == 1
    assert await found(said, RunState.SUCCEEDED, RunState.DEAD) == 0
    for field in ('"type"', '"message"', "traceback", "step", "%", "_" * 9, "\\", "no such"):
        assert await found(field) == 0, field


async def test_runs_are_listed_from_a_moment_on(
    given: Given, store: Store, clock: WatchedClock
) -> None:
    """Found by halving: none, one, some or all of them, whatever their number."""
    moments: list[datetime] = []
    runs: list[RunId] = []
    for _ in range(6):
        moments.append(clock.now())
        runs.append((await given.queued()).id)
        clock.advance(timedelta(minutes=10))

    for place, moment in enumerate(moments):
        found = await store.runs(RunFilter(created=moment))
        assert [run.id for run in found] == runs[place:][::-1]
        after = await store.runs(RunFilter(created=moment + timedelta(seconds=1)))
        assert [run.id for run in after] == runs[place + 1 :][::-1]
    assert len(await store.runs(RunFilter(created=moments[0] - timedelta(days=9)))) == len(runs)


async def test_a_run_is_listed_by_its_id_and_by_its_key(given: Given, store: Store) -> None:
    """Exactly, or not at all."""
    keyed, other = await given.queued(key="msg-1"), await given.queued()

    async def found(which: RunFilter) -> list[RunId]:
        return [run.id for run in await store.runs(which)]

    assert await found(RunFilter(id=other.id)) == [other.id]
    assert await found(RunFilter(key="msg-1")) == [keyed.id]
    assert await found(RunFilter(key="msg-1", id=other.id)) == []
    assert await found(RunFilter(key="msg")) == []


async def test_runs_are_counted_by_state(given: Given, store: Store) -> None:
    """Only states that have runs are counted; trials are counted apart."""
    assert await store.count() == {}
    await given.in_state(RunState.FAILED)
    await given.queued()
    await given.queued()
    await given.enqueue(given.trial(0))

    assert await store.count() == {RunState.FAILED: 1, RunState.QUEUED: 2}
    assert await store.count(ExperimentId("experiment-1")) == {RunState.QUEUED: 1}


async def test_the_journal_of_an_unknown_run_is_empty(store: Store) -> None:
    """What was never run has no journal."""
    assert await store.journal(RunId("never")) == []
