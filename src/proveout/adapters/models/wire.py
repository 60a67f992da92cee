"""What the meter must know of a wire format, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from proveout.adapters.models.answer import Facts
    from proveout.ports.meter import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that is a call of a model.

    Attributes:
        body: to be sent on.
        facts: makes what its answer is read into.
        opening: gives what an answer that streams begins with.
        streams: whether its answer is to stream.
        trim: gives an event of its answer as the client is to have it; None to pass all.
    """

    asked: Asked
    body: bytes
    facts: Callable[[], Facts]
    opening: Callable[[], bytes]
    streams: bool
    trim: Callable[[bytes], bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A wire format.

    Attributes:
        question: from method, path and body to the call of a model; None where it is none.
        error: from status, code and message to the body of an error, as the vendor writes it.
    """

    question: Callable[[str, str, bytes], Question | None]
    error: Callable[[int, str, str], bytes]
