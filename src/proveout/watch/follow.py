"""Following: what becomes of alerts when rules are looked at again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proveout.domain.alert import Alert, AlertState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from proveout.domain.alert import Breach, Manner


def follow(
    alerts: Iterable[Alert],
    breaches: Iterable[Breach],
    now: datetime,
    *,
    manner: Manner,
    begin: Callable[[Breach], Alert],
) -> list[Alert]:
    """Return the alerts that are not over, and those that just ended, as they stand now.

    A breach that goes on is the same alert, told in its newest words. An alert is over once
    its rule has held for a while; what breaks again later is another one.

    Args:
        alerts: those that were not over.
        breaches: what does not hold at this moment.
        now: the moment.
        manner: how long a rule must hold again.
        begin: makes the alert of a breach that is new.
    """
    known = {one.key: one for one in alerts}
    found: list[Alert] = []
    for breach in breaches:
        before = known.pop(breach.key, None)
        if before is None:
            found.append(begin(breach))
            continue
        found.append(replace(before, summary=breach.summary, detail=breach.detail, held=now))
    for one in known.values():
        is_over = now - one.held >= manner.settled
        found.append(one.to(AlertState.RESOLVED, now) if is_over else one)
    return found


def opened(
    alerts: Sequence[Alert], last: datetime | None, now: datetime, manner: Manner
) -> list[Alert]:
    """Return the alerts, with those that waited for others of their group opened together.

    The first of a group waits a little for the others. What joins a group of which people
    were told already waits longer, except for a page where only tickets were open.

    Args:
        alerts: those that are not over.
        last: when alerts were last opened; None for never.
        now: the moment.
        manner: how long they wait.
    """
    waiting = [one for one in alerts if one.state is AlertState.WAITING]
    if not waiting:
        return list(alerts)
    told = [one for one in alerts if one.state in (AlertState.OPEN, AlertState.ACKNOWLEDGED)]
    joins = {one.severity for one in waiting} <= {one.severity for one in told}
    due = min(one.since for one in waiting) + manner.first_wait
    if joins and last is not None:
        due = max(due, last + manner.between)
    if now < due:
        return list(alerts)
    return [
        one.to(AlertState.OPEN, now) if one.state is AlertState.WAITING else one for one in alerts
    ]
