"""Stores: one small port per noun, one way to write.

Every write is a unit (`Writes.write`); everything else reads, or moves runs by
rules that the store itself keeps: claims, leases, timers and deadlines, all
judged by the store's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from proveout.domain.model_call import Usage
from proveout.domain.release import DRAFT
from proveout.ports.housekeeping import Housekeeping
from proveout.ports.limits import Limits
from proveout.ports.measure import Measures
from proveout.ports.reviews import Reviews

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from proveout.domain.delivery import Delivery
    from proveout.domain.experiment import ExperimentId
    from proveout.domain.journal import Entry
    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.model_answer import Recording
    from proveout.domain.model_call import ModelCall
    from proveout.domain.record import Kind
    from proveout.domain.release import Halt, InFlight, Pointer, Release, ReleaseDigest
    from proveout.domain.run import Run, RunId, RunState
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.hold import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Which runs a worker asks for.

    Attributes:
        workflows: names of the workflows it can run.
        experiment: only trials of this experiment; None for runs that are no trials.
        limit: count of runs it has room for, from 1.
        lease: how long it may hold them without renewing.
        release: digest of the release that the worker runs, or "draft". It is given runs
            that began on it, and new ones that the pointer sends there.
        suspects: True for only the runs that were in flight when their worker died, False
            for all others, None for both.
        most_running: most runs of each of these workflows that may run at once under all
            workers, trials left out; None for any number.
    """

    worker: str
    workflows: tuple[str, ...]
    limit: int
    lease: timedelta
    experiment: ExperimentId | None = None
    release: str = DRAFT
    suspects: bool | None = None
    most_running: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A run that is now this worker's, with its journal.

    Attributes:
        now: the store's moment of the claim.
    """

    run: Run
    entries: tuple[Entry, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A run under the fence that a claim gave."""

    run: RunId
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list, newest first.

    Attributes:
        states: any of them; empty for all.
        release: only runs that began on it.
        since: only runs that moved at or after this moment.
        before: only runs older than this one, to go on where a page ended.
        created: only runs created at or after this moment.
        error: only runs that failed with this text in the error's type or message, in any
            case of ASCII letters.
        id: only this run.
        key: only the run that was enqueued under it.
    """

    states: tuple[RunState, ...] = ()
    workflow: str | None = None
    experiment: ExperimentId | None = None
    before: RunId | None = None
    release: str | None = None
    since: datetime | None = None
    created: datetime | None = None
    error: str = ""
    id: RunId | None = None
    key: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What one round of the store's housekeeping moved, as counts of runs.

    Attributes:
        lapsed: returned to the queue because their worker stopped renewing.
        woken: returned to the queue because their timer fired.
        expired: reviews that nobody answered in time.
        decided: reviews whose decision took effect, since nobody undid it in time.
    """

    lapsed: int = 0
    woken: int = 0
    expired: int = 0
    decided: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedExperiment:
    """An experiment as it was locked before its first trial.

    Attributes:
        lock: hexadecimal SHA-256 of what was locked.
        look: which look at these cases this is, from 1.
        order_seed: seed of the recorded order.
        plan: what was locked, as bytes of canonical JSON.
        verdict: the verdict as bytes of JSON, once it has fallen or the experiment stopped.
    """

    id: ExperimentId
    name: str
    workflow: str
    lock: str
    look: int
    order_seed: int
    dataset: str
    plan: bytes
    locked: datetime
    verdict: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCount:
    """What an experiment has used.

    Attributes:
        calls: claims of its trials: calls reserved, repeats included.
        repeated: calls beyond the first of each trial.
        trials: trials enqueued, or entered as what an earlier call had come to.
        reused: the latter.
        usage: what their calls of models took together.
        unpriced: trials that made a call whose cost is not known.
    """

    calls: int
    repeated: int
    trials: int
    usage: Usage = field(default_factory=Usage)
    unpriced: int = 0
    reused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """How far the schedules of a workflow have fired, by name.

    Attributes:
        now: the store's moment of the answer.
    """

    now: datetime
    upto: Mapping[str, datetime]


