"""Waking those who wait for a change, in this process and in others.

A lost ring costs a second, never a run: everyone looks for himself as often.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from proveout.adapters.postgres.wire import part

if TYPE_CHECKING:
    from proveout.adapters.postgres.wire import Link, Server
    from proveout.ports.clock import Clock

CHANNEL = "proveout"

POLL = 1.0
"""Seconds after which a waiting caller looks for himself; what correctness rests on."""

PACE = 0.02
"""Seconds between two rings of one process: at most 50 a second."""

RECONNECT = 1.0
"""Seconds between two tries to listen again."""


class Bell:
    """Rings after a change, and lets others wait for one."""

    def __init__(self, server: Server, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._name = secrets.token_hex(8)
        self._changes = 0
        self._noticed = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._owed = asyncio.Event()
        self._ready = asyncio.Event()
        self._task = asyncio.create_task(self._serve(), name="postgres-bell")

    async def ready(self) -> None:
        """Return when we listen, or know that for now we cannot."""
        await self._ready.wait()

    @property
    def changes(self) -> int:
        """How many changes were heard of, here and elsewhere."""
        return self._changes

    def ring(self) -> None:
        """Say that something changed: at once in this process, soon in others."""
        self._wake()
        self._owed.set()

    async def wait(self, at_most: float) -> None:
        """Return when something changed since anyone here last waited, or it is time to look."""
        if self._changes == self._noticed:
            await self._rest(min(at_most, POLL))
        self._noticed = self._changes

    async def close(self) -> None:
        """Stop listening."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def _wake(self) -> None:
        self._changes += 1
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def _rest(self, seconds: float) -> None:
        rung: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(rung)
        rested = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((rung, rested), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.discard(rung)
            rested.cancel()

    async def _serve(self) -> None:
        while True:
            with suppress(Exception):  # whatever broke, the next try or the poll mends it
                await self._attend()
            self._ready.set()
            await asyncio.sleep(RECONNECT)  # noqa: TID251 - the wire's time, not the story's

    async def _attend(self) -> None:
        link = await self._server.connect("bell", synchronous_commit="off")
        try:
            if not self._server.pooled:
                await link.add_listener(CHANNEL, self._heard)
                link.add_termination_listener(self._cut_off)
            self._attending()
            await self._pass_on(link)
        finally:
            await part(link)

    def _attending(self) -> None:
        """Note that we listen; who waited while we did not may have missed something."""
        if self._ready.is_set():
            self._wake()
        self._ready.set()

    async def _pass_on(self, link: Link) -> None:
        while True:
            await self._owed.wait()
            self._owed.clear()
            try:
                await link.execute("SELECT pg_notify($1, $2)", CHANNEL, self._name)
            except BaseException:
                self._owed.set()
                raise
            await asyncio.sleep(PACE)  # noqa: TID251 - the wire's time, not the story's

    def _cut_off(self, _link: object) -> None:
        """Have the next ring find out that nobody listens, and listen again."""
        self._owed.set()

    def _heard(self, _link: object, _pid: int, _channel: str, name: str) -> None:
        if name != self._name:
            self._wake()
