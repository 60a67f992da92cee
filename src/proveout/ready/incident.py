"""An incident, explained: what happened first, what it touched, what is open, what would catch it.

Everything is read from what the engine kept anyway: journals, deliveries, reviews, releases and
the ledger. What is not known from them is not guessed at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.journal import EntryKind, Pending, Raised, Returned
from proveout.domain.review import ReviewState
from proveout.domain.run import RunState
from proveout.ready.lesson import HARMED, lesson_of, strongest
from proveout.ready.moments import moments_of_deeds, moments_of_run, moments_of_runs
from proveout.ready.story import Weight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from proveout.domain.run import Run
    from proveout.ready.lesson import Lesson
    from proveout.ready.story import Moment, Span, Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What reached the outside world, or may have.

    Attributes:
        done: effects whose outcome is known.
        in_doubt: effects that were begun, of which nobody knows whether they happened.
        failed: effects that raised: the receiver may have acted all the same.
    """

    effect: str
    done: int = 0
    in_doubt: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StillOpen:
    """What a person has yet to do, with the command that does it."""

    what: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is known of one run, or of everything since a moment.

    Attributes:
        subject: "run …", or "since …".
        first: the first thing that went wrong; None where nothing did.
        before: the last change before it; None where there was none.
        runs: count of runs that ended badly or stand still.
        lessons: drills that would have shown it, the likeliest first.
    """

    subject: str
    workflow: str
    since: datetime
    until: datetime
    first: Moment | None
    before: Moment | None
    runs: int
    moments: tuple[Moment, ...]
    touched: tuple[Touched, ...]
    still_open: tuple[StillOpen, ...]
    lessons: tuple[Lesson, ...]

    @property
    def is_closed(self) -> bool:
        """Whether nobody has anything left to do."""
        return not self.still_open


def explain_run(story: Story, span: Span) -> Incident:
    """Return what happened to one run."""
    run = story.run
    moments = [*moments_of_run(story), *moments_of_deeds(span), *span.other]
    lesson = lesson_of(story, span.evidence)
    return _explained(f"run {run.id}", span, [story], moments, [lesson] if lesson else [])


def explain_since(stories: Sequence[Story], span: Span) -> Incident:
    """Return what went wrong since a moment, each kind of trouble once."""
    moments = [*moments_of_runs(stories), *moments_of_deeds(span), *span.other]
    lessons = strongest(
        lesson for story in stories if (lesson := lesson_of(story, span.evidence)) is not None
    )
    return _explained(f"since {span.since:%Y-%m-%d %H:%M} UTC", span, stories, moments, lessons)


def _explained(
    subject: str,
    span: Span,
    stories: Sequence[Story],
    moments: Iterable[Moment],
    lessons: Sequence[Lesson],
) -> Incident:
    ordered = tuple(sorted(moments, key=lambda one: one.at))
    first = next((one for one in ordered if one.weight is Weight.TROUBLE), None)
    changes = [one for one in ordered if one.weight is Weight.CHANGE]
    before = next((one for one in reversed(changes) if first and one.at <= first.at), None)
    return Incident(
        subject=subject,
        workflow=span.workflow,
        since=span.since,
        until=span.now,
        first=first,
        before=before,
        runs=sum(story.run.state in HARMED for story in stories),
        moments=tuple(one for one in ordered if one.at >= span.since or one is before),
        touched=_touched(stories),
        still_open=_still_open(stories),
        lessons=tuple(lessons),
    )


# What it touched, and what is open


def _touched(stories: Sequence[Story]) -> tuple[Touched, ...]:
    done, doubt, failed = Counter[str](), Counter[str](), Counter[str]()
    for entry in (entry for story in stories for entry in story.entries):
        if entry.kind is EntryKind.EFFECT:
            match entry.outcome:
                case Returned():
                    done[entry.place.name] += 1
                case Pending():
                    doubt[entry.place.name] += 1
                case Raised():
                    failed[entry.place.name] += 1
    return tuple(
        Touched(effect=name, done=done[name], in_doubt=doubt[name], failed=failed[name])
        for name in sorted({*done, *doubt, *failed})
    )


MOST_OPEN = 10
"""Runs of one state that are named one by one; more are named by the command for all."""

ALL_OPEN = {
    RunState.DEAD: "proveout runs replay --state DEAD",
    RunState.FAILED: "proveout runs replay --state FAILED",
    RunState.PARKED: "proveout runs list --state PARKED",
}


def _still_open(stories: Sequence[Story]) -> tuple[StillOpen, ...]:
    found: list[StillOpen] = []
    for state in (RunState.DEAD, RunState.FAILED, RunState.PARKED):
        left = [one.run for one in stories if one.run.state is state and not _is_repeated(one)]
        if len(left) > MOST_OPEN:
            found.append(StillOpen(what=f"{len(left)} runs are {state}", command=ALL_OPEN[state]))
        else:
            found += [_open_run(run) for run in left]
    for review in (review for story in stories for review in story.reviews):
        if review.state is ReviewState.OPEN:
            what = f"review {review.id} waits in {review.queue}"
            found.append(StillOpen(what=what, command=f"proveout review show {review.id}"))
    return tuple(found)


def _is_repeated(story: Story) -> bool:
    """Whether a replay has done what the run did not do, or is about to."""
    return story.replay is not None and story.replay.state not in {
        RunState.FAILED,
        RunState.DEAD,
        RunState.CANCELLED,
    }


def _open_run(run: Run) -> StillOpen:
    if run.state is RunState.PARKED:
        command = f"proveout runs show {run.id}"
    else:
        command = f"proveout runs replay {run.id}"
    return StillOpen(what=f"run {run.id} is {run.state}", command=command)
