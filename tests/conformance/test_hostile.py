"""Values that no store can keep are refused alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doubles.given import entry
from doubles.models import calls_of
from proveout.domain.journal import Place, Returned
from proveout.domain.model_call import Tokens
from proveout.domain.money import Usd
from proveout.domain.run import RunState
from proveout.domain.unit import Answered, Done, Enqueue, Enqueued, Record, Unit
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable

    from doubles.given import Given
    from proveout.ports.store import Claimed, Store


def charge(given: Given, claimed: Claimed, **changes: Any) -> Unit:
    """Return calls of a claimed run, the second of them changed."""
    calls = (given.model_call(claimed.run.id), given.model_call(claimed.run.id, **changes))
    return given.charge(*calls)


HOSTILE: dict[str, Callable[[Given, Claimed], Unit]] = {
    "NUL in a key": lambda given, _: Enqueue(id=given.unit_id(), run=given.run(key="a\0b")),
    "NUL in a workflow": lambda given, _: Enqueue(id=given.unit_id(), run=given.run(workflow="\0")),
    "half a character in a key": lambda given, _: Enqueue(
        id=given.unit_id(), run=given.run(key="\ud800")
    ),
    "NUL in a step's name": lambda given, claimed: given.record(claimed, entry("a\0")),
    "half a character in a step's name": lambda given, claimed: given.record(
        claimed, entry("\udfff")
    ),
    "NUL in a step's arguments": lambda given, claimed: given.record(
        claimed, replace(entry(), arguments="\0")
    ),
    "a number too large": lambda given, claimed: given.record(claimed, entry(occurrence=2**63)),
    "text where a payload belongs": lambda given, claimed: given.settle(
        claimed, RunState.SUCCEEDED, result=object()
    ),
    "NUL in a note": lambda given, claimed: given.settle(claimed, RunState.PARKED, note="\0"),
    "half a character in a note": lambda given, claimed: given.settle(
        claimed, RunState.PARKED, note="\ud83d"
    ),
    "NUL in a queue": lambda given, claimed: given.question(claimed, queue="\0"),
    "half a character in a queue": lambda given, claimed: given.question(claimed, queue="\udc00"),
    "NUL in a model's name": lambda given, claimed: charge(given, claimed, answered="a\0"),
    "half a character in a model's name": lambda given, claimed: charge(
        given, claimed, asked="\ud800"
    ),
    "NUL in a call's id": lambda given, claimed: charge(given, claimed, id="\0"),
    "more tokens than any call takes": lambda given, claimed: charge(
        given, claimed, tokens=Tokens(read=2**31, cached=0, written=0)
    ),
    "fewer tokens than none": lambda given, claimed: charge(
        given, claimed, tokens=Tokens(read=0, cached=0, written=-1)
    ),
    "more money than any call costs": lambda given, claimed: charge(
        given, claimed, cost=Usd("1000000.01")
    ),
    "less money than none": lambda given, claimed: charge(given, claimed, cost=Usd("-0.01")),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_value_is_refused_alone(given: Given, store: Store, kind: str) -> None:
    """The culprit is told that it cannot be stored; fifty neighbours in its group commit."""
    claimed = [await given.claimed() for _ in range(26)]
    culprit = HOSTILE[kind](given, claimed[25])
    units: list[Unit] = [
        *(given.record(one) for one in claimed[:25]),
        culprit,
        *(Enqueue(id=given.unit_id(), run=given.run()) for _ in range(25)),
    ]

    answers = await asyncio.gather(*map(store.write, units), return_exceptions=True)

    refused = answers.pop(25)
    assert isinstance(refused, Mistake)
    assert refused.code == "unstorable"
    assert all(isinstance(answer, (Done, Enqueued)) for answer in answers)
    assert await given.known(claimed[25].run.id) == claimed[25].run
    assert await store.journal(claimed[25].run.id) == []
    assert await store.reviews() == []
    assert await calls_of(store, claimed[25].run.id) == []


async def test_many_hostile_values_leave_their_neighbours(given: Given, store: Store) -> None:
    """Each culprit is found, however many there are and wherever they stand."""
    runs = [given.run(key=f"\0{n}" if n % 7 == 3 else f"{n}") for n in range(60)]

    answers = await asyncio.gather(*map(given.enqueue, runs), return_exceptions=True)

    for n, answer in enumerate(answers):
        assert isinstance(answer, Mistake if n % 7 == 3 else Enqueued)
    assert await store.count() == {RunState.QUEUED: 60 - len(range(3, 60, 7))}


async def test_payloads_are_kept_as_bytes(given: Given, store: Store) -> None:
    """What is inside a payload is not looked at: any bytes come back as they were."""
    anything = bytes(range(256)) * 4096
    claimed = await given.claimed(value=anything)

    answers: list[Answered] = [
        await store.write(given.record(claimed, entry(outcome=Returned(anything)))),
        await store.write(given.settle(claimed, RunState.SUCCEEDED, result=anything)),
    ]

    assert answers == [Done(), Done()]
    assert claimed.run.value == anything
    assert (await given.known(claimed.run.id)).result == anything
    assert [one.outcome for one in await store.journal(claimed.run.id)] == [Returned(anything)]


async def test_a_long_text_is_kept(given: Given, store: Store) -> None:
    """Names and keys of a thousand characters, of any script, are kept."""
    claimed = await given.claimed(key="鍵🗝" * 300)
    unit = Record(
        id=given.unit_id(),
        run=claimed.run.id,
        fence=1,
        entries=(replace(entry(), place=Place("0.1", "Schritt" * 100, 2)),),
    )

    assert await store.write(unit) == Done()
    assert (await given.known(claimed.run.id)).key == "鍵🗝" * 300
    [known] = await store.journal(claimed.run.id)
    assert known.place == Place("0.1", "Schritt" * 100, 2)
