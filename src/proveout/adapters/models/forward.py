"""Carrying one request on to its vendor, and the answer back, metered as it passes."""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import httpx

from proveout.adapters.models.metered import begin, denial, error_headers
from proveout.adapters.models.staged import staged
from proveout.adapters.models.table import OPENAI, WIRES
from proveout.domain.caller import CALLER_HEADER, read_caller
from proveout.ports.meter import Denied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from proveout.adapters.models.metered import Headers, Metered
    from proveout.adapters.models.wire import Wire
    from proveout.ports.meter import Instead, Meter

PREFIXES = {"openai": "/openai/v1", "anthropic": "/anthropic"}
"""Where each provider is found below the token."""

HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that mean one connection."""

OURS = frozenset({"host", "content-length", CALLER_HEADER})
"""Headers of a request that are not sent on as they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """A request that is to be carried on.

    Attributes:
        path: below the provider's base address, as it is written.
        url: where it goes.
        caller: what its header says of who makes it.
        headers: those that are to be sent on.
    """

    wire: Wire
    method: str
    path: str
    url: str
    caller: str
    headers: Headers
    body: bytes


class Door:
    """The ASGI application that clients reach below a secret path."""

    def __init__(
        self,
        meter: Meter,
        client: httpx.AsyncClient,
        upstreams: Mapping[str, str],
        *,
        token: str,
        largest: int,
        patience: float,
    ) -> None:
        """Know what is asked and told, and who is reached.

        Args:
            meter: counts, and says which calls may be made.
            client: reaches the vendors.
            upstreams: their base addresses by provider.
            token: the first part of every path.
            largest: most bytes of a request's body.
            patience: seconds for which a call that nobody answers is left open.
        """
        self._meter = meter
        self._patience = patience
        self._client = client
        self._upstreams = upstreams
        self._token = token.encode()
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that leaves ends its call."""
        raw = cast("bytes", scope["raw_path"])
        token, _, rest = raw[1:].partition(b"/")
        path = f"/{rest.decode('latin-1')}"
        provider = next(
            (name for name, at in PREFIXES.items() if f"{path}/".startswith(f"{at}/")), ""
        )
        if not provider or not hmac.compare_digest(token, self._token):
            await _refuse(send, OPENAI, 404, "no-such-path", "no vendor is reached by this path")
            return
        wire = WIRES[provider]
        try:
            body = await _body(receive, self._largest)
        except TooLargeError:
            words = f"the request has more than {self._largest} bytes"
            await _refuse(send, wire, 413, "too-large", words)
            return
        if body is None:
            return
        path = path.removeprefix(PREFIXES[provider])
        url = f"{self._upstreams[provider]}{path}"
        work = asyncio.ensure_future(self._carry(_passing(scope, wire, path, url, body), send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not work.done():
                work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    async def _carry(self, passing: Passing, send: Send) -> None:
        question = passing.wire.question(passing.method, passing.path, passing.body)
        if passing.method == "POST" and not is_plain(passing.headers):
            words = "the meter reads no compressed request: send it as it is"
            await _refuse(send, passing.wire, 415, "compressed-request", words)
            return
        if question is None:
            await self._exchange(passing, None, send)
            return
        call = begin(self._meter, read_caller(passing.caller), question)
        if isinstance(call, Denied):
            await _answer(send, *denial(passing.wire, call))
            return
        try:
            if call.instead is not None:
                await self._stand_in(passing.wire, call, call.instead, send)
                return
            kept = [(name, value) for name, value in passing.headers if name != "accept-encoding"]
            headers = [*kept, ("accept-encoding", "identity")]
            await self._exchange(replace(passing, headers=headers, body=question.body), call, send)
        finally:
            call.stop()

    async def _stand_in(self, wire: Wire, call: Metered, instead: Instead, send: Send) -> None:
        """Answer in the place of the vendor; what is cut, the server closes."""
        answer = staged(instead, wire, call.question)
        if answer is None:
            await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=self._patience)
            await _refuse(send, wire, *_unreached(httpx.ReadTimeout("")))
            return
        await _begin(send, answer.status, call.answered(answer.status, answer.headers))
        held = b""
        for chunk in answer.chunks:
            held, passed = call.feed(chunk), held
            await _chunk(send, passed)
        if answer.is_cut:
            await _chunk(send, held)
        else:
            await send({"type": "http.response.body", "body": held + call.finish()})

    async def _exchange(self, passing: Passing, call: Metered | None, send: Send) -> None:
        """Send a request on and its answer back; a call's redirects would go past the meter."""
        try:
            request = _request(passing)
            response = await self._client.send(request, stream=True, follow_redirects=call is None)
        except (httpx.RequestError, httpx.InvalidURL, UnicodeError) as error:
            if call is not None:
                call.stop(error)
            await _refuse(send, passing.wire, *_unreached(error))
            return
        try:
            if call is not None and response.has_redirect_location:
                call.stop()
                words = "the vendor's address redirects elsewhere: set the one it redirects to"
                await _refuse(send, passing.wire, 502, "upstream-redirects", words)
            elif call is not None:
                await _relay_metered(response, call, send)
            else:
                await _relay(response, send)
        except httpx.RequestError:
            return  # an answer that is cut stays cut: the server closes what is not complete
        finally:
            await response.aclose()


