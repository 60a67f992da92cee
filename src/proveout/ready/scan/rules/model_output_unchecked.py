"""What a model wrote, taken for JSON."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Origin
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_PARSERS = frozenset({"json.loads", "orjson.loads", "ujson.loads", "yaml.safe_load", "yaml.load"})


def find(source: Source) -> Iterator[Spot]:
    """Yield where a model's text is parsed, and nothing catches that it cannot be."""
    for scope in source.tree.scopes:
        for call in scope.calls:
            name = source.name(call, scope)
            if name not in _PARSERS or not call.args or _is_caught(source, call):
                continue
            if source.flow(scope).of(call.args[0]) & Origin.MODEL:
                yield Spot(
                    line=call.lineno, message=f"{name} takes it for granted that a model wrote JSON"
                )


def _is_caught(source: Source, call: ast.Call) -> bool:
    inside: ast.AST = call
    for node in source.tree.above(call):
        if isinstance(node, ast.Try) and node.handlers and inside in node.body:
            return True
        if isinstance(node, ast.With) and "suppress" in ast.dump(node.items[0].context_expr):
            return True
        inside = node
    return False


RULE = Rule(
    code="model-output-unchecked",
    severity=Severity.MEDIUM,
    title="A model's answer is taken for JSON without a check",
    finds=(
        "`json.loads` and its like on what a model wrote, where no `try` in the same function"
        " catches an answer that is cut off, wrapped in a fence, or no JSON at all."
    ),
    why=(
        "one answer in some hundreds is not what the prompt asked for; it ends as a traceback, or"
        " a missing key is found much later, far from the model"
    ),
    fix="validate it by a schema (Model.model_validate_json), and say what happens if not",
    bad="""\
import json

from openai import OpenAI

client = OpenAI(timeout=30)


def extract(mail: str) -> str:
    said = client.responses.create(model="gpt-5-mini", input=f"Return JSON: {mail}")
    return json.loads(said.output_text)["invoice"]
""",
    good="""\
from openai import OpenAI
from pydantic import BaseModel, ValidationError

client = OpenAI(timeout=30)


class Invoice(BaseModel):
    invoice: str


def extract(mail: str) -> str | None:
    said = client.responses.create(model="gpt-5-mini", input=f"Return JSON: {mail}")
    try:
        return Invoice.model_validate_json(said.output_text).invoice
    except ValidationError:
        return None
""",
    in_source=find,
)
