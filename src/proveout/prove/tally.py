"""A candidate's tally: its completed prefix, read case by case."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.criterion import AtMost, Latency, Lead
from proveout.domain.verdict import Judgement, Miss, Slice, Verdict
from proveout.prove.calibrate import UNHEARD, is_pass_fail
from proveout.prove.judge import Course, verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.experiment import Candidate
    from proveout.domain.run import Run
    from proveout.ports.store import TrialCount
    from proveout.prove.calibrate import Said
    from proveout.prove.layout import Layout
    from proveout.prove.observe import Trialled

MOST_MISSES = 200
"""Misses that an account keeps for each candidate."""


class _Read(NamedTuple):
    """A trial that was read: its place, its value for each criterion, and what was said of it."""

    trialled: Trialled
    position: int
    values: tuple[float, ...]
    said: Said


@dataclass(slots=True)
class Tally:
    """One candidate's completed prefix, read trial by trial.

    Attributes:
        read: trials read; those of an observation that is not whole count for nothing yet.
        cases: cases of the observations that the courses read.
        waits: whether the next trial has ended, and waits for what judges or people say.
    """

    candidate: Candidate
    courses: list[Course]
    layout: Layout
    read: int = 0
    cases: int = 0
    observed: int = 0
    enqueued: int = 0
    verdict: Verdict = Verdict.UNDECIDED
    waits: bool = False
    errors: int = 0
    seconds: list[float] = field(default_factory=list[float])
    misses: list[Miss] = field(default_factory=list[Miss])
    tags: dict[str, list[bool]] = field(default_factory=dict[str, list[bool]])
    _pending: list[_Read] = field(default_factory=list["_Read"])

    def add(
        self,
        trialled: Trialled,
        position: int,
        values: tuple[float, ...],
        said: Said = UNHEARD,
    ) -> None:
        """Read the next trial of the prefix; the verdict may fall with an observation's last."""
        self.read = position + 1
        self._pending.append(_Read(trialled, position, values, said))
        cases = self.layout.cases_of(self.observed)
        if len(self._pending) == cases * self.layout.repeats:
            self._observe(cases)
            for one in self._pending:
                self._note(one)
            self._pending = []
            self.verdict = verdict_of(self.courses)

    @property
    def leads(self) -> set[str]:
        """The candidates that are to be read beside this one: a lead over them is open."""
        measures = (one.criterion.measure for one in self.courses if not one.is_closed)
        if self.verdict is not Verdict.UNDECIDED:
            return set()
        return {measure.over for measure in measures if isinstance(measure, Lead)}

    def _observe(self, cases: int) -> None:
        """Read what the trials of one case, or of one source, have come to."""
        repeats = self.layout.repeats
        weight = self.layout.weight_of(self.observed) if self.layout.sources else None
        for place, course in enumerate(self.courses):
            course.hear([one.said for one in self._pending])
            if course.is_closed:
                continue
            trials = [one.values[place] for one in self._pending]
            means = (mean(trials[at : at + repeats]) for at in range(0, len(trials), repeats))
            course.observe(*means, weight=weight)
        self.observed += 1
        self.cases += cases

    def _note(self, one: _Read) -> None:
        trialled, position, values, said = one
        self.errors += not trialled.answered
        if trialled.run.elapsed is not None:
            self.seconds.append(trialled.run.elapsed)
        lost = tuple(
            course.criterion.name
            for course, value in zip(self.courses, values, strict=True)
            if is_loss(course, value)
        )
        if lost and len(self.misses) < MOST_MISSES:
            found = miss(trialled, position // self.layout.repeats, lost)
            self.misses.append(replace(found, edit=said.edit))
        first = next((c.criterion.name for c in self.courses if is_pass_fail(c.criterion)), None)
        if first is not None:
            for tag in trialled.case.tags:
                self.tags.setdefault(tag, []).append(first not in lost)


def mean(values: Sequence[float]) -> float:
    """Return the mean, which rounding takes past no value: 0.8 three times is 0.8."""
    return min(max(values), max(min(values), math.fsum(values) / len(values)))


def is_loss(course: Course, value: float) -> bool:
    """Whether a pass/fail criterion, or one of time, was not met by a case.

    A corrected value lies beyond 0 or 1 on the side that the person took.
    """
    criterion = course.criterion
    if not (is_pass_fail(criterion) or isinstance(criterion.measure, Latency)):
        return False
    return value >= 1 if isinstance(criterion.rule, AtMost) else value <= 0


def miss(trialled: Trialled, position: int, lost: tuple[str, ...]) -> Miss:
    """Return what there is to read about a case that was not met."""
    run = trialled.run
    return Miss(
        position=position,
        case=trialled.case.id,
        run=run.id,
        value=json.dumps(trialled.case.value, ensure_ascii=False),
        expected=json.dumps(trialled.case.expected, ensure_ascii=False),
        got=outcome_of(run),
        lost=lost,
    )


def outcome_of(run: Run) -> str:
    """Return what came back as JSON text, or the error that a run ended in."""
    if run.failure is not None:
        return f"{run.failure.type}: {run.failure.message}"
    return run.note if run.result is None else run.result.decode()


def judgement_of(tally: Tally, count: TrialCount, *, whole: bool) -> Judgement:
    """Return what is known of one candidate."""
    return Judgement(
        candidate=tally.candidate.name,
        verdict=tally.verdict,
        cases=tally.cases,
        calls=count.calls,
        repeated=count.repeated,
        reused=count.reused,
        errors=tally.errors,
        seconds=statistics.median(tally.seconds) if tally.seconds else None,
        standings=tuple(course.standing(with_course=whole) for course in tally.courses),
        misses=tuple(tally.misses),
        slices=tuple(
            Slice(tag=tag, count=len(passes), passes=sum(passes))
            for tag, passes in sorted(tally.tags.items())
        ),
    )
