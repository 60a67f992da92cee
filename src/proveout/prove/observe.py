"""From a finished trial to one observation for each criterion."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from proveout.domain.criterion import AtMost, Cost, Latency, Lead, Scored, Worth, scored_of
from proveout.domain.money import Usd
from proveout.domain.run import RunState
from proveout.errors import Mistake
from proveout.prove.calibrate import UNHEARD, corrected, is_pass_fail
from proveout.prove.score import BadScore, read_score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.domain.case import Case
    from proveout.domain.criterion import Criterion
    from proveout.domain.run import Run
    from proveout.prove.calibrate import Said
    from proveout.prove.score import Scorer

MINUTES = Decimal(60)


class OutOfBounds(Mistake):
    """A case cost, gained or lost more than was declared possible."""

    code = "out-of-bounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trialled:
    """A finished trial, with what is needed to score it.

    Attributes:
        price: what the case cost; None when it is not known.
    """

    run: Run
    case: Case
    price: Usd | None

    @property
    def answered(self) -> bool:
        """Whether the trial gave a result."""
        return self.run.state is RunState.SUCCEEDED

    @property
    def result(self) -> Any:
        """What came back, as JSON data; None where nothing did."""
        return None if self.run.result is None else json.loads(self.run.result)


ALONE: Mapping[str, Trialled] = MappingProxyType({})
"""No other candidate's trial is at hand."""


def observe(
    criteria: tuple[Criterion, ...],
    trialled: Trialled,
    scorers: Mapping[str, Scorer],
    said: Said = UNHEARD,
    beside: Mapping[str, Trialled] = ALONE,
) -> tuple[float, ...]:
    """Return one observation for each criterion, in its own direction and unit.

    Time-outs, crashes and refusals are values: the worst that the criterion knows. In a lead
    they are the worst for their side; two of them are even. What judges and people said of an
    answer is not asked again.

    Args:
        criteria: those of the candidate whose trial it is.
        trialled: the trial.
        scorers: score functions, by the name of the criterion that they measure.
        said: what judges and people said of the answer.
        beside: other candidates' trials of the same case, by candidate; a lead over any other
            is not a number, and no test takes it.

    Raises:
        BadScore: a score gave something that its criterion cannot read.
    """
    scores = {
        c.name: said.opinions[c.name] if c.name in said.opinions else score_of(c, trialled, scorers)
        for c in criteria
        if is_score(c)
    }
    leads = _leads(criteria, trialled, scorers, beside)
    values = _values(criteria, trialled, scores, leads)
    if not said.labels:
        return values
    by_people = _values(criteria, trialled, {**scores, **said.labels}, leads)
    return tuple(
        corrected(value, person, said.shares[c.name]) if c.name in said.shares else value
        for c, value, person in zip(criteria, values, by_people, strict=True)
    )


def _leads(
    criteria: tuple[Criterion, ...],
    trialled: Trialled,
    scorers: Mapping[str, Scorer],
    beside: Mapping[str, Trialled],
) -> dict[str, float]:
    return {
        one.name: lead(one, (trialled, beside[one.measure.over]), scorers)
        if one.measure.over in beside
        else math.nan
        for one in criteria
        if isinstance(one.measure, Lead)
    }


def _values(
    criteria: tuple[Criterion, ...],
    trialled: Trialled,
    scores: Mapping[str, float],
    leads: Mapping[str, float],
) -> tuple[float, ...]:
    passed = all(
        scores[c.name] == (0.0 if isinstance(c.rule, AtMost) else 1.0)
        for c in criteria
        if is_pass_fail(c)
    )
    success = trialled.answered and passed

    def value(one: Criterion) -> float:
        match one.measure:
            case Scored():
                return scores[one.name]
            case Lead():
                return leads[one.name]
            case Latency() | Cost() | Worth():
                return _measured(one, trialled, success)

    return tuple(value(one) for one in criteria)


def is_score(criterion: Criterion) -> bool:
    """Whether a criterion is measured by a score of one candidate."""
    return isinstance(criterion.measure, Scored)


def lead(
    criterion: Criterion, pair: tuple[Trialled, Trialled], scorers: Mapping[str, Scorer]
) -> float:
    """Return how far the first of two trials of a case scored above the second.

    Raises:
        BadScore: a score gave something that its criterion cannot read.
    """
    first, second = (score_of(criterion, one, scorers) for one in pair)
    return first - second


def score_of(criterion: Criterion, trialled: Trialled, scorers: Mapping[str, Scorer]) -> float:
    """Return what a trial earned on the score that a criterion reads, or the worst there is.

    Raises:
        BadScore: the score gave something that its criterion cannot read.
    """
    measure = scored_of(criterion.measure)
    assert measure is not None  # noqa: S101 - the caller knows that it reads one
    if not trialled.answered:
        low, high = (measure.graded.low, measure.graded.high) if measure.graded else (0.0, 1.0)
        return high if isinstance(criterion.rule, AtMost) else low
    try:
        given = scorers[criterion.name](trialled.result, trialled.case)
    except BaseException as error:
        raise raised(measure, trialled.case, error) from error
    return read_score(given, measure.graded, measure.score)


def raised(measure: Scored, case: Case, error: BaseException) -> BadScore:
    """Return what to say of a score that raised."""
    return BadScore(
        f"the score {measure.score} raised {type(error).__name__}: {error}",
        why=f"on case {case.id}; its answers are kept",
        fix=("mend the score and run the same command again",),
    )


def _measured(criterion: Criterion, trialled: Trialled, success: bool) -> float:
    match criterion.measure:
        case Latency(within=within):
            seconds = trialled.run.elapsed
            in_time = seconds is not None and seconds <= within.total_seconds()
            return 1.0 if trialled.answered and in_time else 0.0
        case Cost(cap=cap):
            return float(_within(trialled, trialled.price or Usd(0), Usd(0), cap))
        case Worth() as worth:
            gained = worth_of(worth, trialled.price or Usd(0), success=success)
            return float(_within(trialled, gained, worth.worst, worth.best))
        case Scored() | Lead():
            raise AssertionError(criterion)


def _within(trialled: Trialled, amount: Usd, low: Usd, high: Usd) -> Usd:
    """Return an amount that lies within the bounds that were locked.

    Raises:
        OutOfBounds: it does not.
    """
    if low <= amount <= high:
        return amount
    raise OutOfBounds(
        f"case {trialled.case.id} comes to {amount}, outside of {low} to {high}",
        why=f"its call cost {trialled.price}, more than the cap_per_call that was declared;"
        " the evidence holds only for what lies within the bounds, so nothing is clipped",
        fix=("raise cap_per_call in proveout.toml; that is a new experiment",),
    )


def worth_of(worth: Worth, price: Usd, *, success: bool) -> Usd:
    """Return what one case gains or loses against today's way of doing it."""
    earned = worth.value_per_success if success else -worth.loss_per_error
    return earned - price + saved(worth)


def saved(worth: Worth) -> Usd:
    """Return what today's way of doing it costs for one case."""
    if worth.baseline is None:
        return Usd(0)
    return worth.baseline.person_hour * (Decimal(str(worth.baseline.minutes)) / MINUTES)
