"""Signals and doubts: each signal meets one wait, and an outcome is written once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.given import START, entry, want
from proveout.domain.journal import EntryKind, Pending, Place, Raised, Returned
from proveout.domain.review import ReviewState
from proveout.domain.run import Failure, RunState
from proveout.domain.unit import Close, Closed, Done, Resolve, Send, Stale

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.stores import Open
    from proveout.domain.journal import Entry, Outcome
    from proveout.domain.run import RunId
    from proveout.domain.unit import Record, Unit
    from proveout.ports.store import Claimed, Store

MANY = 60
"""How often a race between sending and settling is run."""

PAID = "signal paid"
OPEN_STATES = sorted(state for state in RunState if not state.is_final)
LATE = Raised(Failure(type="NoSignal", message="nobody sent it"))


def listening(occurrence: int = 0, name: str = PAID, path: str = "") -> Entry:
    """Return the entry of a wait for a signal."""
    place = Place(path, name, occurrence)
    return replace(entry(name, Pending()), place=place, kind=EntryKind.SIGNAL)


def sending(given: Given, run: RunId, value: object = 1, name: str = PAID) -> Send:
    """Return a signal to a run."""
    return Send(id=given.unit_id(), run=run, name=name, value=f"{value}".encode())


def closing(given: Given, claimed: Claimed, pending: Entry, outcome: Outcome = LATE) -> Close:
    """Return what an attempt says came of a pending entry."""
    closed = replace(pending, outcome=outcome, tries=2, elapsed=0.5)
    return Close(id=given.unit_id(), run=claimed.run.id, fence=claimed.run.fence, entry=closed)


async def listens(given: Given, *entries: Entry) -> Claimed:
    """Return a running attempt that has just begun to wait for signals."""
    claimed = await given.claimed()
    unit = given.record(claimed, *(entries or (listening(),)))
    assert await given.store.write(unit) == Done()
    return claimed


async def heard(store: Store, run: RunId) -> list[object]:
    """Return the values that a run's waits for signals have taken, in the order of the waits."""
    return [
        int(one.outcome.value) if isinstance(one.outcome, Returned) else None
        for one in sorted(await store.journal(run), key=lambda one: one.place)
        if one.kind is EntryKind.SIGNAL
    ]


async def test_a_signal_reaches_the_run_that_waits(given: Given, store: Store) -> None:
    """The value stands in the journal, and the run goes on at once."""
    claimed = await listens(given)
    due = START + timedelta(days=9)
    await store.write(given.settle(claimed, RunState.WAITING, due=due))
    given.clock.advance(timedelta(seconds=1))

    answer = await store.write(sending(given, claimed.run.id, 5))

    run = await given.known(claimed.run.id)
    assert answer == Done()
    assert (run.state, run.due) == (RunState.QUEUED, given.clock.now())
    [again] = await store.claim(want())
    assert [one.outcome for one in again.entries] == [Returned(b"5")]


@pytest.mark.parametrize("state", OPEN_STATES)
async def test_a_signal_is_kept_in_every_state(given: Given, store: Store, state: RunState) -> None:
    """Nobody waits for it yet: the run stays where it is, and its first wait takes it."""
    claimed = await given.in_state(state)

    answer = await store.write(sending(given, claimed.run.id))

    assert answer == Done()
    assert await given.state(claimed.run.id) == state
    assert await store.journal(claimed.run.id) == []


async def test_an_early_signal_is_taken_with_the_wait(given: Given, store: Store) -> None:
    """A run that settles to wait for what is there already goes on at once."""
    claimed = await given.claimed()
    await store.write(sending(given, claimed.run.id, 5))

    await store.write(given.record(claimed, listening()))
    await store.write(given.settle(claimed, RunState.WAITING))

    assert await heard(store, claimed.run.id) == [5]
    assert await given.state(claimed.run.id) == RunState.QUEUED


@pytest.mark.parametrize("state", sorted(state for state in RunState if state.is_final))
async def test_a_run_that_is_over_takes_no_signal(
    given: Given, store: Store, state: RunState
) -> None:
    claimed = await given.in_state(state)
    before = await given.known(claimed.run.id)

    assert await store.write(sending(given, claimed.run.id)) == Stale()
    assert await given.known(claimed.run.id) == before
    assert await store.write(sending(given, given.run().id)) == Stale()


async def test_a_signal_wakes_no_parked_run(given: Given, store: Store) -> None:
    """It is an operator's; the value is there when it goes on."""
    claimed = await listens(given)
    await store.write(given.settle(claimed, RunState.PARKED, note="look"))

    await store.write(sending(given, claimed.run.id, 5))

    assert await given.state(claimed.run.id) == RunState.PARKED
    assert await heard(store, claimed.run.id) == [5]


