"""Payloads go after a time, keys stay for longer, and what is left can still be read."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import Deeds
from doubles.given import START, entry, want
from doubles.models import calls_of, usage_by_run
from doubles.stores import SQLITE
from proveout.adapters.postgres.wire import Server, part
from proveout.domain.delivery import Delivery
from proveout.domain.journal import Pending, Raised, Returned
from proveout.domain.model_answer import ModelAnswer, Recording
from proveout.domain.model_call import usage_of
from proveout.domain.review import Answer
from proveout.domain.run import REPLAY, Failure, RunState, input_digest
from proveout.domain.unit import Charge, Done, Enqueued, Erase, KeyTaken, Receive, Received
from proveout.ports.housekeeping import Aged

if TYPE_CHECKING:
    from doubles.given import Given
    from proveout.domain.run import Run
    from proveout.ports.store import Store

PARCEL = "the-parcel-of-mrs-smith"
INPUT = f'{{"mail": "{PARCEL}"}}'.encode()
NINETY = timedelta(days=90)
KEYS = timedelta(days=400)


def aged(age: timedelta = NINETY, **changes: Any) -> Aged:
    """Return what triage, and what its source shop, have not needed for that time."""
    usual: dict[str, Any] = {"workflow": "triage", "sources": ("shop",), "age": age}
    return Aged(**{**usual, **changes})


def delivery(event: str = "evt-1") -> Delivery:
    return Delivery(
        source="shop",
        event=event,
        type="mail",
        received=START,
        headers=(("x-from", PARCEL),),
        body=INPUT,
        is_test=False,
    )


async def full_run(given: Given, state: RunState = RunState.DEAD, **changes: Any) -> Run:
    """Return a run that has ended, with its payload in every place that can hold one."""
    run = given.run(**{"key": "shop:evt-1", "value": INPUT, **changes})
    arrived = await given.store.write(Receive(id=given.unit_id(), delivery=delivery(), run=run))
    assert arrived == Received(run.id, created=True)
    [claimed] = await given.store.claim(want())
    failure = Failure(type="ValueError", message=PARCEL, traceback=PARCEL, step="read")
    asked = given.question(claimed, content=INPUT, digest=input_digest(INPUT))
    assert asked.review is not None
    await given.store.write(
        replace(
            asked,
            entries=(
                *_entries(failure),
                *(replace(one, arguments=PARCEL) for one in asked.entries),
            ),
        )
    )
    answer = Answer(approved=False, content=INPUT, by="ada", reason=PARCEL)
    await given.store.write(given.decide(asked.review, answer=answer))
    ended: dict[str, Any] = {"failure": failure, "note": PARCEL}
    if state is RunState.SUCCEEDED:
        ended = {"result": INPUT}
    await given.store.write(charge(given, run))
    assert await given.store.write(given.settle(claimed, state, **ended)) == Done()
    return await given.known(run.id)


def charge(given: Given, run: Run) -> Charge:
    """Return the account of a model that answered a run with its payload."""
    call = given.model_call(run.id)
    answer = ModelAnswer(status=200, headers=(("x-request-id", PARCEL),), body=INPUT)
    recording = Recording(call=call.id, run=run.id, digest="d", answer=answer)
    return replace(given.charge(call), recordings=(recording,))


def _entries(failure: Failure) -> list[Any]:
    kept = replace(entry("fetch", Returned(INPUT)), arguments=PARCEL)
    failed = replace(entry("read", Raised(failure)), arguments=PARCEL)
    asleep = replace(entry("rest", Pending()), arguments=PARCEL)
    return [kept, failed, asleep]


async def everything(url: str) -> str:
    """Return all that any column of any table of a store holds, as one text."""
    if url.startswith(SQLITE):
        connection = sqlite3.connect(url.removeprefix(SQLITE))
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows: list[Any] = [
            row
            for (name,) in names
            for row in connection.execute(f"SELECT * FROM {name}")  # noqa: S608
        ]
        connection.close()
    else:
        link = await Server.at(url).connect("test")
        tables = await link.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'proveout'"
        )
        rows = [
            tuple(row)  # pyright: ignore[reportArgumentType] - a row iterates its values
            for table in tables
            for row in await link.fetch(f"SELECT * FROM proveout.{table['table_name']}")  # noqa: S608
        ]
        await part(link)
    cells = (cell for row in rows for cell in row)
    return "\n".join(
        cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell) for cell in cells
    )


@pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.DEAD])
async def test_no_column_of_any_table_holds_a_pruned_payload(
    given: Given, store: Store, manual_url: str, state: RunState
) -> None:
    """Input, result, errors, journal, reviews and deliveries are searched, before and after."""
    await full_run(given, state)
    assert PARCEL in await everything(manual_url)
    given.clock.advance(NINETY)

    pruned = await store.prune(aged())

    assert pruned == 1
    assert PARCEL not in await everything(manual_url)


async def test_an_answer_that_comes_late_is_not_kept_of_a_pruned_run(
    given: Given, store: Store, manual_url: str
) -> None:
    """The call stands in the account, without what was answered to it."""
    run = await full_run(given)
    given.clock.advance(NINETY)
    await store.prune(aged())

    assert await store.write(charge(given, run)) == Done()

    assert len(await calls_of(store, run.id)) == 2
    assert PARCEL not in await everything(manual_url)


async def test_a_pruned_run_can_still_be_read(given: Given, store: Store) -> None:
    """It tells when, where and how it ended, and what it did, without what that was about."""
    before = await full_run(given)
    journal = await store.journal(before.id)
    given.clock.advance(NINETY)

    await store.prune(aged())

    after = await given.known(before.id)
    assert after == replace(
        before,
        value=b"",
        note="",
        failure=Failure(type="ValueError", message="", step="read"),
        pruned=given.clock.now(),
        input=input_digest(INPUT),
    )
    assert [
        (one.place, one.kind, one.digest, one.tries) for one in await store.journal(before.id)
    ] == [(one.place, one.kind, one.digest, one.tries) for one in journal]
    assert {one.arguments for one in await store.journal(before.id)} == {""}
    outcomes = [one.outcome for one in await store.journal(before.id)]
    assert outcomes == [
        Returned(b""),
        Raised(Failure(type="ValueError", message="", step="read")),
        Pending(),
        Returned(b""),
    ]
    [review] = await store.reviews()
    assert review.content == b""
    assert review.answer == Answer(approved=False, content=b"", by="ada")
    kept = await store.delivery("shop", "evt-1")
    assert kept is not None
    assert (kept.body, kept.headers, kept.type) == (b"", (), "mail")


async def test_a_key_is_known_after_its_payload_is_gone(given: Given, store: Store) -> None:
    """The same key with the same input is the same run, and with another it is refused."""
    run = await full_run(given)
    given.clock.advance(NINETY)
    await store.prune(aged())

    same = await given.enqueue(given.run(key=run.key, value=INPUT))
    other = await given.enqueue(given.run(key=run.key, value=b"{}"))
    again = await store.write(
        Receive(id=given.unit_id(), delivery=delivery(), run=given.run(key=run.key, value=INPUT))
    )

    assert isinstance(same, Enqueued)
    assert (same.run.id, same.created) == (run.id, False)
    assert isinstance(other, KeyTaken)
    assert again == Received(run.id, created=False)


async def test_only_what_is_old_and_has_ended_is_pruned(given: Given, store: Store) -> None:
    """What ended later, goes on, is a trial or another workflow's keeps its payloads."""
    going = await given.queued()
    other = await given.claimed(workflow="triage")
    trial = given.trial(0)
    await given.enqueue(trial)
    given.clock.advance(NINETY)
    await store.write(given.settle(other, RunState.SUCCEEDED, result=b"1"))

    early = await store.prune(aged())
    given.clock.advance(NINETY)
    foreign = await store.prune(aged(workflow="refunds"))
    late = await store.prune(aged())

    assert (early, foreign, late) == (0, 0, 1)
    for run in (going, trial):
        assert (await given.known(run.id)).pruned is None
    assert (await given.known(other.run.id)).pruned == given.clock.now()


