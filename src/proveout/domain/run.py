"""Runs: one execution of a workflow on one input, and the moves it may make."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NewType

from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from proveout.domain.experiment import ExperimentId

RunId = NewType("RunId", str)


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
        elapsed: seconds that its last attempt took.
        note: why it is PARKED, in words for an operator.
        release: digest of the release that it began on, or "draft"; None before its first claim.
        crashes: how often it took the process down that ran it alone.
        priority: higher is claimed first.
        ordering: runs of one workflow and one ordering key go one at a time, in order.
        origin: the run whose effect keys it keeps, for a replay; None for its own.
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


def check_move(now: RunState, to: RunState) -> None:
    """Leave quietly when `now` may become `to`.

    Raises:
        IllegalMove: the table holds no such move.
    """
    if to not in MOVES[now]:
        ways = ", ".join(sorted(MOVES[now])) or "nowhere: it is final"
        raise IllegalMove(f"a run cannot go from {now} to {to}", why=f"from {now} it may go {ways}")
