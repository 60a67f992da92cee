"""Moving the pointer: each move is one commit with its entry, and a rollback accounts for runs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.deeds import FIRST, SECOND, release
from doubles.given import START, want
from proveout.domain.ledger import Deed
from proveout.domain.release import Share, Stage, Treatment
from proveout.domain.run import RunState
from proveout.domain.unit import NewRelease
from proveout.release.decide import amend
from proveout.release.move import NoLongerCanary, Order, promote, roll_back, start_canary
from proveout.release.route import AlreadySo, CanaryPlan, NothingBefore, PointerMoved, history

if TYPE_CHECKING:
    from doubles.clock import ManualClock
    from doubles.given import Given
    from proveout.release.decide import Office

R1, R2 = release(FIRST), release(SECOND, number=2)
ORDER = Order(workflow="triage", actor="ana", reason="it answers in French")


@pytest.fixture
async def office(office: Office) -> Office:
    """Return what takes decisions where two releases are known and none serves."""
    deed = Deed(actor="ana", act="create release", subject="r1 and r2", facts={})
    new = (NewRelease(release=one, archive=b"", settings=b"") for one in (R1, R2))
    await amend(office, deed, tuple(new))
    return office


def plan(points: int = 5000) -> CanaryPlan:
    return CanaryPlan(share=Share(points=points), salt="salt", now=START)


async def test_a_promotion_says_on_what_it_rests(office: Office) -> None:
    """The evidence stands in the entry that moved the pointer."""
    await promote(office, R1, "ana", {"claims": {"worker-loss": "5f2c"}})

    pointer = await office.store.pointer("triage")
    assert (pointer.stage, pointer.stable) == (Stage.PRODUCTION, FIRST)
    entry = await office.store.head()
    assert entry is not None
    facts = json.loads(entry.facts)
    assert (entry.actor, entry.act, entry.subject) == ("ana", "promote", "r1")
    assert facts["claims"] == {"worker-loss": "5f2c"}
    assert (facts["before"]["stable"], facts["after"]["stable"]) == (None, FIRST)


async def test_a_rollback_tells_what_it_meant(
    office: Office, given: Given, clock: ManualClock
) -> None:
    """How many runs were in flight, since when, and what became of them."""
    await promote(office, R1, "ana", {})
    await promote(office, R2, "ana", {})
    await given.queued()
    await office.store.claim(want(release=SECOND))
    clock.advance(timedelta(seconds=30))

    done = await roll_back(office, ORDER)

    assert (done.bad, done.to, done.treatment) == (SECOND, FIRST, Treatment.FINISH)
    assert (done.in_flight.runs, done.in_flight.oldest) == (1, START)
    entry = await office.store.head()
    assert entry is not None
    facts = json.loads(entry.facts)
    assert entry.seq == done.entry
    assert (facts["in_flight"], facts["oldest"]) == (1, START.isoformat())
    assert (facts["treatment"], facts["reason"]) == ("finish", "it answers in French")


@pytest.mark.parametrize(
    ("treatment", "state"),
    [
        (Treatment.FINISH, RunState.RUNNING),
        (Treatment.PARK, RunState.PARKED),
        (Treatment.CANCEL, RunState.CANCELLED),
    ],
)
async def test_runs_in_flight_are_treated_as_it_was_ordered(
    office: Office, given: Given, treatment: Treatment, state: RunState
) -> None:
    """In the same commit that moves the pointer; runs of other releases are left alone."""
    await promote(office, R1, "ana", {})
    good = await given.queued()
    await office.store.claim(want(release=FIRST))
    await promote(office, R2, "ana", {})
    bad = await given.queued()
    await office.store.claim(want(release=SECOND))

    await roll_back(office, Order(workflow="triage", actor="ana", treatment=treatment))

    assert await given.states([good.id, bad.id]) == [RunState.RUNNING, state]


async def test_what_was_only_queued_goes_to_the_release_that_serves_now(
    office: Office, given: Given
) -> None:
    """A rollback covers everything that has not begun."""
    await promote(office, R1, "ana", {})
    await promote(office, R2, "ana", {})
    run = await given.queued()

    await roll_back(office, ORDER)

    assert await office.store.claim(want(release=SECOND)) == []
    [claimed] = await office.store.claim(want(release=FIRST))
    assert claimed.run.id == run.id


async def test_a_rollback_goes_back_one_release_at_a_time(office: Office) -> None:
    """Rolled back twice, it never leads to the release that was taken back."""
    await promote(office, R1, "ana", {})
    await promote(office, R2, "ana", {})

    first = await roll_back(office, ORDER)
    with pytest.raises(NothingBefore):
        await roll_back(office, ORDER)

    assert (first.bad, first.to) == (SECOND, FIRST)
    moves = history(await office.store.ledger(), "triage")
    assert [move.act for move in moves] == ["roll back", "promote", "promote"]


async def test_a_rollback_is_no_way_around_the_gate(office: Office) -> None:
    """A release that never served cannot be gone back to."""
    await promote(office, R1, "ana", {})

    with pytest.raises(NothingBefore):
        await roll_back(office, replace(ORDER, to=SECOND))

    assert (await office.store.pointer("triage")).stable == FIRST


async def test_what_was_decided_on_another_pointer_is_refused(office: Office) -> None:
    """Who looked before somebody else was faster looks again."""
    await promote(office, R1, "ana", {}, 0)

    with pytest.raises(PointerMoved):
        await promote(office, R2, "ana", {}, 0)
    await promote(office, R2, "ana", {}, 1)
    with pytest.raises(PointerMoved):
        await roll_back(office, replace(ORDER, leaves=FIRST))

    assert (await office.store.pointer("triage")).stable == SECOND


async def test_what_a_proof_of_concept_was_asked_stays_with_its_draft(
    office: Office, given: Given
) -> None:
    """Nobody expects effects of what was asked while effects were captured."""
    early = await given.queued()
    await promote(office, R1, "ana", {})
    late = await given.queued()

    [claimed] = await office.store.claim(want(release=FIRST))
    [draft] = await office.store.claim(want())

    assert (claimed.run.id, draft.run.id) == (late.id, early.id)


async def test_the_only_release_cannot_be_rolled_back(office: Office) -> None:
    """Nothing is written, and the pointer stays."""
    await promote(office, R1, "ana", {})

    with pytest.raises(NothingBefore):
        await roll_back(office, ORDER)

    assert (await office.store.pointer("triage")).stable == FIRST
    assert len(await office.store.whole_ledger()) == 2


async def test_an_order_for_a_canary_that_ended_changes_nothing(office: Office) -> None:
    """Who was faster decided; the watch does not take back what a person promoted."""
    await promote(office, R1, "ana", {})
    await start_canary(office, R2, plan(), "ana", {})
    await promote(office, R2, "ana", {})

    with pytest.raises(NoLongerCanary):
        await roll_back(office, Order(workflow="triage", actor="watch", only_if=SECOND))

    assert (await office.store.pointer("triage")).stable == SECOND


async def test_of_many_rollbacks_at_once_one_ends_the_canary(office: Office) -> None:
    """The others find it ended: nobody goes back further than was meant."""
    await promote(office, R1, "ana", {})
    await start_canary(office, R2, plan(), "ana", {})
    orders = [Order(workflow="triage", actor=f"watch {n}", only_if=SECOND) for n in range(5)]

    done = await asyncio.gather(
        *(roll_back(office, order) for order in orders), return_exceptions=True
    )

    assert sum(isinstance(one, NoLongerCanary) for one in done) == 4
    pointer = await office.store.pointer("triage")
    assert (pointer.stable, pointer.canary) == (FIRST, None)


async def test_what_serves_already_is_not_promoted_again(office: Office) -> None:
    await promote(office, R1, "ana", {})

    with pytest.raises(AlreadySo):
        await promote(office, R1, "ana", {})
