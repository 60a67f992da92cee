"""Housekeeping: what a store keeps, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """What may go: what a workflow has not needed for a time.

    Attributes:
        sources: whose deliveries are meant, where they asked for no run.
        age: time since a run ended, or a delivery came.
        limit: most runs, and most deliveries without a run, of one commit.
    """

    workflow: str
    sources: tuple[str, ...]
    age: timedelta
    limit: int = 200


class Housekeeping(Protocol):
    """What is kept, and for how long; the store's own clock says what is old.

    Trials stay: an experiment's verdict can be judged again as long as they do.
    """

    async def prune(self, aged: Aged) -> int:
        """Remove the payloads of runs that ended, and of deliveries; return how many had any.

        A pruned run keeps its id, state, times, release and key, the digest of its input,
        and what its journal holds besides values: names, times and digests.
        """
        ...

    async def forget(self, aged: Aged) -> int:
        """Remove the rows of what is pruned, keys and event ids included; return their count."""
        ...
