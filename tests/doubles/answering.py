"""A vendor behind a real socket: it answers what a test tells it to, byte by byte."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request that arrived.

    Attributes:
        headers: by their names in small letters.
    """

    method: str
    target: str
    headers: dict[str, str]
    value: Any


@dataclass
class Vendor:
    """What the vendor saw.

    Attributes:
        port: where it listens, on 127.0.0.1.
        connections: count of those that were made.
    """

    port: int = 0
    connections: int = 0
    asked: list[Asked] = field(default_factory=list[Asked])


def reply(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """Return a whole response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def vendor(
    answer: Callable[[Asked], bytes | None],
    tls: ssl.SSLContext | None = None,
    *,
    closes: bool = False,
) -> AsyncGenerator[Vendor]:
    """Open a vendor for as long as the block lasts.

    Args:
        answer: gives the bytes to send; None to send nothing and keep the connection.
        tls: with what it speaks TLS, if it does.
        closes: whether it closes the connection after each response.
    """
    seen = Vendor()
    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        serving.append(cast("asyncio.Task[None]", asyncio.current_task()))
        try:
            while True:
                asked = await read(reader)
                seen.asked.append(asked)
                sent = answer(asked)
                if sent is not None:
                    writer.write(sent)
                    await writer.drain()
                    if closes:
                        break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):  # it is told to end while it ends
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for one in serving:
            one.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def read(reader: asyncio.StreamReader) -> Asked:
    """Return the next request of a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Asked(method=method, target=target, headers=headers, value=json.loads(body))
