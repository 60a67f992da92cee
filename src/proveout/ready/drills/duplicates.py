"""duplicates: the same webhook again, at once and after its run ended; one run, one effect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proveout.ports.store import RunFilter
from proveout.ready.drills.drill import Drill, NotSteady, Performance
from proveout.ready.drills.load import check_steady, follow
from proveout.ready.sandbox import Crew, Protection

if TYPE_CHECKING:
    from proveout.ready.sandbox import Answered, Sandbox, Webhook

AT_ONCE = 10
"""Copies of a webhook that are sent at the same moment."""

EVENTS = 3
"""Events of each source."""


async def perform(sandbox: Sandbox) -> Performance:
    """Send each event many times, and count its runs and effects."""
    await sandbox.start_workers(Crew(count=1))
    await sandbox.start_doors()
    await check_steady(sandbox, "before")
    before = {run.id for run in await _runs(sandbox)}
    sent = events = refused = 0
    for n in range(EVENTS):
        load = sandbox.loads[n % len(sandbox.loads)]
        for webhook in sandbox.webhooks(load, f"evt_drill{n}"):
            answers = await _send_again_and_again(sandbox, webhook)
            sent += len(answers)
            refused += sum(1 for one in answers if one is None or one.status >= 300)  # noqa: PLR2004
            events += 1
    if not events:
        raise NotSteady("no source is declared")
    made = [run for run in await _runs(sandbox) if run.id not in before]
    ended = await follow(sandbox, [run.id for run in made])
    effects = {e.key for e in (await sandbox.counted()).effects if e.run in ended.states}
    expected = sum(sandbox.loads[n % len(sandbox.loads)].effects for n in range(EVENTS)) * (
        events // EVENTS
    )
    sandbox.note(f"{events} events sent {sent} times: {len(made)} runs, {len(effects)} effects")
    faults: list[str] = []
    if len(made) != events:
        faults.append(f"{events} events made {len(made)} runs")
    if len(effects) != expected:
        faults.append(f"{expected} effects were due, {len(effects)} arrived")
    if refused:
        faults.append(f"{refused} deliveries were not acknowledged: their sender would go on")
    return Performance(
        figures={
            "events": events,
            "deliveries": sent,
            "runs": len(made),
            "effects": len(effects),
            "surplus": len(made) - events,
        },
        faults=tuple(faults),
    )


async def _send_again_and_again(sandbox: Sandbox, webhook: Webhook) -> list[Answered | None]:
    """Send one event at once, then in turn, then after its run ended; return the answers."""
    at_once = await asyncio.gather(*(sandbox.knock(webhook.knock) for _ in range(AT_ONCE)))
    in_turn = [await sandbox.knock(webhook.knock) for _ in range(2)]
    await follow(sandbox, [run.id for run in await _runs(sandbox)])
    return [*at_once, *in_turn, await sandbox.knock(webhook.knock)]


async def _runs(sandbox: Sandbox):  # noqa: ANN202 - the store's own
    return await sandbox.store.runs(RunFilter(limit=1000))


DRILL = Drill(
    name="duplicates",
    without=Protection.DEDUPLICATION,
    perform=perform,
    shown=("surplus", "surplus runs"),
)
