"""Units of work: fenced, resendable, and in order within a group."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doubles.given import LEASE, START, entry, want
from proveout.domain.journal import EntryKind, Pending, Returned
from proveout.domain.run import MOVES, Failure, IllegalMove, RunState
from proveout.domain.unit import (
    Answered,
    Cancel,
    Decided,
    Done,
    Enqueue,
    Enqueued,
    Record,
    Requeue,
    Stale,
    Unit,
)

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.stores import Open
    from proveout.ports.store import Store

FINAL = sorted(state for state in RunState if state.is_final)
ENDS = sorted(MOVES[RunState.RUNNING] - {RunState.CANCELLED})


@pytest.mark.parametrize("state", ENDS)
async def test_an_attempt_ends_in_any_legal_state(given: Given, state: RunState) -> None:
    """What an attempt settles is kept with its run."""
    claimed = await given.claimed()
    failure = Failure(type="ValueError", message="no label \ud800", traceback="…", step="label")
    given.clock.advance(claimed.now - claimed.run.created)

    answer = await given.store.write(
        given.settle(claimed, state, result=b"[1]", failure=failure, note="why")
    )

    assert answer == Done()
    run = await given.known(claimed.run.id)
    assert (run.state, run.result, run.failure, run.note) == (state, b"[1]", failure, "why")
    assert (run.elapsed, run.updated) == (1.5, given.clock.now())


@pytest.mark.parametrize("state", [RunState.RUNNING])
async def test_an_attempt_cannot_end_where_no_move_leads(given: Given, state: RunState) -> None:
    """An illegal end is a mistake, and changes nothing."""
    claimed = await given.claimed()

    with pytest.raises(IllegalMove):
        await given.store.write(given.settle(claimed, state))

    assert await given.known(claimed.run.id) == claimed.run


async def test_a_stale_attempt_writes_nothing(given: Given, store: Store) -> None:
    """An attempt under an old fence is refused, also when it is unknown altogether."""
    claimed = await given.claimed()
    old = Record(id=given.unit_id(), run=claimed.run.id, fence=0, entries=(entry(),))
    never = given.settle(claimed, RunState.SUCCEEDED, run=given.run().id)

    assert await store.write(old) == Stale()
    assert await store.write(never) == Stale()
    assert await store.write(given.cancel(given.run().id)) == Stale()
    assert await store.journal(claimed.run.id) == []


async def test_what_is_journaled_is_not_written_over(given: Given, store: Store) -> None:
    """The first outcome of a place stands."""
    claimed = await given.claimed()
    await store.write(given.record(claimed, entry(outcome=Returned(b"1"))))

    await store.write(given.record(claimed, entry(outcome=Returned(b"2")), entry("label")))

    outcomes = [one.outcome for one in await store.journal(claimed.run.id)]
    assert outcomes == [Returned(b"1"), Returned(b"1")]


async def test_a_step_that_waits_for_its_next_try_is_written_over_once(
    given: Given, store: Store
) -> None:
    """In its place: with its later tries, until it has an outcome, which stands."""
    claimed = await given.claimed()
    waits = replace(entry(outcome=Pending(START + LEASE)), tries=1)
    unit = given.record(claimed, waits, entry("label"))
    await store.write(unit)

    longer = replace(entry(outcome=Pending(START + 2 * LEASE)), tries=2, elapsed=9.0)
    assert await store.write(given.record(claimed, longer)) == Done()
    assert await store.journal(claimed.run.id) == [longer, entry("label")]

    done = replace(entry(outcome=Returned(b"3")), tries=3, elapsed=12.0)
    assert await store.write(given.record(claimed, done)) == Done()
    assert await store.write(unit) == Done()
    await store.write(given.record(claimed, longer))
    assert await store.journal(claimed.run.id) == [done, entry("label")]


async def test_what_waits_for_a_person_is_not_written_over(given: Given, store: Store) -> None:
    """Only a step waits for itself."""
    claimed = await given.claimed()
    asked = given.question(claimed)
    await store.write(asked)

    answered = replace(asked.entries[0], outcome=Returned(b"1"))
    await store.write(given.record(claimed, answered))
    await store.write(given.record(claimed, replace(answered, kind=EntryKind.STEP)))

    assert await store.journal(claimed.run.id) == [asked.entries[0]]


async def units_of_every_kind(given: Given) -> list[Unit]:
    """Return one unit of each kind that the store will accept now."""
    recorded, settled, cancelled = [await given.claimed() for _ in range(3)]
    parked = await given.in_state(RunState.PARKED)
    review = await given.waiting()
    return [
        Enqueue(id=given.unit_id(), run=given.run(key="mail-1")),
        given.record(recorded),
        given.settle(settled, RunState.SUCCEEDED),
        given.decide(review),
        Cancel(id=given.unit_id(), run=cancelled.run.id),
        Requeue(id=given.unit_id(), run=parked.run.id),
        given.charge(given.model_call(recorded.run.id)),
    ]


def gist(answer: Answered) -> object:
    """Return what of an answer stays true when the run has moved on."""
    match answer:
        case Enqueued(run, created):
            return run.id, created
        case Decided(review):
            return review.id, review.answer
        case _:
            return answer


@pytest.mark.parametrize("kind", range(7))
async def test_a_unit_sent_again_is_answered_as_before(
    given: Given, reopen: Open, kind: int
) -> None:
    """After an unknown commit a unit can be sent again, also through another store."""
    unit = (await units_of_every_kind(given))[kind]
    first = await given.store.write(unit)

    again = await given.store.write(unit)
    elsewhere = await (await reopen()).write(unit)

    assert isinstance(first, (Done, Enqueued, Decided))
    assert gist(again) == gist(elsewhere) == gist(first)


@pytest.mark.parametrize("kind", range(7))
async def test_a_unit_handed_in_twice_at_once_is_one(given: Given, kind: int) -> None:
    """The same unit twice in one group is answered the same both times."""
    unit = (await units_of_every_kind(given))[kind]

    first, second = await asyncio.gather(given.store.write(unit), given.store.write(unit))

    assert isinstance(first, (Done, Enqueued, Decided))
    assert gist(first) == gist(second)


async def test_a_record_sent_again_after_its_run_ended_is_done(given: Given) -> None:
    """An attempt that settled meanwhile did write its record."""
    claimed = await given.claimed()
    unit = given.record(claimed, entry("read"), entry("label"))
    await given.store.write(unit)
    await given.store.write(given.settle(claimed, RunState.SUCCEEDED))

    assert await given.store.write(unit) == Done()
    assert await given.store.write(given.record(claimed, entry("late"))) == Stale()
    assert len(await given.store.journal(claimed.run.id)) == 2


@pytest.mark.parametrize("state", FINAL)
async def test_a_final_state_is_never_left(given: Given, store: Store, state: RunState) -> None:
    """Nothing that anyone sends moves a run that is over."""
    claimed = await given.in_state(state)
    before = await given.known(claimed.run.id)
    attempts = (
        *(given.settle(claimed, end, result=b"2") for end in ENDS),
        given.record(claimed),
        given.cancel(claimed.run.id),
        Requeue(id=given.unit_id(), run=claimed.run.id),
    )

    answers = [await store.write(unit) for unit in attempts]
    given.clock.advance(claimed.now - claimed.now + want().lease * 3)
    await store.tend()

    assert answers == [Stale()] * len(attempts)
    assert await given.known(claimed.run.id) == before
    assert await store.claim(want()) == []


@pytest.mark.parametrize("state", [RunState.QUEUED, *ENDS])
async def test_only_a_parked_run_is_let_go_on(given: Given, state: RunState) -> None:
    """An operator's requeue moves a parked run, and no other."""
    claimed = await given.in_state(state)

    answer = await given.store.write(Requeue(id=given.unit_id(), run=claimed.run.id))

    parked = state is RunState.PARKED
    assert answer == (Done() if parked else Stale())
    assert await given.state(claimed.run.id) == (RunState.QUEUED if parked else state)


