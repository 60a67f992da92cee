"""Alerts: what is wrong and who has it, and the one alert with its escalation, tier by tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from proveout.domain.alert import Rule
from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from proveout.domain.alert import Silence
    from proveout.faces.alert_views import Seen

TIMES = (("1 h", "1 hour"), ("4 h", "4 hours"), ("12 h", "12 hours"), ("3 days", "3 days"))
"""For how long a form of the console takes or silences something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert, or escalated review, in the list.

    Attributes:
        status: how it is shown: "PAGE", "TICKET", "ACKNOWLEDGED", "SILENCED", "FOLLOWS", "OVER".
        note: who has it, or from what it follows; "" where nobody does.
        told: names of those who were told.
        next: who is told next; "" for nobody.
        due: when.
    """

    id: str
    status: str
    summary: str
    note: str
    since: datetime
    told: tuple[str, ...]
    next: str = ""
    due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsPage:
    """What is wrong, and what nobody is told of.

    Attributes:
        every: also what is over.
        receivers: names that channels reach.
        unreached: names in the escalation that none reaches.
    """

    template: ClassVar[str] = "alerts.html.j2"
    is_live: ClassVar[bool] = True
    section: ClassVar[Section] = Section.ALERTS
    times: ClassVar[tuple[tuple[str, str], ...]] = TIMES
    rules: ClassVar[tuple[str, ...]] = tuple(one.value for one in Rule)

    rows: tuple[AlertRow, ...]
    silences: tuple[Silence, ...]
    receivers: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    every: bool = False

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Alerts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One tier of an escalation.

    Attributes:
        after: when it is told, from the beginning of the round.
        at: when it was told in this round; None where it was not yet.
        due: when it will be; None where nobody is to be told at present.
        accepted: whether its channel took the notice.
        trouble: why it did not; "" where it did, or was not asked.
        is_reached: whether a channel reaches it at all.
        is_next: whether it is told next.
    """

    to: str
    after: timedelta
    at: datetime | None = None
    due: datetime | None = None
    accepted: bool = False
    trouble: str = ""
    is_reached: bool = True
    is_next: bool = False


_LATEST = ("/runs", "the latest runs")
_FAILED = ("/runs?q=state:failed,dead", "the runs that failed")
WHERE: Mapping[str, tuple[str, str]] = {
    Rule.RUNS: _LATEST,
    Rule.FAILURES: _FAILED,
    Rule.SYNTHETIC: _FAILED,
    Rule.MODELS: _FAILED,
    Rule.DEAD: ("/dead", "the dead letters"),
    Rule.QUEUE: ("/runs?q=state:queued", "what waits for a worker"),
    Rule.ARRIVALS: ("/deliveries", "what arrived last"),
    Rule.REVIEWS: ("/reviews", "the reviews that wait"),
    Rule.COST: _LATEST,
    Rule.WORTH: ("/verdict", "what worth is reckoned with"),
}
"""Where to look when a rule is broken: an address, and what stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """One alert: what is wrong, the ladder of who is told, and the ways to answer.

    Attributes:
        row: as the list shows it.
        round: which round of the escalation this is, from 1.
        again: when the first tier is told again; None where it is not.
        review: the id of the review; "" for an alert.
    """

    template: ClassVar[str] = "alert.html.j2"
    is_live: ClassVar[bool] = True
    section: ClassVar[Section] = Section.ALERTS
    times: ClassVar[tuple[tuple[str, str], ...]] = TIMES

    seen: Seen
    row: AlertRow
    rungs: tuple[Rung, ...]
    round: int = 1
    again: datetime | None = None

    @property
    def review(self) -> str:
        """The id of the review that this is about; "" for an alert."""
        kind, _, name = self.seen.id.partition(":")
        return name if kind == "review" else ""

    @property
    def where(self) -> tuple[str, str]:
        """The page on which to look first, and what it shows."""
        if self.review:
            return f"/reviews/{quote(self.review, safe='')}", "the review"
        return WHERE.get(self.seen.rule, _LATEST)

    @property
    def title(self) -> str:
        """What the page is called."""
        return self.seen.summary


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgePage:
    """What a link in a notice leads to: the notice again, and a form that takes it.

    Attributes:
        token: the signed part of the link, which the form's address repeats.
        taken: whether the form was sent.
    """

    template: ClassVar[str] = "acknowledge.html.j2"
    section: ClassVar[Section] = Section.NOWHERE

    token: str
    summary: str
    body: str
    to: str
    taken: bool = False
    until: datetime | None = None

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Taken" if self.taken else "Take it"
