"""Performing a step: replay it from the journal, or call it and record what came of it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import nullcontext, suppress
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from proveout.domain.journal import Entry, EntryKind, Pending, Place, Raised, Returned
from proveout.domain.workflow import CURRENT, NOT_DECLARED, Effect, Step
from proveout.errors import Mistake
from proveout.run.call import Call, idempotency_key
from proveout.run.doubt import check_outside, in_doubt, is_doubt
from proveout.run.failure import StepFailed, failure_of, words
from proveout.run.payload import preview, signature
from proveout.run.retry import LONGEST, wait_after
from proveout.run.spend import Later, Waiting, outcome_of, within_limits
from proveout.run.stopwatch import Stopwatch
from proveout.run.turn import PATIENCE, refused_for, turned_away

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from proveout.domain.journal import Outcome
    from proveout.domain.limit import Limit
    from proveout.domain.workflow import Care
    from proveout.ports.rehearsal import Rehearsal
    from proveout.run.attempt import Attempt
    from proveout.run.branch import Branch
    from proveout.run.spend import Passage


class Inside:
    """The scope of the code within a step: what it calls is part of the step.

    Attributes:
        captured: effects that were captured in it, to be journaled with it.
        watch: measures the time of the try, while it is under way.
    """

    def __init__(self, attempt: Attempt, place: Place, care: Care) -> None:
        self.attempt = attempt
        self.place = place
        self.captured: list[Entry] = []
        self.watch: Stopwatch | None = None
        self._care = care
        self._occurrences: dict[str, int] = {}

    def perform(
        self, step: Step[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> object:
        """Call a step as the plain function, an effect captured or under its key."""
        if not isinstance(step, Effect):
            return step.function(*args, **kwargs)
        check_outside(step, self.place)
        name = f"{self.place.name}#{self.place.occurrence}"
        occurrence = self._occurrences.get(step.name, 0)
        self._occurrences[step.name] = occurrence + 1
        path = f"{self.place.path}/{name}"
        return self._effect(Call(step, args, kwargs), Place(path, step.name, occurrence))

    def _effect(self, call: Call, place: Place) -> object:
        if (rehearsal := self.attempt.rehearsal) is not None and not self.attempt.captures:
            return self._rehearsed(self._carry(rehearsal, call, place), call)
        if not self.attempt.captures:
            keyed = call.keyed(self.attempt.run.keyed_as, place)
            if call.step.is_async:
                return self._permitted(keyed)
            self.attempt.need_permit(call.step.name)
            return keyed.make()
        entry = capture(self.attempt, call, place)
        self.captured.append(entry)
        value = in_trial(call.step)
        return _ready(value) if call.step.is_async else value

    def _rehearsed(self, carried: Coroutine[Any, Any, object], call: Call) -> object:
        """Have the rehearsal carry an effect, from a step that it let be called."""
        if call.step.is_async:
            return carried
        if threading.get_ident() == self.attempt.thread:
            carried.close()
            raise Mistake(
                f"{call.step.name} is a plain effect, called on the loop",
                why="it cannot wait there for whoever stands in for the world",
                fix=(f"await asyncio.to_thread({call.step.name}, …)",),
            )
        return self.attempt.from_thread(carried)

    async def _carry(self, rehearsal: Rehearsal, call: Call, place: Place) -> object:
        run, key = self.attempt.run, idempotency_key(self.attempt.run.keyed_as, place)
        await self.attempt.get_permit(call.step.name)
        await rehearsal.carry(run, call.step.name, key, call.arguments)
        return in_trial(call.step)

    async def _permitted(self, call: Call) -> object:
        await self.attempt.get_permit(call.step.name)
        return await call.make_async()

    async def enter(self, limit: Limit, tokens: int) -> Passage:
        """Return once a use of `limit` may begin; the step's time stands still meanwhile."""
        attempt = self.attempt
        calls = 0 if limit in self._care.limits else 1
        watch = self.watch.stopped() if self.watch is not None else nullcontext()
        with watch, attempt.span.standing(self.place.path):
            waiting = Waiting(attempt.rest, float("inf"))
            return await attempt.resources.enter(limit, calls, tokens, waiting)

    def enter_plainly(self, limit: Limit, tokens: int) -> Passage:
        """Return once a use of `limit` may begin, from plain code in a thread."""
        if threading.get_ident() == self.attempt.thread:
            raise Mistake(
                f"the limit {limit.name} was used by a plain `with` on the event loop",
                why="waiting there would block every other run of this worker",
                fix=(f"async with {limit.name}.use(…)",),
            )
        return self.attempt.from_thread(self.enter(limit, tokens))

    def leave(self, passage: Passage, error: BaseException | None, spent: int | None) -> None:
        """Tell how a use ended, from any thread."""
        outcome = outcome_of(error)
        if threading.get_ident() == self.attempt.thread:
            passage.end(outcome, spent)
        else:
            with suppress(RuntimeError):  # the loop has closed: the worker is gone
                self.attempt.loop.call_soon_threadsafe(passage.end, outcome, spent)


