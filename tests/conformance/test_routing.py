"""Which release a run begins on, and that it keeps it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doubles.deeds import FIRST, SECOND, Deeds, canary
from doubles.given import LEASE, want
from doubles.stores import SQLITE
from proveout.adapters.postgres import queue
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.sqlite.schema import connect
from proveout.domain.experiment import ExperimentId
from proveout.domain.release import DRAFT, InFlight, effect_scope, lot, release_scope
from proveout.domain.run import RunId, RunState
from proveout.domain.unit import Decided, Done, Requeue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from doubles.given import Given
    from doubles.postgres import WatchedClock
    from doubles.stores import Open
    from proveout.domain.release import ReleaseDigest
    from proveout.domain.run import Run
    from proveout.ports.store import Claimed, Store

SECONDS = timedelta(seconds=1)
HOUR = timedelta(hours=1)
KEYS = [f"{script}-{n}" for n in range(2500) for script in ("order", "заказ", "注文", "🗝é\u0301")]


@pytest.fixture
def deeds(given: Given) -> Deeds:
    """Return what takes decisions in the store."""
    return Deeds(given)


async def claim(store: Store, release: str, **changes: object) -> list[Claimed]:
    return await store.claim(want(release=release, **changes))


async def hand_back(given: Given, claimed: Claimed) -> None:
    await given.store.write(given.settle(claimed, RunState.QUEUED))


async def answer_its_review(given: Given, claimed: Claimed) -> None:
    unit = given.question(claimed)
    assert unit.review is not None
    await given.store.write(unit)
    await given.store.write(given.settle(claimed, RunState.WAITING))
    assert isinstance(await given.store.write(given.decide(unit.review)), Decided)


async def let_its_timer_fire(given: Given, claimed: Claimed) -> None:
    due = given.clock.now() + HOUR
    await given.store.write(given.settle(claimed, RunState.WAITING, due=due))
    given.clock.advance(HOUR)
    await given.store.tend()


async def let_its_lease_lapse(given: Given, claimed: Claimed) -> None:
    assert claimed.run.state is RunState.RUNNING
    given.clock.advance(LEASE + SECONDS)
    await given.store.tend()


async def requeue_it(given: Given, claimed: Claimed) -> None:
    await given.store.write(given.settle(claimed, RunState.PARKED))
    assert await given.store.write(Requeue(id=given.unit_id(), run=claimed.run.id)) == Done()


WAYS_BACK = (hand_back, answer_its_review, let_its_timer_fire, let_its_lease_lapse, requeue_it)


@pytest.mark.parametrize("come_back", WAYS_BACK)
async def test_a_run_keeps_the_release_of_its_first_claim(
    given: Given, deeds: Deeds, come_back: Callable[[Given, Claimed], Awaitable[None]]
) -> None:
    """However a run comes back to the queue, and whatever serves by then, it goes on as it was."""
    await deeds.move(FIRST)
    await given.queued()
    [claimed] = await claim(given.store, FIRST)
    await deeds.move(SECOND)

    await come_back(given, claimed)

    assert await claim(given.store, SECOND) == []
    assert await claim(given.store, DRAFT) == []
    [again] = await claim(given.store, FIRST)
    assert (claimed.run.release, again.run.release, again.run.fence) == (FIRST, FIRST, 2)


async def test_a_run_that_never_began_follows_the_pointer(given: Given, deeds: Deeds) -> None:
    """Negative control of the above: what was only queued goes where the pointer is now."""
    await deeds.move(FIRST)
    run = await given.queued()
    await deeds.move(SECOND)

    assert (await given.known(run.id)).release is None
    assert await claim(given.store, FIRST) == []
    [claimed] = await claim(given.store, SECOND)
    assert claimed.run.release == SECOND


async def test_without_a_pointer_the_draft_serves(given: Given, deeds: Deeds) -> None:
    """Runs begin on the working tree until a release is promoted; those then stay with it."""
    begun = await given.claimed()
    await given.queued()
    none = await claim(given.store, FIRST)

    await deeds.move(FIRST)
    await hand_back(given, begun)

    assert none == []
    assert [one.run.id for one in await claim(given.store, DRAFT)] == [begun.run.id]
    assert [one.run.release for one in await claim(given.store, FIRST)] == [FIRST]


async def test_a_pointer_without_a_stable_release_serves_the_draft(
    given: Given, deeds: Deeds
) -> None:
    """A canary beside nothing gets nothing, as `Pointer.assigned` has it."""
    pointer = await deeds.move(None, canary=canary(5000))
    for n in range(20):
        await given.queued(key=f"{n}")

    assert {pointer.assigned(f"{n}") for n in range(20)} == {DRAFT}
    assert await claim(given.store, SECOND) == []
    assert len(await claim(given.store, DRAFT)) == 20


async def enqueue_all(given: Given, keys: list[str]) -> None:
    await asyncio.gather(*(given.enqueue(given.run(key=key)) for key in keys))


async def test_stable_and_canary_share_the_keys_as_the_domain_says(
    given: Given, deeds: Deeds
) -> None:
    """Each run is claimed by the release that `Pointer.assigned` names for its key, or its id."""
    pointer = await deeds.move(FIRST, canary=canary(3000))
    await enqueue_all(given, KEYS[:300])
    unnamed = [await given.queued() for _ in range(100)]

    stable, beside = await claim(given.store, FIRST), await claim(given.store, SECOND)

    assert await claim(given.store, DRAFT) == []
    assert len(stable) + len(beside) == 300 + len(unnamed)
    for one in (*stable, *beside):
        assert one.run.release == pointer.assigned(one.run.key or one.run.id)
    assert {one.run.release for one in beside} == {SECOND}


async def test_a_canary_gets_about_its_share(given: Given, deeds: Deeds) -> None:
    """Of 2,000 keys some 200 go to a canary of 10 %: within four standard deviations."""
    await deeds.move(FIRST, canary=canary(1000))
    await enqueue_all(given, [f"order-{n}" for n in range(2000)])

    beside = await claim(given.store, SECOND, limit=2000)

    assert abs(len(beside) - 200) < 4 * (2000 * 0.1 * 0.9) ** 0.5
    assert len(await claim(given.store, FIRST, limit=2000)) == 2000 - len(beside)


async def test_every_store_draws_the_same_lot(manual_url: str, store: Store) -> None:
    """For 10,000 keys of several scripts the store's own number is that of the domain."""
    assert await store.count() == {}

    lots = await _lots(manual_url, "a salt")

    assert lots == [lot("a salt", key) for key in KEYS]
    assert len(set(lots)) > 5000
    assert await _lots(manual_url, "other") != lots


