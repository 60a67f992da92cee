"""halt: the kill switch under load; no effect begins after two seconds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.release import WORKFLOW_SCOPE
from proveout.ready.drills.drill import Drill, NotSteady, Performance
from proveout.ready.drills.load import check_steady, enqueue, follow, until
from proveout.ready.sandbox import Crew, Protection
from proveout.release.halt import halt, resume

if TYPE_CHECKING:
    from proveout.ready.sandbox import Sandbox

RUNS = 80
BOUND = timedelta(seconds=2)
"""After this time no effect begins on a live worker."""

WATCHED = 3.5
"""Seconds for which effects are counted after the order."""


async def perform(sandbox: Sandbox) -> Performance:
    """Pull the switch while effects flow, count what begins later, and let it go on."""
    await sandbox.start_workers(Crew(count=2, pace=0.25))
    await check_steady(sandbox, "before")
    if not any(load.effects for load in sandbox.loads):
        raise NotSteady("the workflow has no effect that could be stopped")
    runs = await enqueue(sandbox, RUNS, "halt")
    if not await until(sandbox, lambda: _flowing(sandbox, set(runs))):
        raise NotSteady("no effect reached the receiver")
    workflow = sandbox.release.workflow
    await halt(sandbox.office, workflow, WORKFLOW_SCOPE, "drill")
    at = sandbox.clock.now()
    before = len((await sandbox.counted()).effects)
    await sandbox.settle(WATCHED)
    after = [effect for effect in (await sandbox.counted()).effects if effect.at > at]
    late = [effect for effect in after if effect.at > at + BOUND]
    last = max((effect.at for effect in after), default=at)
    sandbox.note(f"{before} effects before, {len(after)} after the order, {len(late)} too late")
    if sandbox.off is not Protection.HALT:
        await resume(sandbox.office, workflow, WORKFLOW_SCOPE, "drill")
    ended = await follow(sandbox, runs)
    faults = [f"{len(late)} effects began more than {BOUND.seconds} s later"] if late else []
    if ended.lost:
        faults.append(f"{len(ended.lost)} runs did not go on after the resume")
    return Performance(
        figures={
            "runs": RUNS,
            "effects_before": before,
            "last_effect_after_seconds": round((last - at).total_seconds(), 2),
            "late": len(late),
            "unended": len(ended.lost),
        },
        faults=tuple(faults),
    )


async def _flowing(sandbox: Sandbox, runs: set[str]) -> bool:
    return any(effect.run in runs for effect in (await sandbox.counted()).effects)


DRILL = Drill(
    name="halt", without=Protection.HALT, perform=perform, shown=("late", "effects too late")
)
