"""Webhooks that do everything again when the sender does."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.known import EFFECTS, Does
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_KNOWS = re.compile(
    r"event_?id|event\.id|\[['\"]id['\"]\]|get\(['\"]id['\"]|delivery|webhook_?id|message_?id"
    r"|idempot|dedup|duplicate|already|processed|seen|get_or_create|update_or_create|on_conflict"
    r"|on conflict|insert or ignore|upsert|exists\(|merge\(|unique|setnx|retry_num",
    re.IGNORECASE,
)
_INSERTS = re.compile(r"\binsert\b", re.IGNORECASE)


def find(source: Source) -> Iterator[Spot]:
    """Yield the first effect of each webhook in which no event is recognised again."""
    for scope, _ in source.webhooks:
        reached = list(source.reached(scope))
        nodes = {where.node for where, _ in reached} | {scope.node}
        if _KNOWS.search("\n".join(map(ast.unparse, nodes))):
            continue
        for where, call in reached:
            kind = source.does(call, where)
            if kind in EFFECTS or kind is Does.ORM_WRITE or _inserts(kind, call):
                hard = kind in (Does.PAYMENT, Does.MAIL)
                yield Spot(
                    line=call.lineno,
                    message=f"{scope.name}() {kind} each time the same event comes",
                    severity=Severity.HIGH if hard else None,
                )
                break


def _inserts(kind: Does, call: ast.Call) -> bool:
    return kind is Does.SQL and bool(call.args) and bool(_INSERTS.search(ast.unparse(call.args[0])))


RULE = Rule(
    code="webhook-no-dedup",
    severity=Severity.MEDIUM,
    title="A webhook does everything twice",
    finds=(
        "Handlers of webhooks that write to a database, send, pay or publish, while neither they"
        " nor the functions of the same file that they call mention an event's id, a key or"
        " anything else by which they would know it again. Mail and payments are high."
    ),
    why=(
        "every sender delivers at least once: after a time-out, a redeploy or a click on “resend”"
        " the same event comes again, and so does what it does"
    ),
    fix="keep the event's id, unique, in the transaction of its effect, or as a run's key",
    bad="""\
import stripe
from flask import Flask, request

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/webhooks/stripe")
def paid(session) -> str:
    event = stripe.Webhook.construct_event(request.get_data(), request.headers["S"], SECRET)
    session.add(Credit(customer=event.data.object.customer, cents=500))
    return "ok"
""",
    good="""\
import stripe
from flask import Flask, request

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/webhooks/stripe")
def paid(session) -> str:
    event = stripe.Webhook.construct_event(request.get_data(), request.headers["S"], SECRET)
    session.add(Credit(event_id=event.id, customer=event.data.object.customer, cents=500))
    return "ok"
""",
    in_source=find,
)
