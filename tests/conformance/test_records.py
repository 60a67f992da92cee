"""Records: small nouns, kept by kind and name, and spent once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import Deeds
from doubles.given import Given
from proveout.domain.record import Kind
from proveout.domain.run import RunState
from proveout.domain.unit import Done, Keep, Put, Stale

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from doubles.stores import Open
    from proveout.ports.store import Store

LINK = Keep(kind=Kind.LINK, name="5f2c", body=None)


def user(name: str, body: bytes | None = b"{}") -> Keep:
    return Keep(kind=Kind.USER, name=name, body=body)


def put(given: Given, *keeps: Keep, spends: Keep | None = None) -> Put:
    return Put(id=given.unit_id(), keeps=keeps, spends=spends)


async def test_records_are_kept_by_kind_and_name(given: Given, reopen: Open) -> None:
    """The same name in another kind is another record; a list is sorted by name."""
    anything = bytes(range(256))
    key = Keep(kind=Kind.KEY, name="ana", body=b"[]")

    answer = await given.store.write(put(given, user("zoë"), user("ana", anything), key))

    store = await reopen()
    assert answer == Done()
    assert await store.record(Kind.USER, "ana") == anything
    assert await store.record(Kind.KEY, "ana") == b"[]"
    assert await store.record(Kind.SESSION, "ana") is None
    assert list((await store.records(Kind.USER)).items()) == [("ana", anything), ("zoë", b"{}")]


async def test_a_later_body_replaces_and_none_removes(given: Given, store: Store) -> None:
    """Removing what is not there changes nothing."""
    await store.write(put(given, user("ana", b"1"), user("bea", b"1")))

    answers = [
        await store.write(put(given, user("ana", b"2"))),
        await store.write(put(given, user("bea", None))),
        await store.write(put(given, user("nobody", None))),
    ]

    assert answers == [Done()] * 3
    assert await store.records(Kind.USER) == {"ana": b"2"}


async def test_the_keeps_of_one_unit_are_in_order(given: Given, store: Store) -> None:
    """Of two bodies for one name the last stands, within a unit and within a group."""
    await store.write(put(given, user("ana", b"1"), user("ana", b"2")))
    units = [put(given, user("bea", b"%d" % n)) for n in range(20)]

    await asyncio.gather(*map(store.write, units))

    assert await store.records(Kind.USER) == {"ana": b"2", "bea": b"19"}


async def test_a_record_is_spent_once(
    given: Given, reopen: Open, clock: WatchedClock, ids: CountedIds
) -> None:
    """Of twenty who spend the same link at once, in several stores, one is done."""
    stores = [given.store, await reopen(), await reopen()]
    await given.store.write(put(given, Keep(kind=Kind.LINK, name="5f2c", body=b"{}")))
    desks = [Given(stores[n % 3], clock, ids) for n in range(20)]

    answers = await asyncio.gather(
        *(
            desk.store.write(put(desk, user(f"user-{n}"), spends=LINK))
            for n, desk in enumerate(desks)
        )
    )

    winner = answers.index(Done())
    assert sorted(answers, key=repr) == [Done(), *[Stale()] * 19]
    assert await given.store.records(Kind.USER) == {f"user-{winner}": b"{}"}
    assert await given.store.records(Kind.LINK) == {}


async def test_who_spends_nothing_always_wins(given: Given, store: Store) -> None:
    """Negative control: without a link to spend, all twenty are written."""
    units = [put(given, user(f"user-{n}")) for n in range(20)]

    answers = await asyncio.gather(*map(store.write, units))

    assert answers == [Done()] * 20
    assert len(await store.records(Kind.USER)) == 20


async def test_a_record_that_was_never_there_cannot_be_spent(given: Given, store: Store) -> None:
    """Nor can one of the same name in another kind."""
    await store.write(put(given, Keep(kind=Kind.SESSION, name="5f2c", body=b"{}")))

    answer = await store.write(put(given, user("ana"), spends=LINK))

    assert answer == Stale()
    assert await store.records(Kind.USER) == {}
    assert await store.records(Kind.SESSION) == {"5f2c": b"{}"}


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
async def test_a_hostile_name_is_refused_alone(given: Given, store: Store, name: str) -> None:
    """Its unit writes nothing, its neighbours of every kind commit."""
    claimed = [await given.claimed() for _ in range(10)]
    units: list[Any] = [given.settle(one, RunState.SUCCEEDED) for one in claimed]
    units += [put(given, user(f"user-{n}")) for n in range(10)]
    units.insert(7, put(given, user("before"), user(name)))

    answers: list[Any] = await asyncio.gather(*map(store.write, units), return_exceptions=True)

    refused = answers.pop(7)
    assert getattr(refused, "code", refused) == "unstorable"
    assert answers == [Done()] * 20
    assert len(await store.records(Kind.USER)) == 10


async def test_a_decision_keeps_records_with_its_entry(given: Given, store: Store) -> None:
    """Evidence and its entry are one unit: both or neither."""
    deeds = Deeds(given)
    evidence = Keep(kind=Kind.EVIDENCE, name="drill-1", body=b"{}")
    late = deeds.unit(None, Keep(kind=Kind.EVIDENCE, name="late", body=b"{}"), late=True)

    await deeds.do(evidence)
    stale = await store.write(late)

    assert stale == Stale()
    assert await store.records(Kind.EVIDENCE) == {"drill-1": b"{}"}
