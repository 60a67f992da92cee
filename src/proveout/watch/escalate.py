"""Escalation: who is told next of an alert, or of a review that nobody answers, and when.

One function for both. It reads no clock and no store: what has happened so far is the state,
and the state is kept. A server that was away tells what came due meanwhile, tier by tier of
the round that it finds, and repeats no round that it missed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.alert import Escalation, Told

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.alert import Acknowledgement, Policy, Subject, Tier

SPARE = 0.9
"""Share of the time up to a deadline within which every tier is told."""

MOST_TOLD = 100
"""How many times that somebody was told are remembered of one subject."""


class Step(NamedTuple):
    """What follows at a moment.

    Attributes:
        due: who is to be told now.
        state: how far the escalation has come then.
    """

    due: tuple[Told, ...]
    state: Escalation


def escalate(
    policy: Policy,
    subject: Subject,
    state: Escalation | None,
    acknowledged: Acknowledgement | None,
    now: datetime,
) -> Step:
    """Return who is told at `now`, how far the escalation is then, and when somebody is next.

    Nobody is told while it is acknowledged or held; then its time stands still. An
    acknowledgement that lapses begins a new round. After the last tier the first is told
    again, `policy.repeat` later.

    Args:
        policy: who is told, and after which time.
        subject: what it is about.
        state: how far it had come; None at first.
        acknowledged: the last acknowledgement, lapsed or not; None for none.
        now: the moment.
    """
    state = state or Escalation(subject=subject.key, begun=subject.begins)
    state = _thawed(replace(state, title=subject.title), subject, now)
    if state.held is not None:
        return Step((), replace(state, due=None))
    if acknowledged is not None and now < acknowledged.until:
        return Step((), replace(state, due=acknowledged.until))
    if acknowledged is not None and acknowledged.until > state.begun:
        state = _next_round(state, acknowledged.until)
    return _climb(in_time(policy, subject), subject, state, now)


def in_time(policy: Policy, subject: Subject) -> Policy:
    """Return a policy that tells everybody before the deadline of a subject, where it has one."""
    if subject.ends is None:
        return policy
    return policy.squeezed(SPARE * (subject.ends - subject.begins))


def _thawed(state: Escalation, subject: Subject, now: datetime) -> Escalation:
    """Return the state with its time stopped while it is held, and moved on afterwards."""
    if subject.is_held:
        return replace(state, held=state.held or now)
    if state.held is None:
        return state
    return replace(state, begun=state.begun + (now - state.held), held=None)


def _next_round(state: Escalation, begun: datetime) -> Escalation:
    return replace(state, begun=begun, loop=state.loop + 1, tier=0)


def _climb(policy: Policy, subject: Subject, state: Escalation, now: datetime) -> Step:
    """Return what follows where nobody has taken it."""
    if not policy.tiers:
        return Step((), replace(state, due=None))
    tiers = policy.tiers
    if state.tier >= len(tiers) and _again(policy, state, now):
        state = _next_round(state, now)
    told: list[Told] = []
    pressed = _pressed(subject, state)
    for index in range(state.tier, len(tiers)):
        if not (_due(state, tiers[index]) <= now or pressed):
            break
        told.append(Told(tiers[index].to, index, state.loop, now))
        # Pressing asks for the next tier: for all who share its moment, and no further.
        pressed = (
            pressed and index + 1 < len(tiers) and tiers[index + 1].after == tiers[index].after
        )
    after = replace(state, tier=state.tier + len(told), told=(*state.told, *told)[-MOST_TOLD:])
    return Step(tuple(told), replace(after, due=_next_due(policy, after)))


def _due(state: Escalation, tier: Tier) -> datetime:
    return state.begun + tier.after


def _pressed(subject: Subject, state: Escalation) -> bool:
    """Whether a person asked for the next tier since somebody was told last."""
    last = max((one.at for one in state.told), default=None)
    return subject.pressed is not None and (last is None or subject.pressed > last)


def _again(policy: Policy, state: Escalation, now: datetime) -> bool:
    is_left = policy.loops is None or _rounds(state) <= policy.loops
    return is_left and now >= _last_told(state) + policy.repeat


def _rounds(state: Escalation) -> int:
    """Return how many rounds have been gone through."""
    return state.loop + 1


def _last_told(state: Escalation) -> datetime:
    return max(one.at for one in state.told)


def _next_due(policy: Policy, state: Escalation) -> datetime | None:
    if state.tier < len(policy.tiers):
        return _due(state, policy.tiers[state.tier])
    if policy.loops is not None and _rounds(state) > policy.loops:
        return None
    return _last_told(state) + policy.repeat
