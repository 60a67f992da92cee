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
from proveout.prove.score import BadScore, read_score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.domain.case import Case
    from proveout.domain.criterion import Criterion
    from proveout.domain.run import Run
    from proveout.prove.score import Scorer

MINUTES = Decimal(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trialled:
    """A finished trial, with what is needed to score it.

    Attributes:
        price: what one call of the candidate costs; None when it is not known.
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
    beside: Mapping[str, Trialled] = ALONE,
) -> tuple[float, ...]:
    """Return one observation for each criterion, in its own direction and unit.

    Time-outs, crashes and refusals are values: the worst that the criterion knows. In a lead
    they are the worst for their side; two of them are even.

    Args:
        criteria: those of the candidate whose trial it is.
        trialled: the trial.
        scorers: score functions, by the name of the criterion that they measure.
        beside: other candidates' trials of the same case, by candidate; a lead over any other
            is not a number, and no test takes it.

    Raises:
        BadScore: a score gave something that its criterion cannot read.
    """
    scores = {c.name: score_of(c, trialled, scorers) for c in criteria if is_score(c)}
    passed = all(
        scores[c.name] == (0.0 if isinstance(c.rule, AtMost) else 1.0)
        for c in criteria
        if isinstance(c.measure, Scored) and c.measure.graded is None
    )
    success = trialled.answered and passed

    def value(one: Criterion) -> float:
        match one.measure:
            case Scored():
                return scores[one.name]
            case Lead(over=over):
                other = beside.get(over)
                return math.nan if other is None else lead(one, (trialled, other), scorers)
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
        raise BadScore(
            f"the score {measure.score} raised {type(error).__name__}: {error}",
            why=f"on case {trialled.case.id}; its answers are kept",
            fix=("mend the score and run the same command again",),
        ) from error
    return read_score(given, measure.graded, measure.score)


def _measured(criterion: Criterion, trialled: Trialled, success: bool) -> float:
    match criterion.measure:
        case Latency(within=within):
            seconds = trialled.run.elapsed
            in_time = seconds is not None and seconds <= within.total_seconds()
            return 1.0 if trialled.answered and in_time else 0.0
        case Cost():
            return float(_price(trialled))
        case Worth() as worth:
            return float(worth_of(worth, _price(trialled), success=success))
        case Scored() | Lead():
            raise AssertionError(criterion)


def _price(trialled: Trialled) -> Usd:
    """Return what the case cost: the declared price of every call it took."""
    return (trialled.price or Usd(0)) * max(1, trialled.run.fence)


def worth_of(worth: Worth, price: Usd, *, success: bool) -> Usd:
    """Return what one case gains or loses against today's way of doing it."""
    earned = worth.value_per_success if success else -worth.loss_per_error
    return earned - price + saved(worth)


def saved(worth: Worth) -> Usd:
    """Return what today's way of doing it costs for one case."""
    if worth.baseline is None:
        return Usd(0)
    return worth.baseline.person_hour * (Decimal(str(worth.baseline.minutes)) / MINUTES)
