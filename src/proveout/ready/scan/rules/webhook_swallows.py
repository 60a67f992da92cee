"""Webhooks that say "fine" when they failed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from proveout.ready.scan.rule import Rule, Severity, Spot
from proveout.ready.scan.rules.error_swallowed import is_broad

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_FIRST_ERROR = 400
_REFUSES = (
    "abort",
    "Error",
    "BadRequest",
    "Forbidden",
    "HTTP_4",
    "HTTP_5",
    "retry",
    "dead_letter",
    "enqueue",
    "NotAllowed",
    "NotFound",
)


def find(source: Source) -> Iterator[Spot]:
    """Yield handlers of every error that end in an answer of success."""
    for scope, found in source.webhooks:
        if found.is_slack:
            continue
        for one in scope.handlers:
            if is_broad(one) and _works(source, one) and _is_fine(source, scope, one):
                yield Spot(
                    line=one.lineno,
                    message=f"{scope.name}() answers as if all were well when it failed",
                )


def _works(source: Source, handler: ast.ExceptHandler) -> bool:
    """Whether what is tried is more than reading the request."""
    tried = source.tree.up.get(handler)
    body = tried.body if isinstance(tried, ast.Try) else []
    calls = [one for part in body for one in ast.walk(part) if isinstance(one, ast.Call)]
    return len(calls) > 1


def _is_fine(source: Source, scope: Scope, handler: ast.ExceptHandler) -> bool:
    """Whether it neither raises nor says that anything is wrong, and an answer follows."""
    text = "\n".join(map(ast.unparse, handler.body))
    returns = any(isinstance(one, ast.Return) for part in handler.body for one in ast.walk(part))
    nodes = [one for part in handler.body for one in ast.walk(part)]
    refuses = any(word in text for word in _REFUSES) or any(
        isinstance(one, ast.Raise)
        or (isinstance(one, ast.Constant) and type(one.value) is int and one.value >= _FIRST_ERROR)
        for one in nodes
    )
    return not refuses and (returns or _goes_on(source, scope, handler))


def _goes_on(source: Source, scope: Scope, handler: ast.ExceptHandler) -> bool:
    """Whether what follows the `try` in the function itself returns an answer of success."""
    tried = source.tree.up.get(handler)
    body = scope.node.body
    at = next((index for index, one in enumerate(body) if one is tried), len(body))
    after = body[at + 1 :]
    return any(isinstance(one, ast.Return) for one in after) and not any(
        isinstance(one, ast.Constant) and type(one.value) is int and one.value >= _FIRST_ERROR
        for part in after
        for one in ast.walk(part)
    )


RULE = Rule(
    code="webhook-swallows",
    severity=Severity.HIGH,
    title="A webhook answers 200 when it failed",
    finds=(
        "`except Exception` (or a bare `except`) in a handler of webhooks that returns, or goes on"
        " to an answer, without an error status, around more than the reading of the request."
    ),
    why=(
        "the sender counts it as delivered and never sends it again: the order is paid and never"
        " shipped, and no list anywhere shows it"
    ),
    fix="answer 5xx so that it comes again, or store the event first and work on it afterwards",
    bad="""\
import stripe
from flask import Flask, request

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/webhooks/stripe")
def paid(ship) -> tuple[str, int]:
    try:
        event = stripe.Webhook.construct_event(request.get_data(), request.headers["S"], SECRET)
        ship(event["id"])
    except Exception as error:
        app.logger.error("webhook: %s", error)
        return "ok", 200
    return "ok", 200
""",
    good="""\
import stripe
from flask import Flask, request

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/webhooks/stripe")
def paid(ship) -> tuple[str, int]:
    try:
        event = stripe.Webhook.construct_event(request.get_data(), request.headers["S"], SECRET)
        ship(event["id"])
    except Exception as error:
        app.logger.error("webhook: %s", error)
        return "try again", 500
    return "ok", 200
""",
    in_source=find,
)
