"""Receivers in Flask: one under each path of one server."""

from __future__ import annotations

import json
import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import flask
from werkzeug.serving import make_server

from receivers.faults import Fault
from receivers.shop import Broken, Mall

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from werkzeug.serving import BaseWSGIServer

LOGIN = '<!doctype html><html><form><input name="u"><input type="password"></form></html>'


def application(mall: Mall) -> flask.Flask:
    """Return the application."""
    app = flask.Flask(__name__)

    @app.post("/<name>/webhook")
    def webhook(name: str) -> ResponseReturnValue:
        shop, request = mall.shop(name), flask.request
        match shop.fault:
            case Fault.REDIRECT:
                return flask.redirect(f"{request.path}/", 308)
            case Fault.LOGIN:
                return flask.redirect("/login", 302)
            case Fault.CSRF:
                return "The CSRF token is missing.", 400
            case _:
                raw = request.get_data()
        if shop.fault is Fault.REWRITTEN:
            raw = json.dumps(request.get_json()).encode()
        status, text = shop.receive(
            {key.lower(): value for key, value in request.headers.items()},
            raw,
            lambda: is_gone(request.environ["werkzeug.socket"]),
        )
        return text, status

    @app.get("/<name>/effects/<event>")
    def effects(name: str, event: str) -> ResponseReturnValue:
        return {"count": mall.shop(name).effects[event]}

    @app.get("/<name>/state/<about>")
    def state(name: str, about: str) -> ResponseReturnValue:
        found = mall.shop(name).state.get(about)
        return ({"status": found[1]}, 200) if found else ("unknown", 404)

    @app.errorhandler(Broken)
    def broken(_error: Broken) -> ResponseReturnValue:
        return "Internal Server Error", 500

    del webhook, effects, state, broken
    return app


def is_gone(connection: socket.socket) -> bool:
    """Whether the caller has closed its end."""
    with suppress(BlockingIOError):
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    return False


def server(mall: Mall) -> BaseWSGIServer:
    """Return Flask's own server, a thread for each connection."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    return make_server("127.0.0.1", 0, application(mall), threaded=True)
