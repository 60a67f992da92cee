"""How trials make observations: repeats of a case, and cases that share a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proveout.domain.experiment import Claim, Estimand
from proveout.prove.lock import draw_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proveout.domain.case import Case, Dataset
    from proveout.domain.experiment import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The trials of an experiment, and which of them make one observation.

    A trial's position counts from 0: the repeats of a case follow each other, and so do the
    cases of a source.

    Attributes:
        order: indices of the dataset's cases, as they are to be tried.
        sources: how many consecutive cases share each source; empty where all stand alone.
        repeats: trials of each case.
        estimand: what each source's mean counts for.
        largest: cases of the source that has the most.
    """

    order: tuple[int, ...]
    sources: tuple[int, ...] = ()
    repeats: int = 1
    estimand: Estimand = Estimand.PER_REQUEST
    largest: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "largest", max(self.sources, default=1))

    @property
    def trials(self) -> int:
        """How many trials there are at most."""
        return len(self.order) * self.repeats

    @property
    def observations(self) -> int:
        """How many observations a test can read at most."""
        return len(self.sources) or len(self.order)

    @property
    def is_averaged(self) -> bool:
        """Whether an observation is a mean of several trials, and so no mere pass or fail."""
        return self.repeats > 1 or bool(self.sources)

    def case_at(self, position: int) -> int:
        """Return the index of the case that the trial at a position tries."""
        return self.order[position // self.repeats]

    def cases_of(self, observation: int) -> int:
        """Return how many cases make an observation, which counts from 0."""
        return self.sources[observation] if self.sources else 1

    def weight_of(self, observation: int) -> float:
        """Return what an observation counts for in the mean, at most 1."""
        if not self.sources or self.estimand is Estimand.PER_SOURCE:
            return 1.0
        return self.sources[observation] / self.largest


def grouped(cases: Sequence[Case], chosen: Iterable[int], plan: Plan) -> list[list[int]]:
    """Return the chosen cases in groups that are drawn together: one a source, or one a case.

    Only a claim about future traffic asks where cases come from: all of these cases are all of
    them, whoever sent them.
    """
    groups: dict[object, list[int]] = {}
    for index in chosen:
        source = cases[index].cluster if plan.claim is Claim.FUTURE_TRAFFIC else ""
        groups.setdefault(source or index, []).append(index)
    return list(groups.values())


def foreseen(plan: Plan, dataset: Dataset) -> Layout:
    """Return what a layout of the whole dataset is like, before any order is drawn."""
    groups = grouped(dataset.cases, range(len(dataset.cases)), plan)
    return laid_out(0, groups, repeats=plan.repeats, estimand=plan.estimand)


def laid_out(
    seed: int, groups: Sequence[Sequence[int]], *, repeats: int, estimand: Estimand
) -> Layout:
    """Return the layout of groups of cases in the order that a seed draws.

    Groups are drawn and not cases: otherwise a source with many cases would come early.
    """
    by_first = {group[0]: group for group in groups}
    drawn = [by_first[index] for index in draw_order(seed, by_first)]
    sizes = tuple(map(len, drawn))
    return Layout(
        order=tuple(index for group in drawn for index in group),
        sources=sizes if max(sizes) > 1 else (),
        repeats=repeats,
        estimand=estimand,
    )
