"""When each step of a run took place, as places on one line.

What a run worked is drawn to one scale. A wait, for a person or a timer, may be a million
times longer than a step; it is drawn shorter than it took, and the page says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

WAITING = 0.4
"""All waits together are drawn at most this long, as a ratio to all work."""

LEAST = 0.006
"""Share of the line that even the shortest step takes, so that it can be seen."""

APART, LAST = 0.16, 0.25
"""Shares of the line between two moments that the axis names, and before the last one, whose
words end there; on a narrow window those of nearer ones would overlap."""


class Stretch(NamedTuple):
    """A stretch of time in which a run worked, or waited."""

    start: datetime
    end: datetime
    is_work: bool

    @property
    def long(self) -> timedelta:
        """How long it lasted."""
        return self.end - self.start


class Place(NamedTuple):
    """Where on the line something lies, as shares of its width."""

    x: float
    width: float

    @property
    def left(self) -> str:
        """Where it begins, as SVG reads it."""
        return f"{self.x:.2%}"

    @property
    def long(self) -> str:
        """How wide it is, as SVG reads it."""
        return f"{self.width:.2%}"


class Mark(NamedTuple):
    """A moment that the axis names, counted from the start of the line."""

    x: float
    since: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A line from the first moment of a run to the last, with its waits folded.

    Attributes:
        knots: moments in order, each with its place from 0 to 1.
        is_folded: whether a wait is drawn shorter than it took.
    """

    knots: tuple[tuple[datetime, float], ...]
    is_folded: bool

    def place(self, start: datetime, end: datetime) -> Place:
        """Return where a stretch of time lies; at least wide enough to be seen."""
        x = min(self._at(start), 1 - LEAST)
        return Place(x, max(LEAST, self._at(end) - x))

    def marks(self) -> tuple[Mark, ...]:
        """Return the moments that the axis names: the first, the last, and changes between."""
        (first, _), *between = self.knots
        marks = [Mark(0.0, timedelta())]
        for moment, x in between[:-1]:
            if marks[-1].x + APART < x < 1 - LAST:
                marks.append(Mark(x, moment - first))
        return (*marks, Mark(1.0, between[-1][0] - first))

    def _at(self, moment: datetime) -> float:
        """Return where a moment lies, from 0 to 1."""
        for (before, x0), (after, x1) in pairwise(self.knots):
            if moment <= after:
                share = (moment - before) / (after - before) if after > before else 0.0
                return x0 + (x1 - x0) * min(1.0, max(0.0, share))
        return 1.0


def timeline(stretches: Iterable[Stretch]) -> Timeline | None:
    """Return the line on which all stretches lie, or None where there are none."""
    parts = _alternating(sorted(stretches))
    if not parts:
        return None
    work = sum((part.long for part in parts if part.is_work), timedelta())
    waits = sum(not part.is_work for part in parts)
    widest = work * WAITING / waits if work and waits else timedelta.max
    drawn = [part.long if part.is_work else min(part.long, widest) for part in parts]
    whole = sum(drawn, timedelta()) or timedelta.resolution
    ends = accumulate(drawn, initial=timedelta())
    moments = (parts[0].start, *(part.end for part in parts))
    return Timeline(
        knots=tuple((moment, end / whole) for moment, end in zip(moments, ends, strict=True)),
        is_folded=any(part.long > widest for part in parts if not part.is_work),
    )


def _alternating(known: Sequence[Stretch]) -> list[Stretch]:
    """Return the whole time cut where work begins and ends."""
    moments = sorted({moment for one in known for moment in (one.start, one.end)})
    if len(moments) == 1:
        return [Stretch(moments[0], moments[0], is_work=True)]
    parts: list[Stretch] = []
    for start, end in pairwise(moments):
        is_work = any(one.is_work and one.start <= start and one.end >= end for one in known)
        if parts and parts[-1].is_work == is_work:
            parts[-1] = parts[-1]._replace(end=end)
        else:
            parts.append(Stretch(start, end, is_work))
    return parts