@pytest.mark.parametrize("state", sorted(set(RunState) - set(FINAL)))
async def test_a_run_that_is_not_over_can_be_cancelled(given: Given, state: RunState) -> None:
    """Cancelling ends a run wherever it stands, and its attempt is refused from then on."""
    claimed = await given.in_state(state)

    answer = await given.store.write(given.cancel(claimed.run.id))

    assert answer == Done()
    assert await given.state(claimed.run.id) == RunState.CANCELLED
    assert await given.store.write(given.settle(claimed, RunState.SUCCEEDED)) == Stale()


async def test_branches_of_one_run_record_at_once(given: Given, store: Store) -> None:
    """Records that the branches of one run hand in together are all written."""
    claimed = await given.claimed()

    answers = await asyncio.gather(
        *(store.write(given.record(claimed, entry(occurrence=n))) for n in range(50))
    )

    assert answers == [Done()] * 50
    places = [one.place.occurrence for one in await store.journal(claimed.run.id)]
    assert places == list(range(50))


async def test_in_a_group_records_come_before_the_end(given: Given, store: Store) -> None:
    """A record and the settlement of its attempt, handed in together, are both written."""
    claimed = [await given.claimed() for _ in range(20)]

    answers = await asyncio.gather(
        *(
            store.write(unit)
            for one in claimed
            for unit in (given.settle(one, RunState.SUCCEEDED), given.record(one))
        )
    )

    # A store may cut a group anywhere; a record that came after the end is then refused.
    for place, one in enumerate(claimed):
        settled, recorded = answers[2 * place : 2 * place + 2]
        written = len(await store.journal(one.run.id))
        assert settled == Done()
        assert recorded == (Done() if written else Stale())
        assert await given.state(one.run.id) == RunState.SUCCEEDED
    assert answers.count(Done()) >= len(answers) - 2


