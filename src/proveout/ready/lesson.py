"""Which drill would have caught it: from how a run ended to the claim that speaks of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.bar import BAR
from proveout.domain.evidence import DrillResult
from proveout.domain.journal import EntryKind, Pending
from proveout.domain.review import ReviewState
from proveout.domain.run import RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from proveout.domain.evidence import Evidence
    from proveout.ready.story import Story

MODEL_OUTAGE = "model-outage"
"""The claim that speaks of models that answer late, wrongly or not at all."""

OF_MODELS = frozenset(
    {
        "APIConnectionError",
        "APIStatusError",
        "APITimeoutError",
        "ConnectError",
        "ConnectTimeout",
        "InternalServerError",
        "ModelHTTPError",
        "OverloadedError",
        "RateLimitError",
        "ReadTimeout",
        "ServiceUnavailableError",
    }
)
"""Errors that clients of models raise when a vendor is slow, throttles or is down."""


HARMED = frozenset({RunState.FAILED, RunState.DEAD, RunState.PARKED})
"""States of a run that somebody has to look at."""

ERRORS = 400
"""From here on an HTTP status is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A drill that shows this kind of trouble before users do.

    Attributes:
        claim: of the production bar.
        why: how the run tells that it is of this kind.
        standing: what the claim's evidence said of the release that it ran on.
        command: what runs the drill, or what comes closest to it.
        runs: count of runs that teach it.
    """

    claim: str
    why: str
    standing: str
    command: str
    runs: int = 1


def lesson_of(story: Story, evidence: Sequence[Evidence]) -> Lesson | None:
    """Return which drill would have shown what a run came to; None where it came to no harm."""
    for tells, claim, why in SIGNS:
        if tells(story):
            standing = _standing(claim, story, evidence)
            return Lesson(claim=claim, why=why, standing=standing, command=_command(claim))
    return None


def strongest(lessons: Iterable[Lesson]) -> list[Lesson]:
    """Return each lesson once, with how many runs teach it, the most taught first."""
    counted: Counter[str] = Counter()
    kept: dict[str, Lesson] = {}
    for one in lessons:
        counted[one.claim] += one.runs
        kept.setdefault(one.claim, one)
    return [
        Lesson(
            claim=name,
            why=kept[name].why,
            standing=kept[name].standing,
            command=kept[name].command,
            runs=count,
        )
        for name, count in counted.most_common()
    ]


# Signs, by which a run tells what befell it


def _is_late_review(story: Story) -> bool:
    return any(review.state is ReviewState.EXPIRED for review in story.reviews)


def _is_crash(story: Story) -> bool:
    return bool(story.run.crashes)


def _is_doubt(story: Story) -> bool:
    return story.run.state in HARMED and any(
        entry.kind is EntryKind.EFFECT and isinstance(entry.outcome, Pending)
        for entry in story.entries
    )


def _is_parked(story: Story) -> bool:
    return story.run.state is RunState.PARKED


def _is_of_models(story: Story) -> bool:
    if story.run.state not in HARMED:
        return False
    if (failure := story.run.failure) is not None and failure.type in OF_MODELS:
        return True
    return bool(story.calls) and not 0 < story.calls[-1].status < ERRORS


def _is_dead(story: Story) -> bool:
    return story.run.state is RunState.DEAD


def _has_failed(story: Story) -> bool:
    return story.run.state is RunState.FAILED


SIGNS: tuple[tuple[Callable[[Story], bool], str, str], ...] = (
    (_is_late_review, "review", "nobody answered a review in time"),
    (_is_crash, "poison", "the run took its process down"),
    (_is_doubt, "worker-loss", "a worker died inside an effect, and nobody knows how it ended"),
    (_is_parked, "worker-loss", "the code asked for something else than the journal holds"),
    (_is_of_models, MODEL_OUTAGE, "a model was slow, throttled the calls, or did not answer"),
    (_is_dead, "poison", "a step failed at its last try"),
    (_has_failed, "signal", "the workflow met an input that it cannot handle: make it a case"),
)
"""What a run may tell, the claim that speaks of it, and why; the first that holds counts."""


def _standing(claim: str, story: Story, evidence: Sequence[Evidence]) -> str:
    shown = [one for one in evidence if one.claim == claim]
    on_it = [one for one in shown if one.release == story.run.release]
    if not shown:
        return "never drilled"
    if not on_it:
        return f"drilled, but not on {story.release or 'what it ran on'}"
    last = max(on_it, key=lambda one: one.ended)
    if last.result is DrillResult.PASSED:
        return f"passed on {last.ended:%Y-%m-%d}: the drill did not hold what happened here"
    return f"{last.result} on {last.ended:%Y-%m-%d}"


def _command(claim: str) -> str:
    """Return what runs the drill of a claim; the bar may not have it yet."""
    if claim == "signal":
        return "proveout prove"
    known = {one.name: one.command for one in BAR.claims}
    return known.get(claim, "proveout drill --list")
