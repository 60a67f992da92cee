"""A new run on the input of one that ended without a result."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doubles.given import Given, want
from doubles.shop import Shop, top
from proveout import effect, workflow
from proveout.domain.run import Failure, RunState
from proveout.domain.unit import Enqueued
from proveout.ports.store import RunFilter
from proveout.run.replay import (
    AlreadyReplayed,
    NotReplayable,
    Replay,
    foresee,
    matching,
    replay,
)

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.domain.run import Run
    from proveout.ports.store import Store

OTHER = b'{"mail": "another parcel"}'


@pytest.fixture
def given(store: Store, clock: WatchedClock, ids: CountedIds) -> Given:
    """Return what brings the store to where a test begins."""
    return Given(store, clock, ids)


async def ended(given: Given, state: RunState = RunState.DEAD) -> Run:
    """Return a run that ended in `state`."""
    return await given.known((await given.in_state(state)).run.id)


async def again(given: Given, run: Run, **how: Any) -> Run:
    """Replay a run; return the new one, or the one that goes on."""
    return (await replay(given.store, given.clock, given.ids, run, Replay(**how))).run


async def end(given: Given, run: Run, state: RunState) -> Run:
    """Bring a queued run to its end."""
    [claimed] = await given.store.claim(want(release=run.release or "draft"))
    assert claimed.run.id == run.id
    await given.store.write(given.settle(claimed, state))
    return await given.known(run.id)


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.DEAD, RunState.CANCELLED])
async def test_what_ended_without_a_result_is_run_again(given: Given, state: RunState) -> None:
    """As a run of its own, without the journal of the old one, which stays."""
    old = await ended(given, state)

    new = await again(given, old)

    assert new.id != old.id
    assert (new.state, new.value, new.workflow) == (RunState.QUEUED, old.value, old.workflow)
    assert (new.origin, new.key) == (old.id, f"replay:{old.id}:1")
    assert await given.store.journal(new.id) == []
    assert await given.known(old.id) == old


@pytest.mark.parametrize(
    "state", [RunState.RUNNING, RunState.WAITING, RunState.PARKED, RunState.SUCCEEDED]
)
async def test_what_goes_on_or_has_succeeded_is_not(given: Given, state: RunState) -> None:
    """It would do everything twice; nothing is enqueued."""
    old = await ended(given, state)

    with pytest.raises(NotReplayable, match=state):
        await again(given, old)

    assert sum((await given.store.count()).values()) == 1


async def test_a_trial_belongs_to_its_experiment(given: Given) -> None:
    """The experiment alone says what it runs, and counts it."""
    with pytest.raises(NotReplayable, match="is a trial"):
        await again(given, replace(given.trial(0), state=RunState.FAILED))


async def test_what_was_pruned_cannot_be_run_again(given: Given) -> None:
    """Its input is gone, and the refusal says since when."""
    gone = replace(await ended(given), value=b"", pruned=given.clock.now(), input="5f" * 32)

    with pytest.raises(NotReplayable, match=f"pruned on {given.clock.now():%Y-%m-%d}"):
        await again(given, gone)


async def test_a_replay_keeps_priority_and_order(given: Given) -> None:
    """It stands in the same line as the run that it repeats."""
    old = replace(await ended(given), priority=7, ordering="customer-1")

    new = await again(given, old)

    assert (new.priority, new.ordering) == (7, "customer-1")


async def test_a_replay_of_a_replay_keeps_the_first_origin(given: Given) -> None:
    """However often it fails, its effects have the keys that they had at first."""
    old = await ended(given)
    second = await end(given, await again(given, old), RunState.DEAD)

    third = await again(given, second)

    assert (third.origin, third.key) == (old.id, f"replay:{old.id}:2")


async def test_another_input_makes_new_keys(given: Given) -> None:
    """What is asked is another thing, so it carries no old key; the same in other words is not."""
    old = await ended(given)

    edited = await again(given, old, value=OTHER)

    assert (edited.value, edited.origin) == (OTHER, None)
    same = await again(given, await ended(given), value=old.value)
    assert same.origin is not None


async def test_asked_twice_one_replay_goes_on(given: Given) -> None:
    """Ten at once, and once more later: one new run, until it has ended."""
    old = await ended(given)

    runs = await asyncio.gather(*(again(given, old) for _ in range(10)))
    later = await replay(given.store, given.clock, given.ids, old)

    assert len({run.id for run in runs}) == 1
    assert later == Enqueued(await given.known(runs[0].id), created=False)


async def test_while_one_goes_on_another_input_is_refused(given: Given) -> None:
    """Two at a time would be two answers to one request."""
    old = await ended(given)
    new = await again(given, old)

    with pytest.raises(AlreadyReplayed, match=new.id):
        await again(given, old, value=OTHER)


async def test_once_a_replay_has_succeeded_only_again_asks_for_more(given: Given) -> None:
    """The work is done; who wants it done twice says so."""
    old = await ended(given)
    done = await end(given, await again(given, old), RunState.SUCCEEDED)

    with pytest.raises(AlreadyReplayed, match=done.id):
        await again(given, old)

    more = await again(given, old, again=True)
    assert more.key == f"replay:{old.id}:2"


async def test_foreseeing_writes_nothing(given: Given) -> None:
    """What would be asked for is told, and the store is as it was."""
    old = await ended(given)

    asked = await foresee(given.store, old, Replay(release="draft"))

    assert not isinstance(asked, Enqueued)
    assert (asked.origin, asked.release) == (old.id, "draft")
    assert await given.store.count() == {RunState.DEAD: 1}


async def test_runs_are_found_by_their_errors(given: Given) -> None:
    """Page by page, the oldest first, in any case of letters."""
    for message in ("Rate limit", "no such mail", "rate LIMIT again", "rate limit at last"):
        claimed = await given.claimed()
        failure = Failure(type="HTTPError", message=message)
        await given.store.write(given.settle(claimed, RunState.DEAD, failure=failure))
    await ended(given, RunState.FAILED)
    which = RunFilter(states=(RunState.DEAD, RunState.FAILED), workflow="triage", limit=2)

    found = await matching(given.store, which, "rate limit", 10)
    newest = await matching(given.store, which, "rate limit", 2)
    everything = await matching(given.store, which, "", 10)

    told = [run.failure and run.failure.message for run in found]
    assert told == ["Rate limit", "rate LIMIT again", "rate limit at last"]
    assert newest == found[1:]
    assert len(everything) == 5


async def test_effects_carry_the_same_keys_on_the_same_input_alone(
    store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """A receiver that honours keys does nothing twice for a replay, and all for another input."""
    shop = Shop(store, clock, ids)
    sent: list[str] = []
    texts: list[str] = []
    broken = True

    @effect
    @top
    async def send(text: str, *, idempotency_key: str = "") -> None:
        texts.append(text)
        sent.append(idempotency_key)

    @workflow
    @top
    async def triage(text: str) -> None:
        await send(text)
        await send(text)
        if broken:
            raise ValueError(text)

    first = await shop.enqueue(triage, "late parcel")
    await shop.work(triage)
    old = await store.run(first)
    assert old is not None
    second = (await replay(store, clock, ids, old)).run
    await shop.work(triage)
    broken = False
    failed = await store.run(second.id)
    assert failed is not None

    await replay(store, clock, ids, failed, Replay(value=b'"another"'))
    await shop.work(triage)
    await replay(store, clock, ids, failed, Replay(again=True))
    await shop.work(triage)

    one, two, edited, last = sent[:2], sent[2:4], sent[4:6], sent[6:]
    assert len(set(one)) == 2
    assert one == two == last
    assert not set(one) & set(edited)
    assert set(texts[4:6]) == {"another"}