async def test_signals_and_waits_meet_in_their_order(given: Given, store: Store) -> None:
    """The oldest signal of a name goes to the oldest wait for it; other names and runs apart."""
    claimed = await given.claimed()
    other = await listens(given)
    run = claimed.run.id
    for value in (1, 2):
        await store.write(sending(given, run, value))
    await store.write(sending(given, run, 9, "signal refunded"))

    await store.write(given.record(claimed, *(listening(n) for n in range(4))))
    for value in (3, 4, 5):
        await store.write(sending(given, run, value))
    await store.write(given.record(claimed, listening(0, "signal refunded"), listening(4)))

    assert await heard(store, run) == [1, 2, 3, 4, 5, 9]
    assert await heard(store, other.run.id) == [None]


async def test_a_signal_sent_again_changes_nothing(given: Given, reopen: Open) -> None:
    """After an unknown commit: kept, taken, or when the run is long over."""
    store = given.store
    elsewhere = await reopen()
    claimed = await given.claimed()
    run = claimed.run.id
    early, late = sending(given, run, 1), sending(given, run, 2)

    answers = [await store.write(early), await elsewhere.write(early)]
    recorded = given.record(claimed, *(listening(n) for n in range(4)))
    answers += [await store.write(unit) for unit in (recorded, recorded, early)]
    answers += await asyncio.gather(store.write(late), store.write(late), elsewhere.write(late))
    taken = await heard(store, run)
    await store.write(given.settle(claimed, RunState.SUCCEEDED))
    answers += [await store.write(unit) for unit in (early, late)]

    assert set(answers) == {Done()}
    assert taken == [1, 2, None, None]


async def test_a_stale_attempt_takes_no_signal(given: Given, store: Store) -> None:
    claimed = await given.claimed()
    await store.write(sending(given, claimed.run.id))

    answer = await store.write(replace(given.record(claimed, listening()), fence=7))

    assert answer == Stale()
    await store.write(given.record(claimed, listening()))
    assert await heard(store, claimed.run.id) == [1]


async def test_a_wait_that_is_given_up_takes_no_signal(given: Given, store: Store) -> None:
    """What it took goes to the next wait for the name, before what came later."""
    claimed = await listens(given, listening(path="0"), listening(path="1"))
    run = claimed.run.id
    for value in (1, 2, 3):
        await store.write(sending(given, run, value))
    gives_up = replace(given.record(claimed), gives_up=(Place("0", PAID, 0),))

    answers = [await store.write(gives_up), await store.write(gives_up)]
    await store.write(given.record(claimed, listening(path="2"), listening(path="3")))

    assert answers == [Done(), Done()]
    assert await heard(store, run) == [None, 2, 1, 3]


async def test_a_review_that_is_given_up_asks_nobody(given: Given, store: Store) -> None:
    claimed, review = await given.asked()

    await store.write(replace(given.record(claimed), gives_up=(review.place,)))

    known = await store.review(review.id)
    assert known is not None
    assert known.state is ReviewState.SUPERSEDED
    [waited, _] = await store.journal(claimed.run.id)
    assert isinstance(waited.outcome, Raised)


async def test_a_pending_entry_is_closed_once(given: Given, store: Store) -> None:
    """The first outcome stands; whoever comes later is told it."""
    claimed = await listens(given)
    unit = closing(given, claimed, listening())

    first, again = await store.write(unit), await store.write(unit)
    other = await store.write(closing(given, claimed, listening(), Returned(b"3")))
    await store.write(sending(given, claimed.run.id))

    assert first == again == other == Closed(LATE)
    [closed] = await store.journal(claimed.run.id)
    assert (closed.outcome, closed.tries, closed.elapsed) == (LATE, 2, 0.5)


async def test_an_answer_that_came_first_stands(given: Given, store: Store) -> None:
    """An attempt that finds a signal overdue learns that it came after all."""
    claimed = await listens(given)
    await store.write(sending(given, claimed.run.id, 5))

    answer = await store.write(closing(given, claimed, listening()))

    assert answer == Closed(Returned(b"5"))
    assert await heard(store, claimed.run.id) == [5]


async def test_a_stale_attempt_closes_nothing(given: Given, store: Store) -> None:
    """Another attempt has the run; its own unit, sent again, is known."""
    claimed = await listens(given)
    unit = closing(given, claimed, listening())

    answers = [await store.write(replace(unit, fence=7))]
    answers.append(await store.write(replace(unit, run=given.run().id)))
    assert await heard(store, claimed.run.id) == [None]
    await store.write(unit)
    await store.write(given.settle(claimed, RunState.SUCCEEDED))

    assert answers == [Stale(), Stale()]
    assert await store.write(unit) == Closed(LATE)
    assert await store.write(closing(given, claimed, listening())) == Stale()


