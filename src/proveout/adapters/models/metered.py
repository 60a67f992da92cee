"""One metered call, whichever way its bytes travel: begun, read as it passes, ended once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from proveout.adapters.models.answer import Answer
from proveout.ports.meter import Denied, Said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.adapters.models.wire import Question, Wire
    from proveout.domain.model_call import Caller
    from proveout.ports.meter import Meter

Headers: TypeAlias = "list[tuple[str, str]]"

DENIED = 403
"""The status of a call that may not be made; the vendors' clients raise it and do not retry."""

READABLE = frozenset({"", "identity", "gzip", "deflate"})
"""Encodings of content that every httpx can undo."""


class Metered:
    """A call that has begun.

    Attributes:
        is_decoded: whether it is to be fed content without its encoding, which was undone.
    """

    def __init__(self, meter: Meter, id_: str, question: Question) -> None:
        self._meter = meter
        self._id = id_
        self._question = question
        self._answer: Answer | None = None
        self._is_told = False
        self.is_decoded = True

    def answered(self, status: int, headers: Iterable[tuple[str, str]]) -> Headers:
        """Take in how the answer begins; return the headers that the client is to have."""
        given = [(name.lower(), value) for name, value in headers]
        named = dict(given)
        encoding = named.get("content-encoding", "")
        self.is_decoded = is_readable(encoding)
        kind = named.get("content-type", "") if self.is_decoded else ""
        trim = self._question.trim
        self._answer = Answer(status, kind, self._question.facts(), trim)
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
        passed = self._answer.feed(chunk)
        if self._answer.is_over:
            self._tell(complete=True)
        return passed

    def finish(self) -> bytes:
        """Return what the client is still to have: the answer has come to its end."""
        rest = b"" if self._answer is None else self._answer.rest()
        self._tell(complete=True)
        return rest

    def stop(self) -> None:
        """Tell that nothing more comes of it; nothing happens where its end was told."""
        self._tell(complete=False)

    def _tell(self, *, complete: bool) -> None:
        if self._is_told:
            return
        self._is_told = True
        if self._answer is None:
            self._meter.end(self._id, Said(model="", status=0, tokens=None))
        else:
            self._meter.end(self._id, self._answer.said(complete=complete))


def begin(meter: Meter, caller: Caller | None, question: Question) -> Metered | Denied:
    """Return the call that has begun, or why it may not be made."""
    answer = meter.begin(caller, question.asked)
    return answer if isinstance(answer, Denied) else Metered(meter, answer.id, question)


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
