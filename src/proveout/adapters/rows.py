"""Rows to nouns and back: what both stores share."""

from __future__ import annotations

import json
from dataclasses import asdict, astuple, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from proveout.adapters.troubles import Unstorable
from proveout.domain.delivery import Delivery
from proveout.domain.experiment import ExperimentId
from proveout.domain.journal import Entry, EntryKind, Pending, Place, Raised, Returned
from proveout.domain.ledger import LedgerEntry, Signature
from proveout.domain.model_call import Caller, ModelCall, Tokens, Usage
from proveout.domain.money import Usd
from proveout.domain.release import (
    Canary,
    Halt,
    Pointer,
    Release,
    ReleaseDigest,
    Share,
    Stage,
)
from proveout.domain.review import Answer
from proveout.domain.run import Failure, Run, RunId, RunState, Trial
from proveout.ports.store import LockedExperiment, TrialCount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from proveout.domain.journal import Outcome

T = TypeVar("T")


class Row(Protocol):
    """One row, by column name."""

    def __getitem__(self, column: str, /) -> Any: ...


def to_run(row: Row, moment: Callable[[Any], datetime]) -> Run:
    """Return the run that a row of `runs` keeps."""
    trial = None
    if row["experiment"] is not None:
        trial = Trial(
            experiment=ExperimentId(row["experiment"]),
            candidate=row["candidate"],
            position=row["position"],
            case=row["case_digest"],
        )
    return Run(
        id=RunId(row["id"]),
        workflow=row["workflow"],
        value=row["value"],
        created=moment(row["created"]),
        due=None if row["due"] is None else moment(row["due"]),
        state=RunState(row["state"]),
        fence=row["fence"],
        key=row["key"],
        trial=trial,
        result=row["result"],
        failure=None if row["failure"] is None else to_failure(row["failure"]),
        elapsed=row["elapsed"],
        note=row["note"],
        updated=moment(row["updated"]),
        release=row["release"],
        crashes=row["crashes"],
        priority=row["priority"],
        ordering=row["ordering"],
        origin=None if row["origin"] is None else RunId(row["origin"]),
        pruned=None if row["pruned"] is None else moment(row["pruned"]),
        input=row["input"],
        asked_by=row["asked_by"],
    )


def to_entry(row: Row, moment: Callable[[Any], datetime]) -> Entry:
    """Return the entry that a row of `journal` keeps."""
    return Entry(
        place=to_place(row),
        kind=EntryKind(row["kind"]),
        digest=row["digest"],
        arguments=row["arguments"],
        outcome=to_outcome(row, moment),
        started=moment(row["started"]),
        tries=row["tries"],
        elapsed=row["elapsed"],
    )


def to_place(row: Row) -> Place:
    """Return the place that a row of `journal` or `reviews` speaks of."""
    return Place(row["path"], row["name"], row["occurrence"])


def to_outcome(row: Row, moment: Callable[[Any], datetime]) -> Outcome:
    """Return what came of an entry, by its row of `journal`."""
    match row["outcome"]:
        case "returned":
            return Returned(row["value"] or b"")  # pruned: nothing is left of it
        case "raised":
            return Raised(to_failure(row["value"]))
        case _:
            return Pending(None if row["due"] is None else moment(row["due"]))


def from_outcome(outcome: Outcome) -> tuple[str, bytes | None, datetime | None]:
    """Return an outcome as the columns `outcome`, `value` and `due`."""
    match outcome:
        case Returned(value):
            return "returned", value, None
        case Raised(failure):
            return "raised", from_failure(failure), None
        case Pending(due):
            return "pending", None, due


def to_failure(data: bytes) -> Failure:
    """Return the failure that `from_failure` wrote."""
    return Failure(**json.loads(data))


def from_failure(failure: Failure) -> bytes:
    """Return a failure as bytes of JSON; what is no Unicode is replaced."""
    return json.dumps(asdict(failure)).encode()


def as_kept(error: str) -> str:
    """Return a text as it stands in what `from_failure` wrote, in small letters."""
    return json.dumps(error)[1:-1].lower()


