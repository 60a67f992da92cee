"""Alerts: an objective or a rule that no longer holds, and who is told of it next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(StrEnum):
    """Whether somebody is to be woken, or it can wait for the morning."""

    PAGE = "page"
    TICKET = "ticket"


class Rule(StrEnum):
    """What is watched; each rule has at most one open alert of each severity."""

    RUNS = "runs"
    REVIEWS = "reviews"
    COST = "cost"
    FAILURES = "failures"
    DEAD = "dead"
    QUEUE = "queue"
    ARRIVALS = "arrivals"
    SYNTHETIC = "synthetic"
    MODELS = "models"
    WORTH = "worth"


INHIBITS: Mapping[Rule, frozenset[Rule]] = MappingProxyType(
    {
        Rule.MODELS: frozenset(
            {
                Rule.RUNS,
                Rule.FAILURES,
                Rule.DEAD,
                Rule.QUEUE,
                Rule.SYNTHETIC,
                Rule.COST,
                Rule.WORTH,
            }
        ),
        Rule.QUEUE: frozenset({Rule.RUNS, Rule.SYNTHETIC}),
        Rule.RUNS: frozenset({Rule.FAILURES}),
    }
)
"""What follows from what: while an alert of the first is open, nobody is told of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A bound that production must hold.

    Attributes:
        rule: what is counted: runs, or reviews.
        target: the share that must be good, strictly between 0 and 1.
    """

    rule: Rule
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that does not hold at this moment.

    Attributes:
        summary: what is wrong, in one line.
        detail: the figures, and where to look.
    """

    rule: Rule
    severity: Severity
    summary: str
    detail: str = ""

    @property
    def key(self) -> tuple[Rule, Severity]:
        """What makes two breaches the same alert."""
        return self.rule, self.severity


class AlertState(StrEnum):
    """Where an alert stands."""

    WAITING = "waiting"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


MOVES: Mapping[AlertState, frozenset[AlertState]] = MappingProxyType(
    {
        AlertState.WAITING: frozenset({AlertState.OPEN, AlertState.RESOLVED}),
        AlertState.OPEN: frozenset({AlertState.ACKNOWLEDGED, AlertState.RESOLVED}),
        AlertState.ACKNOWLEDGED: frozenset({AlertState.OPEN, AlertState.RESOLVED}),
        AlertState.RESOLVED: frozenset(),
    }
)
"""Every legal move: an acknowledgement lapses, and what is resolved comes back as a new alert."""


