"""Receivers of notices: a real server of mail and a real server of HTTP, on this machine."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Generator
    from email.message import EmailMessage


@dataclass
class Mailbox:
    """What a server of mail was handed.

    Attributes:
        url: its address as a channel's.
    """

    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list["EmailMessage"])

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's own
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


@contextmanager
def mailbox() -> Generator[Mailbox]:
    """Run a server of mail while the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as free:  # aiosmtpd cannot choose one itself
        port: int = free.getsockname()[1]
    there = f"127.0.0.1:{port}"
    box = Mailbox(url=f"mailto://{there}?from=watch@example.org&to=ana@example.org&mode=insecure")
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Inbox:
    """What a server of HTTP was sent.

    Attributes:
        address: where it listens.
        status: what it answers.
        posted: each body that was posted, with its path.
        calls: the path of each other request.
    """

    address: str = ""
    status: int = 200
    posted: list[tuple[str, dict[str, Any]]] = field(
        default_factory=list[tuple[str, dict[str, Any]]]
    )
    calls: list[str] = field(default_factory=list[str])

    def channel(self, name: str) -> str:
        """Return the address of a channel that posts here, under a path of that name."""
        return f"{self.address.replace('http', 'json', 1)}/{name}"

    @property
    def told(self) -> list[tuple[str, str]]:
        """Who was told what, title and message, in order."""
        return [
            (path.strip("/"), f"{body['title']}\n{body['message']}")
            for path, body in list(self.posted)
        ]


@contextmanager
def inbox() -> Generator[Inbox]:
    """Run a server of HTTP while the block lasts."""
    box = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length))
            if box.status < 300:
                box.posted.append((self.path, body))
            self._answer()

        def do_GET(self) -> None:
            box.calls.append(self.path)
            self._answer()

        def _answer(self) -> None:
            self.send_response(box.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        box.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
