"""Counts: what is judged one by one, where too little happens for a share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.alert import Breach, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from proveout.domain.money import Usd
    from proveout.ports.measure import Measured, ModelHealth, Spent

LAST = 10
"""Runs that are looked back at."""

MANY = 3
"""Failures among them that are too many."""

LEAST_PRICED = 10
"""Runs of known cost below which their mean says nothing."""

LEAST_CALLS = 5
"""Calls of models below which nothing is said of their vendor."""

DOWN = 0.5
"""Share of failed calls at which a vendor is taken to be down."""


def failing(newest: Sequence[bool]) -> Breach | None:
    """Return what the last runs say, the newest first; None where few of them failed.

    Three in a row wake somebody; three of ten wait for the morning.

    >>> failing([True, False, False, True, False]).severity.value
    'ticket'
    """
    last = newest[:LAST]
    failed = last.count(False)
    if failed < MANY:
        return None
    in_a_row = not any(last[:MANY])
    return Breach(
        rule=Rule.FAILURES,
        severity=Severity.PAGE if in_a_row else Severity.TICKET,
        summary=f"{failed} of the last {len(last)} runs failed",
        detail=f"The last {MANY} failed one after another." if in_a_row else "",
    )


def dying(measured: Measured) -> Breach | None:
    """Return that runs were given up; None where none was."""
    if not measured.dead:
        return None
    runs = "1 run is" if measured.dead == 1 else f"{measured.dead} runs are"
    return Breach(
        rule=Rule.DEAD,
        severity=Severity.TICKET,
        summary=f"{runs} dead",
        detail="Nobody tries them again: proveout dead list",
    )


def spending(spent: Spent, most: Usd) -> Breach | None:
    """Return that a run costs more than the objective on average; None where it does not."""
    if spent.priced < LEAST_PRICED:
        return None
    mean = float(spent.cost) / spent.priced
    if mean <= float(most):
        return None
    return Breach(
        rule=Rule.COST,
        severity=Severity.TICKET,
        summary=f"a run costs ${mean:.3g} on average, over {most}",
        detail=f"{spent.priced} runs of the last day together: {spent.cost}",
    )


def models_down(health: ModelHealth, window: timedelta) -> Breach | None:
    """Return that models do not answer; None while they do, or are hardly asked."""
    if health.calls < LEAST_CALLS or health.failed < DOWN * health.calls:
        return None
    minutes = window.total_seconds() / 60
    return Breach(
        rule=Rule.MODELS,
        severity=Severity.PAGE,
        summary=f"{health.failed} of {health.calls} calls of models failed within {minutes:g} min",
        detail="Turned away, answered by an error of the vendor's, or not answered.",
    )
