"""Anthropic's wire format: messages, whole or as a stream.

Its `input_tokens` hold neither those that were read from a cache nor those written to one.
A stream tells them as it begins, and its last figures before it ends.

Source:
    Anthropic, "Messages" and "Streaming messages".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from proveout.adapters.models.answer import count_of, inner, parsed, text_of
from proveout.adapters.models.wire import Question
from proveout.domain.model_call import Tokens
from proveout.ports.meter import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "anthropic"

CALLS = ("/v1/messages",)
"""How paths of calls end whose answers tell their tokens."""

FREE = ("/v1/messages/count_tokens",)
"""How paths of requests end that name a model and cost nothing."""

_COUNTS = (
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens",
)
HOUR = "ephemeral_1h_input_tokens"
"""Where `cache_creation` says what a cache keeps for an hour; the rest it keeps for minutes."""

_KINDS = {
    400: "invalid_request_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}


def question(method: str, path: str, body: bytes) -> Question | None:
    """Return the call of a model that a request is; None where it is none.

    A request that names a model, and is not known to be free, is one on any path; what it
    took stays unknown where `CALLS` does not list its path.
    """
    path = path.rstrip("/")
    is_known = path.endswith(CALLS)
    value = parsed(body) if method == "POST" else None
    if method != "POST" or (value is None and not is_known) or path.endswith(FREE):
        return None
    value = value or {}
    if not is_known and not text_of(value, "model"):
        return None
    asked = Asked(
        provider=NAME,
        model=text_of(value, "model"),
        size=len(body),
        most=count_of(value, "max_tokens", "max_tokens_to_sample"),
        path=path,
        body=body,
        stores=b'"cache_control"' in body,
        stores_hour=b'"cache_control"' in body and b'"1h"' in body,
    )
    return Question(
        asked=asked,
        body=body,
        facts=AnthropicFacts,
        opening=partial(_opening, asked.model),
        streams=value.get("stream") is True,
    )


def _opening(model: str) -> bytes:
    """Return the first events of a stream, as they come before the model has said much."""
    message = {
        "id": "msg_0",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list[object](),
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    block = {"type": "text", "text": ""}
    events = (
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
    )
    told = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return "".join(told).encode()


@dataclass(slots=True)
class AnthropicFacts:
    """What an answer has said so far; see `answer.Facts`."""

    model: str = ""
    is_finished: bool = False
    is_over: bool = False
    has_failed: bool = False
    _usage: dict[str, int] = field(default_factory=dict[str, int])
    _is_last: bool = False

    @property
    def tokens(self) -> Tokens | None:
        """What the call took; None before its last figures have come."""
        if not self._is_last or not {"input_tokens", "output_tokens"} <= self._usage.keys():
            return None
        cached = self._usage.get("cache_read_input_tokens", 0)
        stored = self._usage.get("cache_creation_input_tokens", 0)
        return Tokens(
            read=self._usage["input_tokens"] + cached + stored,
            cached=cached,
            written=self._usage["output_tokens"],
            stored=stored,
            stored_hour=min(self._usage.get(HOUR, 0), stored),
        )

    def note(self, value: Mapping[str, object]) -> None:
        match text_of(value, "type"):
            case "message":
                self._take(value)
                self._is_last = True
            case "message_start":
                self._take(inner(value, "message"))
            case "message_delta":
                self._take(value)
                self._is_last = True
                self.is_finished |= inner(value, "delta").get("stop_reason") is not None
            case "message_stop":
                self.is_over = True
            case "error":
                self.has_failed = True
            case _:
                pass

    def _take(self, value: Mapping[str, object]) -> None:
        self.model = text_of(value, "model") or self.model
        usage = inner(value, "usage")
        for name in _COUNTS:
            if (count := count_of(usage, name)) is not None:
                self._usage[name] = count
        if (count := count_of(inner(usage, "cache_creation"), HOUR)) is not None:
            self._usage[HOUR] = count


def error(status: int, code: str, message: str) -> bytes:
    """Return the body of an error as Anthropic writes it, with our code beside its type."""
    told = {"type": _KINDS.get(status, "api_error"), "message": message, "code": code}
    return json.dumps({"type": "error", "error": told}).encode()