def without_words(failure: bytes | None) -> bytes | None:
    """Return what stays of a failure when its run is pruned."""
    return None if failure is None else from_failure(to_failure(failure).without_words())


def without_content(answer: bytes | None) -> bytes | None:
    """Return what stays of a person's answer when its run is pruned: who decided, and how."""
    if answer is None:
        return None
    return replace(Answer.from_json(answer), content=b"", reason="").to_json()


def delivery_of(key: str | None) -> tuple[str | None, str | None]:
    """Return source and event of the delivery that a run with this key may have come from."""
    source, colon, event = (key or "").partition(":")
    return (source, event) if colon else (None, None)


def crashed(times: int) -> Failure:
    """Return the failure of a run that took its process down `times` times."""
    return Failure(
        type="WorkerCrashed", message=f"it ended the process that ran it alone, {times} times"
    )


GIVEN_UP = from_failure(Failure(type="GivenUp", message="the run waits for it no longer"))
"""What stands in the journal for a wait that nobody is to answer any more."""


def to_experiment(row: Row, moment: Callable[[Any], datetime]) -> LockedExperiment:
    """Return the experiment that a row of `experiments` keeps."""
    return LockedExperiment(
        id=ExperimentId(row["id"]),
        name=row["name"],
        workflow=row["workflow"],
        lock=row["lock"],
        look=row["look"],
        order_seed=row["order_seed"],
        dataset=row["dataset"],
        plan=row["plan"],
        locked=moment(row["locked"]),
        verdict=row["verdict"],
    )


def to_release(row: Row, moment: Callable[[Any], datetime]) -> Release:
    """Return the release that a row of `releases` keeps."""
    return Release(
        digest=ReleaseDigest(row["digest"]),
        workflow=row["workflow"],
        number=row["number"],
        manifest=row["manifest"],
        code=row["code"],
        environment=row["environment"],
        created=moment(row["created"]),
        by=row["author"],
    )


def to_pointer(row: Row, moment: Callable[[Any], datetime]) -> Pointer:
    """Return the pointer that a row of `pointers` keeps."""
    canary = None
    if row["canary"] is not None:
        canary = Canary(
            release=ReleaseDigest(row["canary"]),
            share=Share(points=row["share"]),
            salt=row["salt"],
            since=moment(row["since"]),
            hold=None if row["hold"] is None else moment(row["hold"]),
        )
    return Pointer(
        workflow=row["workflow"],
        version=row["version"],
        stage=Stage(row["stage"]),
        stable=None if row["stable"] is None else ReleaseDigest(row["stable"]),
        canary=canary,
        changed=moment(row["changed"]),
    )


def from_canary(canary: Canary | None) -> tuple[Any, ...]:
    """Return a canary as the columns `canary`, `share`, `salt`, `since` and `hold`."""
    if canary is None:
        return (None, None, None, None, None)
    return (canary.release, canary.share.points, canary.salt, canary.since, canary.hold)


def to_halt(row: Row, moment: Callable[[Any], datetime]) -> Halt:
    """Return the halt that a row of `halts` keeps."""
    return Halt(
        workflow=row["workflow"],
        scope=row["scope"],
        since=moment(row["since"]),
        by=row["author"],
        reason=row["reason"],
    )


def to_ledger_entry(row: Row, moment: Callable[[Any], datetime]) -> LedgerEntry:
    """Return the entry that a row of `ledger` keeps."""
    return LedgerEntry(
        seq=row["seq"],
        at=moment(row["at"]),
        actor=row["actor"],
        act=row["act"],
        subject=row["subject"],
        facts=row["facts"],
        previous=row["previous"],
        hash=row["hash"],
        signature=Signature(key=row["key"], value=row["signature"]),
    )


def to_delivery(row: Row, moment: Callable[[Any], datetime]) -> Delivery:
    """Return the delivery that a row of `deliveries` keeps."""
    return Delivery(
        source=row["source"],
        event=row["event"],
        type=row["type"],
        received=moment(row["received"]),
        headers=tuple((name, value) for name, value in json.loads(row["headers"])),
        body=row["body"],
        is_test=bool(row["is_test"]),
    )


