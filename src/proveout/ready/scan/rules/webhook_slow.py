"""Webhooks that work before they answer."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from proveout.ready.scan.known import Does
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_SLOW = (Does.MODEL, Does.SLOW, Does.HTTP_WRITE, Does.HTTP_READ, Does.MAIL)


def find(source: Source) -> Iterator[Spot]:
    """Yield the slowest thing that each webhook does before it answers."""
    for scope, found in source.webhooks:
        if found.is_slack:
            answered = _acknowledged(scope)
            work = [(scope, call) for call in scope.calls if call.lineno < answered]
        else:
            work = list(source.reached(scope))
        slow = [(source.does(call, where), where, call) for where, call in work]
        slow = [one for one in slow if one[0] in _SLOW]
        if slow:
            kind, where, call = min(slow, key=lambda one: _SLOW.index(one[0]))
            through = "" if where is scope else f" through {where.name}()"
            yield Spot(
                line=call.lineno,
                message=f"{scope.name}() {kind}{through} before it answers the webhook",
                severity=Severity.HIGH if kind is Does.MODEL else None,
            )


def _acknowledged(scope: Scope) -> int:
    """Return the line at which Slack gets its answer; 0 where it gets one by itself."""
    lines = [
        call.lineno
        for call in scope.calls
        if isinstance(call.func, ast.Name) and call.func.id == "ack"
    ]
    return min(lines, default=0)


RULE = Rule(
    code="webhook-slow",
    severity=Severity.MEDIUM,
    title="A webhook works before it answers",
    finds=(
        "Handlers of webhooks that ask a model (high), sleep, start a process, or wait for another"
        " service before they answer, themselves or through functions of the same file; in Slack's"
        " Bolt what stands before `ack()`."
    ),
    why=(
        "senders wait 3 to 10 seconds (Slack 3, Shopify 5, GitHub 10) and then send again, while"
        " the first is still at work: everything happens twice, and after days they switch it off"
    ),
    fix="verify, store the event, answer 2xx; do the work in a run of its own",
    bad="""\
import stripe
from flask import Flask, request
from openai import OpenAI

app = Flask(__name__)
client = OpenAI(timeout=30)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/webhooks/tickets")
def ticket() -> str:
    event = stripe.Webhook.construct_event(request.get_data(), request.headers["S"], SECRET)
    client.responses.create(model="gpt-5-mini", input=event["text"])
    return "ok"
""",
    good="""\
import stripe
from flask import Flask, request
from proveout import Project

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/webhooks/tickets")
def ticket() -> str:
    event = stripe.Webhook.construct_event(request.get_data(), request.headers["S"], SECRET)
    with Project.open_sync() as project:
        project.enqueue("answer", event["text"], key=event["id"])
    return "ok"
""",
    in_source=find,
)
