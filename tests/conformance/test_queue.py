"""Who works on what: claims, leases, timers."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from doubles.given import LEASE, START, entry, want
from proveout.domain.experiment import ExperimentId
from proveout.domain.journal import Pending, Raised, Returned
from proveout.domain.run import Failure, RunId, RunState
from proveout.domain.unit import Done, Stale
from proveout.ports.store import Held, Tended

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.stores import Open
    from proveout.ports.store import Claimed, Store

SECOND = timedelta(seconds=1)
EXPERIMENT = ExperimentId("experiment-1")


def ids_of(claimed: list[Claimed]) -> list[RunId]:
    return [one.run.id for one in claimed]


async def test_runs_are_claimed_oldest_first(given: Given, store: Store) -> None:
    """The run that has waited longest comes first, up to the limit."""
    runs: list[RunId] = []
    for _ in range(5):
        runs.append((await given.queued()).id)
        given.clock.advance(SECOND)

    first = await store.claim(want(limit=3))
    second = await store.claim(want(limit=3))

    assert ids_of(first) == runs[:3]
    assert ids_of(second) == runs[3:]


async def test_runs_of_one_moment_are_claimed_as_they_came(given: Given, store: Store) -> None:
    """Runs handed in together keep the order they were handed in, whatever their keys."""
    runs = [given.run(key=f"{9 - n}") for n in range(10)]
    await asyncio.gather(*map(given.enqueue, runs))

    claimed = await store.claim(want())

    assert ids_of(claimed) == [run.id for run in runs]


async def test_the_highest_priority_is_claimed_first(given: Given, store: Store) -> None:
    """Whenever it came; among equals the oldest first, as ever."""
    low = await given.queued(priority=-1)
    usual = await given.queued()
    high = [await given.queued(priority=5) for _ in range(2)]

    first = await store.claim(want(limit=3))
    second = await store.claim(want(limit=3))

    assert ids_of(first) == [*(run.id for run in high), usual.id]
    assert ids_of(second) == [low.id]


async def test_what_a_request_said_of_its_run_is_kept(given: Given, store: Store) -> None:
    """Priority, ordering key, and whose effect keys it keeps."""
    run = await given.queued(priority=3, ordering="ana", origin=RunId("an older one"))

    kept = await store.run(run.id)

    assert kept is not None
    assert (kept.priority, kept.ordering, kept.origin) == (3, "ana", "an older one")


async def test_a_claim_gives_the_run_and_the_moment(given: Given, store: Store) -> None:
    """A claimed run is running, under a fence of its own, from the store's moment on."""
    run = await given.queued()
    given.clock.advance(SECOND)

    [claimed] = await store.claim(want())

    assert claimed.now == given.clock.now()
    assert claimed.entries == ()
    assert (claimed.run.id, claimed.run.value) == (run.id, run.value)
    assert (claimed.run.state, claimed.run.fence) == (RunState.RUNNING, 1)
    assert await given.known(run.id) == claimed.run


async def test_nothing_is_claimed_before_it_is_due(given: Given, store: Store) -> None:
    """A delayed run waits for its moment, and is in no one's way until then."""
    run = await given.queued(due=given.clock.now() + SECOND)

    waits = await given.state(run.id)
    early = await store.claim(want())
    given.clock.advance(SECOND)
    await store.tend()
    then = await store.claim(want())

    assert waits == RunState.WAITING
    assert (len(early), len(then)) == (0, 1)


async def test_a_worker_gets_only_what_it_can_run(given: Given, store: Store) -> None:
    """Other workflows, and trials when none were asked for, stay in the queue."""
    ours = await given.queued()
    await given.queued(workflow="refunds")
    trial = given.trial(0)
    await given.enqueue(trial)

    runs = await store.claim(want())
    trials = await store.claim(want(experiment=EXPERIMENT))

    assert ids_of(runs) == [ours.id]
    assert ids_of(trials) == [trial.id]


