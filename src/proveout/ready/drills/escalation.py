"""escalation: an unanswered review and an unacknowledged alert reach each tier, in time.

At test receivers, and across a restart of every process after the first tier was told. The
tiers are the project's own; their times are drawn together, so that minutes are seconds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.alert import Manner, Policy, Tier
from proveout.domain.review import ReviewState
from proveout.ready.drills.drill import Drill, NotSteady, Performance
from proveout.ready.drills.load import beside_starts, check_steady, enqueue, until
from proveout.ready.sandbox import Crew, Protection
from proveout.watch.answer import acknowledge
from proveout.watch.tick import alerts_of, escalations_of

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.alert import Alert, Escalation
    from proveout.ready.sandbox import Heard, Sandbox

PACE = timedelta(seconds=2)
"""Between two tiers, whatever lies between them in production."""

FAILURES = 3
"""Runs that fail one after another: what wakes somebody."""

SLACK = timedelta(seconds=4)
"""A tier is told in time when it is told within so much of its moment, or of the restart."""

STILL = 3.0
"""Seconds for which nobody may be told once somebody has taken it."""

MANNER = Manner(
    first_wait=timedelta(0),
    between=timedelta(0),
    settled=timedelta(hours=1),
    unanswered=timedelta(0),
)


class Reached(NamedTuple):
    """Whether a tier heard of a subject.

    Attributes:
        late: how long after its moment, or after everybody was back; None where it never did.
    """

    subject: str
    to: str
    late: timedelta | None


async def perform(sandbox: Sandbox) -> Performance:
    """Leave a review and an alert unanswered, restart everything, and look who heard."""
    policy = quickened(sandbox.policy)
    if not policy.tiers:
        raise NotSteady("nobody is named in [production] escalation")
    await sandbox.start_workers(Crew(count=1))
    await check_steady(sandbox, "before")
    review = await _left_unanswered(sandbox)
    await sandbox.start_watch(policy, MANNER)
    await sandbox.kill_workers()
    await sandbox.start_workers(Crew(count=1, is_faulty=True))
    await enqueue(sandbox, FAILURES, "failing")
    await until(sandbox, lambda: _has_begun(sandbox), _patience(sandbox, policy))
    await sandbox.kill_watch()
    await sandbox.kill_workers()
    sandbox.note(f"{len(sandbox.heard())} notices so far; every process is restarted")
    await sandbox.start_watch(policy, MANNER)
    back = sandbox.clock.now()
    await until(sandbox, lambda: _all_heard(sandbox, policy), _patience(sandbox, policy))
    reached = await _reached(sandbox, policy, back)
    after_all = await _after_taking(sandbox)
    return _judged(sandbox, reached, has_review=review, after=after_all)


def quickened(policy: Policy) -> Policy:
    """Return a policy with the same tiers in the same order, a moment apart."""
    moments = sorted({one.after for one in policy.tiers})
    tiers = (Tier(to=one.to, after=moments.index(one.after) * PACE) for one in policy.tiers)
    return replace(policy, tiers=tuple(tiers), repeat=PACE, loops=None)


def _patience(sandbox: Sandbox, policy: Policy) -> float:
    longest = max(one.after for one in policy.tiers)
    return beside_starts(sandbox, (longest + 2 * SLACK).total_seconds(), 2)


async def _left_unanswered(sandbox: Sandbox) -> bool:
    """Have a run wait for a person, if the workflow asks any; return whether one does."""
    load = next((one for one in sandbox.loads if one.asks), None)
    if load is None:
        return False
    await sandbox.enqueue(load, "unanswered")

    async def waits() -> bool:
        return bool(await sandbox.store.reviews(ReviewState.OPEN, limit=1))

    if not await until(sandbox, waits):
        raise NotSteady("a run that asks a person never did")
    return True


async def _alert(sandbox: Sandbox) -> Alert | None:
    found = await alerts_of(sandbox.store, sandbox.release.workflow)
    return next((one for one in found.values() if one.rule == "failures"), None)


async def _subjects(sandbox: Sandbox) -> dict[str, Escalation]:
    """Return how far the alert and the review have come, by subject."""
    alert = await _alert(sandbox)
    mine = "" if alert is None else alert.subject
    return {
        name: one
        for name, one in (await escalations_of(sandbox.store)).items()
        if name == mine or name.startswith("review:")
    }


async def _has_begun(sandbox: Sandbox) -> bool:
    """Whether the first tier was to be told of the alert."""
    alert = await _alert(sandbox)
    states = await _subjects(sandbox)
    return alert is not None and bool(alert.subject in states and states[alert.subject].told)


async def _all_heard(sandbox: Sandbox, policy: Policy) -> bool:
    reached = await _reached(sandbox, policy, sandbox.clock.now())
    return bool(reached) and all(one.late is not None for one in reached)


async def _reached(sandbox: Sandbox, policy: Policy, back: datetime) -> list[Reached]:
    """Return for each subject and tier whether it heard, and how late."""
    heard = sandbox.heard()
    return [
        Reached(name, tier.to, _late(heard, tier, state, back))
        for name, state in (await _subjects(sandbox)).items()
        for tier in policy.tiers
    ]


def _late(
    heard: tuple[Heard, ...], tier: Tier, state: Escalation, back: datetime
) -> timedelta | None:
    began = min((one.at for one in state.told), default=state.begun)
    told = [one.at for one in heard if one.to == tier.to and state.title in one.text]
    if not told:
        return None
    due = began + tier.after
    return min(told) - (max(due, back) if min(told) > back else due)


async def _after_taking(sandbox: Sandbox) -> int:
    """Take the alert; return how many notices about it came afterwards."""
    alert = await _alert(sandbox)
    if alert is None:
        return 0
    office, workflow = sandbox.office, sandbox.release.workflow
    await acknowledge(office, workflow, alert.id, "drill", timedelta(hours=1))
    await sandbox.settle(1.0)  # what was on its way arrives
    before = len([one for one in sandbox.heard() if alert.summary in one.text])
    await sandbox.settle(STILL)
    return len([one for one in sandbox.heard() if alert.summary in one.text]) - before


def _judged(
    sandbox: Sandbox, reached: list[Reached], *, has_review: bool, after: int
) -> Performance:
    silent = [one for one in reached if one.late is None]
    late = [one for one in reached if one.late is not None and one.late > SLACK]
    worst = max((one.late for one in reached if one.late is not None), default=timedelta(0))
    unreached = sandbox.unreached
    sandbox.note(f"{len(reached) - len(silent)} of {len(reached)} tiers heard, {len(late)} late")
    if unreached:
        sandbox.note(f"no channel reaches {', '.join(unreached)}: in production they hear nothing")
    faults = [f"{one.to} never heard of {one.subject.partition(':')[0]}" for one in silent]
    faults += [f"{one.to} heard {one.late} late" for one in late]
    if not any(one.subject.startswith("alert:") for one in reached):
        faults.append("runs failed one after another, and no alert came of it")
    if has_review and not any(one.subject.startswith("review:") for one in reached):
        faults.append("a review was left unanswered, and nobody was to be told")
    if after:
        faults.append(f"{after} notices came although somebody had taken it")
    return Performance(
        figures={
            "tiers": len({one.to for one in reached}),
            "expected": len(reached),
            "heard": len(reached) - len(silent),
            "late": len(late),
            "worst_seconds": round(worst.total_seconds(), 2),
            "after_acknowledgement": after,
            "without_channel": len(unreached),
            "review": "left unanswered" if has_review else "the workflow asks nobody",
        },
        faults=tuple(faults),
    )


DRILL = Drill(
    name="escalation",
    without=Protection.ESCALATION,
    perform=perform,
    shown=("heard", "tiers heard"),
)
"""Nobody is told in the control: the same decisions, and no notice that leaves."""
