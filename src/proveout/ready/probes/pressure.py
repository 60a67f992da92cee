"""P02 and P18: acknowledgements come in time, alone and in a burst.

A machine that is busy with other programs makes a quick receiver look slow. So a late answer
is not yet a fault: it is tried again, and the best try counts. Each further try goes beside
the same number of unsigned deliveries, which the same server refuses without any work, and
beside a piece of work of our own. A machine excuses what came late only when both were as slow;
then nothing is proven either, and the probe is untested.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.ports.receiver import PATIENCE, Letter
from proveout.ready.findings import Severity
from proveout.ready.probes.judge import not_acknowledged, summary
from proveout.ready.probes.probe import Framework, Probe, Shown

if TYPE_CHECKING:
    from proveout.ports.receiver import Answer
    from proveout.ready.probes.rig import Rig

ALONE = 1.0
"""Seconds in which one delivery is acknowledged."""

IN_A_BURST = 5.0
"""Seconds in which each of a burst is."""

AFTERWARDS = (
    "Verify, store the event, answer 200, and do the slow work afterwards in a queue or a worker."
)

ALIKE = 3.0
"""How many times as long as a refusal an acknowledgement may take and still be like it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try: its slowest answer, the slowest refusal beside it, and the machine's strain."""

    seconds: float
    control: float
    strain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How soon answers must come.

    Attributes:
        limit: seconds.
        work: seconds of computing that any receiver may need for it on a machine of its own.
        tries: how often it is tried in all.
    """

    limit: float
    work: float
    tries: int

    def excuses(self, late: Try) -> bool:
        """Whether it was late for want of a free machine: its refusals and our work were, too."""
        return late.seconds <= min(ALIKE * late.control, self.work * late.strain)


SEVERAL = "Run several workers and threads: gunicorn -w 4 --threads 8."


async def acknowledge(rig: Rig) -> Shown:
    """Send events one after the other until one is acknowledged in time."""
    pace = Pace(limit=ALONE, work=0.15, tries=rig.bounds.tries)
    return await _timed(rig, 1, pace, "one valid event")


async def take_burst(rig: Rig) -> Shown:
    """Send a burst of different events, and another one where some came late."""
    count = rig.bounds.burst
    pace = Pace(limit=IN_A_BURST, work=0.02 * count, tries=rig.bounds.bursts)
    return await _timed(rig, count, pace, f"{count} valid events at once")


async def _timed(rig: Rig, count: int, pace: Pace, sent: str) -> Shown:
    """Send until every answer of one try comes in time, or it was tried often enough."""
    tries: list[Try] = []
    answers: list[Answer] = []
    fault = ""
    while len(tries) < pace.tries and not fault:
        strain, control = 1.0, 0.0
        letters = [rig.letter(rig.event()) for _ in range(count)]
        if tries:
            strain, answers = await asyncio.gather(rig.strain(), rig.send_together(letters))
            control = await _control(rig, count)
        else:
            answers = await rig.send_together(letters)
        tries.append(Try(seconds=max(map(_waited, answers)), control=control, strain=strain))
        fault = not_acknowledged(
            (f"number {at} is not acknowledged", answer)
            for at, answer in enumerate(answers, 1)
            if answer.status is not None
        )
        if tries[-1].seconds <= pace.limit:
            break
    best = min(one.seconds for one in tries)
    unsure = ""
    if best > pace.limit and not fault:
        if any(pace.excuses(one) for one in tries):
            strain = max(one.strain for one in tries)
            unsure = f"this machine is too busy to tell: work takes {strain:.0f} times as long"
        else:
            fault = f"the best of {len(tries)} tries took {_seconds(best)}, not {pace.limit:.0f} s"
    return Shown(
        sent=sent if len(tries) == 1 else f"{sent}, {len(tries)} times",
        received=f"{summary(answers)}; the slowest after {_seconds(best)}",
        fault=fault,
        unsure=unsure,
    )


async def _control(rig: Rig, count: int) -> float:
    """Return the seconds in which as many unsigned deliveries were refused."""
    signed = [rig.letter(rig.event()) for _ in range(count)]
    unsigned = [Letter(headers=rig.contract.unsigned(one.headers), body=one.body) for one in signed]
    return max(answer.seconds for answer in await rig.send_together(unsigned))


def _waited(answer: Answer) -> float:
    """Return the seconds to an answer; a connection that broke would never have brought one."""
    is_broken = answer.status is None and answer.seconds < PATIENCE
    return math.inf if is_broken else answer.seconds


def _seconds(seconds: float) -> str:
    return "a broken connection" if math.isinf(seconds) else f"{seconds:.2g} s"


P02 = Probe(
    id="P02",
    title="A delivery is acknowledged within a second",
    severity=Severity.MEDIUM,
    why="Slack waits 3 s, Shopify 5 s, GitHub 10 s; under load a slow answer is a lost one, sent "
    "again while the first is still at work.",
    fix=AFTERWARDS,
    fixes={
        Framework.FLASK: f"{AFTERWARDS} For instance with Celery or RQ; a thread of the web "
        "process dies with it.",
        Framework.FASTAPI: f"{AFTERWARDS} BackgroundTasks lose what is at work when the process "
        "ends; and no blocking call in an async def.",
        Framework.DJANGO: f"{AFTERWARDS} For instance with Celery, by transaction.on_commit().",
        Framework.EXPRESS: f"{AFTERWARDS} For instance with BullMQ; answer before any await on "
        "somebody else's API.",
    },
    perform=acknowledge,
)

P18 = Probe(
    id="P18",
    title="A burst of 50 is acknowledged, each within 5 s",
    severity=Severity.HIGH,
    why="An import, a sale or a catch-up after an outage sends many at once; those that wait too "
    "long are sent again, on top.",
    fix=f"{AFTERWARDS} Give the server enough workers, and the database enough connections.",
    fixes={
        Framework.FLASK: f"{AFTERWARDS} {SEVERAL}",
        Framework.DJANGO: f"{AFTERWARDS} {SEVERAL}",
        Framework.FASTAPI: f"{AFTERWARDS} No blocking call in an async def: it holds up all.",
    },
    perform=take_burst,
)
