"""Deliveries: a webhook and the run that it asks for, durable together and once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import Deeds, halted
from doubles.given import Given, want
from proveout.domain.delivery import Delivery
from proveout.domain.record import Kind
from proveout.domain.run import RunState
from proveout.domain.unit import Cancel, Done, Enqueue, Keep, Put, Receive, Received, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from doubles.stores import Open
    from proveout.domain.run import Run
    from proveout.ports.store import Store


def arrived(given: Given, event: str = "evt_1", **changes: Any) -> Delivery:
    """Return a delivery of the shop's."""
    usual: dict[str, Any] = {
        "source": "shop",
        "event": event,
        "type": "mail.received",
        "received": given.clock.now(),
        "headers": (("content-type", "application/json"), ("x-twice", "1"), ("x-twice", "2")),
        "body": b'{"mail": "late parcel"}',
    }
    return Delivery(**{**usual, **changes})


def receive(given: Given, event: str = "evt_1", **changes: Any) -> Receive:
    """Return the unit by which a delivery arrives, asking for a run."""
    run = given.run(key=f"shop:{event}")
    return Receive(id=given.unit_id(), delivery=arrived(given, event, **changes), run=run)


def run_of(unit: Receive) -> Run:
    assert unit.run is not None
    return unit.run


async def test_a_delivery_is_kept_with_the_run_it_asks_for(given: Given, reopen: Open) -> None:
    """Byte for byte, its headers in order and repeated; the run can be claimed at once."""
    unit = receive(given, body=bytes(range(256)), is_test=True)

    answer = await given.store.write(unit)

    store = await reopen()
    assert answer == Received(run_of(unit).id, created=True)
    assert await store.delivery("shop", "evt_1") == unit.delivery
    assert await store.delivery("shop", "evt_2") is None
    assert await store.delivery("bank", "evt_1") is None
    [claimed] = await store.claim(want())
    assert (claimed.run.id, claimed.run.key) == (run_of(unit).id, "shop:evt_1")


async def test_what_arrives_again_changes_nothing(given: Given, store: Store) -> None:
    """The second is answered with the first one's run, whatever it says."""
    first = receive(given)
    await store.write(first)

    again = await store.write(receive(given, body=b"{}", type="other"))

    assert again == Received(run_of(first).id, created=False)
    assert await store.delivery("shop", "evt_1") == first.delivery
    assert await store.count() == {RunState.QUEUED: 1}


async def test_other_events_and_sources_are_others(given: Given, store: Store) -> None:
    """Negative control: only source and event together make a delivery the same."""
    units = [receive(given, "evt_1"), receive(given, "evt_2"), receive(given, "x", source="bank")]
    units[2] = replace(units[2], delivery=replace(units[2].delivery, event="evt_1"))

    answers = [await store.write(unit) for unit in units]

    assert answers == [Received(run_of(unit).id, created=True) for unit in units]
    assert await store.count() == {RunState.QUEUED: 3}
    assert [one.source for one in await store.deliveries()] == ["bank", "shop", "shop"]
    assert [one.event for one in await store.deliveries("shop", limit=1)] == ["evt_2"]


async def test_a_unit_sent_again_is_answered_as_before(given: Given, reopen: Open) -> None:
    """After an unknown commit, also when the run has ended, and twice in one group."""
    store, other = given.store, await reopen()
    unit = receive(given)

    first, beside = await asyncio.gather(store.write(unit), store.write(unit))
    [claimed] = await store.claim(want())
    await store.write(given.settle(claimed, RunState.SUCCEEDED))
    again = await other.write(unit)

    assert first == beside == again == Received(run_of(unit).id, created=True)
    assert await store.count() == {RunState.SUCCEEDED: 1}


async def test_ten_at_once_make_one_run(given: Given, store: Store) -> None:
    """Duplicates that arrive within one group: one is new, nine are told of its run."""
    units = [receive(given) for _ in range(10)]

    answers = await asyncio.gather(*map(store.write, units))

    assert await _is_one(store, answers)


async def test_ten_in_several_stores_make_one_run(
    given: Given, reopen: Open, clock: WatchedClock, ids: CountedIds
) -> None:
    """The same with a store for each, twenty events in a row."""
    stores = [given.store, *[await reopen() for _ in range(4)]]
    desks = [Given(store, clock, ids) for store in stores] * 2

    for n in range(20):
        answers = await asyncio.gather(
            *(desk.store.write(receive(desk, f"evt_{n}")) for desk in desks)
        )
        assert [getattr(one, "created", None) for one in answers].count(True) == 1
        assert len({getattr(one, "run", None) for one in answers}) == 1

    assert await given.store.count() == {RunState.QUEUED: 20}
    assert len(await given.store.deliveries()) == 20


async def _is_one(store: Store, answers: list[Any]) -> bool:
    created = [answer for answer in answers if answer.created]
    runs = {answer.run for answer in answers}
    counted = await store.count()
    [claimed] = await store.claim(want())
    return len(created) == 1 and runs == {claimed.run.id} and counted == {RunState.QUEUED: 1}


