"""Alerts and escalated reviews as people and programs see them: one value for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proveout.domain.alert import AlertState, Severity
from proveout.domain.review import ReviewId
from proveout.watch.inhibit import cause, silenced
from proveout.watch.tick import (
    acknowledgements_of,
    alerts_of,
    escalations_of,
    notices_of,
    silences_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from proveout.domain.alert import Acknowledgement, Alert, Escalation, Notice, Silence
    from proveout.domain.review import Review
    from proveout.ports.store import Store

REVIEW = "review"
"""What stands in the place of a rule, for a review that is escalated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Something that people are told of, as it stands at a moment.

    Attributes:
        id: an alert's id, or "review:ID".
        rule: the alert's rule, or "review".
        since: when it began.
        state: where it stands; what was just acknowledged is so already.
        escalation: how far people were told; None before the first was.
        taken: the acknowledgement that holds; None where none does.
        silence: what silences it; None where nothing does.
        cause: the alert from which it follows; None where it stands for itself.
        notices: what was handed to channels about it, the oldest first.
    """

    id: str
    subject: str
    rule: str
    severity: Severity
    summary: str
    detail: str
    since: datetime
    state: AlertState
    resolved: datetime | None = None
    escalation: Escalation | None = None
    taken: Acknowledgement | None = None
    silence: Silence | None = None
    cause: Alert | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nobody need do anything any more."""
        return self.state is AlertState.RESOLVED

    @property
    def needs_a_person(self) -> bool:
        """Whether nobody has taken it."""
        return self.state in (AlertState.WAITING, AlertState.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """All alerts of a workflow, and the silences that hold or will.

    Attributes:
        seen: what is not over first, then the newest first.
    """

    now: datetime
    seen: tuple[Seen, ...]
    silences: tuple[Silence, ...]

    @property
    def going(self) -> tuple[Seen, ...]:
        """What is not over."""
        return tuple(one for one in self.seen if not one.is_over)

    def find(self, name: str) -> Seen | None:
        """Return what is called `name`, by its id or its subject; None for nothing."""
        return next((one for one in self.seen if name in (one.id, one.subject)), None)


async def outlook(store: Store, workflow: str) -> Outlook:
    """Return the alerts of a workflow, and the reviews that are escalated, as they stand now."""
    now = (await store.ticked(workflow)).now
    alerts = list((await alerts_of(store, workflow)).values())
    going = [one for one in alerts if one.state is not AlertState.RESOLVED]
    silences = [one for one in await silences_of(store) if one.ends > now]
    escalations = await escalations_of(store)
    taken = {
        name: one for name, one in (await acknowledgements_of(store)).items() if one.until > now
    }
    notices = _by_subject(await notices_of(store))
    seen = [
        Seen(
            id=one.id,
            subject=one.subject,
            rule=one.rule,
            severity=one.severity,
            summary=one.summary,
            detail=one.detail,
            since=one.since,
            state=_state(one.state, is_taken=one.subject in taken),
            resolved=one.resolved,
            escalation=escalations.get(one.subject),
            taken=taken.get(one.subject),
            silence=silenced(one, silences, now),
            cause=cause(one, going),
            notices=notices.get(one.subject, ()),
        )
        for one in alerts
    ]
    for subject, state in escalations.items():
        review = await _review(store, subject)
        if review is not None:
            seen.append(_of_review(review, state, taken.get(subject), notices.get(subject, ())))
    seen.sort(key=lambda one: (not one.is_over, one.since), reverse=True)
    return Outlook(now=now, seen=tuple(seen), silences=tuple(silences))


def _by_subject(notices: Iterable[Notice]) -> dict[str, tuple[Notice, ...]]:
    found: dict[str, tuple[Notice, ...]] = {}
    for one in notices:
        for subject in one.subjects:
            found[subject] = (*found.get(subject, ()), one)
    return found


def _state(state: AlertState, *, is_taken: bool) -> AlertState:
    """Return where an alert stands, before the next look has written down who took it."""
    if is_taken and state is AlertState.OPEN:
        return AlertState.ACKNOWLEDGED
    return state


async def _review(store: Store, subject: str) -> Review | None:
    kind, _, name = subject.partition(":")
    return await store.review(ReviewId(name)) if kind == REVIEW else None


def _of_review(
    review: Review,
    state: Escalation,
    taken: Acknowledgement | None,
    notices: tuple[Notice, ...],
) -> Seen:
    return Seen(
        id=state.subject,
        subject=state.subject,
        rule=REVIEW,
        severity=Severity.PAGE,
        summary=state.title,
        detail=f"proveout review show {review.id}",
        since=review.opened,
        state=AlertState.OPEN if taken is None else AlertState.ACKNOWLEDGED,
        escalation=state,
        taken=taken,
        notices=notices,
    )


def alert_v1(one: Seen) -> dict[str, Any]:
    """Return an alert, or an escalated review, as the object that callers outside rely on."""
    state = one.escalation
    return {
        "schema": "alert.v1",
        "id": one.id,
        "rule": str(one.rule),
        "severity": one.severity.value,
        "state": one.state.value,
        "summary": one.summary,
        "detail": one.detail,
        "since": one.since.isoformat(),
        "resolved_at": None if one.resolved is None else one.resolved.isoformat(),
        "told": [
            {"to": told.to, "tier": told.tier, "round": told.loop, "at": told.at.isoformat()}
            for told in (() if state is None else state.told)
        ],
        "next_at": None if state is None or state.due is None else state.due.isoformat(),
        "acknowledged": None
        if one.taken is None
        else {"by": one.taken.by, "until": one.taken.until.isoformat()},
        "silenced": None if one.silence is None else one.silence.id,
        "follows_from": None if one.cause is None else one.cause.id,
        "notices": [
            {
                "id": notice.id,
                "to": notice.to,
                "kind": notice.kind.value,
                "accepted_at": None if notice.accepted is None else notice.accepted.isoformat(),
                "tries": notice.tries,
                "trouble": notice.trouble or None,
            }
            for notice in one.notices
        ],
    }


def silence_v1(one: Silence) -> dict[str, Any]:
    """Return a silence as the object that callers outside rely on."""
    return {
        "schema": "silence.v1",
        "id": one.id,
        "rule": None if one.rule is None else one.rule.value,
        "by": one.by,
        "reason": one.reason,
        "begins": one.begins.isoformat(),
        "ends": one.ends.isoformat(),
    }
