"""Runs: one execution of a workflow on one input, and the moves it may make."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NewType

from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from proveout.domain.experiment import ExperimentId

RunId = NewType("RunId", str)

REPLAY = "replay:"
"""What the keys of replays begin with."""


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    PARKED = "PARKED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DEAD = "DEAD"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether no move leads out of this state."""
        return not MOVES[self]


MOVES: Mapping[RunState, frozenset[RunState]] = MappingProxyType(
    {
        RunState.QUEUED: frozenset({RunState.RUNNING, RunState.PARKED, RunState.CANCELLED}),
        RunState.RUNNING: frozenset(
            {
                RunState.QUEUED,
                RunState.WAITING,
                RunState.PARKED,
                RunState.SUCCEEDED,
                RunState.FAILED,
                RunState.DEAD,
                RunState.CANCELLED,
            }
        ),
        RunState.WAITING: frozenset({RunState.QUEUED, RunState.PARKED, RunState.CANCELLED}),
        RunState.PARKED: frozenset({RunState.QUEUED, RunState.CANCELLED}),
        RunState.SUCCEEDED: frozenset(),
        RunState.FAILED: frozenset(),
        RunState.DEAD: frozenset(),
        RunState.CANCELLED: frozenset(),
    }
)
"""Every legal move; a state without moves is final."""


class IllegalMove(Mistake):
    """A run was asked to make a move that `MOVES` does not hold."""

    code = "illegal-move"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something did not work, in words that survive the process that saw it.

    Attributes:
        type: name of the error's class.
        step: name of the step that raised it, or "" for the workflow's own code.
    """

    type: str
    message: str
    traceback: str = ""
    step: str = ""

    def without_words(self) -> Failure:
        """Return what is left of it once its run is pruned: what kind it was, and where."""
        return replace(self, message="", traceback="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Which place of which experiment a run was made for.

    Attributes:
        position: index into the experiment's recorded order, from 0.
        case: digest of the case.
    """

    experiment: ExperimentId
    candidate: str
    position: int
    case: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a workflow on one input.

    Attributes:
        value: the input, as bytes of JSON.
        fence: how often it was claimed; every write of an attempt carries it.
        key: the caller's own name for this request, unique within the workflow.
        due: not before this moment; while WAITING, when its earliest timer fires, or None.
            In a new run None stands for the store's own moment. A run that has not begun and
            is WAITING is delayed until then, or, with None, waits for the turn of its ordering
            key.
        result: what it returned, as bytes of JSON, once SUCCEEDED.
        elapsed: seconds that its last attempt took; of a trial, those of its call alone.
        note: why it is PARKED, in words for an operator.
        release: digest of the release that it began on, or "draft"; None before its first claim.
        crashes: how often it took the process down that ran it alone.
        priority: higher is claimed first.
        ordering: runs of one workflow and one ordering key go one at a time, in order.
        origin: the run whose effect keys it keeps, for a replay; for a trial, the one whose
            answer it reuses; None for its own.
        pruned: when its payloads were removed; from then on `value` is empty, `result` None.
        input: digest of its input, once that is pruned.
        asked_by: who asked for it; "" where nobody is known to have.
    """

    id: RunId
    workflow: str
    value: bytes
    created: datetime
    due: datetime | None
    state: RunState = RunState.QUEUED
    fence: int = 0
    key: str | None = None
    trial: Trial | None = None
    result: bytes | None = None
    failure: Failure | None = None
    elapsed: float | None = None
    note: str = ""
    updated: datetime | None = None
    release: str | None = None
    crashes: int = 0
    priority: int = 0
    ordering: str | None = None
    origin: RunId | None = None
    pruned: datetime | None = None
    input: str | None = None
    asked_by: str = ""

    @property
    def keyed_as(self) -> RunId:
        """The run from which the keys of its effects are made: its origin, or itself."""
        return self.origin or self.id

    @property
    def is_replay(self) -> bool:
        """Whether it runs again what another run was asked."""
        return self.key is not None and self.key.startswith(REPLAY)

    def has_input(self, value: bytes) -> bool:
        """Whether it was made on exactly these bytes, pruned or not."""
        return self.value == value if self.input is None else self.input == input_digest(value)


def input_digest(value: bytes) -> str:
    """Return what stays of an input when it is pruned: its hexadecimal SHA-256."""
    return hashlib.sha256(value).hexdigest()


def check_move(now: RunState, to: RunState) -> None:
    """Leave quietly when `now` may become `to`.

    Raises:
        IllegalMove: the table holds no such move.
    """
    if to not in MOVES[now]:
        ways = ", ".join(sorted(MOVES[now])) or "nowhere: it is final"
        raise IllegalMove(f"a run cannot go from {now} to {to}", why=f"from {now} it may go {ways}")