async def _lots(url: str, salt: str) -> list[int]:
    """Return what the store's own function gives for every key."""
    if url.startswith(SQLITE):
        with closing(connect(Path(url.removeprefix(SQLITE)))) as connection:
            one = "SELECT lot(?, ?)"
            return [connection.execute(one, (salt, key)).fetchone()[0] for key in KEYS]
    link = await Server.at(url).connect("lots")
    rows = await link.fetch(
        "SELECT proveout.lot($1, key) AS lot FROM unnest($2::text[]) WITH ORDINALITY"
        " AS given (key, place) ORDER BY place",
        salt,
        KEYS,
    )
    await part(link)
    return [row["lot"] for row in rows]


async def began_on(store: Store, release: ReleaseDigest) -> int:
    """Return how many runs have begun on a release and not ended."""
    return (await store.in_flight("triage", release)).runs


async def test_after_a_rollback_nothing_begins_on_the_bad_release(
    given: Given, deeds: Deeds, reopen: Open
) -> None:
    """With 1,000 runs queued and four claimers at it, the flip's commit is the end of it."""
    await deeds.move(SECOND)
    await asyncio.gather(*(given.enqueue(given.run()) for _ in range(1000)))
    other = await reopen()
    begun = asyncio.Event()

    async def drain(store: Store, release: ReleaseDigest) -> None:
        while await store.count() != {RunState.RUNNING: 1000}:
            if await claim(store, release, worker=release, limit=5):
                begun.set()

    claimers = [
        asyncio.create_task(drain(store, release))
        for store in (given.store, other)
        for release in (FIRST, SECOND)
    ]
    await begun.wait()
    await deeds.move(FIRST)
    at_the_flip = await began_on(given.store, SECOND)
    await asyncio.gather(*claimers)

    assert 0 < at_the_flip < 1000
    assert await began_on(given.store, SECOND) == at_the_flip
    assert await began_on(given.store, FIRST) == 1000 - at_the_flip