class IllegalAlertMove(Mistake):
    """An alert was asked to make a move that `MOVES` does not hold."""

    code = "illegal-alert-move"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A breach, from its first moment until it is over.

    Attributes:
        since: when it was first seen.
        held: when it was last seen to hold.
        opened: when people were first to be told; None while it waits for others of its group.
        resolved: when it was over.
    """

    id: str
    workflow: str
    rule: Rule
    severity: Severity
    summary: str
    detail: str
    since: datetime
    held: datetime
    state: AlertState = AlertState.WAITING
    opened: datetime | None = None
    resolved: datetime | None = None

    @property
    def key(self) -> tuple[Rule, Severity]:
        """What makes two breaches the same alert."""
        return self.rule, self.severity

    @property
    def subject(self) -> str:
        """What its escalation is kept under."""
        return f"alert:{self.id}"

    def to(self, state: AlertState, at: datetime) -> Alert:
        """Return the alert in its next state.

        Raises:
            IllegalAlertMove: the table holds no such move.
        """
        if state not in MOVES[self.state]:
            ways = ", ".join(sorted(MOVES[self.state])) or "nowhere: it is over"
            raise IllegalAlertMove(
                f"an alert cannot go from {self.state} to {state}",
                why=f"from {self.state} it may go {ways}",
            )
        opened = at if state is AlertState.OPEN and self.opened is None else self.opened
        resolved = at if state is AlertState.RESOLVED else None
        return replace(self, state=state, opened=opened, resolved=resolved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nobody is told of a rule until a moment, because somebody said so.

    Attributes:
        rule: None for every rule.
    """

    id: str
    rule: Rule | None
    by: str
    reason: str
    begins: datetime
    ends: datetime

    def covers(self, rule: Rule, now: datetime) -> bool:
        """Whether it holds for a rule at a moment."""
        return self.rule in (None, rule) and self.begins <= now < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody has taken it, until a moment at which it comes back."""

    subject: str
    by: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Who is told when nobody answered for a time.

    Attributes:
        to: name of a channel, or of a person that no channel reaches.
        after: from the beginning of the escalation's round.
    """

    to: str
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who is told, in which order, and what becomes of it when nobody answers.

    Attributes:
        tiers: in the order in which people are told; several may share a moment.
        repeat: the first tier is told again so long after the last one was.
        loops: most repetitions; None for any number.
    """

    tiers: tuple[Tier, ...]
    repeat: timedelta = timedelta(hours=1)
    loops: int | None = None

    def squeezed(self, into: timedelta) -> Policy:
        """Return the policy with its tiers brought together so that the last falls within a time.

        Whatever ends at a deadline is told to everybody before it.
        """
        longest = max((one.after for one in self.tiers), default=timedelta(0))
        if not longest or longest <= into:
            return self
        share = max(into, timedelta(0)) / longest
        return replace(self, tiers=tuple(replace(t, after=share * t.after) for t in self.tiers))

    def first_alone(self, repeat: timedelta) -> Policy:
        """Return what a ticket asks for: those who are told first, and nobody above them."""
        first = tuple(one for one in self.tiers if one.after <= self.tiers[0].after)
        return replace(self, tiers=first, repeat=repeat)


class Told(NamedTuple):
    """Somebody was to be told.

    Attributes:
        loop: in which round, from 0.
    """

    to: str
    tier: int
    loop: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is escalated: an alert, or a review that nobody answers.

    Attributes:
        key: "alert:ID" or "review:ID".
        begins: when the first tier's time begins.
        ends: its deadline, before which every tier is told; None where it has none.
        pressed: when a person last asked for the next tier at once.
        is_held: nobody is told at this moment: it is silenced, or follows from another.
    """

    key: str
    title: str
    detail: str
    begins: datetime
    ends: datetime | None = None
    pressed: datetime | None = None
    is_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """How far the escalation of a subject has come.

    Attributes:
        begun: when its round began.
        loop: which round, from 0.
        tier: the tier that is told next, from 0.
        told: everybody who was to be told, in this and earlier rounds.
        held: since when nobody is told; None where people are.
        due: when somebody is told next, as far as is known; None for nobody.
        title: what it was about when somebody was told last.
    """

    subject: str
    begun: datetime
    loop: int = 0
    tier: int = 0
    told: tuple[Told, ...] = ()
    held: datetime | None = None
    due: datetime | None = None
    title: str = ""


class NoticeKind(StrEnum):
    """What a notice says."""

    ALERT = "alert"
    REVIEW = "review"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one channel is told; the same id may arrive twice, and is then the same notice.

    Attributes:
        subjects: what it is about.
        accepted: when the channel took it, which is not yet that somebody read it.
        tries: how often it was handed to the channel.
        not_before: when it is handed over next.
        trouble: why it was not accepted the last time.
    """

    id: str
    to: str
    kind: NoticeKind
    severity: Severity
    title: str
    body: str
    subjects: tuple[str, ...]
    created: datetime
    accepted: datetime | None = None
    tries: int = 0
    not_before: datetime | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How alerts behave in time.

    Attributes:
        first_wait: how long a first alert waits for others of its group.
        between: how long at least between two notices of one group.
        settled: a rule must hold for so long before its alert is over.
        unanswered: a review is escalated after this time; None for half of the time it has.
        reminder: a ticket is told again after this time.
    """

    first_wait: timedelta = timedelta(seconds=30)
    between: timedelta = timedelta(minutes=5)
    settled: timedelta = timedelta(minutes=2)
    unanswered: timedelta | None = None
    reminder: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What whoever kept watch last has left for the next.

    Attributes:
        opened: when alerts were last opened.
        tidied: when what is too old was last removed.
    """

    opened: datetime | None = None
    tidied: datetime | None = None
