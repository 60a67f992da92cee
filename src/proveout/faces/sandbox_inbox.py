"""The test receiver of a drill: takes the notices that channels post, and notes when."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from proveout.ready.sandbox import Heard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.ports.clock import Clock

TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Inbox:
    """Listens on this machine; the n-th name has the n-th path."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._names: tuple[str, ...] = ()
        self._heard: list[Heard] = []
        self._server: asyncio.Server | None = None

    @property
    def heard(self) -> Sequence[Heard]:
        """What was taken so far."""
        return tuple(self._heard)

    async def open(self, names: Sequence[str]) -> dict[str, str]:
        """Listen for these names; return the address of a channel for each."""
        self._names = tuple(dict.fromkeys(names))
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return {name: f"json://127.0.0.1:{port}/{n}" for n, name in enumerate(self._names)}

    async def close(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1]
            length = next(
                int(line.partition(":")[2])
                for line in head.splitlines()
                if line.lower().startswith("content-length:")
            )
            self._note(int(path.strip("/")), json.loads(await reader.readexactly(length)))
            writer.write(TAKEN)
            await writer.drain()
        writer.close()

    def _note(self, index: int, body: dict[str, Any]) -> None:
        text = f"{body.get('title', '')}\n{body.get('message', '')}"
        self._heard.append(Heard(at=self._clock.now(), to=self._names[index], text=text))