async def in_doubt(given: Given, name: str = "mail") -> tuple[Claimed, Entry]:
    """Return a parked run whose journal holds an intent without an outcome."""
    claimed = await given.claimed()
    intent = replace(entry(name, Pending()), kind=EntryKind.EFFECT)
    await given.store.write(given.record(claimed, entry(), intent))
    await given.store.write(given.settle(claimed, RunState.PARKED, note="in doubt"))
    return claimed, intent


@pytest.mark.parametrize("outcome", [Returned(b"7"), None])
async def test_a_doubt_is_resolved(given: Given, store: Store, outcome: Returned | None) -> None:
    """The outcome takes the intent's place, or the intent goes; the run is queued again."""
    claimed, intent = await in_doubt(given)
    unit = Resolve(id=given.unit_id(), run=claimed.run.id, place=intent.place, outcome=outcome)

    answers = list(await asyncio.gather(store.write(unit), store.write(unit)))
    answers.append(await store.write(unit))

    assert answers == [Done()] * 3
    run = await given.known(claimed.run.id)
    assert (run.state, run.note) == (RunState.QUEUED, "")
    left = [one.outcome for one in await store.journal(run.id)]
    assert left == [Returned(b"1"), *([] if outcome is None else [outcome])]


async def test_only_a_doubt_of_a_parked_run_is_resolved(given: Given, store: Store) -> None:
    """Not a step, not a signal, not what has an outcome, and nothing of a run that goes on."""
    claimed, intent = await in_doubt(given)
    running = await listens(given, listening(), replace(intent, place=Place("", "send", 0)))
    wrong = [
        (claimed.run.id, Place("", "read", 0)),
        (claimed.run.id, Place("", "mail", 1)),
        (running.run.id, Place("", "send", 0)),
        (given.run().id, intent.place),
    ]
    units = [
        Resolve(id=given.unit_id(), run=run, place=place, outcome=outcome)
        for run, place in wrong
        for outcome in (None, Returned(b"1"))
    ]

    answers = [await store.write(unit) for unit in units]

    assert answers == [Stale()] * len(units)
    assert await given.state(claimed.run.id) == RunState.PARKED
    assert len(await store.journal(claimed.run.id)) == 2
    assert len(await store.journal(running.run.id)) == 2


async def test_sending_and_settling_at_once_strand_nobody(given: Given, reopen: Open) -> None:
    """Whichever comes first, here or in another process, the run goes on with its signal."""
    other = await reopen()
    waiting = [await listens(given) for _ in range(MANY)]
    units: list[tuple[Store, Unit]] = []
    for place, claimed in enumerate(waiting):
        pair = [
            (given.store, given.settle(claimed, RunState.WAITING)),
            ((given.store, other)[place % 2], sending(given, claimed.run.id, place)),
        ]
        units += pair if place % 3 else reversed(pair)

    answers = await asyncio.gather(*(store.write(unit) for store, unit in units))

    runs = [claimed.run.id for claimed in waiting]
    assert set(answers) == {Done()}
    assert await given.states(runs) == [RunState.QUEUED] * MANY
    assert [await heard(other, run) for run in runs] == [[place] for place in range(MANY)]


async def test_sending_and_waiting_at_once_lose_no_signal(given: Given, reopen: Open) -> None:
    """Twenty senders in two processes and twenty waits of one run: each wait has its own."""
    other = await reopen()
    claimed = await given.claimed()
    run = claimed.run.id
    waits: list[Record] = [given.record(claimed, listening(n)) for n in range(20)]
    sends = [sending(given, run, value) for value in range(20)]

    await asyncio.gather(
        *(given.store.write(unit) for unit in waits),
        *((given.store, other)[n % 2].write(unit) for n, unit in enumerate(sends)),
        *(other.write(unit) for unit in sends[:5]),
    )

    taken = await heard(given.store, run)
    assert sorted(taken, key=str) == sorted(range(20), key=str)


async def test_a_deadline_and_a_signal_at_once_agree(given: Given, reopen: Open) -> None:
    """What the attempt is told is what the journal keeps; a signal that came late is kept."""
    other = await reopen()
    waiting = [await listens(given) for _ in range(MANY)]
    answers = await asyncio.gather(
        *(given.store.write(closing(given, claimed, listening())) for claimed in waiting),
        *(other.write(sending(given, claimed.run.id, 5)) for claimed in waiting),
    )

    for claimed, told in zip(waiting, answers[:MANY], strict=True):
        [waited] = await given.store.journal(claimed.run.id)
        assert told == Closed(waited.outcome)
        await given.store.write(given.record(claimed, listening(1)))
        taken = await heard(given.store, claimed.run.id)
        assert taken == ([5, None] if waited.outcome != LATE else [None, 5])
