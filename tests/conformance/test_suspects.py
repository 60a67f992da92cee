"""Suspects: runs that were in flight when their worker died, and what counts against them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.given import LEASE, want
from proveout.domain.experiment import ExperimentId
from proveout.domain.review import ReviewState
from proveout.domain.run import RunState
from proveout.domain.unit import Stale
from proveout.run.suspect import MAX_CRASHES

if TYPE_CHECKING:
    from doubles.given import Given
    from proveout.domain.run import Run
    from proveout.ports.store import Claimed, Store

SUSPECTS = want(suspects=True)
OTHERS = want(suspects=False)


async def lost(given: Given) -> Claimed:
    """Return a run as the worker knew it that died with it."""
    claimed = await given.claimed()
    await lapse(given)
    return claimed


async def lapse(given: Given) -> None:
    given.clock.advance(LEASE + timedelta(seconds=1))
    await given.store.tend()


async def test_only_a_run_whose_worker_died_is_a_suspect(given: Given, store: Store) -> None:
    """A worker that leaves suspects to others never gets one, and the other way round."""
    suspect = await lost(given)
    other = await given.queued()

    others = await store.claim(OTHERS)
    suspects = await store.claim(SUSPECTS)

    assert [one.run.id for one in others] == [other.id]
    assert [one.run.id for one in suspects] == [suspect.run.id]


async def test_who_asks_for_both_gets_both(given: Given, store: Store) -> None:
    """Negative control: without isolation a suspect is claimed among all others."""
    await lost(given)
    await given.queued()

    assert len(await store.claim(want())) == 2


async def test_suspects_are_known_while_they_are_queued(given: Given, store: Store) -> None:
    """Nobody has to look after one that is claimed, of another workflow, or of a release."""
    before = await store.has_suspects(SUSPECTS)
    await lost(given)
    queued = await store.has_suspects(SUSPECTS)
    elsewhere = await store.has_suspects(want(workflows=("refunds",)))
    released = await store.has_suspects(want(release="1f" * 32))
    await store.claim(SUSPECTS)

    assert (before, queued, elsewhere, released) == (False, True, False, False)
    assert not await store.has_suspects(SUSPECTS)


async def test_a_lost_trial_is_no_suspect(given: Given, store: Store) -> None:
    """Trials belong to the one process that holds their experiment."""
    wish = want(experiment=ExperimentId("experiment-1"), suspects=False)
    await given.enqueue(given.trial(0))
    await store.claim(wish)

    await lapse(given)

    assert not await store.has_suspects(SUSPECTS)
    assert len(await store.claim(wish)) == 1


@pytest.mark.parametrize("state", [RunState.WAITING, RunState.PARKED])
async def test_a_suspect_that_got_on_is_one_no_longer(
    given: Given, store: Store, state: RunState
) -> None:
    """It ended its attempt without taking the process along."""
    await lost(given)
    [claimed] = await store.claim(SUSPECTS)
    due = given.clock.now() if state is RunState.WAITING else None

    await store.write(given.settle(claimed, state, due=due))
    await store.tend()

    assert not await store.has_suspects(SUSPECTS)


async def test_a_suspect_that_is_handed_back_stays_one(given: Given, store: Store) -> None:
    """Its process was told to go before the run could show what it is."""
    await lost(given)
    await given.queued()
    [innocent] = await store.claim(OTHERS)
    [claimed] = await store.claim(SUSPECTS)

    await store.write(given.settle(claimed, RunState.QUEUED))
    await store.write(given.settle(innocent, RunState.QUEUED))

    assert [one.run.id for one in await store.claim(OTHERS)] == [innocent.run.id]
    assert [one.run.id for one in await store.claim(SUSPECTS)] == [claimed.run.id]


async def crash(given: Given, worker: str = "child") -> Run:
    """Have a child claim the suspect and die of it; return the run after that."""
    [claimed] = await given.store.claim(want(suspects=True, worker=worker))
    assert await given.store.blame(worker, MAX_CRASHES) == [claimed.run.id]
    return await given.known(claimed.run.id)


async def test_the_third_crash_is_the_last(given: Given, store: Store) -> None:
    """A run that took its own process down three times is dead, in words that say so."""
    claimed = await lost(given)

    seen = [await crash(given, f"child-{n}") for n in range(3)]

    assert [(run.state, run.crashes) for run in seen] == [
        (RunState.QUEUED, 1),
        (RunState.QUEUED, 2),
        (RunState.DEAD, 3),
    ]
    assert seen[0].failure is None
    assert seen[2].failure is not None
    assert seen[2].failure.type == "WorkerCrashed"
    assert await store.claim(want()) == []
    assert await store.write(given.settle(claimed, RunState.SUCCEEDED)) == Stale()


async def test_the_attempt_that_crashed_writes_nothing_more(given: Given, store: Store) -> None:
    """A run is queued again at once; what a thawed child still sends is refused."""
    await lost(given)
    [claimed] = await store.claim(want(suspects=True, worker="child"))
    await store.blame("child", MAX_CRASHES)

    answers = [
        await store.write(given.record(claimed)),
        await store.write(given.settle(claimed, RunState.SUCCEEDED)),
    ]

    assert answers == [Stale(), Stale()]
    assert await given.state(claimed.run.id) == RunState.QUEUED


async def test_only_runs_of_the_dead_child_are_blamed(given: Given, store: Store) -> None:
    """Neither those of other workers nor those that it had finished."""
    running, over = await given.claimed(), await given.claimed()
    await store.write(given.settle(over, RunState.SUCCEEDED))

    assert await store.blame("child", MAX_CRASHES) == []
    assert await store.blame("one", MAX_CRASHES) == [running.run.id]
    assert await store.blame("one", MAX_CRASHES) == []
    assert (await given.known(over.run.id)).crashes == 0


async def test_lapses_alone_make_nobody_dead(given: Given, store: Store) -> None:
    """Negative control: the same losses, seen by nobody, count against no run."""
    claimed = await lost(given)

    for _ in range(5):
        assert len(await store.claim(SUSPECTS)) == 1
        await lapse(given)

    run = await given.known(claimed.run.id)
    assert (run.state, run.crashes, run.fence) == (RunState.QUEUED, 0, 6)


async def test_the_reviews_of_a_dead_run_are_closed(given: Given, store: Store) -> None:
    """Nobody is asked about a run that is over; until then the question stands."""
    _, review = await given.asked()
    await lapse(given)
    states: list[ReviewState] = []

    for n in range(MAX_CRASHES):
        await crash(given, f"child-{n}")
        asked = await store.review(review.id)
        assert asked is not None
        states.append(asked.state)

    assert states == [ReviewState.OPEN, ReviewState.OPEN, ReviewState.SUPERSEDED]
