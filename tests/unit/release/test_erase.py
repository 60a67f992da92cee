"""Erasing what a run was about: who, why and digests stay, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from proveout.domain.run import RunId, RunState, input_digest
from proveout.release.erase import LONGEST_REASON, NotErasable, erase
from proveout.run.replay import Replay, replay

if TYPE_CHECKING:
    from doubles.given import Given
    from proveout.domain.run import Run
    from proveout.release.decide import Office


async def ended(given: Given, state: RunState = RunState.FAILED) -> Run:
    """Return a run that ended in `state`."""
    return await given.known((await given.in_state(state)).run.id)


async def test_the_ledger_keeps_who_why_and_digests(office: Office, given: Given) -> None:
    """The payload is gone in the same commit, and its bytes are nowhere in the entry."""
    claimed = await given.claimed()
    await given.store.write(given.settle(claimed, RunState.SUCCEEDED, result=b'"sent"'))
    run = await given.known(claimed.run.id)

    done = await erase(office, run, "ana", "the customer asked")

    head = await given.store.head()
    assert head is not None
    assert (head.seq, head.actor, head.act, head.subject) == (done.entry, "ana", "erase", run.id)
    facts = json.loads(head.facts)
    assert facts["input"] == done.input == input_digest(run.value)
    assert facts["reason"] == "the customer asked"
    assert b"parcel" not in head.facts
    assert b"sent" not in head.facts
    after = await given.known(run.id)
    assert (after.value, after.result, after.input) == (b"", None, done.input)


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.WAITING, RunState.PARKED])
async def test_what_goes_on_is_refused(office: Office, given: Given, state: RunState) -> None:
    """Nothing is written, not even that somebody asked."""
    run = await ended(given, state)

    with pytest.raises(NotErasable, match=state):
        await erase(office, run, "ana", "the customer asked")

    assert await given.store.head() is None
    assert await given.known(run.id) == run


async def test_a_trial_is_refused(office: Office, given: Given) -> None:
    """Its verdict rests on it."""
    trial = replace(given.trial(0), state=RunState.SUCCEEDED)

    with pytest.raises(NotErasable, match="trial"):
        await erase(office, trial, "ana", "the customer asked")


@pytest.mark.parametrize("reason", ["", "  ", "x" * (LONGEST_REASON + 1)])
async def test_a_reason_is_needed(office: Office, given: Given, reason: str) -> None:
    """An auditor will ask for it; a whole payload is none."""
    with pytest.raises(NotErasable, match="reason"):
        await erase(office, await ended(given), "ana", reason)


async def test_replays_with_the_same_input_are_named(office: Office, given: Given) -> None:
    """They have copies of their own, whichever of the family is erased; an erased one has none."""
    first = await ended(given)
    second = await _replayed(given, first)
    third = await _replayed(given, second)

    middle = await erase(office, second, "ana", "the customer asked")
    last = await erase(office, third, "ana", "the customer asked")

    assert middle.copies == (first.id, third.id)
    assert last.copies == (first.id,)


async def _replayed(given: Given, run: Run) -> Run:
    new = (await replay(given.store, given.clock, given.ids, run, Replay())).run
    await given.store.write(given.cancel(RunId(new.id)))
    return await given.known(new.id)