async def test_a_trial_that_ended_stays(given: Given, store: Store) -> None:
    """Its verdict may be judged again, however long ago it fell."""
    trial = given.trial(0)
    await given.enqueue(trial)
    [claimed] = await store.claim(want(experiment=trial.trial and trial.trial.experiment))
    await store.write(given.settle(claimed, RunState.SUCCEEDED, result=b"1"))
    given.clock.advance(KEYS)

    assert await store.prune(aged()) == 0
    assert await store.forget(aged()) == 0
    assert (await given.known(trial.id)).result == b"1"


async def test_no_commit_takes_more_than_its_limit(given: Given, store: Store) -> None:
    """The oldest go first, batch by batch, until nothing is left to do."""
    for _ in range(5):
        await given.in_state(RunState.CANCELLED)
    given.clock.advance(NINETY)

    counts = [await store.prune(aged(limit=2)) for _ in range(4)]

    assert counts == [2, 2, 1, 0]


async def test_a_delivery_that_asked_for_no_run_goes_by_its_own_age(
    given: Given, store: Store, manual_url: str
) -> None:
    """It belongs to the source that the settings name; another project's stays."""
    await store.write(Receive(id=given.unit_id(), delivery=delivery(), run=None))
    given.clock.advance(NINETY)

    foreign = await store.prune(aged(sources=("post",)))
    pruned = await store.prune(aged())
    again = await store.write(Receive(id=given.unit_id(), delivery=delivery(), run=None))

    assert (foreign, pruned) == (0, 1)
    assert again == Received(None, created=False)
    assert PARCEL not in await everything(manual_url)


