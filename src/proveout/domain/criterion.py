"""Criteria: what a candidate must show, fixed before the first trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from proveout.errors import Mistake

if TYPE_CHECKING:
    from datetime import timedelta

    from proveout.domain.money import Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """Higher is better: at or below `floor` is not good enough, `target` is the hope."""

    floor: float
    target: float

    def __post_init__(self) -> None:
        if not self.floor < self.target:
            raise Mistake(
                f"the target {self.target:g} must lie above the floor {self.floor:g}",
                why="between the two either verdict may come; they cannot be equal or swapped",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """Lower is better: at or above `ceiling` is not good enough, `target` is the hope."""

    ceiling: float
    target: float

    def __post_init__(self) -> None:
        if not self.target < self.ceiling:
            raise Mistake(
                f"the target {self.target:g} must lie below the ceiling {self.ceiling:g}",
                why="between the two either verdict may come; they cannot be equal or swapped",
            )


Rule: TypeAlias = AtLeast | AtMost


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A score of any value from `low` to `high`; without it a score is pass or fail.

    Attributes:
        variance_guess: expected variance of one value, in squared units; None for the default.
    """

    low: float
    high: float
    variance_guess: float | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise Mistake(f"low {self.low:g} must lie below high {self.high:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a score of Proveout's own is told; a function of the user's takes none.

    Attributes:
        field: dotted path of the only part of the result that counts; "" for the whole.
        fields: dotted paths that are compared; none for all that a case expects.
        choices: the answers among which there is one to choose.
        tolerance: how far a number may lie off; None for not at all.
        is_relative: the tolerance is a share of the expected number.
        pattern: a regular expression.
    """

    field: str = ""
    fields: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    tolerance: float | None = None
    is_relative: bool = False
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Marks a score as a judge: it may err, so its opinion is kept, and people check a share.

    Attributes:
        labels: share of the cases that a person labels, too, above 0 and at most 1; None where
            nobody checks it.
    """

    labels: float | None = None

    def __post_init__(self) -> None:
        if self.labels is not None and not 0 < self.labels <= 1:
            raise Mistake(
                f"labels {self.labels:g} is no share of the cases",
                why="a person labels a share above 0 and at most 1: a quarter is 0.25",
                fix=("labels = 0.25",),
            )


ACCEPTED = "accepted unedited"
"""The score that people give: 1 where they approve an answer as it is, else 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Measured by a score: one of Proveout's own, or `module:function`, which may be a judge.

    Attributes:
        source: hexadecimal SHA-256 of the files of the function that are no part of the
            workflow's code; "" where there is none.
    """

    score: str
    graded: Graded | None = None
    options: Options = Options()
    judge: Judge | None = None
    source: str = ""

    @property
    def is_decided(self) -> bool:
        """Whether people give it: they decide on every answer."""
        return self.score == ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Measured by the share of cases answered within a time; a failed run counts as late."""

    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Measured by the money a case costs, from nothing up to an enforced cap."""

    cap: Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Today's way of doing it: minutes of a person for each case, at an hourly rate."""

    minutes: float
    person_hour: Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Measured by the money a case gains or loses against today's way of doing it.

    A success earns `value_per_success`, an error costs `loss_per_error`; the price of
    the calls is taken off, and what today's way costs is added, since it is saved.

    Attributes:
        worst, best: bounds that one case cannot leave.
        volume_per_month: expected cases a month; None when it was not declared.
        fixed_cost_per_month: what running it costs whatever the volume.
    """

    value_per_success: Usd
    loss_per_error: Usd
    worst: Usd
    best: Usd
    baseline: Baseline | None = None
    volume_per_month: float | None = None
    fixed_cost_per_month: Usd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Measured by how far the workflow's score lies above another candidate's, case by case.

    A difference of two scores lies between minus their range and their range: a pass/fail
    score leads by -1, 0 or 1.

    Attributes:
        over: the other candidate's name.
        scored: what is measured of both.
        variance_guess: expected variance of one difference; None for the default.
    """

    over: str
    scored: Scored
    variance_guess: float | None = None

    @property
    def most(self) -> float:
        """The largest lead there can be on one case."""
        graded = self.scored.graded
        return 1.0 if graded is None else graded.high - graded.low


Measure: TypeAlias = Scored | Latency | Cost | Worth | Lead


def scored_of(measure: Measure) -> Scored | None:
    """Return the score that a measure reads, or None where it reads none."""
    match measure:
        case Scored():
            return measure
        case Lead(scored=scored):
            return scored
        case Latency() | Cost() | Worth():
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A floor (or ceiling) and a target for one measure."""

    name: str
    measure: Measure
    rule: Rule

    @property
    def judge(self) -> Judge | None:
        """The judge that measures it, if one does."""
        return self.measure.judge if isinstance(self.measure, Scored) else None

    @property
    def is_decided(self) -> bool:
        """Whether people decide on every answer."""
        return isinstance(self.measure, Scored) and self.measure.is_decided

    @property
    def is_unchecked(self) -> bool:
        """Whether it is measured by a judge that nobody checks."""
        return self.judge is not None and self.judge.labels is None
