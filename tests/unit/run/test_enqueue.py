"""Letting a new run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proveout.domain.run import RunState
from proveout.run.enqueue import KeyConflict, Request, enqueue

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from proveout.ports.store import Store


async def test_an_acknowledged_run_is_in_the_store(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """Queued, due now, under an id of its own."""
    answer = await enqueue(store, clock, ids, Request(workflow="triage", value=b'"x"'))
    run = await store.run(answer.run.id)

    assert answer.created
    assert run is not None
    assert (run.state, run.value, run.due) == (RunState.QUEUED, b'"x"', clock.now())


async def test_the_same_key_gives_the_same_run(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """Who asks twice has asked once, and is told so."""
    request = Request(workflow="triage", value=b'"x"', key="order 7")
    first = await enqueue(store, clock, ids, request)
    second = await enqueue(store, clock, ids, request)

    assert (first.created, second.created) == (True, False)
    assert first.run.id == second.run.id
    assert await store.count() == {RunState.QUEUED: 1}


async def test_a_key_stands_for_one_input(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """The conflict names the run that has the key, and writes nothing."""
    first = await enqueue(store, clock, ids, Request(workflow="triage", value=b"1", key="7"))

    with pytest.raises(KeyConflict, match=f"belongs to run {first.run.id} with another input"):
        await enqueue(store, clock, ids, Request(workflow="triage", value=b"2", key="7"))
    other = await enqueue(store, clock, ids, Request(workflow="route", value=b"2", key="7"))

    assert other.created
    assert await store.count() == {RunState.QUEUED: 2}