async def test_a_claim_that_looked_before_the_flip_would_be_seen(
    given: Given, deeds: Deeds, manual_url: str
) -> None:
    """Negative control: who reads the pointer first and claims later begins on the bad one."""
    await deeds.move(SECOND)
    run = await given.queued()
    seen = await given.store.pointer("triage")
    await deeds.move(FIRST)
    at_the_flip = await began_on(given.store, SECOND)

    await _claim_without_looking(manual_url, run.id, seen.assigned(run.id))

    assert (at_the_flip, await began_on(given.store, SECOND)) == (0, 1)


async def _claim_without_looking(url: str, run: RunId, release: str) -> None:
    if url.startswith(SQLITE):
        with closing(sqlite3.connect(url.removeprefix(SQLITE), timeout=30)) as connection:
            connection.execute(
                "UPDATE runs SET state = 'RUNNING', release = ? WHERE id = ?", (release, run)
            )
            connection.commit()
        return
    link = await Server.at(url).connect("naive")
    await link.execute(
        "UPDATE proveout.runs SET state = 'RUNNING', release = $1 WHERE id = $2", release, run
    )
    await part(link)


@pytest.mark.parametrize("manual_url", ["postgres"], indirect=True)
async def test_a_flip_waits_for_the_claims_under_way(
    given: Given, deeds: Deeds, manual_url: str
) -> None:
    """PostgreSQL: a claim that is not yet committed holds the pointer; the flip comes after it."""
    await deeds.move(SECOND)
    await given.queued()
    link = await Server.at(manual_url).connect("claims")
    await link.execute("BEGIN")
    [claimed] = await queue.claim(link, want(release=SECOND))

    flip = asyncio.create_task(deeds.move(FIRST))
    done, _ = await asyncio.wait({flip}, timeout=0.3)
    await link.execute("COMMIT")
    await flip

    assert not done
    assert (await given.known(claimed.run.id)).release == SECOND
    await part(link)


async def test_a_halted_workflow_is_not_claimed(given: Given, deeds: Deeds) -> None:
    """Until a person resumes it; other workflows and trials go on, and it is not idle."""
    await given.queued()
    await given.queued(workflow="refunds")
    await given.enqueue(given.trial(0))
    wish = want(workflows=("triage", "refunds"))

    await deeds.halt()
    while_halted = [one.run.workflow for one in await given.store.claim(wish)]
    trials = await given.store.claim(want(experiment=ExperimentId("experiment-1")))
    is_idle = await given.store.is_idle(want(), SECONDS)
    await deeds.resume()

    assert (while_halted, len(trials), is_idle) == (["refunds"], 1, False)
    assert [one.run.workflow for one in await given.store.claim(wish)] == ["triage"]


async def test_a_halted_release_is_not_claimed(given: Given, deeds: Deeds) -> None:
    """Neither its new runs nor those that began on it; the other release goes on."""
    await deeds.move(FIRST, canary=canary(5000))
    await enqueue_all(given, KEYS[:40])
    [began] = await claim(given.store, SECOND, limit=1)
    await hand_back(given, began)

    await deeds.halt(release_scope(SECOND))
    stable, beside = await claim(given.store, FIRST), await claim(given.store, SECOND)
    await deeds.resume(release_scope(SECOND))

    assert (len(stable) > 0, beside) == (True, [])
    assert len(await claim(given.store, SECOND)) == 40 - len(stable)


