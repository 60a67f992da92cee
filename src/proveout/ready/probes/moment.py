"""P09 and P10: the signed time is checked, and not too closely."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from proveout.ready.findings import Severity
from proveout.ready.probes.judge import not_acknowledged, not_refused, said
from proveout.ready.probes.probe import Due, Notion, Probe, Shown

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.ports.receiver import Answer
    from proveout.ready.probes.rig import Rig

STALE = 600
"""Seconds; every provider of the five that signs a time says 300."""

APART = 240
"""Seconds that two clocks may be apart; a minute is left for a slow way."""

NOTABLE = 30
"""Seconds by which a receiver's clock is off before it is told."""


async def refuse_stale(rig: Rig) -> Shown:
    """Send an event that was signed ten minutes ago."""
    event = rig.event()
    answer = await rig.send(rig.letter(event, age=STALE))
    return Shown(
        sent=f"a valid event, signed {STALE // 60} minutes ago",
        received=said(answer),
        fault=not_refused([("what is stale", answer)]),
        dues=(Due(event=event.id, count=0),),
    )


async def accept_apart(rig: Rig) -> Shown:
    """Send an event signed four minutes ago, and one signed four minutes ahead."""
    answers: list[tuple[str, Answer]] = []
    for name, age in (("four minutes ago", APART), ("four minutes ahead", -APART)):
        answer = await rig.send(rig.letter(rig.event(), age=age))
        answers.append((f"what was signed {name} is refused", answer))
    return Shown(
        sent="two valid events, signed four minutes ago and four minutes ahead",
        received=" and ".join(said(answer) for _, answer in answers),
        fault=not_acknowledged(answers),
        hint=_clock_is_off(answers[-1][1], rig.clock.now()),
    )


def _clock_is_off(answer: Answer, now: datetime) -> str:
    """Return by how much the receiver's clock is off, where it says so; else ""."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return ""
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    off = round((theirs - now).total_seconds())
    if abs(off) < NOTABLE:
        return ""
    return f"Set its clock: it is {abs(off)} s {'ahead' if off > 0 else 'behind'}."


P09 = Probe(
    id="P09",
    title="A stale delivery is refused",
    severity=Severity.HIGH,
    why="Whoever recorded a delivery, in a log or a proxy, can send it again for ever.",
    fix="Refuse what was signed more than 300 seconds ago, after the signature is checked.",
    needs=Notion.TIME,
    perform=refuse_stale,
)

P10 = Probe(
    id="P10",
    title="Clocks may be four minutes apart",
    severity=Severity.MEDIUM,
    why="Clocks drift, and queues take minutes; a tolerance that is too narrow loses valid events "
    "now and then, which nobody can reproduce.",
    fix="Accept 300 seconds, before and after, and have the machine's clock set by NTP.",
    needs=Notion.TIME,
    perform=accept_apart,
)
