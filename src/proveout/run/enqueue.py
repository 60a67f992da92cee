"""Letting a new run in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.run import Run, RunId
from proveout.domain.unit import Enqueue, Enqueued, KeyTaken, UnitId
from proveout.errors import Refusal

if TYPE_CHECKING:
    from proveout.domain.run import Trial
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.store import Writes


class KeyConflict(Refusal):
    """The key belongs to a run with another input."""

    code = "key-conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a workflow.

    Attributes:
        value: the input, as bytes of canonical JSON.
        key: the caller's own name for this request; None for a new run each time.
        priority: higher is claimed first.
        ordering: runs with one ordering key go one at a time, in order; None for no order.
        origin: the run whose effect keys it keeps; None for its own.
        release: digest of the release that it is pinned to, or "draft"; None to go where
            the pointer sends it.
    """

    workflow: str
    value: bytes
    key: str | None = None
    trial: Trial | None = None
    priority: int = 0
    ordering: str | None = None
    origin: RunId | None = None
    release: str | None = None


async def enqueue(store: Writes, clock: Clock, ids: Ids, request: Request) -> Enqueued:
    """Make a run durable; the answer tells whether it is new or was known by its key.

    Raises:
        KeyConflict: the key belongs to a run with another input.
    """
    now = clock.now()
    run = Run(
        id=RunId(ids.new()),
        workflow=request.workflow,
        value=request.value,
        created=now,
        due=now,
        key=request.key,
        trial=request.trial,
        priority=request.priority,
        ordering=request.ordering,
        origin=request.origin,
        release=request.release,
    )
    answer = await store.write(Enqueue(id=UnitId(ids.new()), run=run))
    match answer:
        case Enqueued():
            return answer
        case KeyTaken(known):
            raise KeyConflict(
                f'the key "{request.key}" belongs to run {known.id} with another input',
                why="one key stands for one request; the same key twice gives the same run",
                fix=("use another key", f"proveout runs show {known.id}"),
            )
        case _:
            raise AssertionError(answer)
