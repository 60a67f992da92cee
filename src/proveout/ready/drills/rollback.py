"""rollback: a known-bad canary is found in time, and a rollback under load starts nothing bad."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.release import Share
from proveout.domain.run import RunId, RunState
from proveout.ready.drills.drill import Drill, NotSteady, Performance
from proveout.ready.drills.load import LOOK, check_steady, enqueue, follow
from proveout.ready.sandbox import Crew, Protection
from proveout.release.canary import ALPHA, act_on, look
from proveout.release.move import Order, promote, roll_back, start_canary
from proveout.release.route import CanaryPlan
from proveout.statistics.canary import FailureLabels

if TYPE_CHECKING:
    from proveout.ready.sandbox import Sandbox
    from proveout.release.move import RolledBack

SHARE = Share(points=2_500)
"""The canary's share in the drill."""

SURE = 0.999
"""How sure the printed bound is."""

QUEUED = 120
"""Runs in the queue when the rollback comes."""


async def perform(sandbox: Sandbox) -> Performance:
    """Let a bad release into a canary, then make it stable and take it back under load."""
    watched = sandbox.off is not Protection.ROUTING
    await sandbox.start_workers(Crew(count=1, pace=0.0))
    await check_steady(sandbox, "before")
    await sandbox.start_workers(Crew(count=1, release=sandbox.bad.digest, is_faulty=True, pace=0.0))
    bound = requests_until_found(SHARE.fraction)
    sandbox.note(f"a release that always fails gets {SHARE}: found within {bound} requests")
    found = await _canary(sandbox, bound, watched=watched)
    faults = [] if found else [f"the bad canary still served after {bound} requests"]
    sandbox.note(f"found after {found} requests" if found else "not found")

    back, begun_bad, lost = await _by_hand(sandbox)
    sandbox.note(
        f"rolled back in {back.seconds:.2f} s with {QUEUED} queued and {back.in_flight.runs}"
        f" in flight; {begun_bad} runs began on the bad release afterwards"
    )
    if begun_bad:
        faults.append(f"{begun_bad} runs began on the bad release after the rollback")
    if lost:
        faults.append(f"{lost} runs did not end after the rollback")
    return Performance(
        figures={
            "bound": bound,
            "found_after": found,
            "rollback_seconds": round(back.seconds, 3),
            "queued": QUEUED,
            "in_flight": back.in_flight.runs,
            "began_bad_afterwards": begun_bad,
            "unended": lost,
        },
        faults=tuple(faults),
    )


def requests_until_found(share: float) -> int:
    """Return within how many requests a canary that always fails is found, all but surely."""
    test, failures = FailureLabels(share=share, alpha=ALPHA), 0
    while test.decision is None:
        test, failures = test.observe(1), failures + 1
    requests = failures
    while _at_least(failures, requests, share) < SURE:
        requests += 1
    return requests


def _at_least(successes: int, trials: int, share: float) -> float:
    """Return the chance of so many of the canary's runs among `trials`."""
    return 1 - sum(
        math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(successes)
    )


async def _canary(sandbox: Sandbox, bound: int, *, watched: bool) -> int:
    """Return after how many requests the watch took the bad canary back; 0 where it did not."""
    office, workflow = sandbox.office, sandbox.release.workflow
    plan = CanaryPlan(share=SHARE, salt=office.ids.new(), now=office.clock.now())
    await start_canary(office, sandbox.bad, plan, "drill", {})
    step = 5 if watched else bound  # unwatched, nothing is to be found in between
    for sent in range(0, bound, step):
        runs = await enqueue(sandbox, min(step, bound - sent), f"canary-{sent}")
        await follow(sandbox, runs)
        seen = await look(office, workflow)
        if watched and seen is not None and await act_on(office, workflow, seen):
            return seen.requests
    await roll_back(office, Order(workflow=workflow, actor="drill", reason="the control is over"))
    return 0


async def _by_hand(sandbox: Sandbox) -> tuple[RolledBack, int, int]:
    """Roll back under load; return what it did, how many began badly, how many never ended."""
    office, workflow = sandbox.office, sandbox.release.workflow
    await sandbox.kill_workers()
    await promote(office, sandbox.bad, "drill", {})
    await sandbox.start_workers(Crew(count=1, pace=0.1))
    await sandbox.start_workers(Crew(count=1, release=sandbox.bad.digest, is_faulty=True, pace=0.1))
    runs = await enqueue(sandbox, QUEUED, "queued")
    if not await _serves(sandbox, runs):
        raise NotSteady("the bad release never began a run")
    back = await roll_back(office, Order(workflow=workflow, actor="drill"))
    at = office.clock.now()
    begun = {run for run in runs if await _release_of(sandbox, run) == sandbox.bad.digest}
    ended = await follow(sandbox, runs)
    told = (await sandbox.counted()).begun
    later = {
        one.run
        for one in told
        if one.release == sandbox.bad.digest and one.at > at and one.run not in begun
    }
    return back, len(later & set(runs)), len(ended.lost)


async def _serves(sandbox: Sandbox, runs: list[str]) -> bool:
    end = sandbox.clock.monotonic() + timedelta(seconds=10).total_seconds()
    while sandbox.clock.monotonic() < end:
        flying = await sandbox.store.in_flight(sandbox.release.workflow, sandbox.bad.digest)
        if flying.runs or any([await _release_of(sandbox, run) for run in runs[:5]]):
            return True
        await sandbox.settle(LOOK)
    return False


async def _release_of(sandbox: Sandbox, run: str) -> str | None:
    found = await sandbox.store.run(RunId(run))
    return None if found is None or found.state is RunState.QUEUED else found.release


DRILL = Drill(
    name="rollback",
    without=Protection.ROUTING,
    perform=perform,
    shown=("began_bad_afterwards", "begun on the bad release"),
)
