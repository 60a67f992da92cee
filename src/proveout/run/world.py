"""What an attempt at a run asks for: the store, time, threads, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from structlog.typing import FilteringBoundLogger

    from proveout.domain.review_queue import Queue
    from proveout.ports.clock import Clock, Dice, Ids
    from proveout.ports.rehearsal import Rehearsal
    from proveout.ports.store import WritesAndReviews
    from proveout.run.meter import ModelMeter
    from proveout.run.permit import Permits
    from proveout.run.spend import Resources
    from proveout.run.turn import Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """Where plain code runs, bounded."""

    workflows: Executor
    steps: Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What an attempt asks for.

    Attributes:
        captures: effects are journaled and not carried out.
        permits: whether an effect may begin.
        resources: what the worker has of shared limits.
        rehearsal: what stands in for steps and effects while the run is drilled.
        meter: counts the calls of models; None where they are not metered.
        queues: what holds for the queues of reviews that have rules.
        turns: says when runs that were turned away go on; None where each decides for itself.
    """

    store: WritesAndReviews
    clock: Clock
    ids: Ids
    dice: Dice
    threads: Threads
    log: FilteringBoundLogger
    captures: bool
    permits: Permits
    resources: Resources
    rehearsal: Rehearsal | None = None
    meter: ModelMeter | None = None
    turns: Turns | None = None
    queues: tuple[Queue, ...] = ()