async def test_a_halted_effect_stops_no_claim(given: Given, deeds: Deeds) -> None:
    """Negative control: only what is about claims stops claims."""
    await given.queued()

    await deeds.halt(effect_scope("send"))

    assert [halt.scope for halt in await given.store.halts("triage")] == ["effect:send"]
    assert len(await given.store.claim(want())) == 1


async def test_halting_twice_is_one_halt(given: Given, deeds: Deeds) -> None:
    """One resume ends it, and resuming what is not halted changes nothing."""
    await deeds.halt()
    await deeds.halt()
    halts = await given.store.halts("triage")

    await deeds.resume()
    await deeds.resume()

    assert [(halt.scope, halt.by) for halt in halts] == [("workflow", "ana")]
    assert await given.store.halts("triage") == []


async def test_idle_is_asked_of_one_release(given: Given, deeds: Deeds) -> None:
    """A worker of one release does not wait for runs that another one has or will get."""
    await deeds.move(FIRST)
    run = await given.queued()

    new = [await given.store.is_idle(want(release=one), HOUR) for one in (FIRST, SECOND, DRAFT)]
    [claimed] = await claim(given.store, FIRST)
    await deeds.move(SECOND)
    begun = [await given.store.is_idle(want(release=one), HOUR) for one in (FIRST, SECOND, DRAFT)]
    await given.store.write(given.settle(claimed, RunState.SUCCEEDED))

    assert claimed.run.id == run.id
    assert (new, begun) == ([False, True, True], [False, True, True])
    assert await given.store.is_idle(want(release=FIRST), HOUR)


async def test_runs_in_flight_are_counted_by_release(
    given: Given, deeds: Deeds, clock: WatchedClock
) -> None:
    """Those that began and did not end, with the moment of the oldest and how many are parked."""
    await deeds.move(FIRST)
    await _brought(given, RunState.SUCCEEDED)
    clock.advance(SECONDS)
    oldest = clock.now()
    for state in (RunState.RUNNING, RunState.WAITING, RunState.PARKED, RunState.QUEUED):
        await _brought(given, state)
        clock.advance(SECONDS)
    await given.queued()

    assert await given.store.in_flight("triage", FIRST) == InFlight(runs=4, oldest=oldest, parked=1)
    assert await given.store.in_flight("triage", SECOND) == InFlight(runs=0)
    assert await given.store.in_flight("refunds", FIRST) == InFlight(runs=0)


async def _brought(given: Given, state: RunState) -> Run:
    """Return a run that began on the first release and was brought to `state`."""
    run = await given.queued()
    [claimed] = [one for one in await claim(given.store, FIRST) if one.run.id == run.id]
    if state is not RunState.RUNNING:
        await given.store.write(given.settle(claimed, state))
    return run


async def test_ended_runs_are_told_by_release_and_state(
    given: Given, deeds: Deeds, clock: WatchedClock
) -> None:
    """From a moment on; what never began, and trials, are of no release."""
    await deeds.move(FIRST)
    await _brought(given, RunState.FAILED)
    clock.advance(SECONDS)
    since = clock.now()
    for state in (RunState.SUCCEEDED, RunState.SUCCEEDED, RunState.DEAD):
        await _brought(given, state)
    never = await given.queued()
    await given.store.write(given.cancel(never.id))

    assert await given.store.tally("triage", since) == {
        (FIRST, RunState.SUCCEEDED): 2,
        (FIRST, RunState.DEAD): 1,
    }
    whole = await given.store.tally("triage", since - HOUR)
    assert whole[FIRST, RunState.FAILED] == 1


async def test_the_longest_wait_for_a_worker_is_known(given: Given, clock: WatchedClock) -> None:
    """Since when the next run could have begun; None when nobody waits."""
    store = given.store
    none = await store.oldest_queued("triage")
    first = clock.now()
    await given.queued()
    clock.advance(SECONDS)
    await given.queued()
    await given.enqueue(given.trial(0))
    oldest = await store.oldest_queued("triage")
    await store.claim(want(limit=1))

    assert (none, oldest) == (None, first)
    assert await store.oldest_queued("triage") == first + SECONDS
    assert await store.oldest_queued("refunds") is None