def from_headers(delivery: Delivery) -> str:
    """Return a delivery's headers as the column `headers`."""
    return json.dumps(delivery.headers)


MOST_TOKENS = 2**31 - 1
"""Most tokens that one call can have taken: more is no answer's count, and spoils every sum."""

MOST_MONEY = Decimal(1_000_000)
"""Dollars that one call can have cost at most."""

PICO = Decimal("1e-12")

USAGE = (
    "count(*) AS calls, coalesce(sum(read), 0) AS read, coalesce(sum(written), 0) AS written,"
    " coalesce(sum(picodollars / 1000000), 0) AS microdollars,"
    " coalesce(sum(picodollars % 1000000), 0) AS picodollars,"
    " count(*) - count(picodollars) AS unpriced"
)
"""The columns from which `to_usage` reads; in two parts, so that no sum of money is too large."""


def to_usage(row: Row) -> Usage:
    """Return what the calls of models that `USAGE` was asked about took together."""
    return Usage(
        calls=row["calls"],
        read=int(row["read"]),
        written=int(row["written"]),
        cost=_money(int(row["microdollars"]) * 10**6 + int(row["picodollars"])),
        unpriced=row["unpriced"],
    )


def to_trial_count(row: Row) -> TrialCount:
    """Return what an experiment has used, by a row of claims beside the columns of `USAGE`."""
    return TrialCount(
        calls=row["claims"],
        repeated=row["repeated"],
        trials=row["trials"],
        reused=row["reused"],
        usage=to_usage(row),
        unpriced=row["unpriced_trials"],
    )


def to_model_call(row: Row, moment: Callable[[Any], datetime]) -> ModelCall:
    """Return the call that a row of `model_calls` keeps."""
    place = None if row["occurrence"] is None else to_place(row)
    tokens = None
    if row["read"] is not None:
        tokens = Tokens(
            read=row["read"],
            cached=row["cached"],
            written=row["written"],
            stored=row["stored"] or 0,
            stored_hour=row["stored_hour"] or 0,
        )
    return ModelCall(
        id=row["id"],
        caller=Caller(run=RunId(row["run"]), fence=row["fence"], place=place),
        provider=row["provider"],
        asked=row["asked"],
        answered=row["answered"],
        status=row["status"],
        tokens=tokens,
        cost=None if row["picodollars"] is None else _money(row["picodollars"]),
        started=moment(row["started"]),
        elapsed=row["elapsed"],
    )


def by_run(found: Iterable[T], run_of: Callable[[T], RunId]) -> dict[RunId, list[T]]:
    """Return what belongs to runs by the run, each run's in the order given."""
    runs: dict[RunId, list[T]] = {}
    for one in found:
        runs.setdefault(run_of(one), []).append(one)
    return runs


def from_model_call(call: ModelCall) -> tuple[Any, ...]:
    """Return a call as all columns of `model_calls`, its moment as it is.

    Raises:
        Unstorable: it took what no call can take.
    """
    tokens = call.tokens
    counts = (None,) * 5 if tokens is None else astuple(tokens)
    if not all(count is None or 0 <= count <= MOST_TOKENS for count in counts):
        raise _senseless(call, f"it says that it took {tokens}")
    return (
        call.id,
        call.caller.run,
        call.caller.fence,
        *(call.caller.place or (None,) * 3),
        call.provider,
        call.asked,
        call.answered,
        call.status,
        *counts,
        None if call.cost is None else _picodollars(call),
        call.started,
        call.elapsed,
    )


def _picodollars(call: ModelCall) -> int:
    assert call.cost is not None  # noqa: S101 - asked only where it is known
    amount = call.cost.amount
    if not 0 <= amount <= MOST_MONEY:
        raise _senseless(call, f"it says that it cost {call.cost}")
    return int(amount.quantize(PICO, ROUND_HALF_EVEN).scaleb(12))


def _money(picodollars: int) -> Usd:
    return Usd(Decimal(picodollars).scaleb(-12))


def _senseless(call: ModelCall, why: str) -> Unstorable:
    return Unstorable(
        f"the call {call.id} of a model cannot be kept",
        why=why,
        fix=("leave out what its provider or price list cannot mean",),
    )
