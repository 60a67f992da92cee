"""OpenAI's wire format, which many others speak: chat, responses, completions, embeddings.

Its `prompt_tokens` and `input_tokens` hold those from a cache, and what a model thinks is
among its `completion_tokens` and `output_tokens`.

Source:
    OpenAI, "API reference".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from proveout.adapters.models.answer import count_of, inner, parsed, text_of
from proveout.adapters.models.sse import data_of
from proveout.adapters.models.wire import Question
from proveout.domain.model_call import Tokens
from proveout.ports.meter import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "openai"

CALLS = ("/completions", "/responses", "/embeddings")
"""How paths of calls end whose answers tell their tokens; "/chat/completions" is one of them."""

FREE = ("/moderations", "/responses/input_tokens")
"""How paths of requests end that name a model and cost nothing."""

_USAGE = b'"stream_options":{"include_usage":true},'
_NO_USAGE = re.compile(rb',\s*"usage"\s*:\s*null')
_OVER = frozenset({"response.completed", "response.incomplete"})
_FAILED = frozenset({"response.failed", "response.cancelled", "error"})


def question(method: str, path: str, body: bytes) -> Question | None:
    """Return the call of a model that a request is; None where it is none.

    A request that names a model, and is not known to be free, is one on any path; what it
    took stays unknown where `CALLS` does not list its path. A stream of a chat or a completion
    is asked to tell its tokens, and the client is not shown what it did not ask for.
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
        most=_most(path, value),
        path=path,
        body=body,
    )
    streams = value.get("stream") is True
    telling = _telling(body, value) if streams and path.endswith("/completions") else None
    return Question(
        asked=asked,
        body=body if telling is None else telling,
        facts=partial(OpenAiFacts, counts=is_known),
        opening=partial(_opening, path, asked.model),
        streams=streams,
        trim=None if telling is None else without_usage,
    )


def _opening(path: str, model: str) -> bytes:
    """Return the first event of a stream, as it comes before the model has said much."""
    if path.endswith("/responses"):
        begun = {"id": "resp_0", "object": "response", "created_at": 0, "model": model}
        response = {**begun, "status": "in_progress", "output": list[object]()}
        event = {"type": "response.created", "sequence_number": 0, "response": response}
        return f"event: response.created\ndata: {json.dumps(event)}\n\n".encode()
    is_chat = path.endswith("/chat/completions")
    said = {"delta": {"role": "assistant", "content": "The"}} if is_chat else {"text": "The"}
    chunk = {
        "id": "chatcmpl-0" if is_chat else "cmpl-0",
        "object": "chat.completion.chunk" if is_chat else "text_completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, **said, "finish_reason": None}],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _most(path: str, value: Mapping[str, object]) -> int | None:
    """Return the most tokens of all answers that are asked for together."""
    if path.endswith("/embeddings"):
        return 0
    each = count_of(value, "max_completion_tokens", "max_output_tokens", "max_tokens")
    if each is None:
        return None
    copies = max(count_of(value, "n") or 1, count_of(value, "best_of") or 1)
    prompt = value.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], str | list):
        copies *= len(cast("list[object]", prompt))
    return each * copies


def _telling(body: bytes, value: Mapping[str, object]) -> bytes | None:
    """Return the body that also asks for the tokens; None where it does so already, or cannot."""
    options = value.get("stream_options")
    if options is None and "stream_options" not in value:
        start = body.index(b"{") + 1
        return body[:start] + _USAGE + body[start:]
    if inner(value, "stream_options").get("include_usage") is True:
        return None
    told = {**inner(value, "stream_options"), "include_usage": True}
    try:
        return json.dumps({**value, "stream_options": told}, allow_nan=False).encode()
    except ValueError:
        return None


def without_usage(event: bytes) -> bytes:
    r"""Return an event as it is when nobody asks for tokens; empty where it would not be.

    >>> without_usage(b'data: {"choices":[{"index":0}],"usage":null}\n\n')
    b'data: {"choices":[{"index":0}]}\n\n'
    """
    if b'"usage"' not in event or (value := parsed(data_of(event))) is None:
        return event
    if value.get("choices") == [] and isinstance(value.get("usage"), dict):
        return b""
    if value.get("usage", "") is None and len(_NO_USAGE.findall(event)) == 1:
        return _NO_USAGE.sub(b"", event)
    return event


@dataclass(slots=True)
class OpenAiFacts:
    """What an answer has said so far; see `answer.Facts`.

    Attributes:
        counts: whether its tokens are told as in chats and responses.
    """

    counts: bool = True
    model: str = ""
    is_finished: bool = False
    is_over: bool = False
    has_failed: bool = False
    tokens: Tokens | None = None

    def note(self, value: Mapping[str, object]) -> None:
        kind = text_of(value, "type")
        answer = inner(value, "response") or value
        self.model = text_of(answer, "model") or self.model
        self.has_failed |= kind in _FAILED or bool(inner(value, "error"))
        self.is_over |= kind in _OVER
        self.is_finished |= _has_finished(value)
        if self.counts and (usage := inner(answer, "usage")):
            self.tokens = _tokens(usage) or self.tokens


def _has_finished(value: Mapping[str, object]) -> bool:
    choices = value.get("choices")
    if not isinstance(choices, list):
        return False
    return any(
        cast("dict[str, object]", choice).get("finish_reason") is not None
        for choice in cast("list[object]", choices)
        if isinstance(choice, dict)
    )


def _tokens(usage: Mapping[str, object]) -> Tokens | None:
    read = count_of(usage, "prompt_tokens", "input_tokens")
    if read is None:
        return None
    details = inner(usage, "prompt_tokens_details") or inner(usage, "input_tokens_details")
    return Tokens(
        read=read,
        cached=min(count_of(details, "cached_tokens") or 0, read),
        written=count_of(usage, "completion_tokens", "output_tokens") or 0,
    )


def error(status: int, code: str, message: str) -> bytes:
    """Return the body of an error as OpenAI writes it."""
    kind = "server_error" if status >= 500 else "invalid_request_error"  # noqa: PLR2004 - HTTP
    told = {"message": message, "type": kind, "param": None, "code": code}
    return json.dumps({"error": told}).encode()
