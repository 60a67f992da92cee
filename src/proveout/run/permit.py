"""Permits: an effect begins only while nobody has halted it.

A permit lasts a second from the moment it was asked for, and fails closed: where the
store cannot say, nothing begins. An effect that is already in flight is not stopped.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proveout.domain.release import WORKFLOW_SCOPE, effect_scope, release_scope
from proveout.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.ports.clock import Clock
    from proveout.ports.store import Releases

LASTS = 1.0
"""Seconds for which what was read allows effects to begin."""

ASK_EVERY = 0.4
"""Seconds between two readings of a worker."""


class Permits:
    """What a worker knows of the halts of its workflow."""

    def __init__(self, store: Releases, clock: Clock, workflow: str, release: str) -> None:
        self._store = store
        self._clock = clock
        self._workflow = workflow
        self._whole = {WORKFLOW_SCOPE, release_scope(release)}
        self._halted: set[str] = set()
        self._asked: float | None = None
        self._asking = asyncio.Lock()

    async def ask(self) -> None:
        """Read the halts; where the store does not answer, what was known runs out."""
        asked = self._clock.monotonic()
        try:
            halts = await self._store.halts(self._workflow)
        except Outage:
            return
        self._halted = {halt.scope for halt in halts}
        self._asked = asked

    def allow(self, effect: str) -> bool:
        """Whether `effect` may begin now."""
        is_fresh = self._asked is not None and self._clock.monotonic() - self._asked <= LASTS
        return is_fresh and not self._halted & {*self._whole, effect_scope(effect)}

    async def get(self, effect: str) -> bool:
        """Whether `effect` may begin now, reading the halts where the last reading is too old."""
        async with self._asking:
            if self._asked is None or self._clock.monotonic() - self._asked > LASTS:
                await self.ask()
        return self.allow(effect)


async def keep_asking(permits: Iterable[Permits]) -> None:
    """Read the halts again and again, until cancelled."""
    known = tuple(permits)
    while True:
        await asyncio.sleep(ASK_EVERY)  # noqa: TID251 - the wire's time, not the story's
        for each in known:
            await each.ask()
