"""Performing an unkeyed effect: its intent is journaled first, so no crash can hide a call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proveout.domain.journal import Entry, EntryKind, Pending
from proveout.run.doubt import in_doubt
from proveout.run.ending import Parked
from proveout.run.failure import printable
from proveout.run.payload import digest, preview
from proveout.run.step import find, given_by, new_entries

if TYPE_CHECKING:
    from proveout.domain.journal import Place
    from proveout.run.branch import Branch
    from proveout.run.call import Call


async def perform_once(branch: Branch, call: Call) -> object:
    """Return what the effect returned, now or in an earlier attempt.

    A run whose journal holds an intent without an outcome is parked in doubt, and so is one
    whose effect is cut off: by its time-out, by a cancellation, or by losing a race.

    Raises:
        StepFailed: the effect raised, now or in an earlier attempt.
    """
    attempt = branch.attempt
    branch.check()
    place = branch.place(call.step.name)
    entry = find(branch, place, call.digest)
    if entry is None:
        with attempt.busy():
            entry = await (_captured if attempt.captures else _carried_out)(branch, call, place)
    elif isinstance(entry.outcome, Pending):
        attempt.park(in_doubt(attempt.run.id, entry))
    return given_by(call.step, entry)


async def _captured(branch: Branch, call: Call, place: Place) -> Entry:
    entry, *others = await new_entries(branch.attempt, call, place)
    await branch.attempt.record(entry, *others)
    return entry


async def _carried_out(branch: Branch, call: Call, place: Place) -> Entry:
    attempt = branch.attempt
    await attempt.get_permit(call.step.name)  # what is halted leaves no intent behind
    intent = _intent(branch, call, place)
    try:
        await attempt.record(intent)
        entry, *_ = await new_entries(attempt, call, place)
    except asyncio.CancelledError:
        if not attempt.is_over:
            attempt.end(Parked(printable(in_doubt(attempt.run.id, intent))))
        raise
    return await attempt.close(entry)


def _intent(branch: Branch, call: Call, place: Place) -> Entry:
    arguments = call.arguments
    return Entry(
        place=place,
        kind=EntryKind.EFFECT,
        digest=digest(arguments),
        arguments=preview(arguments),
        outcome=Pending(),
        started=branch.attempt.now(),
        tries=0,
    )
