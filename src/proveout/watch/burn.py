"""Burn: is an objective's error budget used up too fast?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.alert import Breach, Objective, Rule, Severity
from proveout.domain.duration import say_duration

if TYPE_CHECKING:
    from collections.abc import Mapping


class Burn(NamedTuple):
    """A speed at which it is too fast, seen in two windows at once.

    Attributes:
        rate: how many times faster than what lasts for 30 days.
    """

    severity: Severity
    long: timedelta
    short: timedelta
    rate: float


BURNS = (
    Burn(Severity.PAGE, timedelta(hours=1), timedelta(minutes=5), 14.4),
    Burn(Severity.PAGE, timedelta(hours=6), timedelta(minutes=30), 6.0),
    Burn(Severity.TICKET, timedelta(days=3), timedelta(hours=6), 1.0),
)
"""Google's Site Reliability Workbook, table 5-8: 2 %, 5 % and 10 % of a 30-day budget."""

WINDOWS = tuple(sorted({w for burn in BURNS for w in (burn.long, burn.short)}))

LEAST = 20
"""Events in the long window below which a share says nothing; then `count` judges."""

LEAST_BAD = 3
"""Bad events in the long window below which nobody is told, however strict the objective."""


class Counted(NamedTuple):
    """What was good and what was not, within one window."""

    all: int
    bad: int

    def burn(self, target: float) -> float:
        """Return how many times faster than the budget lasts it is used."""
        return self.bad / self.all / (1 - target) if self.all else 0.0


def burning(objective: Objective, windows: Mapping[timedelta, Counted]) -> Breach | None:
    """Return the gravest burn of an objective's budget; None while it lasts.

    >>> hour, five = timedelta(hours=1), timedelta(minutes=5)
    >>> quiet = dict.fromkeys(WINDOWS, Counted(0, 0))
    >>> busy = quiet | {hour: Counted(100, 20), five: Counted(10, 3)}
    >>> found = burning(Objective(rule=Rule.RUNS, target=0.99), busy)
    >>> found and found.severity.value
    'page'
    """
    for burn in BURNS:
        long, short = windows[burn.long], windows[burn.short]
        if long.all < LEAST or long.bad < LEAST_BAD:
            continue
        speeds = long.burn(objective.target), short.burn(objective.target)
        if min(speeds) > burn.rate:
            return _breach(objective, burn, long, speeds)
    return None


def _breach(objective: Objective, burn: Burn, long: Counted, speeds: tuple[float, float]) -> Breach:
    noun = "reviews" if objective.rule is Rule.REVIEWS else "runs"
    bad = "were not answered in time" if objective.rule is Rule.REVIEWS else "failed or were late"
    return Breach(
        rule=objective.rule,
        severity=burn.severity,
        summary=f"{long.bad} of {long.all} {noun} {bad} within {say_duration(burn.long)}",
        detail=f"The budget of {1 - objective.target:.3g} is used {speeds[0]:.1f} times too fast"
        f" over {say_duration(burn.long)}, and {speeds[1]:.1f} times over"
        f" {say_duration(burn.short)}; {burn.rate:g} is the limit.",
    )
