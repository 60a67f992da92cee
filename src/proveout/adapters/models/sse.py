"""Server-sent events, cut out of a stream of bytes however that comes in."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")


class Events:
    """Cuts a stream into events; each keeps the blank line that ends it.

    Attributes:
        held: what came of an event whose end has not come.
    """

    __slots__ = ("_searched", "held")

    def __init__(self) -> None:
        self.held = b""
        self._searched = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the events that `chunk` completes, byte for byte."""
        held, start, events = self.held + chunk, 0, list[bytes]()
        for end in _BLANK_LINE.finditer(held, self._searched):
            if end.end() == len(held) and end.group().endswith(b"\r"):
                break  # the other half of this line's end may be still to come
            events.append(held[start : end.end()])
            start = end.end()
        self.held = held[start:]
        self._searched = max(0, len(self.held) - 3)
        return events


def data_of(event: bytes) -> bytes:
    """Return what the `data` lines of an event hold; empty where it has none."""
    lines = (line for line in _LINE_END.split(event) if line.startswith(b"data:"))
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines)
