"""worker-loss: workers are killed between and inside steps; no run may be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.run import RunState
from proveout.ready.drills.drill import Drill, Performance
from proveout.ready.drills.load import check_steady, effect_faults, enqueue, follow, running
from proveout.ready.sandbox import Crew, Protection

if TYPE_CHECKING:
    from proveout.ready.sandbox import Sandbox

RUNS = 40
KILLS = 3
PACE = 0.25
"""Seconds of a step, so that runs are left for every kill while workers start."""

IN_FLIGHT = 4
"""Runs that are in flight at least when the workers are killed."""


async def perform(sandbox: Sandbox) -> Performance:
    """Kill every worker again and again while runs are in flight, and look for each run."""
    crew = Crew(count=2, pace=PACE)
    await sandbox.start_workers(crew)
    await check_steady(sandbox, "before")
    runs = await enqueue(sandbox, RUNS, "loss")
    sandbox.note(f"{RUNS} runs queued")
    killed = struck = 0
    for _ in range(KILLS):
        if await running(sandbox, IN_FLIGHT):
            struck += (await sandbox.store.count()).get(RunState.RUNNING, 0)
            killed += await sandbox.kill_workers()
            await sandbox.start_workers(crew)
    sandbox.note(f"killed {killed} workers with {struck} runs in flight")
    ended = await follow(sandbox, runs)
    sandbox.note(f"{len(runs) - len(ended.lost)} ended, {len(ended.lost)} lost")
    faults = [f"{len(ended.lost)} runs never ended"] if ended.lost else []
    if (dead := len(runs) - len(ended.lost) - ended.count(RunState.SUCCEEDED)) > 0:
        faults.append(f"{dead} runs ended otherwise than they do when nothing is broken")
    if not struck:
        faults.append("no worker was killed while runs were in flight")
    faults += await effect_faults(sandbox, [run for run in runs if run not in ended.lost])
    if not faults:
        await check_steady(sandbox, "after")
    effects = (await sandbox.counted()).effects
    mine = [effect for effect in effects if effect.run in set(runs)]
    return Performance(
        figures={
            "runs": len(runs),
            "workers_killed": killed,
            "in_flight": struck,
            "lost": len(ended.lost),
            "effects": len({effect.key for effect in mine}),
            "effects_repeated_under_their_key": len(mine) - len({e.key for e in mine}),
        },
        faults=tuple(faults),
    )


DRILL = Drill(
    name="worker-loss", without=Protection.RECOVERY, perform=perform, shown=("lost", "lost")
)
