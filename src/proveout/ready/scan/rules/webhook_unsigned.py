"""Webhooks that believe whoever calls."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_VERIFIES = re.compile(
    r"verif|signature|hmac|secret|token|auth|construct_event|compare_digest|login_required"
    r"|permission|Depends|Security|api_?key|is_valid|validate_(?:request|webhook)|basic_auth|current_user",
    re.IGNORECASE,
)

_OWN_KEY = re.compile(r"\bstripe\.api_key\b|\bconstruct_from\b")
"""What says nothing of who calls."""

_LOOKS_UP = re.compile(r"\.retrieve\(|GetRequest\(")
"""Asks the sender for the object itself: then the event only says that it is time to."""

_TELLS = re.compile(
    r"(?:get_)?json|body|form|loads|get|print|log|debug|info|warning|error|exception"
    r"|get_?logger|jsonify|\w*Response",
    re.IGNORECASE,
)
"""Calls that read what came, write it to a log, or answer: a forged event has nothing of them."""


def find(source: Source) -> Iterator[Spot]:
    """Yield webhooks in which nothing looks like a check of who calls."""
    if _LOOKS_UP.search(source.text):
        return
    for scope, found in source.webhooks:
        if found.is_slack or not _takes_anything(scope) or _only_tells(scope):
            continue
        if not _VERIFIES.search(_text(source, scope)):
            path = f" at {found.path}" if found.path else ""
            yield Spot(
                line=scope.node.lineno if not isinstance(scope.node, ast.Module) else 1,
                message=f"{scope.name}(){path} takes webhooks and verifies no signature",
            )


def _takes_anything(scope: Scope) -> bool:
    """Whether it looks at what was sent."""
    given = [one.arg for one in scope.parameters if one.arg not in ("self", "response")]
    return bool(given) or "request" in ast.unparse(scope.node)


def _only_tells(scope: Scope) -> bool:
    """Whether it changes nothing and calls nothing but what reads, logs and answers."""
    changes = any(
        isinstance(one, ast.Attribute | ast.Subscript) and not isinstance(one.ctx, ast.Load)
        for one in ast.walk(scope.node)
    )
    called = (ast.unparse(one.func).rpartition(".")[2] for one in scope.calls)
    return not changes and all(_TELLS.fullmatch(name) for name in called)


def _text(source: Source, scope: Scope) -> str:
    """Return all that a handler is made of: itself, its class, what it calls in the same file."""
    parts: set[ast.AST] = {scope.node}
    parts |= {where.node for where, _ in source.reached(scope)}
    owner = source.tree.classes.get(scope.owner)
    routers = [
        source.tree.statement(call)
        for call in source.tree.module.calls
        if source.name(call, source.tree.module).rpartition(".")[2]
        in ("APIRouter", "Blueprint", "FastAPI", "Flask")
    ]
    parts |= {owner} if owner else set()
    return _OWN_KEY.sub("", "\n".join(ast.unparse(one) for one in [*parts, *routers]))


RULE = Rule(
    code="webhook-unsigned",
    severity=Severity.HIGH,
    title="A webhook believes whoever calls",
    finds=(
        "Handlers whose path or name says webhook, where neither they, their class, their"
        " decorators, their router nor the functions of the same file that they call mention a"
        " signature, a secret, a token or any other check. Files that ask the sender for the object"
        " itself are left alone, and so is a handler that only logs what came."
    ),
    why="its address is no secret for long; whoever knows it can confirm payments that nobody made",
    fix="verify the sender's signature over the raw body before anything else",
    bad="""\
from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.post("/webhooks/shop")
async def paid(request: Request, orders: dict) -> str:
    event = await request.json()
    orders[event["id"]].paid = True
    return "ok"
""",
    good="""\
import stripe
from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.post("/webhooks/shop")
async def paid(request: Request, orders: dict) -> str:
    signature = request.headers["Stripe-Signature"]
    event = stripe.Webhook.construct_event(await request.body(), signature, SECRET)
    orders[event["id"]].paid = True
    return "ok"
""",
    in_source=find,
)
