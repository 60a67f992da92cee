"""Reading the answer of a model while it passes: as one JSON, or as a stream of events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol, cast

from proveout.adapters.models.sse import Events, data_of
from proveout.ports.meter import Said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from proveout.domain.model_call import Tokens

LARGEST = 64 * 1024 * 1024
"""Most bytes that are kept to be read; a larger answer, or event, passes unread."""

DONE = b"[DONE]"
"""The data of the event that ends OpenAI's streams."""


class Facts(Protocol):
    """What an answer has said so far, by its JSON values.

    Attributes:
        model: that answers; "" while that is not known.
        is_finished: whether the model has said all it will say.
        is_over: whether nothing more comes at all.
        has_failed: whether the stream told of an error.
    """

    model: str
    is_finished: bool
    is_over: bool
    has_failed: bool

    @property
    def tokens(self) -> Tokens | None:
        """What the call took; None where the answer did not say, or not yet."""
        ...

    def note(self, value: Mapping[str, object]) -> None:
        """Take in the whole answer, or the data of its next event."""
        ...


class Answer:
    """An answer that passes in chunks, cut anywhere.

    Attributes:
        streams: whether it is a stream of events.
    """

    def __init__(
        self,
        status: int,
        content_type: str,
        facts: Facts,
        trim: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """Read an answer into `facts`.

        Args:
            status: the HTTP status.
            content_type: its header, "" where there is none.
            facts: empty.
            trim: gives an event as the client is to have it; None to pass all as it comes.
        """
        self.streams = streams(content_type)
        self._status = status
        self._facts = facts
        self._trim = trim if self.streams else None
        self._events = Events()
        self._kept = bytearray()
        self._is_read = True

    @property
    def is_over(self) -> bool:
        """Whether it has said that nothing more comes."""
        return self._facts.is_over

    def feed(self, chunk: bytes) -> bytes:
        """Return what of `chunk`, and of what came before, the client is to have now."""
        if not self._is_read:
            return chunk
        if not self.streams:
            self._kept += chunk
            self._is_read = len(self._kept) <= LARGEST
            return chunk
        events = self._events.feed(chunk)
        for event in events:
            self._read(event)
        if len(self._events.held) > LARGEST:
            self._is_read = False
            events.append(self._events.held)
        return chunk if self._trim is None else b"".join(map(self._trim, events))

    def rest(self) -> bytes:
        """Return what the client is still to have, now that no chunk follows."""
        held = self._events.held
        if not self._is_read or not held:
            return b""
        self._read(held)  # the last event may lack its blank line
        return b"" if self._trim is None else self._trim(held)

    def said(self, *, complete: bool) -> Said:
        """Return how the call ended.

        Args:
            complete: whether the answer's last byte has come.
        """
        facts = self._facts
        if self.streams:
            is_whole = facts.is_over or (complete and facts.is_finished)
            came = is_whole and not facts.has_failed
        else:
            came = complete
            if complete and self._is_read and (value := parsed(bytes(self._kept))) is not None:
                facts.note(value)
        return Said(model=facts.model, status=self._status if came else 0, tokens=facts.tokens)

    def _read(self, event: bytes) -> None:
        data = data_of(event)
        if data == DONE:
            self._facts.is_over = True
        elif data and (value := parsed(data)) is not None:
            self._facts.note(value)


def streams(content_type: str) -> bool:
    """Whether an answer with this header is a stream of events."""
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"


def parsed(text: bytes) -> Mapping[str, object] | None:
    """Return the JSON object that `text` holds in UTF-8; None where it holds none."""
    try:
        value: object = json.loads(text.decode())
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def inner(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return the object at `key`, or an empty one where there is none."""
    part = value.get(key)
    return cast("dict[str, object]", part) if isinstance(part, dict) else {}


def text_of(value: Mapping[str, object], key: str) -> str:
    """Return the text at `key`, or "" where there is none."""
    part = value.get(key)
    return part if isinstance(part, str) else ""


def count_of(value: Mapping[str, object], *keys: str) -> int | None:
    """Return the first whole number from 0 upward at one of `keys`; None where there is none."""
    for key in keys:
        part = value.get(key)
        if isinstance(part, int) and not isinstance(part, bool) and part >= 0:
            return part
    return None
