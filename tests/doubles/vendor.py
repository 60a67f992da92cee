"""A vendor of models: a real HTTP server on this machine that answers as a test says."""

from __future__ import annotations

import gzip
import json
import select
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

PATIENCE = 30


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the vendor answers.

    Attributes:
        chunks: of the body, each sent at once.
        is_cut: whether the connection ends before the body does.
        hold: waited for before the last chunk; the answer may then be unread.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    chunks: tuple[bytes, ...] = ()
    is_cut: bool = False
    hold: threading.Event | None = None


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A request that came.

    Attributes:
        headers: names in lower case.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


class Vendor:
    """A server that is up while its context lasts.

    Attributes:
        heard: every request, as it came.
        left: set when a client went away before its answer was complete.
        answer: gives the answer to a request.
    """

    def __init__(self, answer: Answer | Callable[[Heard], Answer]) -> None:
        self.answer = answer
        self.heard: list[Heard] = []
        self.left = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 256

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.vendor = vendor


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - it is made by it

    def do_POST(self) -> None:
        """Hear and answer."""
        vendor = self.server.vendor
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        heard = Heard(method=self.command, path=self.path, headers=headers, body=body)
        vendor.heard.append(heard)
        answer = vendor.answer if isinstance(vendor.answer, Answer) else vendor.answer(heard)
        self.close_connection = True
        try:
            self._send(answer)
        except OSError:
            vendor.left.set()

    do_GET = do_POST  # noqa: N815 - the server's name for it

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the server's name for it
        """Say nothing."""

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("connection", "close")
        streams = "event-stream" in answer.headers.get("content-type", "")
        whole = b"".join(answer.chunks)
        if streams:
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("content-length", str(len(whole) + (100 if answer.is_cut else 0)))
        self.end_headers()
        for number, chunk in enumerate(answer.chunks, 1):
            if answer.hold is not None and number == len(answer.chunks) and self._is_alone(answer):
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if streams else chunk)
        if streams and not answer.is_cut:
            self.wfile.write(b"0\r\n\r\n")

    def _is_alone(self, answer: Answer) -> bool:
        """Wait until the answer may go on; whether its client left before."""
        assert answer.hold is not None
        for _ in range(PATIENCE * 100):
            if answer.hold.wait(0.01):
                return False
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable:
                with suppress(OSError):
                    if self.connection.recv(1):
                        continue
                self.server.vendor.left.set()
                return True
        raise AssertionError("nobody let the vendor go on")


def whole(value: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer that is one JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(
        status=status,
        headers={"content-type": "application/json", **named},
        chunks=(json.dumps(value).encode(),),
    )


def squeezed(answer: Answer) -> Answer:
    """Return `answer` as gzip, whatever was asked for."""
    packed = gzip.compress(b"".join(answer.chunks))
    return Answer(headers={**answer.headers, "content-encoding": "gzip"}, chunks=(packed,))


def events(*values: Any, is_cut: bool = False, hold: threading.Event | None = None) -> Answer:
    """Return a stream of events; each is a text, or a value whose `type` names it."""
    return Answer(
        headers={"content-type": "text/event-stream; charset=utf-8"},
        chunks=tuple(map(event, values)),
        is_cut=is_cut,
        hold=hold,
    )


def event(value: Any) -> bytes:
    """Return one event as it is sent."""
    if isinstance(value, str):
        return f"data: {value}\n\n".encode()
    name = f"event: {value['type']}\n" if "type" in value else ""
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return f"{name}data: {data}\n\n".encode()


# What OpenAI and Anthropic answer, as far as their clients read it.

CHAT: Any = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Grüße 🙂"},
        }
    ],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 200},
        "completion_tokens_details": {"reasoning_tokens": 60},
    },
}


def chat_chunk(**rest: Any) -> dict[str, Any]:
    """Return one chunk of a chat that streams."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        **rest,
    }


def chat_says(text: str, reason: str | None = None, **rest: Any) -> dict[str, Any]:
    """Return a chunk with a part of the answer."""
    delta = {"content": text} if text else {}
    return chat_chunk(choices=[{"index": 0, "delta": delta, "finish_reason": reason}], **rest)


def chat_stream(heard: Heard | None) -> tuple[Any, ...]:
    """Return the chunks of a chat, with its tokens only where they are asked for."""
    told: Any = {} if heard is None else (heard.json.get("stream_options") or {})
    parts = (("Grü", None), ("ße 🙂", None), ("", "stop"))
    if heard is not None and not told.get("include_usage"):
        return (*(chat_says(text, reason) for text, reason in parts), "[DONE]")
    says = (chat_says(text, reason, usage=None) for text, reason in parts)
    return (*says, chat_chunk(choices=[], usage=CHAT["usage"]), "[DONE]")


EMBEDDING: Any = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}

RESPONSE: Any = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "error": None,
    "model": "gpt-4o-2024-08-06",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Grüße", "annotations": list[Any]()}],
        }
    ],
    "usage": {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 200},
        "output_tokens": 100,
        "output_tokens_details": {"reasoning_tokens": 60},
        "total_tokens": 1100,
    },
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}

RESPONSE_STREAM: tuple[Any, ...] = (
    {
        "type": "response.created",
        "sequence_number": 0,
        "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None},
    },
    {
        "type": "response.output_text.delta",
        "sequence_number": 1,
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": "Grüße",
        "logprobs": [],
    },
    {"type": "response.completed", "sequence_number": 2, "response": RESPONSE},
)

MESSAGE: Any = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-answered",
    "content": [{"type": "text", "text": "Grüße 🙂"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 700,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 100,
        "output_tokens": 100,
    },
}

MESSAGE_STREAM: tuple[Any, ...] = (
    {
        "type": "message_start",
        "message": {
            **MESSAGE,
            "content": [],
            "stop_reason": None,
            "usage": {**MESSAGE["usage"], "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Grüße 🙂"},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 100},
    },
    {"type": "message_stop"},
)