async def test_two_stores_claim_nothing_twice(given: Given, reopen: Open) -> None:
    """Of 200 runs that two stores claim at once, each is claimed by one."""
    other = await reopen()
    runs = [given.run() for _ in range(200)]
    await asyncio.gather(*map(given.enqueue, runs))

    async def drain(store: Store, worker: str) -> list[RunId]:
        got: list[RunId] = []
        while claimed := await store.claim(want(worker=worker, limit=7)):
            got += ids_of(claimed)
        return got

    shares = await asyncio.gather(
        *(drain(store, f"{n}") for n, store in enumerate((given.store, other, given.store, other)))
    )

    claimed = [run for share in shares for run in share]
    assert len(claimed) == 200
    assert set(claimed) == {run.id for run in runs}


async def test_each_claim_raises_the_fence_and_brings_the_journal(given: Given) -> None:
    """A run claimed again comes with what it has finished, in the order it was written."""
    claimed = await given.claimed()
    entries = (
        entry("read", Returned(b'{"a": 1}')),
        entry("label", Raised(Failure(type="TimeoutError", message="slow", step="label"))),
        entry("nap", Pending(START + LEASE)),
        entry("ask", Pending()),
    )
    await given.store.write(given.record(claimed, *entries[:2]))
    await given.store.write(given.record(claimed, *entries[2:]))
    await given.store.write(given.settle(claimed, RunState.QUEUED))

    [again] = await given.store.claim(want())

    assert again.run.fence == 2
    assert again.entries == entries
    assert await given.store.journal(claimed.run.id) == list(entries)


async def test_a_lapsed_lease_returns_the_run(given: Given, store: Store) -> None:
    """A worker that stops renewing loses its run; whatever it writes then is refused."""
    lost = await given.claimed()
    given.clock.advance(LEASE + SECOND)

    tended = await store.tend()

    assert tended == Tended(lapsed=1)
    assert await given.state(lost.run.id) == RunState.QUEUED
    [again] = await store.claim(want(worker="two"))
    assert again.run.fence == 2
    assert await store.write(given.record(lost)) == Stale()
    assert await store.write(given.settle(lost, RunState.SUCCEEDED)) == Stale()
    assert await store.journal(lost.run.id) == []


async def test_a_lease_in_time_is_left_alone(given: Given, store: Store) -> None:
    """Nothing lapses before its lease ends."""
    claimed = await given.claimed()
    given.clock.advance(LEASE)

    assert await store.tend() == Tended()
    assert await given.state(claimed.run.id) == RunState.RUNNING


async def test_a_renewed_lease_does_not_lapse(given: Given, store: Store) -> None:
    """The keeper extends leases from the store's present moment."""
    claimed = await given.claimed()
    keeper = store.keeper()
    given.clock.advance(LEASE)

    lost = await asyncio.to_thread(keeper.renew, [Held(claimed.run.id, 1)], LEASE)
    given.clock.advance(LEASE)

    assert lost == set()
    assert await store.tend() == Tended()
    await asyncio.to_thread(keeper.close)


async def test_a_blocked_loop_does_not_keep_its_leases_from_being_renewed(
    given: Given, store: Store
) -> None:
    """The keeper's thread needs nothing from the loop."""
    lease = timedelta(seconds=1)
    await given.queued()
    [claimed] = await store.claim(want(lease=lease))
    keeper = store.keeper()
    lost: list[set[RunId]] = []
    held = [Held(claimed.run.id, 1), Held(RunId("gone"), 1)]
    given.clock.advance(lease)
    thread = threading.Thread(target=lambda: lost.append(keeper.renew(held, lease)))

    thread.start()
    thread.join(30)  # the loop is blocked meanwhile

    given.clock.advance(lease)
    assert lost == [{RunId("gone")}]
    assert await store.tend() == Tended()
    await asyncio.to_thread(keeper.close)


async def test_the_keeper_tells_which_runs_are_lost(given: Given, store: Store) -> None:
    """Runs of another fence, and runs that are over, are no longer held."""
    kept, over, fenced = [await given.claimed() for _ in range(3)]
    await store.write(given.settle(over, RunState.SUCCEEDED))
    keeper = store.keeper()

    lost = await asyncio.to_thread(
        keeper.renew,
        [Held(kept.run.id, 1), Held(over.run.id, 1), Held(fenced.run.id, 7)],
        LEASE,
    )

    assert lost == {over.run.id, fenced.run.id}
    assert await asyncio.to_thread(keeper.renew, [], LEASE) == set()
    await asyncio.to_thread(keeper.close)


