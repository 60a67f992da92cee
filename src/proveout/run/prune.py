"""Pruning: what has outlived its time goes, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.ports.housekeeping import Aged

if TYPE_CHECKING:
    from collections.abc import Callable

    from proveout.ports.housekeeping import Housekeeping

KEYS = timedelta(days=400)
"""How long keys and event ids are kept at least."""

BATCH = 100
"""Runs of one commit: others wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """For how long a workflow keeps what its runs were about.

    Attributes:
        sources: names of its sources of webhooks.
        payloads: time since a run ended after which its payloads go.
        keys: time since then after which the run itself, its key and its event id may go.
    """

    workflow: str
    sources: tuple[str, ...]
    payloads: timedelta
    keys: timedelta = KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What was removed, as counts of runs and of deliveries without a run.

    Attributes:
        pruned: lost their payloads.
        forgotten: are not known any more.
    """

    pruned: int = 0
    forgotten: int = 0


def never() -> bool:
    """Return that it is not so."""
    return False


async def tidy(store: Housekeeping, keeping: Keeping, told: Callable[[], bool] = never) -> Gone:
    """Remove what has outlived its time; return how much that was.

    Args:
        store: where it is.
        keeping: how long what is kept.
        told: asked between two commits whether to stop.
    """
    pruned = forgotten = 0
    old = Aged(
        workflow=keeping.workflow, sources=keeping.sources, age=keeping.payloads, limit=BATCH
    )
    while not told() and (count := await store.prune(old)):
        pruned += count
    oldest = Aged(workflow=keeping.workflow, sources=keeping.sources, age=keeping.keys, limit=BATCH)
    while not told() and (count := await store.forget(oldest)):
        forgotten += count
    return Gone(pruned=pruned, forgotten=forgotten)
