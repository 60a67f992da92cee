"""From observations to a verdict: one sequential test for each criterion."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from proveout.domain.criterion import AtLeast, AtMost, Cost, Latency, Scored, Worth
from proveout.domain.experiment import Claim
from proveout.domain.verdict import Reading, Standing, Status, Verdict
from proveout.statistics.sequential import BoundedMean, FixedDataset, Proportion

if TYPE_CHECKING:
    from proveout.domain.criterion import Criterion
    from proveout.domain.experiment import Plan

Test: TypeAlias = Proportion | FixedDataset | BoundedMean

MOST_STATES = 240
"""States of each test that are kept for its course; every second is dropped beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How often a test may be wrong.

    Attributes:
        size: cases in the dataset when the claim is about these cases, else None.
    """

    alpha: float
    beta: float
    size: int | None


def bounds_of(plan: Plan, cases: int) -> Bounds:
    """Return the bounds of each criterion's test.

    GO needs every criterion, each at the full chance of a wrong GO; a NO-GO needs one,
    so they share its chance. The best of several candidates is picked at a share of the
    chance of a wrong GO.
    """
    share = len(plan.candidates) if plan.pick_best else 1
    return Bounds(
        alpha=plan.errors.wrong_go / share,
        beta=plan.errors.wrong_no_go / len(plan.criteria),
        size=cases if plan.claim is Claim.THESE_CASES else None,
    )


def make_test(criterion: Criterion, bounds: Bounds) -> Test:
    """Return the sequential test of a criterion, before the first case.

    Raises:
        Mistake: floor, target and size contradict each other.
    """
    scale = _scale(criterion)
    if scale is None:
        return _pass_fail(criterion, bounds)
    low, high, guess = scale
    floor, margin = _floor_and_margin(criterion)
    if isinstance(criterion.rule, AtMost):
        low, high = -high, -low
    return BoundedMean(
        threshold=floor,
        margin=margin,
        low=low,
        high=high,
        variance_guess=guess,
        size=bounds.size,
        alpha=bounds.alpha,
        beta=bounds.beta,
    )


def _pass_fail(criterion: Criterion, bounds: Bounds) -> Test:
    floor, margin = _floor_and_margin(criterion)
    if isinstance(criterion.rule, AtMost):
        floor += 1
    floor, margin = round(floor, 12), round(margin, 12)
    drifts = isinstance(criterion.measure, Latency)
    if bounds.size is None or drifts:
        return Proportion(threshold=floor, margin=margin, alpha=bounds.alpha, beta=bounds.beta)
    return FixedDataset(
        size=bounds.size, threshold=floor, margin=margin, alpha=bounds.alpha, beta=bounds.beta
    )


def _floor_and_margin(criterion: Criterion) -> tuple[float, float]:
    """Return the floor and the margin on the axis on which higher is better."""
    match criterion.rule:
        case AtLeast(floor=floor, target=target):
            return floor, target - floor
        case AtMost(ceiling=ceiling, target=target):
            return -ceiling, ceiling - target


def _scale(criterion: Criterion) -> tuple[float, float, float | None] | None:
    """Return the range and expected variance of a bounded value; None for pass or fail."""
    match criterion.measure:
        case Scored(graded=graded):
            return None if graded is None else (graded.low, graded.high, graded.variance_guess)
        case Latency():
            return None
        case Cost(cap=cap):
            return 0.0, float(cap), None
        case Worth(worst=worst, best=best):
            return float(worst), float(best), None


@dataclass(slots=True)
class Course:
    """One criterion's test while cases come in; keeps some of its states on the way."""

    criterion: Criterion
    test: Test
    states: list[Test] = field(default_factory=list[Test])
    _every: int = 1

    def observe(self, value: float) -> None:
        """Read one more case, in the criterion's own direction and unit."""
        self.test = self.test.observe(self._upward(value))
        if self.test.count % self._every == 0:
            self.states.append(self.test)
        if len(self.states) > MOST_STATES:
            self._every *= 2
            self.states = [state for state in self.states if state.count % self._every == 0]

    def standing(self, *, with_course: bool = False) -> Standing:
        """Return where the criterion stands; the course takes a moment to draw up."""
        states = self.states if with_course else []
        if with_course and self.test.count and (not states or states[-1] is not self.test):
            states = [*states, self.test]
        return Standing(
            criterion=self.criterion,
            status=STATUS[self.test.decision],
            decided_at=self.test.decided_at,
            now=self._reading(self.test),
            course=tuple(self._reading(state) for state in thinned(states)),
            log_go_line=-math.log(self.test.alpha),
            log_nogo_line=-math.log(self.test.beta),
        )

    @property
    def _lower_is_better(self) -> bool:
        return isinstance(self.criterion.rule, AtMost)

    @property
    def _is_pass_fail(self) -> bool:
        return _scale(self.criterion) is None

    def _upward(self, value: float) -> float:
        if not self._lower_is_better:
            return value
        return 1 - value if self._is_pass_fail else -value

    def _reading(self, state: Test) -> Reading:
        low, high = state.interval
        mean = state.mean
        if self._lower_is_better:
            low, high = self._upward(high), self._upward(low)
            mean = None if mean is None else self._upward(mean)
        return Reading(
            count=state.count,
            estimate=None if mean is None else mean + 0.0,
            interval=(low + 0.0, high + 0.0),
            log_e_go=state.log_e_go,
            log_e_nogo=state.log_e_nogo,
        )


STATUS = {"go": Status.MET, "no-go": Status.FAILED, None: Status.OPEN}


def thinned(states: list[Test], most: int = 120) -> list[Test]:
    """Return at most about `most` of the states, the last one among them."""
    step = max(1, math.ceil(len(states) / most))
    return states[::-1][::step][::-1]


def verdict_of(courses: list[Course]) -> Verdict:
    """Return the verdict on a candidate: NO-GO on any criterion, GO on all."""
    decisions = {course.test.decision for course in courses}
    if "no-go" in decisions:
        return Verdict.NO_GO
    return Verdict.GO if decisions == {"go"} else Verdict.UNDECIDED
