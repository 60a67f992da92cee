"""From observations to a verdict: one sequential test for each criterion."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from proveout.domain.criterion import AtLeast, AtMost, Cost, Latency, Lead, Scored, Worth
from proveout.domain.experiment import OWN, Claim
from proveout.domain.label import Decision
from proveout.domain.verdict import Decisions, Reading, Standing, Status, Verdict
from proveout.prove.calibrate import agreement_of, reach_of, shares_of, variance_of
from proveout.statistics.sequential import BoundedMean, FixedDataset, Proportion
from proveout.statistics.sources import figures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proveout.domain.criterion import Criterion
    from proveout.domain.experiment import Plan
    from proveout.prove.calibrate import Pair, Said
    from proveout.prove.layout import Layout

Test: TypeAlias = Proportion | FixedDataset | BoundedMean
State: TypeAlias = tuple[int, Test]
"""How many cases were read, and a test after them."""

MOST_STATES = 240
"""States of each test that are kept for its course; every second is dropped beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How often a test may be wrong.

    Attributes:
        size: cases in the dataset when the claim is about these cases, else None.
        is_averaged: each observation is a mean of several trials.
        shares: share of cases by which people correct a criterion, by its name.
    """

    alpha: float
    beta: float
    size: int | None
    is_averaged: bool = False
    shares: Mapping[str, float] = field(default_factory=dict[str, float])


def bounds_of(plan: Plan, layout: Layout, candidate: str = OWN) -> Bounds:
    """Return the bounds of the test of each criterion of a candidate.

    GO needs every criterion, each at the full chance of a wrong GO; a NO-GO needs one,
    so they share its chance. The best of several candidates is picked at a share of the
    chance of a wrong GO.
    """
    share = len(plan.candidates) if plan.pick_best else 1
    return Bounds(
        alpha=plan.errors.wrong_go / share,
        beta=plan.errors.wrong_no_go / len(plan.criteria_of(candidate)),
        size=layout.observations if plan.claim is Claim.THESE_CASES else None,
        is_averaged=layout.is_averaged,
        shares=shares_of(plan.criteria),
    )


def courses_of(plan: Plan, layout: Layout, candidate: str) -> list[Course]:
    """Return the courses of a candidate's criteria, before the first case."""
    bounds = bounds_of(plan, layout, candidate)
    return [Course(one, make_test(one, bounds)) for one in plan.criteria_of(candidate)]


def make_test(criterion: Criterion, bounds: Bounds) -> Test:
    """Return the sequential test of a criterion, before the first case.

    Where people correct a judge on a share of the cases, the cases are read as drawn from many
    more: what was not labelled of these cases is estimated, and never counted.

    Raises:
        Mistake: floor, target and size contradict each other.
    """
    share = bounds.shares.get(criterion.name, 1.0)
    if share < 1:
        bounds = replace(bounds, size=None)
    scale = _scale(criterion)
    if scale is None:
        return _pass_fail(criterion, bounds, share)
    low, high, guess = scale
    floor, margin = _floor_and_margin(criterion)
    if isinstance(criterion.rule, AtMost):
        low, high = -high, -low
    if share < 1:
        guess = variance_of(guess or (floor - low) * (high - floor), share)
        low, high = _widened(low, high, share)
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


def _widened(low: float, high: float, share: float) -> tuple[float, float]:
    reach = reach_of(low, high, share)
    return low - reach, high + reach


def _pass_fail(criterion: Criterion, bounds: Bounds, share: float) -> Test:
    floor, margin = _floor_and_margin(criterion)
    if isinstance(criterion.rule, AtMost):
        floor += 1
    floor, margin = round(floor, 12), round(margin, 12)
    drifts = isinstance(criterion.measure, Latency)
    if bounds.is_averaged or share < 1:
        low, high = _widened(0, 1, share)
        return BoundedMean(
            threshold=floor,
            margin=margin,
            low=low,
            high=high,
            variance_guess=variance_of(floor * (1 - floor), share),
            size=None if drifts else bounds.size,
            alpha=bounds.alpha,
            beta=bounds.beta,
        )
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
        case Lead(variance_guess=guess) as lead:
            return -lead.most, lead.most, guess