async def test_a_delivery_may_ask_for_nothing(given: Given, store: Store) -> None:
    """It is kept all the same, and no run follows, then or later."""
    unit = Receive(id=given.unit_id(), delivery=arrived(given), run=None)

    answers = [await store.write(unit), await store.write(unit), await store.write(receive(given))]

    assert answers == [
        Received(None, created=True),
        Received(None, created=True),
        Received(None, created=False),
    ]
    assert await store.count() == {}
    assert await store.delivery("shop", "evt_1") == unit.delivery


@pytest.mark.parametrize("value", [b'{"mail": "late parcel"}', b'{"mail": "another"}'])
async def test_a_delivery_names_the_run_that_has_its_key(
    given: Given, store: Store, value: bytes
) -> None:
    """Where somebody enqueued under that key before, no delivery names a run that is not there."""
    known = await given.queued(key="shop:evt_1", value=value)
    unit = receive(given)

    answers = [await store.write(unit), await store.write(unit), await store.write(receive(given))]

    assert answers == [
        Received(known.id, created=True),
        Received(known.id, created=True),
        Received(known.id, created=False),
    ]
    assert await store.count() == {RunState.QUEUED: 1}


async def test_deliveries_are_written_beside_everything_else(given: Given, store: Store) -> None:
    """In a group with units of every kind each is applied and answered as if it came alone."""
    recorded, settled, cancelled = [await given.claimed() for _ in range(3)]
    review = await given.waiting()
    kept = Put(id=given.unit_id(), keeps=(Keep(kind=Kind.USER, name="ana", body=b"{}"),))
    units: list[Unit] = [
        *(receive(given, f"evt_{n}") for n in range(20)),
        given.record(recorded),
        given.settle(settled, RunState.SUCCEEDED),
        Cancel(id=given.unit_id(), run=cancelled.run.id),
        given.decide(review),
        Deeds(given).unit(None, halted("effect:send")),
        kept,
    ]

    answers: list[Any] = await asyncio.gather(*map(store.write, units))

    assert [type(answer).__name__ for answer in answers] == [
        *["Received"] * 20,
        *("Done", "Done", "Done", "Decided", "Done", "Done"),
    ]
    assert len(await store.journal(recorded.run.id)) == 1
    states = await given.states([settled.run.id, cancelled.run.id, review.run])
    assert states == [RunState.SUCCEEDED, RunState.CANCELLED, RunState.QUEUED]
    assert await store.record(Kind.USER, "ana") == b"{}"
    assert len(await store.deliveries()) == 20


HOSTILE: dict[str, Callable[[Given], Receive]] = {
    "NUL in the event": lambda given: receive(given, "evt\0"),
    "half a character in the event": lambda given: receive(given, "\ud800"),
    "NUL in the type": lambda given: receive(given, type="\0"),
    "half a character in the source": lambda given: receive(given, source="\udfff"),
    "NUL in the run's key": lambda given: Receive(
        id=given.unit_id(), delivery=arrived(given), run=given.run(key="\0")
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_delivery_is_refused_alone(given: Given, store: Store, kind: str) -> None:
    """Neither it nor its run is kept; twenty neighbours in its group are."""
    units: list[Unit] = [receive(given, f"evt_{n}") for n in range(100, 110)]
    units += [Enqueue(id=given.unit_id(), run=given.run()) for _ in range(10)]
    units.insert(5, HOSTILE[kind](given))

    answers: list[Any] = await asyncio.gather(*map(store.write, units), return_exceptions=True)

    refused = answers.pop(5)
    assert getattr(refused, "code", refused) == "unstorable"
    assert all(answer.created for answer in answers)
    assert await store.count() == {RunState.QUEUED: 20}
    assert len(await store.deliveries()) == 10


async def test_headers_are_kept_whatever_is_in_them(given: Given, store: Store) -> None:
    """Bytes that are no text, NUL and half characters come back as they were."""
    headers = (("x-nul", "a\0b"), ("x-half", "\ud800"), ("x-latin", "na\xefve"), ("", ""))
    unit = receive(given, headers=headers)

    answer = await store.write(unit)

    assert answer == Received(run_of(unit).id, created=True)
    known = await store.delivery("shop", "evt_1")
    assert known is not None
    assert known.headers == headers


async def test_a_received_run_is_done_like_any_other(given: Given, store: Store) -> None:
    """From the door to the end of its run, and the sender's repeat finds it."""
    unit = receive(given)
    await store.write(unit)
    [claimed] = await store.claim(want())

    settled = await store.write(given.settle(claimed, RunState.SUCCEEDED, result=b"1"))
    again = await store.write(receive(given))

    assert (settled, again) == (Done(), Received(claimed.run.id, created=False))
    assert await given.state(claimed.run.id) == RunState.SUCCEEDED
