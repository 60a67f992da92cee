"""Webhooks whose body is parsed before its signature is verified."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Origin
from proveout.ready.scan.known import given
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_BODY_FIRST = re.compile(
    r".*\bWebhook\.(?:construct_event|verify)|.*\.construct_event|.*WebhookSignature\.verify_header"
)
_VERIFIES = re.compile(r"verif|construct_event|compare_digest|signature|hmac\.", re.IGNORECASE)
_PARSES = re.compile(r"(?:json\.loads|.*\brequest\.(?:get_)?json|.*\.model_validate_json)")


def find(source: Source) -> Iterator[Spot]:
    """Yield bodies that are verified after parsing, as other bytes or too late."""
    told: set[Scope] = set()
    for scope in source.tree.functions:
        for call in scope.calls:
            body = _verified(call, source.name(call, scope))
            if body is not None and source.flow(scope).of(body) & Origin.PARSED:
                told.add(scope)
                yield Spot(
                    line=call.lineno,
                    message="the signature is verified over a body that was parsed before",
                    severity=Severity.CRITICAL,
                )
    for scope, found in source.webhooks:
        if found.is_slack or scope in told:
            continue
        lines = [(call.lineno, source.name(call, scope)) for call in scope.calls]
        parsed = min((line for line, name in lines if _PARSES.fullmatch(name)), default=0)
        verified = min((line for line, name in lines if _VERIFIES.search(name)), default=0)
        if 0 < parsed < verified:
            yield Spot(
                line=parsed, message=f"the body is parsed before line {verified} verifies it"
            )


def _verified(call: ast.Call, name: str) -> ast.expr | None:
    """Return the body whose signature a call computes or verifies."""
    if _BODY_FIRST.fullmatch(name):
        return given(call, "payload") or (call.args[0] if call.args else None)
    if name in ("hmac.new", "hmac.digest"):
        return given(call, "msg") or (call.args[1] if len(call.args) > 1 else None)
    return None


RULE = Rule(
    code="webhook-parsed-first",
    severity=Severity.MEDIUM,
    title="A webhook is parsed before it is verified",
    finds=(
        "Signatures that are computed over a body which was parsed and written again (critical),"
        " and handlers of webhooks that parse the body before the call that verifies it (medium)."
    ),
    why=(
        "the sender signed bytes; parsed and written again they differ in a space or a float, and"
        " true events are refused. Parsed first, anybody on the internet reaches the parser"
    ),
    fix="verify the raw body first: await request.body(), request.get_data(), request.body",
    bad="""\
import json

import stripe
from flask import Flask, request

app = Flask(__name__)


@app.post("/webhooks/stripe")
def stripe_hook() -> str:
    payload = json.dumps(request.get_json())
    stripe.Webhook.construct_event(payload, request.headers["Stripe-Signature"], "secret")
    return "ok"


@app.get("/healthz")
def healthz() -> str:
    return "ok"
""",
    good="""\
import stripe
from flask import Flask, request

app = Flask(__name__)


@app.post("/webhooks/stripe")
def stripe_hook() -> str:
    payload = request.get_data()
    stripe.Webhook.construct_event(payload, request.headers["Stripe-Signature"], "secret")
    return "ok"


@app.get("/healthz")
def healthz() -> str:
    return "ok"
""",
    in_source=find,
)
