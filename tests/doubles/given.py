"""What a store's tests start from: runs, entries, reviews and experiments, ready made."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.experiment import ExperimentId
from proveout.domain.journal import Entry, EntryKind, Pending, Place, Returned
from proveout.domain.model_call import Caller, ModelCall, Tokens
from proveout.domain.money import Usd
from proveout.domain.review import Answer, OnExpiry, Review, ReviewId
from proveout.domain.run import Run, RunId, RunState, Trial
from proveout.domain.unit import (
    Answered,
    Cancel,
    Charge,
    Decide,
    Done,
    Enqueue,
    Handle,
    Record,
    Settle,
    UnitId,
)
from proveout.ports.store import LockedExperiment, Want

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doubles.clock import CountedIds, ManualClock
    from proveout.domain.desk import Act
    from proveout.domain.journal import Outcome
    from proveout.ports.store import Claimed, Store

LEASE = timedelta(seconds=30)
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DRAFT = b'{"reply": "Dear customer"}'


def digest_of(content: bytes) -> str:
    """Return the digest by which a decision names what it saw."""
    return hashlib.sha256(content).hexdigest()


def want(**changes: Any) -> Want:
    """Return a wish for up to 1,000 runs of triage."""
    usual: dict[str, Any] = {
        "worker": "one",
        "workflows": ("triage",),
        "limit": 1000,
        "lease": LEASE,
    }
    return Want(**{**usual, **changes})


def entry(name: str = "read", outcome: Outcome | None = None, occurrence: int = 0) -> Entry:
    """Return an entry of a journal; by default a step that returned 1."""
    return Entry(
        place=Place("", name, occurrence),
        kind=EntryKind.STEP,
        digest=digest_of(name.encode(errors="replace"))[:32],
        arguments='{"mail": "late parcel"}',
        outcome=outcome or Returned(b"1"),
        started=START,
    )


def locked(**changes: Any) -> LockedExperiment:
    """Return an experiment as it is about to be locked."""
    usual: dict[str, Any] = {
        "id": "experiment-1",
        "name": "routing",
        "workflow": "triage",
        "lock": "5f" * 32,
        "look": 1,
        "order_seed": 7,
        "dataset": "cases@1",
        "plan": b'{"criteria": []}',
        "locked": START,
    }
    return LockedExperiment(**{**usual, **changes})


class Given:
    """Brings one store to where a test begins."""

    def __init__(self, store: Store, clock: ManualClock, ids: CountedIds) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids

    def unit_id(self) -> UnitId:
        return UnitId(f"unit-{self.ids.new()}")

    def run(self, **changes: Any) -> Run:
        """Return a run that no store knows yet."""
        usual: dict[str, Any] = {
            "id": RunId(f"run-{self.ids.new()}"),
            "workflow": "triage",
            "value": b'{"mail": "late parcel"}',
            "created": self.clock.now(),
            "due": None,
        }
        return Run(**{**usual, **changes})

    def trial(self, position: int, **changes: Any) -> Run:
        """Return a run for one place of an experiment."""
        usual: dict[str, Any] = {
            "experiment": ExperimentId("experiment-1"),
            "candidate": "workflow",
            "position": position,
            "case": f"case-{position}",
        }
        return self.run(trial=Trial(**{**usual, **changes}))

    async def enqueue(self, run: Run, **changes: Any) -> Answered:
        return await self.store.write(Enqueue(id=self.unit_id(), run=run, **changes))

    async def queued(self, **changes: Any) -> Run:
        """Return a run that waits for a worker."""
        run = self.run(**changes)
        await self.enqueue(run)
        return run

    async def claimed(self, **changes: Any) -> Claimed:
        """Return a run that was enqueued and claimed just now."""
        run = await self.queued(**changes)
        for claimed in await self.store.claim(want()):
            if claimed.run.id == run.id:
                return claimed
        raise AssertionError(f"{run.id} was not claimed")

    def record(self, claimed: Claimed, *entries: Entry) -> Record:
        return Record(
            id=self.unit_id(),
            run=claimed.run.id,
            fence=claimed.run.fence,
            entries=entries or (entry(),),
        )

    def settle(self, claimed: Claimed, state: RunState, **changes: Any) -> Settle:
        usual: dict[str, Any] = {
            "id": self.unit_id(),
            "run": claimed.run.id,
            "fence": claimed.run.fence,
            "state": state,
            "elapsed": 1.5,
        }
        return Settle(**{**usual, **changes})

    def cancel(self, run: RunId) -> Cancel:
        return Cancel(id=self.unit_id(), run=run)

    def model_call(self, run: RunId, **changes: Any) -> ModelCall:
        """Return a call of a model that the first attempt of a run made in a step."""
        usual: dict[str, Any] = {
            "id": f"call-{self.ids.new()}",
            "caller": Caller(run=run, fence=1, place=Place("", "read", 0)),
            "provider": "openai",
            "asked": "gpt-5",
            "answered": "gpt-5-2026-08-07",
            "status": 200,
            "tokens": Tokens(read=1200, cached=200, written=34),
            "cost": Usd("0.00159"),
            "started": self.clock.now(),
            "elapsed": 0.75,
        }
        return ModelCall(**{**usual, **changes})

    def charge(self, *calls: ModelCall) -> Charge:
        return Charge(id=self.unit_id(), calls=calls)

    def question(self, claimed: Claimed, **changes: Any) -> Record:
        """Return the record by which an attempt asks a person."""
        asked = replace(entry("ask", Pending()), kind=EntryKind.REVIEW)
        usual: dict[str, Any] = {
            "id": ReviewId(f"review-{self.ids.new()}"),
            "run": claimed.run.id,
            "place": asked.place,
            "queue": "support",
            "content": DRAFT,
            "digest": digest_of(DRAFT),
            "opened": self.clock.now(),
        }
        review = Review(**{**usual, **changes})
        return replace(self.record(claimed, replace(asked, place=review.place)), review=review)

    def decide(self, review: Review, **changes: Any) -> Decide:
        usual: dict[str, Any] = {
            "id": self.unit_id(),
            "review": review.id,
            "digest": review.digest,
            "answer": Answer(approved=True, content=DRAFT, by="ada"),
        }
        return Decide(**{**usual, **changes})

    def handle(self, review: Review, act: Act, by: str) -> Handle:
        return Handle(id=self.unit_id(), review=review.id, act=act, by=by)

    async def asked(self, **changes: Any) -> tuple[Claimed, Review]:
        """Return a running attempt that has just asked a person."""
        claimed = await self.claimed()
        unit = self.question(claimed, **changes)
        assert await self.store.write(unit) == Done()
        assert unit.review is not None
        return claimed, unit.review

    async def waiting(self, **changes: Any) -> Review:
        """Return the open review of a run that waits for it."""
        claimed, review = await self.asked(**changes)
        await self.store.write(self.settle(claimed, RunState.WAITING))
        return review

    async def in_state(self, state: RunState) -> Claimed:
        """Return a run as its attempt knew it, brought to `state`."""
        claimed = await self.claimed()
        if state is RunState.CANCELLED:
            await self.store.write(self.cancel(claimed.run.id))
        elif state is not RunState.RUNNING:
            await self.store.write(self.settle(claimed, state))
        return claimed

    async def state(self, run: RunId) -> RunState:
        return (await self.known(run)).state

    async def known(self, run: RunId) -> Run:
        found = await self.store.run(run)
        assert found is not None
        return found

    async def states(self, runs: Sequence[RunId]) -> list[RunState]:
        return [await self.state(run) for run in runs]


EXPIRING: dict[str, Any] = {"deadline": START + timedelta(hours=4), "on_expiry": OnExpiry.REJECT}
"""What makes a question expire four hours after a test's start."""
