"""Units of work: what is true together, written together or not at all.

A unit may be sent again after an unknown commit: it carries its own id, and the
store answers a second time what it answered first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NewType, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.journal import Entry
    from proveout.domain.review import Answer, Review, ReviewId
    from proveout.domain.run import Failure, Run, RunId, RunState

UnitId = NewType("UnitId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue:
    """A new run enters; answered by `Enqueued` or `KeyTaken`."""

    id: UnitId
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An attempt adds to its run's journal; answered by `Done` or `Stale`.

    Attributes:
        fence: the fence that the attempt's claim gave it.
        review: the question that a waiting entry puts to a person.
    """

    id: UnitId
    run: RunId
    fence: int
    entries: tuple[Entry, ...]
    review: Review | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """An attempt ends and its run moves on; answered by `Done` or `Stale`.

    A run that settles to WAITING although its answer has arrived meanwhile is
    queued instead.

    Attributes:
        due: when its earliest timer fires, for a run that waits.
        elapsed: seconds that the attempt took.
    """

    id: UnitId
    run: RunId
    fence: int
    state: RunState
    elapsed: float
    result: bytes | None = None
    failure: Failure | None = None
    due: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """A person answers a review; answered by `Decided` or `Undecidable`.

    Attributes:
        digest: digest of the content that the person saw.
    """

    id: UnitId
    review: ReviewId
    digest: str
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """A person stops a run; answered by `Done` or `Stale` when it was final already."""

    id: UnitId
    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeue:
    """A person lets a parked run go on; answered by `Done`, or `Stale` if it is not parked."""

    id: UnitId
    run: RunId


Unit: TypeAlias = Enqueue | Record | Settle | Decide | Cancel | Requeue


@dataclass(frozen=True, slots=True)
class Done:
    """The unit is durable."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Another attempt, or a person, came first; nothing was written."""


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The run is durable; `created` tells whether it is new or was known by its key."""

    run: Run
    created: bool


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """The key belongs to a run with another input; nothing was written."""

    run: Run


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer is durable and its run will go on."""

    review: Review


@dataclass(frozen=True, slots=True)
class Undecidable:
    """The review is no longer open, or its content is not what the person saw.

    Attributes:
        review: the review as it stands; None when there is none of that id.
    """

    review: Review | None


Answered: TypeAlias = Done | Stale | Enqueued | KeyTaken | Decided | Undecidable