async def perform(branch: Branch, call: Call) -> object:
    """Return what the step returned, now or in an earlier attempt.

    Raises:
        StepFailed: its last try raised, now or in an earlier attempt.
    """
    attempt = branch.attempt
    branch.check()
    place = branch.place(call.step.name)
    entry = find(branch, place, call.digest)
    while entry is None or isinstance(entry.outcome, Pending):
        if entry is not None:
            await _wait(branch, entry)
        with attempt.busy():
            entry, *captured = await new_entries(attempt, call, place, entry)
            branch.check_not_lost()
            await attempt.record(entry, *captured)
    return given_by(call.step, entry)


async def _wait(branch: Branch, entry: Entry) -> None:
    """Return when a step that waits for its next try is due; the run may suspend meanwhile."""
    due = entry.outcome.due if isinstance(entry.outcome, Pending) else None
    if due is not None and branch.attempt.now() < due:
        await branch.attempt.wait(branch, due)


def find(branch: Branch, place: Place, arguments: str) -> Entry | None:
    """Return the journal's entry for a call, or None where the call is new.

    A run that asks for something else than its journal holds is parked.
    """
    attempt = branch.attempt
    entry = attempt.journal.read(place)
    if entry is None:
        if unread := attempt.journal.unread(branch.path):
            attempt.park(f"the code asks for {place}, the journal holds {unread[0].place} there")
        return None
    if entry.digest != arguments:
        attempt.park(
            f"{place} is called with other arguments than the journal holds:"
            f" digest {arguments} now, {entry.digest} then, {entry.arguments}"
        )
    return entry


def given_by(step: Step[Any, Any], entry: Entry) -> object:
    """Return what the entry of a step says that it returned, or raise what it raised."""
    match entry.outcome:
        case Returned(value):
            return signature(step.function).result.decode(value, f"the result of {step.name}")
        case Raised(failure):
            raise StepFailed(step.name, failure)
        case Pending():
            raise Mistake(f"{entry.place} waits, and is no step")


async def new_entries(
    attempt: Attempt, call: Call, place: Place, before: Entry | None = None
) -> list[Entry]:
    """Return the entry for a call made now, followed by those of effects captured in it.

    Args:
        attempt: the one that makes it.
        call: what is called.
        place: where in the run.
        before: what its earlier tries left, where it had to wait for this one.
    """
    if isinstance(call.step, Effect) and attempt.captures:
        return [capture(attempt, call, place)]
    started, tries = (attempt.now(), 0) if before is None else (before.started, before.tries)
    keyed = call.keyed(attempt.run.keyed_as, place)
    with attempt.span.call(place.path):
        outcome, tries, captured = await _try(attempt, keyed, place, tries)
    entry = Entry(
        place=place,
        kind=EntryKind.EFFECT if isinstance(call.step, Effect) else EntryKind.STEP,
        digest=call.digest,
        arguments=preview(call.arguments),
        outcome=outcome,
        started=started,
        tries=tries,
        elapsed=(attempt.now() - started).total_seconds(),
    )
    return [entry, *captured]


async def _try(
    attempt: Attempt, call: Call, place: Place, tries: int
) -> tuple[Outcome, int, list[Entry]]:
    """Return the outcome of up to `retries` + 1 tries, and how many it took.

    It is pending where the next try is not to be made soon and the run may leave: nothing
    else holds a slot for that long.
    """
    step, began = call.step, attempt.clock.monotonic()
    while True:
        tries += 1
        mark = attempt.span.mark()
        if isinstance(step, Effect):
            await attempt.get_permit(step.name)
        inside = Inside(attempt, place, step.care)
        try:
            value = await _within(attempt, call, inside)
            result = signature(step.function).result
            return (
                Returned(result.encode(value, f"the result of {step.name}")),
                tries,
                inside.captured,
            )
        except Later as later:
            return Pending(attempt.now() + timedelta(seconds=later.wait)), tries - 1, []
        except Exception as error:  # noqa: BLE001 - whatever a step raises is its outcome
            if is_doubt(step, error):
                attempt.park(in_doubt(attempt.run.id, attempt.journal.pending[place]))
            turns = turned_away(attempt, mark, error)
            is_retried = tries <= step.care.retries and step.care.is_worth(error)
            is_borne = turns is not None and refused_for(attempt, began) < PATIENCE
            if not (is_retried or is_borne):
                return Raised(failure_of(error, step.name)), tries, inside.captured
            wait = wait_after(error, 1 if turns else tries, attempt.now(), attempt.dice)
            said = words(error)[:200]
            attempt.log.info("step.failed", step=step.name, tries=tries, wait=wait, error=said)
        if wait > LONGEST and may_leave(attempt, step):
            return Pending(attempt.now() + timedelta(seconds=wait)), tries, []
        if turns is None:
            await attempt.rest(wait)
        else:
            with attempt.span.standing(place.path):
                await turns.come_again(attempt.rest, wait)


