"""Receivers in plain WSGI: one under each path of one server."""

from __future__ import annotations

import json
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from receivers.faults import Fault
from receivers.in_flask import LOGIN, is_gone
from receivers.shop import Broken, Mall, Shop

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication

CONNECTION = "receivers.connection"


class Handler(WSGIRequestHandler):
    """Says nothing, and lets the application see its connection."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own
        pass

    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), CONNECTION: self.connection}


class Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a caller that hung up is no news


def application(mall: Mall) -> WSGIApplication:
    """Return the application."""

    def answer(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        status, text, further = _answered(mall, environ)
        reason = HTTPStatus(status).phrase
        start(f"{status} {reason}", [("Content-Type", "text/plain"), *further])
        return [text.encode()]

    return answer


def _answered(mall: Mall, environ: dict[str, Any]) -> tuple[int, str, list[tuple[str, str]]]:
    parts = environ["PATH_INFO"].strip("/").split("/")
    shop = mall.shop(parts[0])
    match parts[1:]:
        case ["webhook"] if environ["REQUEST_METHOD"] == "POST":
            return _webhook(shop, environ)
        case ["effects", event]:
            return 200, json.dumps({"count": shop.effects[event]}), []
        case ["state", about] if about in shop.state:
            return 200, json.dumps({"status": shop.state[about][1]}), []
        case _:
            return 404, "nothing here", []


def _webhook(shop: Shop, environ: dict[str, Any]) -> tuple[int, str, list[tuple[str, str]]]:
    raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    match shop.fault:
        case Fault.REDIRECT:
            return 301, "", [("Location", f"{environ['PATH_INFO']}/")]
        case Fault.LOGIN:
            return 200, LOGIN, []
        case Fault.CSRF:
            return 403, "CSRF token missing", []
        case Fault.REWRITTEN:
            try:
                raw = json.dumps(json.loads(raw)).encode()
            except ValueError:
                return 400, "no JSON", []
        case _:
            pass
    try:
        status, text = shop.receive(_headers(environ), raw, lambda: is_gone(environ[CONNECTION]))
    except Broken:
        return 500, "failed", []
    return status, text, []


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    return {
        key.removeprefix("HTTP_").replace("_", "-").lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }


def server(mall: Mall) -> Server:
    """Return a server of the standard library."""
    return make_server("127.0.0.1", 0, application(mall), Server, Handler)
