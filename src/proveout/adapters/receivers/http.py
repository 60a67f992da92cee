"""A receiver over HTTP: nothing is followed, little is read, and every connection is its own."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httpcore
import httpx

from proveout.adapters.candidates.network import resolve
from proveout.adapters.receivers.address import places
from proveout.ports.receiver import LONGEST_KEPT, PATIENCE, Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Sequence

    from proveout.adapters.receivers.address import Address
    from proveout.domain.delivery import Headers
    from proveout.ports.receiver import Letter

NOWHERE = "proveout-nothing-is-here"
"""The last part of a path at which a server says in its own words that nothing is there."""

TOGETHER = 5.0
"""Seconds that a last byte is held back at most for the others."""


class PinnedNetwork(httpcore.AsyncNetworkBackend):
    """The network at a few addresses, which were found once."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._addresses = addresses
        self._network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - part of the contract
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers."""
        trouble = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as error:
                trouble = error
        raise trouble

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await self._network.sleep(seconds)


class Wire:
    """Asks one host, over connections that are used once."""

    def __init__(self, address: Address, pool: httpcore.AsyncConnectionPool) -> None:
        self.address = address
        self._pool = pool

    @classmethod
    async def to(cls, address: Address, allowed: Collection[str]) -> Wire:
        """Return a wire to an address; its host is looked up now and never again.

        Raises:
            HostNotAllowed: it does not stand on this machine, and was not allowed by name.
            ReceiverNotReachable: it cannot be found.
        """
        pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context() if address.is_secure else None,
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=PinnedNetwork(await places(address, allowed, resolve)),
        )
        return cls(address, pool)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def ask(
        self,
        method: str,
        url: str,
        headers: Headers = (),
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> Answer:
        """Return what comes back, or why nothing does."""
        began = time.monotonic()
        answer: Answer | None = None
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._pool.stream(method, url, headers=list(headers), content=content) as response,
            ):
                answer = Answer(
                    status=response.status,
                    headers={
                        name.decode("latin-1").lower(): value.decode("latin-1")
                        for name, value in response.headers
                    },
                    seconds=time.monotonic() - began,
                )
                return await _whole(answer, response)
        except TimeoutError:
            trouble, is_closed = f"nothing within {PATIENCE:.0f} s", False
        except httpcore.ConnectError as error:
            trouble, is_closed = str(error) or "no connection", True
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            trouble, is_closed = str(error) or "the connection broke off", False
        if answer is not None:  # it was answered; what broke off is its words
            return answer
        return Answer(seconds=time.monotonic() - began, trouble=trouble, is_closed=is_closed)


async def _whole(answer: Answer, response: httpcore.Response) -> Answer:
    """Return an answer with the beginning of its body; a body that breaks off is none."""
    body = bytearray()
    with suppress(httpcore.NetworkError, httpcore.ProtocolError):
        async for part in response.aiter_stream():
            body += part
            if len(body) >= LONGEST_KEPT:
                break
    return Answer(
        status=answer.status,
        headers=answer.headers,
        body=bytes(body[:LONGEST_KEPT]),
        seconds=answer.seconds,
    )


class HttpReceiver:
    """A receiver at a URL."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._url = wire.address.url

    async def send(self, letter: Letter) -> Answer:
        return await self._wire.ask("POST", self._url, _headers(letter), letter.body)

    async def send_together(
        self, letters: Sequence[Letter], *, same_moment: bool = False
    ) -> list[Answer]:
        gate = asyncio.Barrier(len(letters)) if same_moment else None
        return list(
            await asyncio.gather(
                *(
                    self._wire.ask(
                        "POST",
                        self._url,
                        _headers(one),
                        one.body if gate is None else _held_back(one.body, gate),
                    )
                    for one in letters
                )
            )
        )

    async def hang_up(self, letter: Letter, after: float) -> None:
        sent = asyncio.Event()
        asking = asyncio.create_task(
            self._wire.ask("POST", self._url, _headers(letter), _told(letter.body, sent))
        )
        waiting = asyncio.create_task(sent.wait())
        await asyncio.wait({asking, waiting}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({asking}, timeout=after)
        for task in (asking, waiting):
            task.cancel()
        await asyncio.gather(asking, waiting, return_exceptions=True)

    async def visit(self) -> Answer:
        parts = urlsplit(self._url)
        path = f"{parts.path.rstrip('/')}/{NOWHERE}"
        return await self._wire.ask("GET", parts._replace(path=path, query="").geturl())


def _headers(letter: Letter) -> Headers:
    return (
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", b"identity"),
        (b"Connection", b"close"),
        (b"Content-Length", b"%d" % len(letter.body)),
        (b"Content-Type", b"application/json"),
        (b"User-Agent", b"proveout"),
        *letter.headers,
    )


async def _held_back(body: bytes, gate: asyncio.Barrier) -> AsyncIterator[bytes]:
    """Yield a body, its last byte only once all the others are where this one is."""
    yield body[:-1]
    with suppress(TimeoutError, asyncio.BrokenBarrierError):
        async with asyncio.timeout(TOGETHER):
            await gate.wait()
    yield body[-1:]


async def _told(body: bytes, sent: asyncio.Event) -> AsyncIterator[bytes]:
    """Yield a body, and tell once it was sent."""
    yield body
    sent.set()