def may_leave(attempt: Attempt, step: Step[Any, Any]) -> bool:
    """Whether the run may give up its slot until the next try.

    Not in a trial: a run that comes back is one more call of its experiment. Nor in an
    unkeyed effect: its intent is in the journal, and its outcome must follow.
    """
    return attempt.run.trial is None and not (isinstance(step, Effect) and step.unkeyed)


async def _within(attempt: Attempt, call: Call, inside: Inside) -> object:
    """Call the step's function once, within its time; in a rehearsal, what stands in for it."""
    if attempt.rehearsal is not None and (stand_in := await _rehearsed(attempt, call, inside)):
        return stand_in.value
    if not call.step.care.limits:
        return await _call(attempt, call, inside)
    patience = LONGEST if may_leave(attempt, call.step) else inf
    async with within_limits(attempt, inside.place.path, call.step.care, patience):
        if isinstance(call.step, Effect):  # it may have been halted while it waited
            await attempt.get_permit(call.step.name)
        return await _call(attempt, call, inside)


async def _call(attempt: Attempt, call: Call, inside: Inside) -> object:
    if not call.step.is_async:
        return await _in_thread(attempt, call, inside)
    token = CURRENT.set(inside)
    try:
        if call.step.care.timeout is None:
            return await call.make_async()
        return await _in_time(call, call.step.care.timeout, inside)
    finally:
        CURRENT.reset(token)


async def _in_time(call: Call, seconds: float, inside: Inside) -> object:
    """Call an asynchronous step within its time."""
    time = asyncio.timeout(seconds)
    inside.watch = Stopwatch(time)
    try:
        async with time:
            return await call.make_async()
    except TimeoutError as error:
        if time.expired():
            raise late(call.step, None) from error
        raise


@dataclass(frozen=True, slots=True)
class StandIn:
    """What a rehearsal gives in the place of a call."""

    value: object


async def _rehearsed(attempt: Attempt, call: Call, inside: Inside) -> StandIn | None:
    """Return what the rehearsal gives for a call; None where the call is to be made."""
    rehearsal = attempt.rehearsal
    assert rehearsal is not None  # noqa: S101 - the caller asked
    if isinstance(call.step, Effect):
        key = idempotency_key(attempt.run.keyed_as, inside.place)
        await rehearsal.carry(attempt.run, call.step.name, key, call.arguments)
        return StandIn(in_trial(call.step))
    recorded = await rehearsal.answer(attempt.run, call.step.name, call.digest)
    if recorded is None:
        return None
    shape = signature(call.step.function).result
    return StandIn(shape.decode(recorded, f"the recorded result of {call.step.name}"))


async def _in_thread(attempt: Attempt, call: Call, inside: Inside) -> object:
    """Call a plain step in a thread; one that overruns its time is waited for, then failed.

    A thread cannot be stopped: another try beside it would let two of them overlap.
    """
    context = copy_context()
    context.run(CURRENT.set, inside)
    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(attempt.threads.steps, context.run, call.make)
    time = asyncio.timeout(call.step.care.timeout)
    inside.watch = Stopwatch(time)
    try:
        async with time:
            await asyncio.wait({future})
    except TimeoutError:
        await asyncio.wait({future})
        raise late(call.step, future.exception()) from None
    return await future


def late(step: Step[Any, Any], cause: BaseException | None) -> TimeoutError:
    """Return the error of a try that took too long."""
    because = f": {words(cause)}" if cause is not None and words(cause) else ""
    return TimeoutError(f"{step.name} took longer than {step.care.timeout:g} s{because}")


async def _ready(value: object) -> object:
    return value


def in_trial(step: Step[Any, Any]) -> object:
    """Return what a captured call of an effect gives."""
    if isinstance(step, Effect) and step.in_trial is not NOT_DECLARED:
        return step.in_trial
    return None


def capture(attempt: Attempt, call: Call, place: Place) -> Entry:
    """Return the entry of an effect that is not carried out; it keeps all arguments."""
    arguments = call.arguments
    shape = signature(call.step.function).result
    return Entry(
        place=place,
        kind=EntryKind.CAPTURED,
        digest=call.digest,
        arguments=arguments.decode(),
        outcome=Returned(shape.encode(in_trial(call.step), f"in_trial of {call.step.name}")),
        started=attempt.now(),
        tries=0,
    )
