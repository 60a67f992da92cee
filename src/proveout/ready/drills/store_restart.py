"""store-restart: what has the store open dies under load; what was acknowledged stays."""

from __future__ import annotations

import asyncio
from itertools import cycle, islice
from typing import TYPE_CHECKING

from proveout.domain.access import Role
from proveout.domain.run import RunState
from proveout.ready.drills.drill import Drill, NotSteady, Performance
from proveout.ready.drills.load import check_steady, follow
from proveout.ready.sandbox import Crew, Knock, Protection

if TYPE_CHECKING:
    from proveout.ready.sandbox import Load, Sandbox

REQUESTS = 20
"""Requests between two restarts."""

RESTARTS = 2


async def perform(sandbox: Sandbox) -> Performance:
    """Cut the store off from its servers under load, bring it back, and look for every run."""
    crew = Crew(count=2)
    await asyncio.gather(sandbox.start_doors(), sandbox.start_workers(crew))
    await check_steady(sandbox, "before")
    acknowledged: list[str] = []
    cut = 0
    loads = cycle(sandbox.loads)
    for restart in range(RESTARTS):
        for n, load in enumerate(islice(loads, REQUESTS)):
            run = await _request(sandbox, load, f"restart-{restart}-{n}")
            if run is not None:
                acknowledged.append(run)
        cut += await sandbox.cut_store()
        await sandbox.kill_doors()
        await sandbox.kill_workers()
        sandbox.note(f"restart {restart + 1}: {len(acknowledged)} runs acknowledged so far")
        await asyncio.gather(sandbox.start_doors(), sandbox.start_workers(crew))
    if not acknowledged:
        raise NotSteady("the doors acknowledged nothing")
    ended = await follow(sandbox, acknowledged)
    unknown = [run for run in acknowledged if run not in ended.states]
    unended = [run for run in ended.lost if run not in unknown]
    sandbox.note(f"{len(acknowledged)} acknowledged, {len(unknown)} lost, {len(unended)} unended")
    faults: list[str] = []
    if unknown:
        faults.append(f"{len(unknown)} acknowledged runs are gone")
    if unended:
        faults.append(f"{len(unended)} acknowledged runs never ended")
    if (other := len(ended.states) - len(unended) - ended.count(RunState.SUCCEEDED)) > 0:
        faults.append(f"{other} runs ended otherwise than they do when nothing is broken")
    return Performance(
        figures={
            "acknowledged": len(acknowledged),
            "restarts": RESTARTS,
            "connections_cut": cut,
            "lost": len(unknown),
            "unended": len(unended),
        },
        faults=tuple(faults),
    )


async def _request(sandbox: Sandbox, load: Load, key: str) -> str | None:
    """Return the run that the doors acknowledged, or None."""
    knock = Knock(
        method="POST",
        path=f"/api/v1/workflows/{sandbox.release.workflow}/runs",
        body=load.value,
        headers={"content-type": "application/json", "idempotency-key": key},
        key=sandbox.key_of(Role.OPERATOR),
    )
    answered = await sandbox.knock(knock)
    if answered is None or not 200 <= answered.status < 300:  # noqa: PLR2004 - HTTP's own
        return None
    return str(answered.body["id"])


DRILL = Drill(
    name="store-restart",
    without=Protection.DURABLE_ANSWERS,
    perform=perform,
    shown=("lost", "acknowledged and lost"),
)