async def _relay(response: httpx.Response, send: Send) -> None:
    await _begin(send, response.status_code, _kept(response.headers.multi_items()))
    async for chunk in response.aiter_raw():
        await _chunk(send, chunk)
    await send({"type": "http.response.body"})


async def _relay_metered(response: httpx.Response, call: Metered, send: Send) -> None:
    """Send an answer back; its end is told before the client can know of it."""
    headers = call.answered(response.status_code, response.headers.multi_items())
    await _begin(send, response.status_code, _kept(headers))
    held = b""
    async for chunk in response.aiter_bytes() if call.is_decoded else response.aiter_raw():
        passed = call.feed(chunk)
        if not call.streams:
            held, passed = passed, held
        await _chunk(send, passed)
    await send({"type": "http.response.body", "body": held + call.finish()})


def _passing(scope: Scope, wire: Wire, path: str, url: str, body: bytes) -> Passing:
    pairs = cast("list[tuple[bytes, bytes]]", scope["headers"])
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]
    query = cast("bytes", scope["query_string"]).decode("latin-1")
    return Passing(
        wire=wire,
        method=scope["method"],
        path=path,
        url=f"{url}?{query}" if query else url,
        caller=dict(headers).get(CALLER_HEADER, ""),
        headers=[(name, value) for name, value in _kept(headers) if name not in OURS],
        body=body,
    )


def _kept(headers: Headers) -> Headers:
    """Return the headers that do not mean one connection."""
    named = ",".join(value for name, value in headers if name.lower() == "connection")
    dropped = HOP_BY_HOP | {name.strip().lower() for name in named.split(",")}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def is_plain(headers: Headers) -> bool:
    """Whether the content is sent without an encoding."""
    return all(v.lower() in {"", "identity"} for n, v in headers if n == "content-encoding")


def _request(passing: Passing) -> httpx.Request:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in passing.headers]
    content = passing.body if passing.body or passing.method == "POST" else None
    return httpx.Request(passing.method, passing.url, headers=encoded, content=content)


def _unreached(error: Exception) -> tuple[int, str, str]:
    name = type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return 504, "upstream-timed-out", f"the vendor did not answer in time ({name})"
    return 502, "upstream-unreachable", f"the vendor was not reached ({name})"


class TooLargeError(Exception):
    """A body has more bytes than it may have."""


async def _body(receive: Receive, largest: int) -> bytes | None:
    """Return the body of a request; None where its client left.

    Raises:
        TooLargeError: it was longer than `largest`, and has been read to its end.
    """
    body, is_too_large, more = bytearray(), False, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > largest:
            is_too_large = True
            body.clear()
    if is_too_large:
        raise TooLargeError
    return bytes(body)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _begin(send: Send, status: int, headers: Headers) -> None:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": encoded})


async def _chunk(send: Send, body: bytes) -> None:
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await _begin(send, status, headers)
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, wire: Wire, status: int, code: str, message: str) -> None:
    body = wire.error(status, code, message)
    await _answer(send, status, error_headers(body), body)
