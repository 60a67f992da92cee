"""Runs enter once, under their keys."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.run import RunState
from proveout.domain.unit import Enqueue, Enqueued, KeyTaken

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.stores import Open
    from proveout.ports.store import Store


async def test_an_acknowledged_run_is_there(given: Given, store: Store) -> None:
    """What was acknowledged can be read back, as it was handed in."""
    run = given.run(key="mail-1", value='{"text": "Grüße 🙂"}'.encode())

    answer = await given.enqueue(run)

    assert answer == Enqueued(run, created=True)
    known = await given.known(run.id)
    assert (known.workflow, known.value, known.key) == (run.workflow, run.value, run.key)
    assert (known.created, known.due) == (run.created, run.created)
    assert (known.state, known.fence, known.trial) == (RunState.QUEUED, 0, None)
    assert await store.run_by_key("triage", "mail-1") == known


async def test_an_unknown_run_is_none(store: Store, given: Given) -> None:
    """What was never enqueued is not found, by id or by key."""
    assert await store.run(given.run().id) is None
    assert await store.run_by_key("triage", "never") is None


async def test_runs_are_found_by_their_keys_together(store: Store, given: Given) -> None:
    """Those of the workflow alone; a key that nobody used is left out."""
    first, second = [await given.queued(key=key) for key in ("mail-1", "mail-2")]
    await given.queued(key="mail-3", workflow="other")

    found = await store.runs_by_keys("triage", ["mail-2", "mail-1", "mail-3", "never"])

    assert {key: run.id for key, run in found.items()} == {
        "mail-1": first.id,
        "mail-2": second.id,
    }
    assert await store.runs_by_keys("triage", []) == {}


async def test_the_same_key_and_input_is_the_same_run(given: Given) -> None:
    """Asking twice under one key makes one run."""
    first = await given.queued(key="mail-1")

    again = await given.enqueue(given.run(key="mail-1"))

    assert isinstance(again, Enqueued)
    assert (again.run.id, again.created) == (first.id, False)


async def test_a_key_with_other_input_is_refused(given: Given, store: Store) -> None:
    """A key stands for one input; another one is told whose it is, and nothing is written."""
    first = await given.queued(key="mail-1")
    other = given.run(key="mail-1", value=b'"other"')

    refused = await given.enqueue(other)

    assert isinstance(refused, KeyTaken)
    assert refused.run.id == first.id
    assert await store.run(other.id) is None


async def test_a_key_belongs_to_its_workflow(given: Given) -> None:
    """Two workflows may use the same key."""
    await given.queued(key="mail-1")

    other = await given.enqueue(given.run(key="mail-1", workflow="refunds"))

    assert isinstance(other, Enqueued)
    assert other.created


async def test_twenty_concurrent_duplicates_make_one_run(given: Given, reopen: Open) -> None:
    """However many ask at once, through however many stores, one run comes of it."""
    stores = [given.store, await reopen()]
    runs = [given.run(key="mail-1") for _ in range(20)]

    answers = await asyncio.gather(
        *(stores[n % 2].write(Enqueue(id=given.unit_id(), run=run)) for n, run in enumerate(runs))
    )

    enqueued = [answer for answer in answers if isinstance(answer, Enqueued)]
    assert len(enqueued) == 20
    assert len({answer.run.id for answer in enqueued}) == 1
    assert [answer.created for answer in enqueued].count(True) == 1


async def test_concurrent_inputs_under_one_key_have_one_winner(given: Given) -> None:
    """Of several inputs that come at once under one key, one is kept and the rest are refused."""
    runs = [given.run(key="mail-1", value=f"{n}".encode()) for n in range(10)]

    answers = await asyncio.gather(*map(given.enqueue, runs))

    taken = [answer for answer in answers if isinstance(answer, KeyTaken)]
    assert len(taken) == 9


async def test_a_place_of_an_experiment_is_one_trial(given: Given) -> None:
    """The same place of the same candidate is never enqueued twice."""
    first = given.trial(3)
    await given.enqueue(first)

    again = await given.enqueue(given.trial(3))

    assert isinstance(again, Enqueued)
    assert (again.run.id, again.created) == (first.id, False)
    known = await given.known(first.id)
    assert known.trial == first.trial


async def test_many_at_once_are_each_answered(given: Given, store: Store) -> None:
    """Five hundred runs handed in together are five hundred runs."""
    runs = [given.run(key=f"mail-{n % 400}") for n in range(500)]

    answers = await asyncio.gather(*map(given.enqueue, runs))

    created = [a for a in answers if isinstance(a, Enqueued) and a.created]
    assert len(created) == 400
    assert await store.count() == {RunState.QUEUED: 400}


async def test_a_delayed_run_keeps_its_moment(given: Given) -> None:
    """A run that is to start later says when."""
    later = given.clock.now() + timedelta(hours=1, microseconds=1)

    run = await given.queued(due=later)

    assert (await given.known(run.id)).due == later


async def test_a_run_enqueued_again_under_its_id_is_the_same(given: Given) -> None:
    """A resent run is answered as it was the first time, even after it moved on."""
    run = given.run()
    unit = Enqueue(id=given.unit_id(), run=run)
    first = await given.store.write(unit)
    await given.in_state(RunState.SUCCEEDED)

    again = await given.store.write(replace(unit))

    assert isinstance(first, Enqueued)
    assert isinstance(again, Enqueued)
    assert (again.run.id, again.created) == (run.id, True)