async def test_a_timer_wakes_its_run(given: Given, store: Store) -> None:
    """A run that sleeps returns to the queue when its earliest timer fires, not before."""
    claimed = await given.claimed()
    await store.write(
        given.settle(claimed, RunState.WAITING, due=given.clock.now() + timedelta(hours=1))
    )

    early = await store.tend()
    given.clock.advance(timedelta(hours=1))
    then = await store.tend()

    assert (early, then) == (Tended(), Tended(woken=1))
    assert [one.run.id for one in await store.claim(want())] == [claimed.run.id]


async def test_reclaim_returns_only_the_running_trials(given: Given, store: Store) -> None:
    """A new holder of an experiment takes back what the last one left running."""
    for position in range(3):
        await given.enqueue(given.trial(position))
    await given.enqueue(given.trial(0, experiment=ExperimentId("experiment-2")))
    other = await given.claimed()
    first, *_ = await store.claim(want(experiment=EXPERIMENT, limit=2))
    await store.claim(want(experiment=ExperimentId("experiment-2")))
    await store.write(given.settle(first, RunState.SUCCEEDED))

    count = await store.reclaim(EXPERIMENT)

    assert count == 1
    assert await store.count(EXPERIMENT) == {RunState.QUEUED: 2, RunState.SUCCEEDED: 1}
    assert await store.count(ExperimentId("experiment-2")) == {RunState.RUNNING: 1}
    assert await given.state(other.run.id) == RunState.RUNNING


async def test_it_is_idle_when_nothing_is_left(given: Given, store: Store) -> None:
    """Queued and running runs keep a store busy; a wait counts only when it is due soon."""
    hour = timedelta(hours=1)
    assert await store.is_idle(want(), hour)
    await given.queued()
    assert not await store.is_idle(want(), hour)
    [claimed] = await store.claim(want())
    assert not await store.is_idle(want(), hour)

    await store.write(given.settle(claimed, RunState.WAITING, due=given.clock.now() + hour))

    assert await store.is_idle(want(), hour - SECOND)
    assert not await store.is_idle(want(), hour)
    assert await store.is_idle(want(workflows=("refunds",)), hour)
    assert await store.is_idle(want(experiment=EXPERIMENT), hour)


async def test_housekeeping_by_two_stores_counts_each_run_once(given: Given, reopen: Open) -> None:
    """Two schedulers that tend at once move each run one time."""
    other = await reopen()
    await asyncio.gather(*(given.enqueue(given.run()) for _ in range(50)))
    await given.store.claim(want())
    given.clock.advance(LEASE + SECOND)

    rounds = await asyncio.gather(*(store.tend() for store in (given.store, other) * 3))

    assert sum(tended.lapsed for tended in rounds) == 50


async def test_completion_and_the_reaper_agree(given: Given, reopen: Open) -> None:
    """When a worker settles as its lease lapses, either it was in time or it was refused."""
    other = await reopen()
    for _ in range(10):
        await asyncio.gather(*(given.enqueue(given.run()) for _ in range(20)))
        claimed = await given.store.claim(want())
        given.clock.advance(LEASE + SECOND)

        *answers, _ = await asyncio.gather(
            *(given.store.write(given.settle(one, RunState.SUCCEEDED)) for one in claimed),
            _tend(other, given),
        )

        states = await given.states(ids_of(claimed))
        in_time = [state == RunState.SUCCEEDED for state in states]
        assert [answer == Done() for answer in answers] == in_time


async def _tend(store: Store, given: Given) -> None:
    """Tend while others settle; whatever came back to the queue is claimed and ended."""
    await store.tend()
    for again in await store.claim(want(worker="two")):
        assert again.run.fence > 1
        assert await store.write(given.settle(again, RunState.FAILED)) == Done()
