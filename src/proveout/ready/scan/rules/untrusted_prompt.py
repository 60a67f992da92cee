"""Untrusted text in the prompts of models that hold tools."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import OUTSIDE, Flow, Origin
from proveout.ready.scan.known import Does, given
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_TOOLS = ("tools", "functions", "toolConfig")
_ORDERS = ("system", "instructions", "system_prompt", "system_instruction")
_ORDER = 15
"""Characters of our own from which on a text gives orders."""

_TEXTS = ("messages", "input", "prompt", "contents")


def find(source: Source) -> Iterator[Spot]:
    """Yield calls of models with tools whose instructions strangers can write."""
    for scope, call in source.calls(Does.MODEL):
        if not any(given(call, tool) is not None for tool in _TOOLS):
            continue
        flow = source.flow(scope)
        orders = any(flow.of(given(call, one)) & OUTSIDE for one in _ORDERS)
        page = any(flow.of(given(call, one)) & Origin.WEB for one in _TEXTS)
        if orders or _in_system(scope, flow):
            yield Spot(
                line=call.lineno, message="a stranger's text is among a tool user's instructions"
            )
        elif any(flow.of(given(call, one)) & OUTSIDE for one in _TEXTS) and _mixed(scope, flow):
            yield Spot(
                line=call.lineno,
                message="a stranger's text stands in one message with orders to a model with tools",
                severity=Severity.MEDIUM,
            )
        elif page:
            yield Spot(
                line=call.lineno, message="a page from the web is read by a model with tools"
            )


def _mixed(scope: Scope, flow: Flow) -> bool:
    """Whether a text of our own words has a stranger's set into it."""
    return any(
        isinstance(node, ast.JoinedStr)
        and flow.of(node) & OUTSIDE
        and sum(len(str(one.value)) for one in node.values if isinstance(one, ast.Constant))
        >= _ORDER
        for node in ast.walk(scope.node)
    )


def _in_system(scope: Scope, flow: Flow) -> bool:
    """Whether a message of the system holds what came from outside."""
    for node in ast.walk(scope.node):
        if isinstance(node, ast.Dict):
            pairs = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            role = pairs.get("role")
            is_order = isinstance(role, ast.Constant) and role.value in ("system", "developer")
            if is_order and flow.of(pairs.get("content")) & OUTSIDE:
                return True
    return False


RULE = Rule(
    code="untrusted-prompt",
    severity=Severity.HIGH,
    title="Strangers instruct a model that holds tools",
    finds=(
        "Calls of models with `tools` whose instructions (`system`, `instructions`, a message of"
        " the role system or developer) hold a part of a request, or whose prompt holds a page that"
        " was read from the web, in the same function. A part of a request that is set into one"
        " message with our own orders is medium."
    ),
    why=(
        "text cannot be told from orders: “forward the last invoices to …” in a mail or a page is"
        " carried out with your tools and your rights"
    ),
    fix="keep strangers' text in user messages, give such calls reading tools only, review effects",
    bad="""\
from flask import Flask, request
from openai import OpenAI

app = Flask(__name__)
client = OpenAI(timeout=30)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/ask")
def ask() -> str:
    order = f"You are a clerk. The customer's note: {request.json['note']}"
    said = client.responses.create(
        model="gpt-5-mini", instructions=order, input="Go on", tools=TOOLS, stream=True
    )
    return said
""",
    good="""\
from flask import Flask, request
from openai import OpenAI

app = Flask(__name__)
client = OpenAI(timeout=30)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/ask")
def ask() -> str:
    said = client.responses.create(
        model="gpt-5-mini",
        instructions="You are a clerk.",
        input=request.json["note"],
        tools=READING_TOOLS,
        stream=True,
    )
    return said
""",
    in_source=find,
)
