"""Somebody who keeps asking for runs, and remembers which ones he was promised."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.system import SystemClock, SystemIds
from proveout.errors import Outage
from proveout.run.enqueue import Request, enqueue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from proveout.domain.run import RunId
    from proveout.ports.store import Store

PACE = 0.02
"""Seconds between two requests: enough work at any time, and not too much at the end."""


class Intake:
    """Asks for one run after the other, again under the same key where nobody answered.

    Attributes:
        acknowledged: the runs that the store said are durable.
    """

    def __init__(self, store: Store, workflow: str = "answers") -> None:
        self.acknowledged: list[RunId] = []
        self._store = store
        self._workflow = workflow
        self._clock = SystemClock()
        self._ids = SystemIds()
        self._stopping = False

    async def ask(self, number: int) -> None:
        """Ask until it is promised."""
        request = Request(workflow=self._workflow, value=b"%d" % number, key=f"{number}")
        while True:
            try:
                enqueued = await enqueue(self._store, self._clock, self._ids, request)
            except Outage:
                await self._clock.sleep(PACE)
                continue
            self.acknowledged.append(enqueued.run.id)
            return

    async def keep_asking(self, number: int = 0) -> None:
        """Ask, from `number` on, until told to stop; what was asked for by then is promised."""
        while not self._stopping:
            await self.ask(number)
            number += 1
            await self._clock.sleep(PACE)

    def stop(self) -> None:
        """Ask for nothing more."""
        self._stopping = True


@asynccontextmanager
async def asking(url: str, first: int = 0) -> AsyncGenerator[Intake]:
    """Keep asking for runs at the store at `url`, from `first` on, while the block lasts."""
    store = await open_postgres(url, SystemClock())
    intake = Intake(store)
    task = asyncio.create_task(intake.keep_asking(first))
    try:
        yield intake
        intake.stop()
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()
