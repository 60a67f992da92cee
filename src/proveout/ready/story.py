"""What an incident is explained from: runs with all that is kept of them, and a stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from proveout.domain.delivery import Delivery
    from proveout.domain.evidence import Evidence
    from proveout.domain.journal import Entry
    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.model_call import ModelCall
    from proveout.domain.review import Review
    from proveout.domain.run import Run


class Weight(StrEnum):
    """What a moment means for an incident."""

    PLAIN = "plain"
    CHANGE = "change"
    TROUBLE = "trouble"
    TOUCH = "touch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened.

    Attributes:
        subject: what it happened to: a run, a release, a review.
    """

    at: datetime
    weight: Weight
    subject: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One run with all that the store keeps of it.

    Attributes:
        release: name of the release that it ran on; "" before its first claim.
        delivery: the webhook that asked for it; None where another caller did.
        replay: the newest run that repeats it; None where there is none.
    """

    run: Run
    release: str
    entries: Sequence[Entry] = ()
    calls: Sequence[ModelCall] = ()
    reviews: Sequence[Review] = ()
    delivery: Delivery | None = None
    replay: Run | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The stretch of time that is looked at, and what people did in it.

    Attributes:
        deeds: of the ledger, some from before `since` among them.
        evidence: of all drills of this workflow.
        other: moments that others know of, such as alerts.
    """

    workflow: str
    since: datetime
    now: datetime
    deeds: Sequence[LedgerEntry] = ()
    evidence: Sequence[Evidence] = ()
    other: Sequence[Moment] = ()
