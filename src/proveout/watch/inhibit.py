"""Inhibition: of what follows from something else, nobody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.alert import INHIBITS, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from proveout.domain.alert import Alert, Silence


def cause(alert: Alert, others: Iterable[Alert]) -> Alert | None:
    """Return the alert from which one follows, among those that are not over; None for none.

    A page stands for the ticket of its own rule.
    """
    for other in others:
        graver = (
            other.rule is alert.rule
            and other.severity is Severity.PAGE
            and alert.severity is Severity.TICKET
        )
        if graver or alert.rule in INHIBITS.get(other.rule, frozenset()):
            return other
    return None


def silenced(alert: Alert, silences: Sequence[Silence], now: datetime) -> Silence | None:
    """Return the silence that covers an alert at a moment; None where none does."""
    return next((one for one in silences if one.covers(alert.rule, now)), None)
