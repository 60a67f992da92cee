"""Waiting in a branch: journal what is waited for, then hold nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proveout.domain.duration import say_duration
from proveout.domain.journal import Entry, EntryKind, Pending, Raised, Returned
from proveout.domain.review import Answer, OnExpiry, Review, ReviewId
from proveout.domain.review_queue import WhenFull, find_queue, is_drawn, with_terms
from proveout.domain.run import Failure
from proveout.domain.signal import awaited
from proveout.domain.workflow import NOT_DECLARED
from proveout.errors import Mistake
from proveout.run.ask import SAMPLING, TRIAL
from proveout.run.payload import Shape, WrongShape, digest, preview, to_json
from proveout.run.signal import NoSignal
from proveout.run.step import find

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from proveout.domain.journal import Place
    from proveout.run.ask import Question
    from proveout.run.branch import Branch
    from proveout.run.signal import Listening


async def ask(branch: Branch, question: Question[Any]) -> tuple[Answer, object]:
    """Return a person's answer and the content it approves; waits until there is one."""
    attempt = branch.attempt
    branch.check()
    place = branch.place("review")
    content = Shape(type(question.draft)).encode(question.draft, "the draft of a review")
    asked = to_json(question.draft, "the draft of a review", canonical=True)
    entry = find(branch, place, digest(asked))
    if entry is None:
        entry, opened = await _question(branch, place, question, content)
        entry = replace(entry, digest=digest(asked))
        with attempt.busy():
            await attempt.record(entry, review=opened)
    if isinstance(entry.outcome, Returned):
        return _answered(branch, question, content, Answer.from_json(entry.outcome.value))
    await attempt.wait(branch, None)
    raise AssertionError("an answer comes to a later attempt")


async def _question(
    branch: Branch, place: Place, question: Question[Any], content: bytes
) -> tuple[Entry, Review | None]:
    """Return the entry that waits, and the review that it waits for.

    Some drafts are put to nobody: their answer is in the entry.
    """
    attempt = branch.attempt
    now = attempt.now()
    entry = _pending(place, EntryKind.REVIEW, content, now, None)
    asked = _review(branch, place, question, content, now)
    answer = _unasked(branch, asked) or await _turned_away(branch, asked)
    if answer is None:
        return entry, asked
    return replace(entry, outcome=Returned(answer.to_json())), None


def _unasked(branch: Branch, asked: Review) -> Answer | None:
    """Return what a draft passes with that nobody is to see, or None.

    A trial asks nobody: it measures the workflow's own draft, and its effects are
    captured, so nothing follows from it. Sampling asks about a share of drafts.
    """
    run, queue = branch.attempt.run, find_queue(branch.attempt.queues, asked.queue)
    if run.trial is not None:
        return Answer(approved=True, content=asked.content, by=TRIAL, reason="a trial asks nobody")
    place = "/".join(map(str, asked.place))
    if is_drawn(asked.terms, queue.seed or queue.name, run.id, place):
        return None
    why = f"not in the sample of {asked.terms.share:.4g}"
    return Answer(approved=True, content=asked.content, by=SAMPLING, reason=why)


async def _turned_away(branch: Branch, asked: Review) -> Answer | None:
    """Return the safe end of a draft for which its queue has no room, or None."""
    queue = find_queue(branch.attempt.queues, asked.queue)
    if queue.most_open is None or queue.when_full is WhenFull.SLOW:
        return None
    if await branch.attempt.store.count_waiting(queue.name, queue.most_open) < queue.most_open:
        return None
    why = f"{queue.most_open} reviews wait in {queue.name} already"
    return Answer(approved=False, content=asked.content, by="", reason=why, expired=True)


def _answered(
    branch: Branch, question: Question[Any], content: bytes, answer: Answer
) -> tuple[Answer, object]:
    """Return the answer and the draft, or what a person made of it."""
    attempt = branch.attempt
    if answer.expired and _on_expiry(branch, question, answer) is OnExpiry.PARK:
        attempt.park(answer.reason or "nobody answered its review in time")
    if answer.content == content:
        return answer, question.draft
    try:
        return answer, Shape(type(question.draft)).decode(answer.content, "the edited draft")
    except WrongShape as error:
        attempt.park(f"an edit cannot be used: {error}")


def _on_expiry(branch: Branch, question: Question[Any], answer: Answer) -> OnExpiry:
    """Return what follows from no answer; one that gives a reason was turned away."""
    queue = find_queue(branch.attempt.queues, question.queue)
    if answer.reason:
        return OnExpiry.REJECT if queue.when_full is WhenFull.REJECT else OnExpiry.PARK
    return question.on_expiry or queue.on_expiry