class Writes(Protocol):
    """The one way to write."""

    async def write(self, unit: Unit) -> Answered:
        """Make `unit` durable, or leave everything as it was; the answer says which.

        Raises:
            Mistake: the unit holds something that no store can keep.
            Outage: the store cannot be reached or written to.
        """
        ...


class Queue(Protocol):
    """Who works on what."""

    async def claim(self, want: Want) -> list[Claimed]:
        """Give up to `want.limit` queued runs to a worker; each fence is raised.

        The highest priority comes first, then what has been due for longest.
        """
        ...

    async def tend(self) -> Tended:
        """Return lapsed and due runs to the queue, and expire overdue reviews."""
        ...

    async def reclaim(self, experiment: ExperimentId) -> int:
        """Return all running trials of `experiment` to the queue; their count.

        Only for the one process that holds the experiment: the trials belonged to a
        process that is gone.
        """
        ...

    async def is_idle(self, want: Want, within: timedelta) -> bool:
        """Whether nothing of `want` is queued or running, and nothing is due `within`."""
        ...

    async def has_suspects(self, want: Want) -> bool:
        """Whether a run of `want` was in flight when its worker died, and is queued."""
        ...

    async def blame(self, worker: str, at_most: int) -> list[RunId]:
        """Count a crash against the runs that `worker` held when it died; return them.

        They go back to the queue, or are DEAD with their crash number `at_most`. Only for
        the process that saw the death of its own child.
        """
        ...

    async def changed(self, at_most: float) -> None:
        """Return when something may have changed, or after `at_most` seconds."""
        ...

    def mark(self) -> int:
        """Return a number that is another one once anything has changed, in any process.

        Seldom, as where the connection was lost, a change does not show in it.
        """
        ...

    def keeper(self) -> Keeper:
        """Return a keeper of leases for use in a thread of its own."""
        ...


class Keeper(Protocol):
    """Renews leases, from a thread that no workflow can block."""

    def renew(self, held: Sequence[Held], lease: timedelta) -> set[RunId]:
        """Extend the leases of `held`; return the runs that are no longer held.

        Raises:
            Outage: the store cannot be reached.
        """
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Runs(Protocol):
    """What happened."""

    async def run(self, run: RunId) -> Run | None:
        """Return the run of that id, or None."""
        ...

    async def run_by_key(self, workflow: str, key: str) -> Run | None:
        """Return the run that was enqueued under `key`, or None."""
        ...

    async def runs_by_keys(self, workflow: str, keys: Sequence[str]) -> dict[str, Run]:
        """Return the runs that were enqueued under any of `keys`, by key."""
        ...

    async def runs(self, which: RunFilter) -> list[Run]:
        """Return runs that match, newest first."""
        ...

    async def ended(self, workflow: str, since: datetime, limit: int = 100) -> list[Run]:
        """Return runs that had begun, are no trials and ended at or after a moment.

        The first to end comes first.
        """
        ...

    async def count(self, experiment: ExperimentId | None = None) -> dict[RunState, int]:
        """Return how many runs are in each state that has any."""
        ...

    async def journal(self, run: RunId) -> list[Entry]:
        """Return what a run's journal holds, in the order it was written."""
        ...


class ModelCalls(Protocol):
    """What was asked of models, and what it took."""

    async def model_calls(self, *runs: RunId) -> dict[RunId, list[ModelCall]]:
        """Return the calls of each run that made any, in the order in which they started."""
        ...


class ModelAnswers(Protocol):
    """What models answered."""

    async def model_answers(self, *runs: RunId) -> list[Recording]:
        """Return what was answered to calls of these runs, as far as it was kept."""
        ...


class Schedules(Protocol):
    """What happens by the clock."""

    async def ticked(self, workflow: str) -> Ticked:
        """Return up to when each schedule of a workflow has fired, and the moment."""
        ...


