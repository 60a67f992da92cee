"""One metered call, whichever way its bytes travel: begun, read as it passes, ended once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from proveout.adapters.models.answer import Answer
from proveout.domain.model_answer import ModelAnswer
from proveout.ports.meter import Denied, Said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.adapters.models.wire import Question, Wire
    from proveout.domain.model_call import Caller
    from proveout.ports.meter import Begun, Meter

Headers: TypeAlias = "list[tuple[str, str]]"

DENIED = 403
"""The status of a call that may not be made; the vendors' clients raise it and do not retry."""

READABLE = frozenset({"", "identity", "gzip", "deflate"})
"""Encodings of content that every httpx can undo."""


UNSENT = frozenset(
    {
        *("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"),
        *("InvalidURL", "UnicodeError"),
    }
)
"""What httpx, or its successor, raises before anything of a request has reached its server."""


RECORDED = frozenset({"content-type", "request-id", "x-request-id"})
"""Headers of an answer that are recorded with it."""


class Metered:
    """A call that has begun.

    Attributes:
        question: what it asks.
        instead: what it gets in the place of the vendor's answer; None to ask the vendor.
        is_decoded: whether it is to be fed content without its encoding, which was undone.
    """

    def __init__(self, meter: Meter, begun: Begun, question: Question) -> None:
        self._meter = meter
        self._id = begun.id
        self._answer: Answer | None = None
        self._is_told = False
        self._is_sent = begun.instead is None
        self._keeps = begun.keeps
        self._kept: bytearray | None = None
        self._begins: tuple[int, tuple[tuple[str, str], ...]] = (0, ())
        self.question = question
        self.instead = begun.instead
        self.is_decoded = True

    def answered(self, status: int, headers: Iterable[tuple[str, str]]) -> Headers:
        """Take in how the answer begins; return the headers that the client is to have."""
        given = [(name.lower(), value) for name, value in headers]
        named = dict(given)
        encoding = named.get("content-encoding", "")
        self.is_decoded = is_readable(encoding)
        kind = named.get("content-type", "") if self.is_decoded else ""
        trim = self.question.trim
        self._answer = Answer(status, kind, self.question.facts(), trim)
        if self._keeps and self.is_decoded:
            self._kept = bytearray()
            self._begins = status, tuple(pair for pair in given if pair[0] in RECORDED)
        changed = set[str]()
        if self.is_decoded and encoding:
            changed = {"content-encoding", "content-length"}
        elif trim is not None and self.streams:
            changed = {"content-length"}
        return [(name, value) for name, value in given if name not in changed]

    @property
    def streams(self) -> bool:
        """Whether the answer is a stream of events."""
        return self._answer is not None and self._answer.streams

    def feed(self, chunk: bytes) -> bytes:
        """Return what the client is to have now; the end is told as soon as it is known."""
        if self._answer is None:
            return chunk
        if self._kept is not None:
            self._kept += chunk
            self._kept = self._kept if len(self._kept) <= self._keeps else None
        passed = self._answer.feed(chunk)
        if self._answer.is_over:
            self._tell(complete=True)
        return passed

    def finish(self) -> bytes:
        """Return what the client is still to have: the answer has come to its end."""
        rest = b"" if self._answer is None else self._answer.rest()
        self._tell(complete=True)
        return rest

    def stop(self, error: BaseException | None = None) -> None:
        """Tell that nothing more comes of it; nothing happens where its end was told.

        Args:
            error: what ended it, where something was raised.
        """
        if UNSENT & {kind.__name__ for kind in type(error).__mro__}:
            self._is_sent = False
        self._tell(complete=False)

    def _tell(self, *, complete: bool) -> None:
        if self._is_told:
            return
        self._is_told = True
        if self._answer is None:
            said = Said(model="", status=0, tokens=None)
        else:
            said = self._answer.said(complete=complete)
        self._meter.end(self._id, replace(said, is_sent=self._is_sent, answer=self._whole(said)))

    def _whole(self, said: Said) -> ModelAnswer | None:
        """Return what is to be handed over of an answer that came to its end."""
        if self._kept is None or not said.status:
            return None
        status, headers = self._begins
        return ModelAnswer(status=status, headers=headers, body=bytes(self._kept))


def begin(meter: Meter, caller: Caller | None, question: Question) -> Metered | Denied:
    """Return the call that has begun, or why it may not be made."""
    answer = meter.begin(caller, question.asked)
    return answer if isinstance(answer, Denied) else Metered(meter, answer, question)


def error_headers(body: bytes) -> Headers:
    """Return the headers of an error that we answer ourselves."""
    return [("content-type", "application/json"), ("content-length", str(len(body)))]


def denial(wire: Wire, denied: Denied) -> tuple[int, Headers, bytes]:
    """Return status, headers and body of the answer to a call that may not be made."""
    body = wire.error(DENIED, denied.code, denied.message)
    return DENIED, [*error_headers(body), ("x-should-retry", "false")], body


def is_readable(encoding: str) -> bool:
    """Whether content in `encoding`, the value of its header, can be read."""
    return all(part.strip().lower() in READABLE for part in encoding.split(","))
