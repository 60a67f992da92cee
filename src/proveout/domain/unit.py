"""Units of work: what is true together, written together or not at all.

A unit may be sent again after an unknown commit: it carries its own id, and the
store answers a second time what it answered first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NewType, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.delivery import Delivery
    from proveout.domain.desk import Act, Objection
    from proveout.domain.journal import Entry, Outcome, Place, Returned
    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.model_answer import Recording
    from proveout.domain.model_call import ModelCall
    from proveout.domain.record import Kind
    from proveout.domain.release import Halt, Pointer, Release, ReleaseDigest, Treatment
    from proveout.domain.review import Answer, Review, ReviewId
    from proveout.domain.run import Failure, Run, RunId, RunState

UnitId = NewType("UnitId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue:
    """A run enters: new, or a trial as its origin stands; gives `Enqueued`, `KeyTaken` or `Full`.

    Attributes:
        delay: how long after its entry, by the store's clock, it may begin at the earliest.
        intake: most runs of its workflow that may wait for their first claim; None for any
            number. A run that the store knows already is no new one.
    """

    id: UnitId
    run: Run
    delay: timedelta = timedelta(0)
    intake: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An attempt adds to its run's journal; answered by `Done` or `Stale`.

    Attributes:
        fence: the fence that the attempt's claim gave it.
        review: the question that a waiting entry puts to a person.
        gives_up: places of reviews and signals that the run waits for no longer; a signal that
            was kept for one of them is there for the next wait.
    """

    id: UnitId
    run: RunId
    fence: int
    entries: tuple[Entry, ...]
    review: Review | None = None
    gives_up: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """An attempt says what came of a pending entry; answered by `Closed` or `Stale`.

    Where an answer came first, that one stands.
    """

    id: UnitId
    run: RunId
    fence: int
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """An attempt ends and its run moves on; answered by `Done` or `Stale`.

    A run that settles to WAITING although its answer has arrived meanwhile is
    queued instead.

    Attributes:
        due: when its earliest timer fires, for a run that waits.
        elapsed: seconds that the attempt took; in a trial, those of its call alone.
        ordering: the ordering key of its run, where it has one: a store that knows it
            beforehand passes the turn on without ever waiting for another process that does.
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
    ordering: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """A person answers a review; answered by `Decided` or `Undecidable`.

    A first approval of two is taken, too, and leaves the review open.

    Attributes:
        digest: digest of the content that the person saw.
        hold: for how long it can be undone, by the store's clock, before it takes effect.
    """

    id: UnitId
    review: ReviewId
    digest: str
    answer: Answer
    hold: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """A person does something with a review; answered by `Handled` or `Undecidable`."""

    id: UnitId
    review: ReviewId
    act: Act
    by: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Somebody sends a signal; answered by `Done`, or `Stale` if the run is over or unknown.

    The run's oldest wait for that name takes it and wakes; where there is none, it is kept.

    Attributes:
        name: what the journal calls a wait for it, see `domain/signal.py`.
        value: bytes of JSON.
    """

    id: UnitId
    run: RunId
    name: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """A person says whether an effect in doubt happened, and its parked run goes on.

    Answered by `Done`, or `Stale` if the run is not parked or the effect not in doubt.

    Attributes:
        outcome: what it returned; None where it did not happen and is to be called again.
    """

    id: UnitId
    run: RunId
    place: Place
    outcome: Returned | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive:
    """A webhook arrives; answered by `Received`, or `Full`: then it was not kept either.

    The delivery is known by its source and event: what arrives again changes nothing.

    Attributes:
        run: what it asks for; None where it is only kept.
        intake: as for `Enqueue`.
    """

    id: UnitId
    delivery: Delivery
    run: Run | None
    intake: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A schedule goes on with the runs of its ticks; answered by `Done`, or `Stale`.

    It is stale, and nothing is written, when the schedule no longer stands at `since`:
    whoever moved it has entered the runs.

    Attributes:
        since: up to when it has fired; None to make it known, which fires nothing.
        to: up to when it has fired afterwards.
        runs: one for each tick between that fires, the tick in its key.
    """

    id: UnitId
    workflow: str
    name: str
    since: datetime | None
    to: datetime
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Calls of models, of any runs, are kept for the account; answered by `Done`.

    Nothing about a run is judged by it or changed: it is accepted whatever became of the
    run, and of a run that the store does not know, too. A call that is kept already, by its
    id, stays as it is.

    Attributes:
        recordings: what was answered to some of them; of a pruned run it is not kept.
    """

    id: UnitId
    calls: tuple[ModelCall, ...]
    recordings: tuple[Recording, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelease:
    """A release becomes known, with all that is needed to run it.

    Attributes:
        archive: its files, as one archive.
        settings: the project's settings file when it was made; no part of the digest.
    """

    release: Release
    archive: bytes
    settings: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePointer:
    """The pointer takes this value, if `pointer.version` is one more than the stored one."""

    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Treat:
    """Runs of a release that have begun and not ended are parked or cancelled."""

    workflow: str
    release: ReleaseDigest
    treatment: Treatment


@dataclass(frozen=True, slots=True, kw_only=True)
class StartHalt:
    """From now on nothing within the halt's scope begins."""

    halt: Halt


@dataclass(frozen=True, slots=True, kw_only=True)
class EndHalt:
    """What this scope halted may begin again."""

    workflow: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """A record takes this body; None removes it."""

    kind: Kind
    name: str
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """The payloads of a run that has ended are removed."""

    run: RunId


Change: TypeAlias = NewRelease | MovePointer | Treat | StartHalt | EndHalt | Keep | Erase


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend:
    """A decision and its entry in the ledger; answered by `Done`, or `Stale`.

    It is stale, and nothing is written, when the ledger went on meanwhile (`entry` no
    longer follows its head) or the pointer has another version: read again, decide again.
    """

    id: UnitId
    entry: LedgerEntry
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Records change that are nobody's decision, such as sessions; answered by `Done` or `Stale`.

    Attributes:
        spends: name of a record of `kind` that must exist and is removed: where it is
            gone already the answer is `Stale`, and nothing is written.
        makes: a record that must not exist yet; where it does the answer is `Stale`, and nothing
            is written. Never beside `spends`.
    """

    id: UnitId
    keeps: tuple[Keep, ...]
    spends: Keep | None = None
    makes: Keep | None = None


Unit: TypeAlias = (
    Enqueue
    | Record
    | Close
    | Settle
    | Decide
    | Handle
    | Send
    | Cancel
    | Requeue
    | Resolve
    | Receive
    | Tick
    | Charge
    | Amend
    | Put
)


@dataclass(frozen=True, slots=True)
class Done:
    """The unit is durable."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The entry is closed.

    Attributes:
        outcome: the one that stands: an answer that came first, or the attempt's own.
    """

    outcome: Outcome


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
class Full:
    """As many runs as the unit allows wait for their first claim; nothing was written."""

    intake: int


@dataclass(frozen=True, slots=True)
class Received:
    """The delivery is durable; `created` tells whether it is new or was known by its event.

    Attributes:
        run: the run that it asked for, then or now; None where it asked for none.
    """

    run: RunId | None
    created: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer is durable; its run goes on once it takes effect."""

    review: Review


@dataclass(frozen=True, slots=True)
class Handled:
    """What the person did is durable."""

    review: Review


@dataclass(frozen=True, slots=True)
class Undecidable:
    """The review stays as it is: it is no longer open, say, or its content is another.

    Attributes:
        review: the review as it stands; None when there is none of that id.
        why: what stood in the way; None where there is no review.
    """

    review: Review | None
    why: Objection | None = None


Answered: TypeAlias = (
    Done | Closed | Stale | Enqueued | KeyTaken | Full | Received | Decided | Handled | Undecidable
)
