"""Watching a canary: its own failures take it back, an incident of both does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.deeds import FIRST, SECOND, release
from doubles.given import START, want
from proveout.domain.ledger import Deed
from proveout.domain.release import DRAFT, Share
from proveout.domain.run import RunState
from proveout.domain.unit import NewRelease
from proveout.release.canary import act_on, look
from proveout.release.decide import amend
from proveout.release.move import Order, promote, roll_back, start_canary
from proveout.release.route import CanaryPlan

if TYPE_CHECKING:
    from doubles.clock import ManualClock
    from doubles.given import Given
    from proveout.domain.release import ReleaseDigest
    from proveout.release.decide import Office

R1, R2 = release(FIRST), release(SECOND, number=2)


@pytest.fixture
async def office(office: Office) -> Office:
    """Return what takes decisions where r1 serves, and r2 has a quarter beside it."""
    deed = Deed(actor="ana", act="create release", subject="r1 and r2", facts={})
    new = (NewRelease(release=one, archive=b"", settings=b"") for one in (R1, R2))
    await amend(office, deed, tuple(new))
    await promote(office, R1, "ana", {})
    plan = CanaryPlan(share=Share(points=2500), salt="salt", now=START, hold=timedelta(days=2))
    await start_canary(office, R2, plan, "ana", {})
    return office


async def end(office: Office, given: Given, digest: ReleaseDigest, state: RunState) -> None:
    """Have one run of a release end in `state`."""
    pointer = await office.store.pointer("triage")
    keys = (f"key-{given.ids.new()}" for _ in range(10_000))
    await given.queued(key=next(key for key in keys if pointer.assigned(key) == digest))
    [claimed] = await office.store.claim(want(release=digest))
    await given.store.write(given.settle(claimed, state))


async def test_a_canary_that_fails_alone_is_rolled_back(office: Office, given: Given) -> None:
    """As soon as the evidence is in; the ledger says that the watch did it, and why."""
    taken_back = None
    failures = 0
    while taken_back is None:
        await end(office, given, SECOND, RunState.FAILED)
        failures += 1
        watched = await look(office, "triage")
        assert watched is not None
        taken_back = await act_on(office, "triage", watched)

    assert failures < 10
    assert (await office.store.pointer("triage")).canary is None
    entry = await office.store.head()
    assert entry is not None
    assert (entry.actor, entry.act) == ("canary watch", "roll back")
    assert f"{failures} of {failures} failures".encode() in entry.facts


async def test_an_incident_that_strikes_both_takes_nothing_back(
    office: Office, given: Given
) -> None:
    """Failures in the proportion of the traffic say nothing against the canary."""
    for _ in range(8):
        await end(office, given, SECOND, RunState.FAILED)
        for _ in range(3):
            await end(office, given, FIRST, RunState.FAILED)

    watched = await look(office, "triage")

    assert watched is not None
    assert (watched.failures, watched.canary_failures, watched.is_worse) == (32, 8, False)
    assert await act_on(office, "triage", watched) is None
    assert (await office.store.pointer("triage")).canary is not None


async def test_what_failed_before_the_canary_began_does_not_count(
    office: Office, given: Given, clock: ManualClock
) -> None:
    """Each canary is judged by its own time."""
    for _ in range(5):
        await end(office, given, SECOND, RunState.FAILED)
    await roll_back(office, Order(workflow="triage", actor="ana"))
    clock.advance(timedelta(hours=1))
    plan = CanaryPlan(share=Share(points=2500), salt="new", now=clock.now())

    await start_canary(office, R2, plan, "ana", {})

    watched = await look(office, "triage")
    assert watched is not None
    assert (watched.requests, watched.failures) == (0, 0)


async def test_it_counts_what_ended_on_both_and_on_nothing_else(
    office: Office, given: Given
) -> None:
    """Runs of the draft are neither's."""
    for digest in (FIRST, FIRST, SECOND):
        await end(office, given, digest, RunState.SUCCEEDED)

    watched = await look(office, "triage")

    assert watched is not None
    assert (watched.requests, watched.of_canary, watched.failures) == (3, 1, 0)
    assert await office.store.claim(want(release=DRAFT)) == []


async def test_a_canary_past_its_hold_is_overdue_and_still_serves(
    office: Office, clock: ManualClock
) -> None:
    """Missing data neither promotes nor rolls back: a person is told."""
    before = await look(office, "triage")
    clock.advance(timedelta(days=2))

    after = await look(office, "triage")

    assert before is not None
    assert after is not None
    assert (before.overdue, after.overdue) == (False, True)
    assert await act_on(office, "triage", after) is None


async def test_a_canary_that_a_person_ended_first_is_left_alone(
    office: Office, given: Given
) -> None:
    """The watch only reduces exposure, and only that of the canary it watched."""
    for _ in range(9):
        await end(office, given, SECOND, RunState.FAILED)
    watched = await look(office, "triage")
    assert watched is not None
    assert watched.is_worse

    await promote(office, R2, "ana", {})

    assert await act_on(office, "triage", watched) is None
    assert (await office.store.pointer("triage")).stable == SECOND


async def test_without_a_canary_there_is_nothing_to_look_at(office: Office) -> None:
    await roll_back(office, Order(workflow="triage", actor="ana"))

    assert await look(office, "triage") is None
