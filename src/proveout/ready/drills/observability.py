"""observability: one failing run, found by its id wherever an operator looks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proveout.domain.access import Role
from proveout.domain.run import RunId, RunState
from proveout.ready.drills.drill import Drill, NotSteady, Performance
from proveout.ready.drills.load import beside_starts, check_steady, until
from proveout.ready.sandbox import Crew, Knock, Mishap, Protection

if TYPE_CHECKING:
    from proveout.ready.sandbox import Sandbox

TIME = 10.0
"""Seconds in which the run must be dead-lettered, and then be found."""

COUNTED = re.compile(r'^proveout_runs_total\{[^}]*outcome="DEAD"[^}]*\} ([0-9]+)', re.MULTILINE)


async def perform(sandbox: Sandbox) -> Performance:
    """Let one run fail for good, then look for it in trace, metric, log and console."""
    await sandbox.start_workers(Crew(count=1))
    await check_steady(sandbox, "before")
    await sandbox.start_doors()
    await sandbox.sign_in(Role.VIEWER)
    before = await _counted(sandbox)  # whoever serves counts from the first question on
    await sandbox.settle(1.5)
    run = await sandbox.enqueue(sandbox.loads[0], Mishap.RAISES)
    if not await until(sandbox, lambda: _is_dead(sandbox, run), beside_starts(sandbox, TIME, 1)):
        raise NotSteady("the run that was to fail has not failed")
    places: dict[str, bool] = {}

    async def found_everywhere() -> bool:
        places.update(await _places(sandbox, run, before))
        return all(places.values())

    await until(sandbox, found_everywhere, TIME)
    missing = [place for place, is_there in places.items() if not is_there]
    sandbox.note(f"run {run} failed and is found in {len(places) - len(missing)} places")
    return Performance(
        figures={
            **{place: "found" if is_there else "not found" for place, is_there in places.items()},
            **({} if "trace" in places else {"trace": "not looked for: it is not installed"}),
            "found_in": len(places) - len(missing),
            "looked_in": len(places),
        },
        faults=tuple(f"the failing run is not found in the {place}" for place in missing),
    )


async def _is_dead(sandbox: Sandbox, run: str) -> bool:
    found = await sandbox.store.run(RunId(run))
    return found is not None and found.state is RunState.DEAD


async def _places(sandbox: Sandbox, run: str, before: int) -> dict[str, bool]:
    """Return where an operator looks, and whether the run is found there."""
    page = await sandbox.knock(
        Knock(method="GET", path=f"/runs/{run}", cookie=sandbox.cookie_of(Role.VIEWER))
    )
    spans = sandbox.traced(run)
    return {
        **({} if spans is None else {"trace": spans > 0}),
        "metric": await _counted(sandbox) > before,
        "log": await sandbox.logged(run) > 0,
        "console": page is not None and page.status == FOUND and run in str(page.body),
    }


FOUND = 200


async def _counted(sandbox: Sandbox) -> int:
    told = await sandbox.knock(
        Knock(method="GET", path="/metrics", key=sandbox.key_of(Role.OPERATOR))
    )
    return sum(map(int, COUNTED.findall("" if told is None else str(told.body))))


DRILL = Drill(
    name="observability",
    without=Protection.EXPORTS,
    perform=perform,
    shown=("found_in", "places tell of it"),
)
