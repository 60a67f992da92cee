"""Watching a canary: whose failures are they, and is that more than chance?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.release import Treatment
from proveout.domain.run import RunState
from proveout.ports.store import RunFilter
from proveout.release.move import NoLongerCanary, Order, roll_back
from proveout.statistics.canary import FailureLabels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from proveout.domain.release import Canary, Pointer
    from proveout.domain.run import Run
    from proveout.release.decide import Office
    from proveout.release.move import RolledBack

ALPHA = 0.01
"""Chance that a canary which fails no more often than the stable release is ever rolled back."""

FAILED = (RunState.FAILED, RunState.DEAD)

WATCH = "canary watch"
"""The name under which the watch acts."""

MOST = 10_000
"""Failures of one canary that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of a canary so far.

    Attributes:
        requests: runs of both releases that ended since it began.
        of_canary: how many of them were the canary's.
        failures: how many of them failed.
        canary_failures: how many of those were the canary's.
        log_e: natural log of the evidence that the canary fails more often.
        needed: the evidence at which it is rolled back.
        is_worse: whether that was reached.
        overdue: whether it has been a canary for longer than declared.
    """

    canary: Canary
    requests: int
    of_canary: int
    failures: int
    canary_failures: int
    log_e: float
    needed: float
    is_worse: bool
    overdue: bool


def judge(
    pointer: Pointer, failed: Sequence[Run], ended: dict[tuple[str, RunState], int], now: datetime
) -> Watched | None:
    """Return what the failures of both releases say about the canary; None without one.

    `failed` are the runs that failed since it began, in the order of time; `ended` counts
    all that ended since then, by release and state. Replays are no evidence: a person chose
    them, not the lot, and what they repeat has failed before.
    """
    canary = pointer.canary
    if canary is None or pointer.stable is None:
        return None
    test = FailureLabels(share=canary.share.fraction, alpha=ALPHA)
    labels = [
        int(run.release == canary.release)
        for run in failed
        if run.release in {canary.release, pointer.stable} and not run.is_replay
    ]
    for label in labels:
        test = test.observe(label)
    arms = dict.fromkeys(map(str, pointer.live), 0)
    for (release, _), count in ended.items():
        if release in arms:
            arms[release] += count
    return Watched(
        canary=canary,
        requests=sum(arms.values()),
        of_canary=arms[canary.release],
        failures=len(labels),
        canary_failures=sum(labels),
        log_e=test.log_e,
        needed=test.needed,
        is_worse=test.decision is not None,
        overdue=canary.hold is not None and now >= canary.hold,
    )


async def look(office: Office, workflow: str) -> Watched | None:
    """Return what is known of the canary of a workflow now; None where there is none."""
    pointer = await office.store.pointer(workflow)
    if pointer.canary is None:
        return None
    since = pointer.canary.since
    which = RunFilter(states=FAILED, workflow=workflow, since=since, limit=MOST)
    failed = sorted(
        await office.store.runs(which), key=lambda run: (run.updated or run.created, run.id)
    )
    ended = await office.store.tally(workflow, since)
    return judge(pointer, failed, ended, office.clock.now())


async def act_on(office: Office, workflow: str, watched: Watched) -> RolledBack | None:
    """Roll a canary back that was shown to be worse; None where nothing is to be done.

    The watch may only reduce exposure: it never promotes and never widens.
    """
    if not watched.is_worse:
        return None
    order = Order(
        workflow=workflow,
        actor=WATCH,
        reason=f"{watched.canary_failures} of {watched.failures} failures were the canary's, at"
        f" {watched.canary.share} of the traffic, after {watched.requests} requests",
        treatment=Treatment.FINISH,
        only_if=watched.canary.release,
    )
    try:
        return await roll_back(office, order)
    except NoLongerCanary:
        return None
