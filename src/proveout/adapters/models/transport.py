"""Metering within a client: a transport around the one that it would use without.

It serves clients of httpx and of httpx2, its successor, whichever sends the request.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx

from proveout.adapters.models.metered import Metered, begin, denial, error_headers
from proveout.adapters.models.staged import INSTEAD, PATIENCE, staged
from proveout.adapters.models.table import ANTHROPIC, OPENAI
from proveout.ports.meter import Denied

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from types import ModuleType

    from proveout.adapters.models.staged import Staged
    from proveout.adapters.models.wire import Wire
    from proveout.domain.model_call import Caller
    from proveout.ports.meter import Meter


class MeteredTransport(httpx.BaseTransport):
    """Meters what a client sends; calls that may not be made are answered, not sent."""

    def __init__(self, meter: Meter, find: Callable[[], Caller | None], around: Any) -> None:
        """Meter what goes through `around`.

        Args:
            meter: counts, and says which calls may be made.
            find: who makes a call where the code stands; None for nobody.
            around: a transport of the client's own library.
        """
        self._meter = meter
        self._find = find
        self._around = around

    def handle_request(self, request: Any) -> Any:
        request.read()
        call = _begun(self._meter, self._find, request)
        if not isinstance(call, _Call):
            return self._around.handle_request(request) if call is None else call.answer
        try:
            return _answer(request, self._ask(call), call.metered, "SyncByteStream")
        except BaseException as error:
            call.metered.stop(error)
            raise

    def _ask(self, call: _Call) -> Any:
        """Return what the vendor answers, or what is answered in its place."""
        if call.metered.instead is None:
            return self._around.handle_request(call.request)
        if (answer := _instead(call)) is None:
            threading.Event().wait(_patience(call.request))
            raise _late(call.request)
        return answer

    def close(self) -> None:
        self._around.close()


class AsyncMeteredTransport(httpx.AsyncBaseTransport):
    """Meters what an asynchronous client sends; see `MeteredTransport`."""

    def __init__(self, meter: Meter, find: Callable[[], Caller | None], around: Any) -> None:
        """Meter what goes through `around`; see `MeteredTransport`."""
        self._meter = meter
        self._find = find
        self._around = around

    async def handle_async_request(self, request: Any) -> Any:
        await request.aread()
        call = _begun(self._meter, self._find, request)
        if call is None:
            return await self._around.handle_async_request(request)
        if not isinstance(call, _Call):
            return call.answer
        try:
            return _answer(request, await self._ask(call), call.metered, "AsyncByteStream")
        except BaseException as error:
            call.metered.stop(error)
            raise

    async def _ask(self, call: _Call) -> Any:
        """Return what the vendor answers, or what is answered in its place."""
        if call.metered.instead is None:
            return await self._around.handle_async_request(call.request)
        if (answer := _instead(call)) is None:
            nothing = asyncio.get_running_loop().create_future()
            await asyncio.wait({nothing}, timeout=_patience(call.request))
            raise _late(call.request)
        return answer

    async def aclose(self) -> None:
        await self._around.aclose()


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that has begun, and what is to be sent for it."""

    metered: Metered
    request: Any
    wire: Wire


@dataclass(frozen=True, slots=True)
class _Instead:
    """What is answered to a request that is not to be sent."""

    answer: Any


def _begun(
    meter: Meter, find: Callable[[], Caller | None], request: Any
) -> _Call | _Instead | None:
    """Return the call, or what is answered instead; None where a request is no call."""
    wire = ANTHROPIC if "anthropic-version" in request.headers else OPENAI
    library = _library(request)
    encoding = request.headers.get("content-encoding", "identity")
    if request.method == "POST" and encoding != "identity":
        words = "the meter reads no compressed request: send it as it is"
        body = wire.error(415, "compressed-request", words)
        return _Instead(library.Response(415, headers=error_headers(body), content=body))
    question = wire.question(request.method, request.url.path, request.content)
    if question is None:
        return None
    call = begin(meter, find(), question)
    if isinstance(call, Denied):
        status, headers, body = denial(wire, call)
        return _Instead(library.Response(status, headers=headers, content=body))
    headers = request.headers.copy()
    headers.pop("content-length", None)
    headers.pop("transfer-encoding", None)
    headers["accept-encoding"] = "identity"
    changed = library.Request(
        request.method,
        request.url,
        headers=headers,
        content=question.body,
        extensions=request.extensions,
    )
    return _Call(call, changed, wire)


def _instead(call: _Call) -> Any:
    """Return what is answered in the place of the vendor; None where nothing ever comes."""
    assert call.metered.instead is not None  # noqa: S101 - the caller asked
    answer = staged(call.metered.instead, call.wire, call.metered.question)
    if answer is None:
        return None
    library = _library(call.request)
    stream = _given(library)(answer, call.request)
    return library.Response(answer.status, headers=answer.headers, stream=stream)


def _patience(request: Any) -> float:
    """Return the seconds for which a client waits for an answer."""
    read = request.extensions.get("timeout", {}).get("read")
    return PATIENCE if read is None else read


def _late(request: Any) -> Exception:
    return _library(request).ReadTimeout(INSTEAD, request=request)


def _library(request: Any) -> Any:
    return sys.modules[type(request).__module__.partition(".")[0]]


def _answer(request: Any, answer: Any, call: Metered, kind: str) -> Any:
    """Return the answer as the client is to have it; reading or closing it ends the call."""
    headers = call.answered(answer.status_code, answer.headers.multi_items())
    library = _library(request)
    return library.Response(
        answer.status_code,
        headers=headers,
        stream=_stream(library, kind)(answer, call),
        extensions=answer.extensions,
    )


class _Passing:
    """The body of an answer, metered as it is read."""

    def __init__(self, answer: Any, call: Metered) -> None:
        self._answer = answer
        self._call = call

    def __iter__(self) -> Generator[bytes]:
        is_decoded = self._call.is_decoded
        for chunk in self._answer.iter_bytes() if is_decoded else self._answer.iter_raw():
            yield self._call.feed(chunk)
        yield self._call.finish()

    def close(self) -> None:
        self._call.stop()
        self._answer.close()

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        is_decoded = self._call.is_decoded
        chunks = self._answer.aiter_bytes() if is_decoded else self._answer.aiter_raw()
        async for chunk in chunks:
            yield self._call.feed(chunk)
        yield self._call.finish()

    async def aclose(self) -> None:
        self._call.stop()
        await self._answer.aclose()


class _Given:
    """The body of an answer that no vendor gave."""

    def __init__(self, answer: Staged, request: Any) -> None:
        self._answer = answer
        self._request = request

    def __iter__(self) -> Generator[bytes]:
        yield from self._answer.chunks
        self._end()

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        for chunk in self._answer.chunks:
            yield chunk
        self._end()

    def _end(self) -> None:
        if self._answer.is_cut:
            raise _library(self._request).RemoteProtocolError(INSTEAD, request=self._request)


@lru_cache
def _given(library: ModuleType) -> Any:
    """Return the class of such bodies that a library's client takes."""
    return type("GivenStream", (_Given, library.SyncByteStream, library.AsyncByteStream), {})


@lru_cache
def _stream(library: ModuleType, kind: str) -> Any:
    """Return the class of bodies that a library's client takes."""
    return type("MeteredStream", (_Passing, getattr(library, kind)), {})
