"""Answers that are given in the place of a vendor's, as the vendor would write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.adapters.models.answer import streams
from proveout.adapters.models.metered import error_headers
from proveout.adapters.models.sse import Events
from proveout.domain.model_answer import ModelAnswer
from proveout.domain.model_fault import FaultKind

if TYPE_CHECKING:
    from proveout.adapters.models.metered import Headers
    from proveout.adapters.models.wire import Question, Wire
    from proveout.domain.model_fault import Fault
    from proveout.ports.meter import Instead

MISSING = 100
"""Bytes that an answer lacks which is cut."""

PATIENCE = 600.0
"""Seconds for which a call that nobody answers is left open, where its client sets no time."""

INSTEAD = "a drill answers in the place of the vendor"

STATUSES = {
    FaultKind.SLOW_DOWN: (429, "rate_limit_exceeded"),
    FaultKind.ERROR: (500, "server_error"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """An answer that no vendor gave.

    Attributes:
        is_cut: whether the connection ends before its body does.
    """

    status: int
    headers: Headers
    chunks: tuple[bytes, ...]
    is_cut: bool = False


def staged(instead: Instead, wire: Wire, question: Question) -> Staged | None:
    """Return what a call gets in the place of an answer; None where it gets nothing at all."""
    if isinstance(instead, ModelAnswer):
        return _recorded(instead)
    return _broken(instead, wire, question)


def _recorded(answer: ModelAnswer) -> Staged:
    """Return an answer as it came; a stream comes event by event."""
    headers = list(answer.headers)
    if not streams(dict(headers).get("content-type", "")):
        headers.append(("content-length", str(len(answer.body))))
        return Staged(status=answer.status, headers=headers, chunks=(answer.body,))
    events = Events()
    chunks = (*events.feed(answer.body), events.held)
    return Staged(status=answer.status, headers=headers, chunks=tuple(filter(None, chunks)))


def _broken(fault: Fault, wire: Wire, question: Question) -> Staged | None:
    match fault.kind:
        case FaultKind.TIMEOUT:
            return None
        case FaultKind.SLOW_DOWN | FaultKind.ERROR as kind:
            status, code = STATUSES[kind]
            body = wire.error(status, code, INSTEAD)
            headers = error_headers(body)
            if kind is FaultKind.SLOW_DOWN:
                headers.append(("retry-after", str(fault.retry_after)))
            return Staged(status=status, headers=headers, chunks=(body,))
        case FaultKind.MALFORMED:
            return _answer(question, b'data: {"id": "\n\n' if question.streams else b'{"id": "')
        case FaultKind.EMPTY:
            return _answer(question, b"")
        case FaultKind.CUT:
            opening = question.opening() if question.streams else b'{"id": "'
            return _answer(question, opening, missing=MISSING)


def _answer(question: Question, body: bytes, missing: int = 0) -> Staged:
    """Return an answer that claims to be a good one of the kind that was asked for."""
    kind = "text/event-stream; charset=utf-8" if question.streams else "application/json"
    headers = [("content-type", kind)]
    if not question.streams:
        headers.append(("content-length", str(len(body) + missing)))
    chunks = (body,) if body else ()
    return Staged(status=200, headers=headers, chunks=chunks, is_cut=missing > 0)
