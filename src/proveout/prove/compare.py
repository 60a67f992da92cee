"""Comparing two candidates, or two looks, on the cases that both have tried; calls nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proveout.domain.criterion import AtLeast, AtMost, Criterion, Lead, Scored, scored_of
from proveout.domain.experiment import Claim
from proveout.errors import Refusal
from proveout.prove.judge import Bounds, Course, make_test
from proveout.prove.observe import Trialled, score_of
from proveout.prove.prefix import completed
from proveout.prove.tally import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from proveout.domain.case import Case, Dataset
    from proveout.domain.experiment import Plan
    from proveout.domain.run import Run, RunId
    from proveout.ports.store import LockedExperiment, Store
    from proveout.prove.layout import Layout
    from proveout.prove.score import Scorer


class NothingInCommon(Refusal):
    """Two sides have no case that both have tried."""

    code = "nothing-in-common"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a comparison: a candidate in one look at the cases."""

    candidate: str
    experiment: LockedExperiment
    layout: Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What two sides are compared on.

    Attributes:
        plan: what the later look locked.
        criterion: one that reads a score.
        scorers: the score functions by the name of their criterion.
    """

    plan: Plan
    dataset: Dataset
    criterion: Criterion
    scorers: Mapping[str, Scorer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one side made of a case.

    Attributes:
        score: mean over the trials of the case, as the score function gives it.
        answer: of the first of them as text, or the error that it ended in.
        calls: the runs that were called for them: earlier ones, where they reuse answers.
    """

    score: float
    answer: str
    run: str
    calls: tuple[RunId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What both sides made of one case.

    Attributes:
        lead: how much better B is, in the units of the score; below 0 it is worse.
    """

    case: Case
    a: Reply
    b: Reply
    lead: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sides, case by case.

    Attributes:
        lead: the lead of B over A as a criterion, with a floor of 0: it says the unit.
        pairs: cases that both have tried, in the order in which they were drawn.
        alone: cases that only one side has tried.
        estimate: mean lead of B, each source by its weight; None before the first whole one.
        interval: leads that no look so far has ruled out, at a confidence of 1 - alpha.
        of: what the interval speaks of.
    """

    subject: Subject
    a: Side
    b: Side
    lead: Criterion
    pairs: tuple[Pair, ...]
    alone: int
    estimate: float | None
    interval: tuple[float, float]
    alpha: float
    of: str

    @property
    def regressions(self) -> tuple[Pair, ...]:
        """Cases on which B is worse than A."""
        return tuple(one for one in self.pairs if one.lead < 0)

    @property
    def improvements(self) -> tuple[Pair, ...]:
        """Cases on which B is better than A."""
        return tuple(one for one in self.pairs if one.lead > 0)

    @property
    def even(self) -> tuple[Pair, ...]:
        """Cases on which neither is better."""
        return tuple(one for one in self.pairs if one.lead == 0)

    @property
    def reused(self) -> int:
        """Count of cases of which both have the very same answers: B reused those of A."""
        return sum(one.a.calls == one.b.calls for one in self.pairs)

    @property
    def right(self) -> float | None:
        """The score of a case that went right; None where scores are graded or averaged."""
        measure = scored_of(self.subject.criterion.measure)
        if measure is None or measure.graded is not None or self.b.layout.repeats > 1:
            return None
        return 0.0 if isinstance(self.subject.criterion.rule, AtMost) else 1.0


async def compare(store: Store, subject: Subject, a: Side, b: Side) -> Comparison:
    """Return how B compares with A on the completed prefix of both.

    Two candidates of one experiment tried the same cases in the same order, so their leads
    are read as a criterion would read them. A later look drew an order of its own after the
    earlier one was finished: its leads speak of the cases that the earlier one has tried.

    Raises:
        NothingInCommon: no case was tried by both.
        BadScore: a score gave something that its criterion cannot read.
    """
    earlier, later = [await _replies(store, subject, side) for side in (a, b)]
    pairs = {
        index: _pair(subject, index, earlier[index], reply)
        for index, reply in later.items()
        if index in earlier
    }
    if not pairs:
        raise _nothing(subject, a, b, len(earlier), len(later))
    same = a.experiment.id == b.experiment.id
    size = None
    if not same:
        size = len(earlier)
    elif subject.plan.claim is Claim.THESE_CASES:
        size = b.layout.observations
    lead = as_lead(subject.criterion, a.candidate)
    alpha = subject.plan.errors.wrong_go
    course = Course(lead, make_test(lead, Bounds(alpha=alpha, beta=alpha, size=size)))
    groups = _sources(b.layout) if same else (((index,), 1.0) for index in later)
    for indices, weight in groups:
        if all(index in pairs for index in indices):
            course.observe(*(pairs[index].lead for index in indices), weight=weight)
    return Comparison(
        subject=subject,
        a=a,
        b=b,
        lead=lead,
        pairs=tuple(pairs.values()),
        alone=len(earlier.keys() ^ later.keys()),
        estimate=course.test.mean,
        interval=course.test.interval,
        alpha=alpha,
        of=subject.plan.claim if same else f"the cases of look {a.experiment.look}",
    )


def is_asked_again(criterion: Criterion) -> bool:
    """Whether a criterion reads a score that no judge and no person gives.

    Judges cost, and are of moods; so are people.
    """
    score = scored_of(criterion.measure)
    return score is not None and score.judge is None and not score.is_decided


def as_lead(criterion: Criterion, over: str) -> Criterion:
    """Return the lead over a candidate on the score of a criterion: 0, and its own margin."""
    measure, rule = criterion.measure, criterion.rule
    limit = rule.floor if isinstance(rule, AtLeast) else rule.ceiling
    lead = (
        replace(measure, over=over)
        if isinstance(measure, Lead)
        else Lead(over=over, scored=_scored(criterion))
    )
    margin = min(abs(rule.target - limit), lead.most / 2)
    return replace(criterion, measure=lead, rule=AtLeast(floor=0.0, target=margin))


def _scored(criterion: Criterion) -> Scored:
    scored = scored_of(criterion.measure)
    assert scored is not None  # noqa: S101 - a subject's criterion reads one
    return scored


def _sources(layout: Layout) -> Iterator[tuple[Sequence[int], float]]:
    """Yield the cases of each observation, by index, with what their mean counts for."""
    start = 0
    for observation in range(layout.observations):
        end = start + layout.cases_of(observation)
        yield layout.order[start:end], layout.weight_of(observation)
        start = end


def _pair(subject: Subject, index: int, a: Reply, b: Reply) -> Pair:
    better = a.score - b.score if isinstance(subject.criterion.rule, AtMost) else b.score - a.score
    return Pair(case=subject.dataset.cases[index], a=a, b=b, lead=better)


async def _replies(store: Store, subject: Subject, side: Side) -> dict[int, Reply]:
    """Return what a side made of the cases of its completed prefix, by index, in order.

    A case of which an answer was erased is not among them.
    """
    runs = await completed(store, side.experiment.id, side.candidate)
    repeats = side.layout.repeats
    replies: dict[int, Reply] = {}
    for start in range(0, len(runs) - repeats + 1, repeats):
        trials, index = runs[start : start + repeats], side.layout.case_at(start)
        if all(run.pruned is None for run in trials):
            replies[index] = _reply(subject, subject.dataset.cases[index], trials)
    return replies


def _reply(subject: Subject, case: Case, trials: Sequence[Run]) -> Reply:
    scores = [
        score_of(subject.criterion, Trialled(run=run, case=case, price=None), subject.scorers)
        for run in trials
    ]
    first = trials[0]
    return Reply(
        score=math.fsum(scores) / len(scores),
        answer=outcome_of(first),
        run=first.id,
        calls=tuple(run.keyed_as for run in trials),
    )


def _nothing(subject: Subject, a: Side, b: Side, earlier: int, later: int) -> NothingInCommon:
    name = subject.plan.name
    if a.experiment.id == b.experiment.id:
        why = f"{a.candidate} has tried {earlier} and {b.candidate} {later} of the first ones"
        return NothingInCommon(
            f"{a.candidate} and {b.candidate} have no trials in common",
            why=why,
            fix=(f"proveout prove {name}",),
        )
    looks = f"look {a.experiment.look} and look {b.experiment.look}"
    return NothingInCommon(
        f"{looks} of {name} have no trials of {b.candidate} in common",
        why=f"they have tried {earlier} and {later} cases, none of them the same; a verdict on"
        " future traffic never draws a case again",
        fix=(f"proveout prove {name} --again",),
    )
