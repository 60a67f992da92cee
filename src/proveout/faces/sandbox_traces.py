"""What receives the traces of a sandbox, so that a drill can look for a run among them."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from typing import TYPE_CHECKING

from proveout.faces.serving import Server

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

NEEDED = "opentelemetry.exporter.otlp.proto.http"
"""The package without which nothing is sent."""


class TraceReceiver:
    """Takes traces on this machine, by OTLP over HTTP."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self._ready = asyncio.Event()
        self._server = Server(taking(self._bodies), self._ready.set)
        self._task: asyncio.Task[None] | None = None
        self._listening: socket.socket | None = None

    async def open(self) -> str:
        """Begin to take traces; return the address."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listening]))
        await self._ready.wait()
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def spans(self, run: str) -> int:
        """Return how many spans came that name a run; each names it once."""
        return sum(body.count(run.encode()) for body in self._bodies)

    async def close(self) -> None:
        """Take no more."""
        if self._task is not None:
            self._server.stop()
            await self._task
        if self._listening is not None:
            self._listening.close()


def taking(bodies: list[bytes]) -> ASGIApp:
    """Return the application that keeps every body in `bodies`."""

    async def take(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", scope["type"] == "http"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return take


def can_be_traced() -> bool:
    """Whether what sends traces is installed."""
    try:
        return importlib.util.find_spec(NEEDED) is not None
    except ModuleNotFoundError:
        return False
