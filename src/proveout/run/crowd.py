"""A crowd before the desk: no new runs while people have as much to decide as they can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proveout.domain.review_queue import WhenFull
from proveout.ports.reviews import Reviews
from proveout.ports.store import Runs
from proveout.run.enqueue import IntakeFull

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.domain.review_queue import Queue


class Looks(Reviews, Runs, Protocol):
    """What is looked at before a run is let in."""


async def check_desk(
    store: Looks, queues: Iterable[Queue], workflow: str, key: str | None = None
) -> None:
    """Leave quietly when no queue of reviews is so full that it slows the intake.

    A run that is known by its key already is no new one.

    Raises:
        IntakeFull: one is; nothing was written.
    """
    for queue in queues:
        if queue.most_open is None or queue.when_full is not WhenFull.SLOW:
            continue
        if await store.count_waiting(queue.name, queue.most_open) < queue.most_open:
            continue
        if key is not None and await store.run_by_key(workflow, key) is not None:
            return
        raise IntakeFull(
            f"{workflow} takes no more runs now: {queue.most_open:,} reviews wait in {queue.name}",
            why="people cannot decide more at once; nothing was written",
            fix=(
                "send it again later",
                "proveout review next",
                f'when_full = "park" under [review.{queue.name}] in proveout.toml',
            ),
        )