def _review(
    branch: Branch, place: Place, question: Question[Any], content: bytes, now: datetime
) -> Review:
    queue = find_queue(branch.attempt.queues, question.queue)
    within = queue.within if question.within is None else question.within
    return Review(
        id=ReviewId(branch.attempt.ids.new()),
        run=branch.attempt.run.id,
        place=place,
        queue=question.queue,
        content=content,
        digest=digest(content),
        opened=now,
        deadline=None if within is None else now + within,
        on_expiry=question.on_expiry or queue.on_expiry,
        terms=with_terms(
            queue.terms(branch.attempt.run.asked_by),
            groups=question.groups,
            four_eyes=question.four_eyes,
            confidence=question.confidence,
            share=question.sample,
        ),
        findings=question.findings,
    )


async def pause(branch: Branch, length: timedelta) -> None:
    """Return once `length` has passed since the run first came here; in a trial at once."""
    attempt = branch.attempt
    branch.check()
    place = branch.place("sleep")
    arguments = to_json(length.total_seconds(), "the length of a sleep")
    entry = find(branch, place, digest(arguments))
    if entry is None:
        now = attempt.now()
        due = now if attempt.run.trial is not None else now + length
        entry = _pending(place, EntryKind.SLEEP, arguments, now, due)
        with attempt.busy():
            await attempt.record(entry)
    due = entry.outcome.due if isinstance(entry.outcome, Pending) else None
    if due is not None and attempt.now() < due:
        await attempt.wait(branch, due)


async def hear(branch: Branch, listening: Listening) -> Any:
    """Return the value of a signal; waits until somebody sent it.

    Raises:
        NoSignal: nobody did in time, now or in an earlier attempt.
    """
    attempt = branch.attempt
    branch.check()
    place = branch.place(awaited(listening.name))
    asked = to_json(listening.name, "the name of a signal")
    entry = find(branch, place, digest(asked))
    if entry is None:
        entry = _listening(branch, place, listening, asked)
        with attempt.busy():
            await attempt.record(entry)
    if isinstance(entry.outcome, Pending):
        entry = await _overdue(branch, entry, entry.outcome.due)
    return _heard(branch, listening, entry)


def _listening(branch: Branch, place: Place, listening: Listening, asked: bytes) -> Entry:
    """Return the entry that waits, or where nobody is asked, the declared value."""
    attempt = branch.attempt
    now = attempt.now()
    due = None if listening.within is None else now + listening.within
    entry = _pending(place, EntryKind.SIGNAL, asked, now, due)
    if attempt.run.trial is None and attempt.rehearsal is None:
        return entry
    if listening.in_trial is NOT_DECLARED:
        raise Mistake(
            f'the signal "{listening.name}" has no value in a trial',
            why="a trial or a drill asks nobody",
            fix=(f'signal("{listening.name}", in_trial=…)',),
        )
    value = Shape(listening.shape).encode(listening.in_trial, "in_trial of a signal")
    return replace(entry, outcome=Returned(value))


async def _overdue(branch: Branch, entry: Entry, due: datetime | None) -> Entry:
    """Return how a wait ended that nobody answered until `due`, or only just in time."""
    attempt = branch.attempt
    if due is None or attempt.now() < due:
        await attempt.wait(branch, due)
    if due is None:
        raise AssertionError("an answer comes to a later attempt")
    waited = due - entry.started
    nobody = Failure(
        type=NoSignal.__name__,
        message=f"nobody sent {entry.arguments} within {say_duration(waited)}",
    )
    elapsed = (attempt.now() - entry.started).total_seconds()
    with attempt.busy():
        return await attempt.close(replace(entry, outcome=Raised(nobody), elapsed=elapsed))


def _heard(branch: Branch, listening: Listening, entry: Entry) -> Any:
    match entry.outcome:
        case Returned(value):
            try:
                return Shape(listening.shape).decode(value, f"the signal {listening.name}")
            except WrongShape as error:
                branch.attempt.park(f"a signal cannot be used: {error}")
        case Raised(failure):
            raise NoSignal(failure.message)
        case Pending():
            raise AssertionError("it was closed")


def _pending(
    place: Place, kind: EntryKind, arguments: bytes, now: datetime, due: datetime | None
) -> Entry:
    return Entry(
        place=place,
        kind=kind,
        digest=digest(arguments),
        arguments=preview(arguments),
        outcome=Pending(due),
        started=now,
        tries=0,
    )
