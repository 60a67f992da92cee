"""Rubber stamps: a person who approves nearly everything, faster than anybody reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.ports.reviews import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.ports.reviews import PastReview

LAST = 20
"""Decisions of a person that are looked at: the newest."""

APPROVED = 0.95
"""The share of them, approved as they were, from which on it is nearly everything."""

QUICK = timedelta(seconds=5)
"""The median time for one, up to which nobody has read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """How a person decided lately.

    Attributes:
        decisions: how many were looked at.
        approved: how many of them were approved as they were.
        median: half of them took at most so long, from the moment at which the person could
            begin: when it was asked, or when they had decided the one before.
    """

    by: str
    decisions: int
    approved: int
    median: timedelta

    @property
    def is_alarm(self) -> bool:
        """Whether approvals of this person are no check any more.

        Source:
            Regulation (EU) 2024/1689, Article 14 (4) (b): people who oversee a system must
            be able to remain aware of automation bias. The bounds are ours.
        """
        enough = self.decisions >= LAST and self.approved >= APPROVED * self.decisions
        return enough and self.median <= QUICK


def stamps(past: Iterable[PastReview]) -> list[Stamp]:
    """Return how each person decided lately, those who decided most first.

    The time of a decision is an upper bound of the time spent on it: whoever had a page open
    for longer while they decided others has not read it for longer.

    Args:
        past: decisions of people, in any order.
    """
    people: dict[str, list[PastReview]] = {}
    for one in sorted(past, key=lambda one: one.decided):
        people.setdefault(one.by, []).append(one)
    found = [_stamp(by, decisions) for by, decisions in people.items()]
    return sorted(found, key=lambda one: (-one.decisions, one.by))


def _stamp(by: str, decisions: list[PastReview]) -> Stamp:
    times = [
        one.decided - (one.opened if before is None else max(one.opened, before.decided))
        for before, one in zip([None, *decisions], decisions, strict=False)
    ][-LAST:]
    return Stamp(
        by=by,
        decisions=len(times),
        approved=sum(one.outcome is Outcome.APPROVED for one in decisions[-LAST:]),
        median=sorted(times)[(len(times) - 1) // 2],
    )
