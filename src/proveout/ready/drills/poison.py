"""poison: a run that always fails and one that kills its worker; the others are unharmed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proveout.domain.access import Role
from proveout.domain.run import RunId, RunState
from proveout.ready.drills.drill import Drill, Performance
from proveout.ready.drills.load import beside_starts, check_steady, enqueue, follow, until
from proveout.ready.sandbox import Crew, Knock, Mishap, Protection

if TYPE_CHECKING:
    from proveout.ready.sandbox import Sandbox

OTHERS = 16

TIME = 8.0
"""Seconds after the others in which the poisoned runs must be dead-lettered.

Beside the starts of four processes: the run that kills its worker kills one after another.
"""


async def perform(sandbox: Sandbox) -> Performance:
    """Put two poisoned runs among others, then replay their inputs without the poison."""
    await sandbox.start_workers(Crew(count=2))
    await check_steady(sandbox, "before")
    load = sandbox.loads[0]
    raising = await sandbox.enqueue(load, Mishap.RAISES)
    killing = await sandbox.enqueue(load, Mishap.KILLS)
    others = await enqueue(sandbox, OTHERS, "other")
    sandbox.note(f"{OTHERS} runs queued beside one that fails and one that kills its worker")
    ended = await follow(sandbox, (raising, killing, *others))
    dead = await _await_dead(sandbox, (raising, killing))
    sandbox.note(f"{ended.count(RunState.SUCCEEDED)} others done, {len(dead)} of 2 dead-lettered")
    faults: list[str] = []
    harmed = OTHERS - ended.count(RunState.SUCCEEDED)
    if harmed:
        faults.append(f"{harmed} other runs were harmed")
    faults += [f"run {run} is not dead-lettered" for run in (raising, killing) if run not in dead]
    if not faults and not await _is_told(sandbox, len(dead)):
        faults.append("the dead-lettered runs are not counted where an alert would see them")
    replayed = await _replay(sandbox) if not faults else 0
    if not faults and replayed != len(dead):
        faults.append(f"{len(dead) - replayed} replays did not end well after the fix")
    return Performance(
        figures={
            "others": OTHERS,
            "harmed": harmed,
            "dead_lettered": len(dead),
            "not_dead_lettered": 2 - len(dead),
            "replayed": replayed,
        },
        faults=tuple(faults),
    )


async def _await_dead(sandbox: Sandbox, runs: tuple[str, ...]) -> list[str]:
    """Return which of `runs` were dead-lettered, once all were, or none will be any more."""
    dead: list[str] = []

    async def all_dead() -> bool:
        had_workers = sandbox.has_workers
        found = [await sandbox.store.run(RunId(run)) for run in runs]
        dead[:] = [run.id for run in found if run is not None and run.state is RunState.DEAD]
        return len(dead) == len(runs) or not had_workers

    await until(sandbox, all_dead, beside_starts(sandbox, TIME, 4))
    return dead


async def _is_told(sandbox: Sandbox, dead: int) -> bool:
    """Whether the metrics that alerts are made from count the dead-lettered runs."""
    await sandbox.start_doors()
    told = await sandbox.knock(
        Knock(method="GET", path="/metrics", key=sandbox.key_of(Role.OPERATOR))
    )
    counts = re.findall(
        r'^proveout_runs\{[^}]*state="DEAD"[^}]*\} (\d+)', str(told and told.body), re.MULTILINE
    )
    return sum(map(int, counts)) == dead


async def _replay(sandbox: Sandbox) -> int:
    """Return how many of the two inputs end well, now that nothing poisons them."""
    runs = [await sandbox.enqueue(sandbox.loads[0], f"replayed-{n}") for n in range(2)]
    return (await follow(sandbox, runs)).count(RunState.SUCCEEDED)


DRILL = Drill(
    name="poison",
    without=Protection.ISOLATION,
    perform=perform,
    shown=("not_dead_lettered", "of 2 never dead-lettered"),
)
