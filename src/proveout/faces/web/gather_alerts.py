"""From the store to the pages about alerts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.alert import AlertState, NoticeKind, Severity
from proveout.domain.review import ReviewId
from proveout.faces.alert_views import outlook
from proveout.faces.report.figures import count_of
from proveout.faces.watching import policy_of, reach_of, watch_settings
from proveout.faces.web.alerts import AlertPage, AlertRow, AlertsPage, Rung
from proveout.faces.web.frame import Tone
from proveout.faces.web.overview import Concern
from proveout.watch.answer import NoSuchAlert
from proveout.watch.escalate import in_time
from proveout.watch.tick import acknowledgements_of, alerts_of
from proveout.watch.weigh import of_review

if TYPE_CHECKING:
    from proveout.domain.alert import Notice, Policy
    from proveout.faces.alert_views import Seen
    from proveout.faces.project import Project

MOST = 100
"""Rows of the list."""


class Open(NamedTuple):
    """How many alerts are not over: those that wait for somebody, and those somebody has taken."""

    waiting: int
    taken: int


NONE_OPEN = Open(waiting=0, taken=0)


async def open_alerts(project: Project) -> Open:
    """Count the alerts that are not over."""
    found = await alerts_of(project.store, project.name)
    now = project.bench.clock.now()
    known = await acknowledgements_of(project.store)
    held = {name for name, one in known.items() if one.until > now}
    going = [one for one in found.values() if one.state is not AlertState.RESOLVED]
    taken = sum(one.subject in held for one in going)
    return Open(waiting=len(going) - taken, taken=taken)


async def alerts_page(project: Project, *, every: bool) -> AlertsPage:
    """Return the list of what is wrong."""
    found = await outlook(project.store, project.name)
    reach = reach_of(project.settings, os.environ)
    seen = found.seen if every else found.going
    policy, reached = policy_of(project.settings), frozenset(reach.reached)
    return AlertsPage(
        rows=tuple(_row(one, _policy(policy, one, project), reached) for one in seen[:MOST]),
        silences=found.silences,
        receivers=reach.reached,
        unreached=(*reach.without_channel, *(name for name, _ in reach.without_address)),
        every=every,
    )


async def alert_page(project: Project, name: str) -> AlertPage:
    """Return an alert, or an escalated review, with its ladder.

    Raises:
        NoSuchAlert: there is none of that id.
    """
    seen = (await outlook(project.store, project.name)).find(name)
    if seen is None:
        raise NoSuchAlert("there is no such alert", fix=("proveout alerts list --all",))
    policy = _policy(policy_of(project.settings), seen, project)
    review = await project.store.review(ReviewId(name.partition(":")[2]))
    if review is not None:
        policy = in_time(policy, of_review(review, watch_settings(project.settings).manner))
    state, reached = seen.escalation, frozenset(reach_of(project.settings, os.environ).reached)
    is_through = state is not None and state.tier >= len(policy.tiers)
    return AlertPage(
        seen=seen,
        row=_row(seen, policy, reached),
        rungs=_rungs(seen, policy, reached),
        round=1 if state is None else state.loop + 1,
        again=state.due if state is not None and is_through and seen.taken is None else None,
    )


def _policy(policy: Policy, seen: Seen, project: Project) -> Policy:
    if seen.severity is Severity.TICKET and policy.tiers:
        return policy.first_alone(watch_settings(project.settings).manner.reminder)
    return policy


def _row(seen: Seen, policy: Policy, reached: frozenset[str]) -> AlertRow:
    """Return the line of an alert."""
    state = seen.escalation
    waits = seen.taken is None and not seen.is_over and state is not None and state.due is not None
    tiers = policy.tiers
    following = ""
    if waits and tiers and state is not None:
        following = tiers[state.tier if state.tier < len(tiers) else 0].to
    return AlertRow(
        id=seen.id,
        status=_status(seen),
        summary=seen.summary,
        note=_note(seen),
        since=seen.since,
        told=_heard(seen, reached),
        next=following,
        due=state.due if following and state is not None else None,
    )


def _status(seen: Seen) -> str:
    if seen.is_over:
        return "OVER"
    if seen.taken is not None:
        return "ACKNOWLEDGED"
    if seen.silence is not None:
        return "SILENCED"
    if seen.cause is not None:
        return "FOLLOWS"
    return seen.severity.value.upper()


def _note(seen: Seen) -> str:
    if seen.taken is not None:
        return f"taken by {seen.taken.by}"
    if seen.silence is not None:
        return f"silenced by {seen.silence.by}: {seen.silence.reason}"
    if seen.cause is not None:
        return f"follows from: {seen.cause.summary}"
    return ""


def _rungs(seen: Seen, policy: Policy, reached: frozenset[str]) -> tuple[Rung, ...]:
    state = seen.escalation
    loop = 0 if state is None else state.loop
    at = {one.tier: one.at for one in (() if state is None else state.told) if one.loop == loop}
    is_climbing = seen.taken is None and not seen.is_over and state is not None
    rungs: list[Rung] = []
    for index, tier in enumerate(policy.tiers):
        notice = _notice(seen, tier.to) if index in at else None
        is_ahead = is_climbing and state is not None and index not in at and state.held is None
        rungs.append(
            Rung(
                to=tier.to,
                after=tier.after,
                at=at.get(index),
                due=state.begun + tier.after if is_ahead and state is not None else None,
                accepted=notice is not None and notice.accepted is not None,
                trouble="" if notice is None else notice.trouble,
                is_reached=tier.to in reached,
                is_next=is_ahead and state is not None and index == state.tier,
            )
        )
    return tuple(rungs)


def _notice(seen: Seen, to: str) -> Notice | None:
    """Return the newest notice about it to somebody, all-clears apart."""
    mine = [one for one in seen.notices if one.to == to and one.kind is not NoticeKind.RESOLVED]
    return mine[-1] if mine else None


async def concerns(project: Project) -> list[Concern]:
    """Return the alerts that nobody has taken, for the list of what needs a person."""
    found = (await outlook(project.store, project.name)).going
    reached = frozenset(reach_of(project.settings, os.environ).reached)
    open_ones = [one for one in found if one.needs_a_person and one.rule != "review"]
    shown = [
        Concern(
            title=one.summary[:1].upper() + one.summary[1:],
            note=_told(one, reached),
            href=f"/alerts/{one.id}",
            tone=Tone.NO if one.severity is Severity.PAGE else Tone.WAIT,
        )
        for one in open_ones[:3]
    ]
    if len(open_ones) > len(shown):
        rest = count_of(len(open_ones) - len(shown), "more alert")
        shown.append(Concern(title=rest, note="nobody has taken them", href="/alerts"))
    return shown


def _told(seen: Seen, reached: frozenset[str]) -> str:
    if seen.silence is not None or seen.cause is not None:
        return _note(seen)
    names = ", ".join(_heard(seen, reached))
    return f"told {names}" if names else "nobody was told yet"


def _heard(seen: Seen, reached: frozenset[str]) -> tuple[str, ...]:
    """Return who was told: whose turn came and whom no channel reaches was not."""
    turns = () if seen.escalation is None else seen.escalation.told
    return tuple(dict.fromkeys(one.to for one in turns if one.to in reached))
