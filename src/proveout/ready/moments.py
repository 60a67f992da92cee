"""The moments of an incident: what happened to runs, and what people did meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.duration import say_roughly
from proveout.domain.journal import EntryKind, Pending, Raised, Returned
from proveout.domain.review import ReviewState
from proveout.ready.lesson import ERRORS, HARMED
from proveout.ready.story import Moment, Weight
from proveout.release.route import CANARY, PROMOTE, ROLL_BACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from proveout.domain.alert import Alert
    from proveout.domain.journal import Entry
    from proveout.domain.review import Review
    from proveout.domain.run import Failure, Run
    from proveout.ready.story import Span, Story

MOVES_TRAFFIC = frozenset({PROMOTE, CANARY, ROLL_BACK, "halt", "resume", "work with live effects"})
"""Deeds of the ledger that change what runs do."""

SLOW_START = timedelta(minutes=1)
"""A run that waited longer than this for a worker tells of it."""

SHOWN = 200
"""Characters of an error that a moment quotes."""


def moments_of_run(story: Story) -> Iterable[Moment]:
    """Yield what happened to one run, in no order."""
    run = story.run
    yield Moment(at=run.created, weight=Weight.PLAIN, subject=run.id, what=_asked_by(story))
    started = min((entry.started for entry in story.entries), default=None)
    wished = max(run.created, run.due) if run.due and run.fence == 1 else run.created
    if started is not None and started - wished > SLOW_START:
        waited = f"it waited {say_roughly(started - wished)} for a worker"
        yield Moment(at=started, weight=Weight.TROUBLE, subject=run.id, what=waited)
    for entry in story.entries:
        yield from _of_entry(run, entry)
    for review in story.reviews:
        yield from _of_review(review)
    for call in story.calls:
        if not 0 < call.status < ERRORS:
            what = (
                f"{call.asked} answered {call.status}"
                if call.status
                else f"{call.asked} fell silent"
            )
            yield Moment(at=call.started, weight=Weight.TROUBLE, subject=run.id, what=what)
    yield from _of_end(run)


def _asked_by(story: Story) -> str:
    if story.delivery is not None:
        kind = f" ({story.delivery.type})" if story.delivery.type else ""
        return f"asked for by {story.delivery.source}, event {story.delivery.event}{kind}"
    if story.run.is_replay:
        return f"asked for as a replay of {story.run.origin or 'another run, on another input'}"
    return f"asked for under the key {story.run.key}" if story.run.key else "asked for"


def _of_entry(run: Run, entry: Entry) -> Iterable[Moment]:
    """Return what a step or an effect came to; waits are told by those who end them."""
    if entry.kind not in {EntryKind.STEP, EntryKind.EFFECT, EntryKind.CAPTURED}:
        return
    ended = entry.started + timedelta(seconds=max(0.0, entry.elapsed))
    tries = "" if entry.tries <= 1 else f" at try {entry.tries}"
    match entry.outcome:
        case Returned() if entry.kind is EntryKind.EFFECT:
            weight, what = Weight.TOUCH, f"{entry.place.name} was carried out{tries}"
        case Returned():
            weight, what = Weight.PLAIN, f"{entry.place.name} returned{tries}"
        case Raised(failure):
            weight, what = Weight.TROUBLE, f"{entry.place.name} failed{tries}: {say(failure)}"
        case Pending() if entry.kind is EntryKind.EFFECT:
            weight, what = (
                Weight.TROUBLE,
                f"{entry.place.name} was begun, and never told how it ended",
            )
        case Pending():
            weight, what = (
                Weight.TROUBLE,
                f"{entry.place.name} failed{tries} and waits for its next try",
            )
    yield Moment(at=ended, weight=weight, subject=run.id, what=what)


def _of_review(review: Review) -> Iterable[Moment]:
    opened = f"a person was asked, in the queue {review.queue}"
    yield Moment(at=review.opened, weight=Weight.PLAIN, subject=review.id, what=opened)
    if review.decided is None:
        return
    if review.state is ReviewState.EXPIRED:
        weight, what = Weight.TROUBLE, "nobody answered in time"
    elif review.state is ReviewState.SUPERSEDED or review.answer is None:
        weight, what = Weight.PLAIN, "the question fell away"
    elif review.answer.approved:
        weight, what = Weight.CHANGE, f"{review.answer.by} approved"
    else:
        weight, what = Weight.CHANGE, f"{review.answer.by} rejected"
    yield Moment(at=review.decided, weight=weight, subject=review.id, what=what)


def _of_end(run: Run) -> Iterable[Moment]:
    at = _ended_at(run)
    if run.crashes:
        what = f"it took the process down that ran it alone, {run.crashes} times"
        yield Moment(at=at, weight=Weight.TROUBLE, subject=run.id, what=what)
    if run.state in HARMED:
        yield Moment(at=at, weight=Weight.TROUBLE, subject=run.id, what=_ended(run))
    elif run.state.is_final:
        yield Moment(at=at, weight=Weight.PLAIN, subject=run.id, what=f"ended {run.state}")


def _ended_at(run: Run) -> datetime:
    return run.updated or run.created


def _ended(run: Run) -> str:
    if run.failure is not None:
        return f"{run.state}: {say(run.failure)}"
    return f"{run.state}: {run.note}" if run.note else str(run.state)


def say(failure: Failure) -> str:
    """Return what failed in at most a line."""
    text = f"{failure.type}: {failure.message}" if failure.message else failure.type
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def moments_of_alert(alert: Alert) -> Iterable[Moment]:
    """Yield when an alert was first seen, when people were to be told, and when it was over."""
    seen = f"{alert.severity}: {alert.summary}"
    yield Moment(at=alert.since, weight=Weight.TROUBLE, subject=alert.id, what=seen)
    if alert.opened is not None:
        what = f"people were told: {alert.summary}"
        yield Moment(at=alert.opened, weight=Weight.PLAIN, subject=alert.id, what=what)
    if alert.resolved is not None:
        what = f"over: {alert.summary}"
        yield Moment(at=alert.resolved, weight=Weight.PLAIN, subject=alert.id, what=what)


# What happened to many runs


def moments_of_runs(stories: Sequence[Story]) -> Iterable[Moment]:
    """Yield how runs ended badly: those that ended alike by the first and the last of them."""
    for alike in _grouped(stories):
        yield from _moments_of_group(alike)


def _grouped(stories: Sequence[Story]) -> Iterable[list[Story]]:
    """Return runs that ended the same way on the same release together, the earliest first."""
    groups: dict[tuple[str, ...], list[Story]] = {}
    for story in sorted(stories, key=lambda one: _ended_at(one.run)):
        failure = story.run.failure
        kind = (failure.type, failure.step) if failure else ()
        groups.setdefault((story.run.state, story.release, *kind), []).append(story)
    return groups.values()


def _moments_of_group(stories: Sequence[Story]) -> Iterable[Moment]:
    first, last = stories[0].run, stories[-1].run
    on = f" on {stories[0].release}" if stories[0].release else ""
    yield Moment(
        at=_ended_at(first),
        weight=Weight.TROUBLE,
        subject=first.id,
        what=f"the first run{on} is {_ended(first)}",
    )
    if len(stories) > 1:
        what = f"the last of {len(stories)} runs{on} that ended like {first.id}"
        yield Moment(at=_ended_at(last), weight=Weight.TROUBLE, subject=last.id, what=what)


def moments_of_deeds(span: Span) -> Iterable[Moment]:
    """Yield what people did, and what of it moved traffic."""
    for deed in span.deeds:
        weight = Weight.CHANGE if deed.act in MOVES_TRAFFIC else Weight.PLAIN
        what = f"{deed.actor}: {deed.act}"
        if deed.subject != span.workflow:
            what += f" {deed.subject}"
        yield Moment(at=deed.at, weight=weight, subject=deed.subject, what=what)