class Releases(Protocol):
    """What serves, and what has served."""

    async def pointer(self, workflow: str) -> Pointer:
        """Return which release serves; a pointer of version 0 where nothing was decided yet."""
        ...

    async def release(self, digest: ReleaseDigest) -> Release | None:
        """Return the release of that digest, or None."""
        ...

    async def releases(self, workflow: str | None = None) -> list[Release]:
        """Return the releases of a workflow, or all, the oldest first."""
        ...

    async def archive(self, digest: ReleaseDigest) -> bytes | None:
        """Return the files of a release as one archive, or None."""
        ...

    async def settings(self, digest: ReleaseDigest) -> bytes | None:
        """Return the settings file that a release was made with, or None."""
        ...

    async def halts(self, workflow: str) -> list[Halt]:
        """Return what is halted, the oldest order first."""
        ...

    async def in_flight(self, workflow: str, release: str) -> InFlight:
        """Return how many runs of a release have begun and not ended."""
        ...

    async def tally(self, workflow: str, since: datetime) -> dict[tuple[str, RunState], int]:
        """Return how many runs that ended since a moment are in each state, by release."""
        ...

    async def oldest_queued(self, workflow: str) -> datetime | None:
        """Return since when the run that waits longest for a worker could have begun."""
        ...


class Ledger(Protocol):
    """Who did what, as a chain."""

    async def head(self) -> LedgerEntry | None:
        """Return the newest entry, or None."""
        ...

    async def ledger(self, before: int | None = None, limit: int = 100) -> list[LedgerEntry]:
        """Return entries, the newest first, those before entry number `before`."""
        ...

    async def whole_ledger(self) -> list[LedgerEntry]:
        """Return every entry in the order in which the store keeps them."""
        ...


class Records(Protocol):
    """Small nouns, kept by name."""

    async def record(self, kind: Kind, name: str) -> bytes | None:
        """Return the body of a record, or None."""
        ...

    async def records(self, kind: Kind) -> dict[str, bytes]:
        """Return the bodies of all records of a kind by name, sorted."""
        ...


class Deliveries(Protocol):
    """What arrived from outside."""

    async def delivery(self, source: str, event: str) -> Delivery | None:
        """Return what arrived under that event id, or None."""
        ...

    async def deliveries(
        self,
        source: str | None = None,
        limit: int = 100,
        *,
        before: tuple[str, str] | None = None,
    ) -> list[Delivery]:
        """Return deliveries, the newest first; those before the one of that source and event."""
        ...


class Experiments(Protocol):
    """What was asked, and answered."""

    async def lock(self, experiment: LockedExperiment) -> LockedExperiment:
        """Keep `experiment`, or return the one already kept under the same lock and look."""
        ...

    async def experiments(self, workflow: str) -> list[LockedExperiment]:
        """Return every experiment of a workflow, oldest first."""
        ...

    async def conclude(self, experiment: ExperimentId, verdict: bytes) -> None:
        """Keep the verdict of an experiment; a later one replaces it."""
        ...

    async def trials(
        self,
        experiment: ExperimentId,
        candidate: str,
        first: int,
        limit: int,
        *,
        finished: bool = False,
    ) -> list[Run]:
        """Return the trials of a candidate from position `first` on, in order.

        Where `finished`, only those before the first that may still change by itself.
        """
        ...

    async def used(self, experiment: ExperimentId, candidate: str | None = None) -> TrialCount:
        """Return what an experiment, or one of its candidates, has used."""
        ...

    async def seen(self, workflow: str) -> set[str]:
        """Return the digests of all cases that any experiment of `workflow` has run."""
        ...

    async def hold(self, name: str) -> Hold | None:
        """Take the one hold of that name, or None while a living process has it."""
        ...


class WritesAndReviews(Writes, Reviews, Protocol):
    """What an attempt asks of a store."""


class Store(
    Writes,
    Queue,
    Housekeeping,
    Runs,
    ModelCalls,
    ModelAnswers,
    Reviews,
    Experiments,
    Releases,
    Ledger,
    Records,
    Deliveries,
    Limits,
    Schedules,
    Measures,
    Protocol,
):
    """A place that keeps all this."""

    async def close(self) -> None:
        """Finish what was handed in and let go of everything."""
        ...
