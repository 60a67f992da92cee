"""Letting a new run in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.duration import LONGEST, say_duration
from proveout.domain.run import Run, RunId
from proveout.domain.unit import Enqueue, Enqueued, Full, KeyTaken, UnitId
from proveout.errors import Mistake, Outage, Refusal

if TYPE_CHECKING:
    from proveout.domain.run import Trial
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.store import Writes


MOST_URGENT = 100
"""The highest priority; the lowest is as far below 0."""

LONGEST_ORDERING = 255
"""Characters that an ordering key may have."""


class KeyConflict(Refusal):
    """The key belongs to a run with another input."""

    code = "key-conflict"


class OutOfRange(Mistake):
    """A priority, ordering key or delay is none that a run can have."""

    code = "out-of-range"


class IntakeFull(Outage):
    """As many runs wait for a worker as the settings allow; send it again later."""

    code = "intake-full"


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
        delay: how long from now it may begin at the earliest.
        intake: most runs of the workflow that may wait for their first claim; None for any.
        asked_by: who asks; "" where that is not known.

    Raises:
        OutOfRange: priority, ordering key or delay are none that a run can have.
    """

    workflow: str
    value: bytes
    key: str | None = None
    trial: Trial | None = None
    priority: int = 0
    ordering: str | None = None
    origin: RunId | None = None
    release: str | None = None
    delay: timedelta = timedelta(0)
    intake: int | None = None
    asked_by: str = ""

    def __post_init__(self) -> None:
        if not -MOST_URGENT <= self.priority <= MOST_URGENT:
            raise OutOfRange(
                f"priority {self.priority} does not lie between -{MOST_URGENT} and {MOST_URGENT}",
                why="the highest is claimed first; 0 is usual",
                fix=("priority 10",),
            )
        if self.ordering is not None and not 1 <= len(self.ordering) <= LONGEST_ORDERING:
            raise OutOfRange(
                f"an ordering key has 1 to {LONGEST_ORDERING} characters,"
                f" not {len(self.ordering):,}",
                why="it names who or what the runs are about, such as a customer's number",
            )
        if not timedelta(0) <= self.delay <= LONGEST:
            raise OutOfRange(
                f"a delay of {say_duration(self.delay)} does not lie between nothing and a century",
                fix=('"10 min"',),
            )


async def enqueue(store: Writes, clock: Clock, ids: Ids, request: Request) -> Enqueued:
    """Make a run durable; the answer tells whether it is new or was known by its key.

    Raises:
        KeyConflict: the key belongs to a run with another input.
        IntakeFull: no more runs are taken now; nothing was written.
    """
    run = Run(
        id=RunId(ids.new()),
        workflow=request.workflow,
        value=request.value,
        created=clock.now(),
        due=None,
        key=request.key,
        trial=request.trial,
        priority=request.priority,
        ordering=request.ordering,
        origin=request.origin,
        release=request.release,
        asked_by=request.asked_by,
    )
    answer = await store.write(
        Enqueue(id=UnitId(ids.new()), run=run, delay=request.delay, intake=request.intake)
    )
    match answer:
        case Enqueued():
            return answer
        case KeyTaken(known):
            raise KeyConflict(
                f'the key "{request.key}" belongs to run {known.id} with another input',
                why="one key stands for one request; the same key twice gives the same run",
                fix=("use another key", f"proveout runs show {known.id}"),
            )
        case Full(intake):
            raise full(request.workflow, intake)
        case _:
            raise AssertionError(answer)


def full(workflow: str, intake: int) -> IntakeFull:
    """Return what it means to a caller that no more runs are taken now."""
    return IntakeFull(
        f"{workflow} takes no more runs now: {intake:,} wait for a worker",
        why="that is its intake limit; nothing was written",
        fix=(
            "send it again later",
            "proveout serve --workers N    works on more at once",
            "intake = N under [workflow] in proveout.toml",
        ),
    )
