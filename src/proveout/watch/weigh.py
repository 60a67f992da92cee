"""Weighing: what follows from what is wrong and from what is known, at one moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proveout.domain.alert import (
    Alert,
    AlertState,
    Handover,
    NoticeKind,
    Severity,
    Subject,
    Told,
)
from proveout.domain.duration import say_roughly
from proveout.watch.escalate import escalate
from proveout.watch.follow import follow, opened
from proveout.watch.inhibit import cause, silenced
from proveout.watch.say import About, notices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from proveout.domain.alert import (
        Acknowledgement,
        Breach,
        Escalation,
        Manner,
        Notice,
        Policy,
        Silence,
    )
    from proveout.domain.review import Review


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store holds of alerts.

    Attributes:
        alerts: those that are not over.
        escalations: by subject.
        acknowledgements: by subject.
        reviews: those that are open.
    """

    alerts: Sequence[Alert]
    escalations: Mapping[str, Escalation]
    acknowledgements: Mapping[str, Acknowledgement]
    silences: Sequence[Silence]
    reviews: Sequence[Review]
    handover: Handover


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How alerts are followed and told.

    Attributes:
        begin: makes the alert of a new breach.
    """

    workflow: str
    policy: Policy
    manner: Manner
    begin: Callable[[Breach], Alert]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What follows.

    Attributes:
        alerts: as they stand now; those that just ended among them.
        escalations: of everything that is not over, by subject.
        ended: subjects of reviews that nobody need be told of any more.
        notices: what is to be told now.
    """

    alerts: tuple[Alert, ...]
    escalations: Mapping[str, Escalation]
    ended: tuple[str, ...]
    notices: tuple[Notice, ...]
    handover: Handover


def weigh(orders: Orders, known: Known, breaches: Sequence[Breach], now: datetime) -> Weighed:
    """Return what follows at `now`; it reads no clock and no store."""
    manner = orders.manner
    alerts = follow(known.alerts, breaches, now, manner=manner, begin=orders.begin)
    going = [one for one in alerts if one.state is not AlertState.RESOLVED]
    over = [one for one in alerts if one.state is AlertState.RESOLVED]
    before = {one.id for one in going if one.state is AlertState.WAITING}
    going = opened(going, known.handover.opened, now, manner)
    has_opened = any(one.id in before and one.state is AlertState.OPEN for one in going)
    going = [_answered(one, known.acknowledgements.get(one.subject), now) for one in going]

    told: list[About] = []
    escalations: dict[str, Escalation] = {}
    for alert in going:
        if alert.opened is None:
            continue
        subject = _of_alert(alert, going, known.silences, now)
        policy = orders.policy
        if alert.severity is Severity.TICKET and policy.tiers:
            policy = policy.first_alone(manner.reminder)
        step = escalate(policy, subject, *_so_far(known, subject.key), now)
        escalations[subject.key] = step.state
        told += [_about(subject, NoticeKind.ALERT, alert.severity, one) for one in step.due]
    for review in known.reviews:
        subject = of_review(review, manner)
        if now < subject.begins and subject.pressed is None:
            continue
        step = escalate(orders.policy, subject, *_so_far(known, subject.key), now)
        escalations[subject.key] = step.state
        told += [_about(subject, NoticeKind.REVIEW, Severity.PAGE, one) for one in step.due]

    told += [one for alert in over for one in _all_clear(known, alert.subject, now)]
    ended = _ended_reviews(known)
    told += [one for subject in ended for one in _all_clear(known, subject, now)]
    return Weighed(
        alerts=(*going, *over),
        escalations=escalations,
        ended=ended,
        notices=tuple(notices(orders.workflow, told, now)),
        handover=replace(known.handover, opened=now) if has_opened else known.handover,
    )


def _answered(alert: Alert, taken: Acknowledgement | None, now: datetime) -> Alert:
    """Return an alert as acknowledgements leave it: taken, or come back once one lapsed."""
    is_taken = taken is not None and now < taken.until
    if is_taken and alert.state is AlertState.OPEN:
        return alert.to(AlertState.ACKNOWLEDGED, now)
    if not is_taken and alert.state is AlertState.ACKNOWLEDGED:
        return alert.to(AlertState.OPEN, now)
    return alert


def _so_far(known: Known, subject: str) -> tuple[Escalation | None, Acknowledgement | None]:
    return known.escalations.get(subject), known.acknowledgements.get(subject)


def _of_alert(
    alert: Alert, others: Sequence[Alert], silences: Sequence[Silence], now: datetime
) -> Subject:
    is_held = bool(silenced(alert, silences, now) or cause(alert, others))
    return Subject(
        key=alert.subject,
        title=alert.summary,
        detail=alert.detail,
        begins=alert.opened or now,
        is_held=is_held,
    )


def of_review(review: Review, manner: Manner) -> Subject:
    """Return an open review as what is escalated.

    From half of its time on, or as declared; at once where a person asked for it.
    """
    if manner.unanswered is not None:
        begins = review.opened + manner.unanswered
    elif review.deadline is not None:
        begins = review.opened + (review.deadline - review.opened) / 2
    else:
        begins = review.opened + manner.reminder
    until = "" if review.deadline is None else f" until {review.deadline:%Y-%m-%d %H:%M} UTC"
    return Subject(
        key=f"review:{review.id}",
        title=f"a review in {review.queue} waits for an answer{until}",
        detail=f"Since {review.opened:%H:%M} UTC. proveout review show {review.id}",
        begins=begins,
        ends=review.deadline,
        pressed=review.escalated,
    )


def _about(subject: Subject, kind: NoticeKind, severity: Severity, told: Told) -> About:
    return About(subject.key, kind, severity, subject.title, subject.detail, told)


def _ended_reviews(known: Known) -> tuple[str, ...]:
    is_open = {f"review:{one.id}" for one in known.reviews}
    known_of = (one for one in known.escalations if one.startswith("review:"))
    return tuple(one for one in known_of if one not in is_open)


def _all_clear(known: Known, subject: str, now: datetime) -> list[About]:
    """Return that it is over, for everybody who was told of it, once each."""
    state = known.escalations.get(subject)
    if state is None:
        return []
    names = dict.fromkeys(one.to for one in state.told)
    since = min((one.at for one in state.told), default=now)
    detail = f"It is over, {say_roughly(now - since)} after somebody was first told."
    if subject.startswith("review:"):
        detail = "Nobody need answer any more."
    return [
        About(
            subject,
            NoticeKind.RESOLVED,
            Severity.TICKET,
            state.title,
            detail,
            Told(to, 0, state.loop, now),
        )
        for to in names
    ]
