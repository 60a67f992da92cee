"""What sharing a source does to a mean: cases of one source are more alike than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, variance
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigures:
    """Means over sources, and how much less their cases say than independent ones.

    Attributes:
        sources: how many there were.
        per_request: mean over all cases.
        per_source: mean over the sources' own means.
        design_effect: how many times the variance of `per_request` is that of as many
            independent cases; None where too little varies to tell.

    Source:
        Kish (1965), the variance of a ratio over clusters drawn with replacement.
    """

    sources: int
    per_request: float
    per_source: float
    design_effect: float | None


def figures_of(sources: Sequence[Sequence[float]]) -> SourceFigures:
    """Return the figures of values grouped by source; each group holds at least one.

    >>> found = figures_of([[1, 1, 1], [0, 0, 0], [1], [1]])
    >>> found.per_request, found.per_source, round(found.design_effect or 0, 2)
    (0.625, 0.75, 3.15)
    """
    values = [value for source in sources for value in source]
    mean, count = fmean(values), len(sources)
    effect = None
    if count > 1 and (alone := variance(values)) > 0:
        away = math.fsum(math.fsum(value - mean for value in source) ** 2 for source in sources)
        shared = count / (count - 1) * away / len(values) ** 2
        effect = shared / (alone / len(values))
    return SourceFigures(
        sources=count,
        per_request=mean,
        per_source=fmean(map(fmean, sources)),
        design_effect=effect,
    )
