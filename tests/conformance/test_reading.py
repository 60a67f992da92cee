"""What happened, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.experiment import ExperimentId
from proveout.domain.run import RunId, RunState
from proveout.ports.store import RunFilter

if TYPE_CHECKING:
    from doubles.given import Given
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