@dataclass(slots=True)
class Course:
    """One criterion's test while cases come in; keeps some of its states on the way."""

    criterion: Criterion
    test: Test
    states: list[State] = field(default_factory=list["State"])
    cases: int = 0
    decided_at: int | None = None
    sources: list[tuple[float, ...]] = field(default_factory=list[tuple[float, ...]])
    pairs: list[Pair] = field(default_factory=list["Pair"])
    decisions: Counter[Decision] = field(default_factory=Counter["Decision"])
    _every: int = 1

    def observe(self, *values: float, weight: float | None = None) -> None:
        """Read one more observation, in the criterion's own direction and unit.

        Args:
            values: of one case, or of all cases of a source, whose mean is what counts.
            weight: what a source's mean counts for; None where every case stands alone.
        """
        x, cases = self._upward(math.fsum(values) / len(values)), len(values)
        if weight is not None:
            self.sources.append(values)
        if isinstance(self.test, BoundedMean):
            self.test = self.test.observe(x, weight or 1.0)
        else:
            self.test = self.test.observe(x)
        self.cases += cases
        if self.test.decided_at == self.test.count:
            self.decided_at = self.cases
        if self.test.count % self._every == 0:
            self.states.append((self.cases, self.test))
        if len(self.states) > MOST_STATES:
            self._every *= 2
            self.states = [one for one in self.states if one[1].count % self._every == 0]

    def hear(self, said: Iterable[Said]) -> None:
        """Note what judges and people said of answers that are read."""
        name = self.criterion.name
        for one in said:
            if (pair := one.pairs.get(name)) is not None:
                self.pairs.append(pair)
            if (label := one.decisions.get(name)) is not None:
                self.decisions[label.decision] += 1

    def standing(self, *, with_course: bool = False) -> Standing:
        """Return where the criterion stands; the course takes a moment to draw up."""
        states = self.states if with_course else []
        if with_course and self.test.count and (not states or states[-1][1] is not self.test):
            states = [*states, (self.cases, self.test)]
        return Standing(
            criterion=self.criterion,
            status=STATUS[self.test.decision],
            decided_at=self.decided_at,
            now=self._reading(self.cases, self.test),
            course=tuple(self._reading(*state) for state in thinned(states)),
            sources=figures_of(self.sources) if self.sources else None,
            agreement=agreement_of(self.pairs) if self._is_labelled else None,
            decisions=self._decisions if self.criterion.is_decided else None,
            log_go_line=-math.log(self.test.alpha),
            log_nogo_line=-math.log(self.test.beta),
        )

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is read: a lead was decided, so the other candidate may stop."""
        return isinstance(self.criterion.measure, Lead) and self.decided_at is not None

    @property
    def _lower_is_better(self) -> bool:
        return isinstance(self.criterion.rule, AtMost)

    @property
    def _is_labelled(self) -> bool:
        judge = self.criterion.judge
        return judge is not None and judge.labels is not None

    @property
    def _decisions(self) -> Decisions:
        return Decisions(
            approved=self.decisions[Decision.APPROVED],
            edited=self.decisions[Decision.EDITED],
            rejected=self.decisions[Decision.REJECTED],
        )

    @property
    def _is_pass_fail(self) -> bool:
        return _scale(self.criterion) is None

    def _upward(self, value: float) -> float:
        if not self._lower_is_better:
            return value
        return 1 - value if self._is_pass_fail else -value

    def _reading(self, cases: int, state: Test) -> Reading:
        low, high = state.interval
        mean = state.mean
        if self._lower_is_better:
            low, high = self._upward(high), self._upward(low)
            mean = None if mean is None else self._upward(mean)
        return Reading(
            count=cases,
            estimate=None if mean is None else self._possible(mean),
            interval=(self._possible(low), self._possible(high)),
            log_e_go=state.log_e_go,
            log_e_nogo=state.log_e_nogo,
        )

    def _possible(self, value: float) -> float:
        """Return the nearest value that the criterion's mean can have: corrections reach beyond."""
        low, high, _ = _scale(self.criterion) or (0.0, 1.0, None)
        return max(low, min(high, value)) + 0.0


STATUS = {"go": Status.MET, "no-go": Status.FAILED, None: Status.OPEN}


def thinned(states: list[State], most: int = 120) -> list[State]:
    """Return at most about `most` of the states, the last one among them."""
    step = max(1, math.ceil(len(states) / most))
    return states[::-1][::step][::-1]


def verdict_of(courses: list[Course]) -> Verdict:
    """Return the verdict on a candidate: NO-GO on any criterion, GO on all."""
    decisions = {course.test.decision for course in courses}
    if "no-go" in decisions:
        return Verdict.NO_GO
    return Verdict.GO if decisions == {"go"} else Verdict.UNDECIDED