async def test_in_a_group_an_answer_meets_the_wait(given: Given, store: Store) -> None:
    """A decision and the settlement to wait for it, handed in together, leave nobody waiting."""
    asked = [await given.asked() for _ in range(20)]

    units: list[Unit] = []
    for place, (claimed, review) in enumerate(asked):
        pair = [given.settle(claimed, RunState.WAITING), given.decide(review)]
        units += pair if place % 2 else reversed(pair)
    await asyncio.gather(*map(store.write, units))

    states = await given.states([claimed.run.id for claimed, _ in asked])
    assert states == [RunState.QUEUED] * 20


async def test_in_a_group_an_end_comes_before_its_cancellation(given: Given, store: Store) -> None:
    """Of an end and a cancellation handed in together one is done, the other stale."""
    claimed = [await given.claimed() for _ in range(20)]

    answers = await asyncio.gather(
        *(
            store.write(unit)
            for one in claimed
            for unit in (given.cancel(one.run.id), given.settle(one, RunState.SUCCEEDED))
        )
    )

    for place, one in enumerate(claimed):
        cancelled, settled = answers[2 * place : 2 * place + 2]
        state = await given.state(one.run.id)
        assert {cancelled, settled} == {Done(), Stale()}
        assert state == (RunState.CANCELLED if cancelled == Done() else RunState.SUCCEEDED)
    assert await store.count() == {RunState.SUCCEEDED: 20} or answers.count(Done()) == 20


async def test_in_a_group_orders_keep_their_order(given: Given, store: Store) -> None:
    """Requeue and then cancel: both are done. Cancel and then requeue: only the first."""
    first, second = [await given.in_state(RunState.PARKED) for _ in range(2)]
    requeues = [Requeue(id=given.unit_id(), run=one.run.id) for one in (first, second)]

    answers = await asyncio.gather(
        store.write(requeues[0]),
        store.write(given.cancel(first.run.id)),
        store.write(given.cancel(second.run.id)),
        store.write(requeues[1]),
    )

    assert answers == [Done(), Done(), Done(), Stale()]
    assert await given.states([first.run.id, second.run.id]) == [RunState.CANCELLED] * 2


async def test_a_caller_who_gives_up_stops_no_one(given: Given, store: Store) -> None:
    """A caller may be cancelled while it waits; the lane goes on."""
    runs = [given.run() for _ in range(40)]
    waiting = [asyncio.ensure_future(given.enqueue(run)) for run in runs]
    await asyncio.gather(asyncio.wait(waiting[:1]), *(_give_up(one) for one in waiting[1::2]))

    await asyncio.wait(waiting)

    assert isinstance(await given.enqueue(given.run()), Enqueued)
    for run, task in zip(runs, waiting, strict=True):
        assert task.cancelled() or await store.run(run.id) is not None


async def _give_up(task: asyncio.Future[Answered]) -> None:
    task.cancel()


async def test_a_closed_store_says_so(given: Given, reopen: Open) -> None:
    """Writing to a store that was closed is an outage, not a wait for ever."""
    store = await reopen()
    await store.close()

    with pytest.raises(Exception, match="closed"):
        await store.write(Enqueue(id=given.unit_id(), run=given.run()))