async def test_rows_go_once_their_keys_are_old_enough(given: Given, store: Store) -> None:
    """Nothing is left of them, and the key and the event id are free again."""
    run = await full_run(given)
    other = await given.queued(workflow="refunds")
    calls = [given.model_call(run.id), given.model_call(other.id)]
    await store.write(given.charge(*calls))
    await store.write(Receive(id=given.unit_id(), delivery=delivery("evt-2"), run=None))
    given.clock.advance(KEYS)
    unpruned = await store.forget(aged(KEYS))
    await store.prune(aged())
    assert (await calls_of(store, run.id))[1:] == calls[:1]  # the first is that of the full run

    forgotten = await store.forget(aged(KEYS))

    assert (unpruned, forgotten) == (0, 2)
    assert await store.run(run.id) is None
    assert await store.journal(run.id) == []
    assert await store.reviews() == []
    assert await usage_by_run(store, [run.id, other.id]) == {other.id: usage_of(calls[1:])}
    assert await store.deliveries() == []
    anew = await given.enqueue(given.run(key=run.key, value=b"{}"))
    assert isinstance(anew, Enqueued)
    assert anew.created


async def test_erasing_is_one_commit_with_its_entry(
    given: Given, store: Store, manual_url: str
) -> None:
    """One run, now, whatever its age; its neighbours keep theirs."""
    run = await full_run(given)
    other = await given.in_state(RunState.SUCCEEDED)

    await Deeds(given).do(Erase(run=run.id))

    assert PARCEL not in await everything(manual_url)
    assert (await given.known(run.id)).input == input_digest(INPUT)
    assert (await given.known(other.run.id)).pruned is None
    assert await store.prune(aged()) == 0


async def test_a_run_that_goes_on_is_not_erased(given: Given) -> None:
    """Its worker still needs what it works on."""
    going = await given.claimed()

    await Deeds(given).do(Erase(run=going.run.id))

    assert (await given.known(going.run.id)).value == going.run.value


async def test_a_pinned_run_goes_to_its_release_alone(given: Given, store: Store) -> None:
    """Whatever the pointer says, a replay on a release is claimed by its workers and no other."""
    pinned = await given.queued(release="r2-digest", key=f"{REPLAY}one:1")

    draft = await store.claim(want())
    claimed = await store.claim(want(release="r2-digest"))

    assert draft == []
    assert [one.run.id for one in claimed] == [pinned.id]
    assert claimed[0].run.release == "r2-digest"
