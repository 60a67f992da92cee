"""Judges calibrated against people: which cases a person labels, and what follows from it.

A case is labelled with a fixed probability, drawn by the experiment's seed. What is read of
it is the judge's value, corrected by the person's: judge + (person - judge) / share where a
person labelled it, and the judge's value elsewhere. Its mean is that of the people's values,
whatever the judge does; a poor judge costs cases, never validity.

Source: Angelopoulos et al. (2023), prediction-powered inference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.criterion import Scored, Worth
from proveout.domain.verdict import Agreement
from proveout.prove.lock import canonical, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from proveout.domain.case import Case
    from proveout.domain.criterion import Criterion
    from proveout.domain.experiment import Plan
    from proveout.domain.label import Label

LOT = 13
"""Hexadecimal digits of a lot: as many as a float holds exactly."""

SITTING = 40
"""Answers to be labelled that trials run ahead of the verdict by: a sitting of a person."""

ROUNDING = 1e-9
"""Share of a range that is left for rounding beyond its ends."""


class Pair(NamedTuple):
    """What a judge and a person said of the same answer."""

    judge: float
    person: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said of one answer, by the name of the criterion.

    Attributes:
        opinions: what judges said, and what people did where they decide on every answer.
        labels: what people said of the answers that they check a judge by.
        shares: of the criteria for which the answer's case was drawn.
        decisions: the labels of people who decide on every answer.
    """

    opinions: Mapping[str, float] = field(default_factory=dict[str, float])
    labels: Mapping[str, float] = field(default_factory=dict[str, float])
    shares: Mapping[str, float] = field(default_factory=dict[str, float])
    decisions: Mapping[str, Label] = field(default_factory=dict[str, "Label"])

    @property
    def pairs(self) -> dict[str, Pair]:
        """The answer's values by judge and by person, where there are both."""
        return {
            name: Pair(self.opinions[name], label)
            for name, label in self.labels.items()
            if name in self.opinions
        }

    @property
    def edit(self) -> str:
        """The corrected answer, as JSON text; "" where nobody edited it."""
        return next((one.edit for one in self.decisions.values() if one.edit), "")


UNHEARD = Said()
"""Nothing was said by a judge."""


def people_label(criteria: Iterable[Criterion]) -> bool:
    """Whether people are asked about answers: to check a judge, or to decide."""
    found = tuple(criteria)
    return bool(shares_of(found)) or any(one.is_decided for one in found)


def shares_of(criteria: Iterable[Criterion]) -> dict[str, float]:
    """Return the share of cases by which people correct each criterion that they correct.

    Worth depends on whether an answer is right; it is corrected where all judges of that are.
    """
    found: dict[str, float] = {}
    deciding: list[float] = []
    for one in criteria:
        if one.judge is not None and one.judge.labels is not None:
            found[one.name] = one.judge.labels
            if is_pass_fail(one):
                deciding.append(one.judge.labels)
    if deciding:
        found.update(
            {one.name: min(deciding) for one in criteria if isinstance(one.measure, Worth)}
        )
    return found


def is_pass_fail(criterion: Criterion) -> bool:
    """Whether a criterion is a score that passes or fails."""
    return isinstance(criterion.measure, Scored) and criterion.measure.graded is None


def drawn(shares: Mapping[str, float], seed: int, case: int) -> dict[str, float]:
    """Return those of the shares for which the seed draws the case of that index.

    One lot decides for all criteria, so that a person sees as few cases as can be.
    """
    lot = int(digest(f"{seed}:{case}:label".encode())[:LOT], 16) / 16**LOT
    return {name: share for name, share in shares.items() if lot < share}


def corrected(judge: float, person: float, share: float) -> float:
    """Return a judge's value as a person corrects it for all the cases that nobody labelled."""
    return person if share == 1 else judge + (person - judge) / share


def reach_of(low: float, high: float, share: float) -> float:
    """Return how far beyond its range a value may lie once it is corrected."""
    return (1 / share - 1) * (high - low) * (1 + ROUNDING)


def variance_of(variance: float, share: float) -> float:
    """Return the variance expected of corrected values, from that of people's values.

    It supposes a judge whose mean squared error is half of that variance.
    """
    return variance * (1 + (1 / share - 1) / 2)


def label_name(plan: Plan, criterion: Criterion, case: Case, answer: str) -> str:
    """Return the name under which a label is kept: that of the question a person answered.

    Another answer, input, right answer or measure is another question; who gave the answer,
    and in which experiment, is not part of it.

    Args:
        plan: what the experiment is about.
        criterion: measured by a judge, or by people.
        case: with its input and its right answer.
        answer: the digest of the answer.
    """
    measure = criterion.measure
    assert isinstance(measure, Scored)  # noqa: S101 - people are asked about nothing else
    graded = measure.graded and [measure.graded.low, measure.graded.high]
    asked = [plan.workflow, criterion.name, measure.score, graded, case.value, case.expected]
    return digest(canonical([*asked, answer]))


def agreement_of(pairs: Sequence[Pair]) -> Agreement:
    """Return how a judge and people compare on the answers that both spoke of."""
    count = len(pairs)
    return Agreement(
        labelled=count,
        agreed=sum(one.judge == one.person for one in pairs),
        yes=sum(one.person == 1 for one in pairs),
        yes_by_both=sum(one.judge == one.person == 1 for one in pairs),
        difference=sum(one.judge - one.person for one in pairs) / count if count else None,
    )
