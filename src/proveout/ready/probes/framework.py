"""What a receiver is written with, by what its server says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ready.probes.probe import Framework

if TYPE_CHECKING:
    from proveout.ports.receiver import Answer

WORDS = (
    (Framework.EXPRESS, "<pre>Cannot GET /"),
    (Framework.EXPRESS, "<pre>Cannot POST /"),
    (Framework.FLASK, "The requested URL was not found on the server. If you entered the URL"),
    (Framework.FLASK, "The method is not allowed for the requested URL."),
    (Framework.DJANGO, "The requested resource was not found on this server."),
    (Framework.DJANGO, "CSRF verification failed. Request aborted."),
    (Framework.DJANGO, "<code>DEBUG = True</code>"),
    (Framework.FASTAPI, '{"detail":"Not Found"}'),
    (Framework.FASTAPI, '{"detail":"Method Not Allowed"}'),
    (Framework.FASTAPI, '{"detail":[{"type":"'),
)
"""What only one framework writes into a page of its own."""

HEADERS = (
    (Framework.EXPRESS, "x-powered-by", "express"),
    (Framework.FLASK, "server", "werkzeug"),
    (Framework.FASTAPI, "server", "uvicorn"),
)
"""What servers say that mostly serve one framework; asked only after the words."""


def recognised(answers: list[Answer]) -> Framework | None:
    """Return what a receiver is written with; None where it does not tell."""
    for framework, words in WORDS:
        if any(words in answer.text for answer in answers):
            return framework
    for framework, name, word in HEADERS:
        if any(word in answer.headers.get(name, "").lower() for answer in answers):
            return framework
    return None
