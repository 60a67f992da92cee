"""Calls of models that may wait for minutes."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.clients import is_open, is_timed
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.facts import Facts
    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_DIRECT = re.compile(
    r"litellm\.a?(?:completion|text_completion|responses)|openai\.ChatCompletion\.a?create"
)

_BOUNDS = re.compile(
    r"asyncio\.(?:wait_for|timeout|timeout_at)|anyio\.(?:fail_after|move_on_after)"
)


def find(source: Source) -> Iterator[Spot]:
    """Yield calls without a client that say nowhere how long they wait."""
    if is_timed(source):
        return
    for scope in source.tree.scopes:
        for call in scope.calls:
            name = source.name(call, scope)
            if _DIRECT.fullmatch(name) and is_open(call) and not _is_bounded(source, scope, call):
                yield Spot(line=call.lineno, message=f"{name} has no time-out")


def _is_bounded(source: Source, scope: Scope, call: ast.Call) -> bool:
    """Whether something around a call ends it."""
    return any(
        _BOUNDS.fullmatch(source.name(one, scope))
        for node in source.tree.above(call)
        for one in _calls_of(node)
    )


def _calls_of(node: ast.AST) -> list[ast.Call]:
    """Return the calls that a node is, or that its `with` begins with."""
    if isinstance(node, ast.With | ast.AsyncWith):
        return [one.context_expr for one in node.items if isinstance(one.context_expr, ast.Call)]
    return [node] if isinstance(node, ast.Call) else []


def find_clients(facts: Facts) -> Iterator[Spot]:
    """Yield clients without a time-out, unless their calls bring one, here or elsewhere."""
    any_timed = any(one.is_timed for one in facts.product)
    for one in facts.product:
        if one.is_timed or (any_timed and not one.models):
            continue
        for line, name in one.open_clients:
            yield Spot(file=one.path, line=line, message=f"{name} is made without a time-out")


RULE = Rule(
    code="model-no-timeout",
    severity=Severity.MEDIUM,
    title="A model is asked without a time-out",
    finds=(
        "Clients of OpenAI, Anthropic and what speaks their protocol, LiteLLM and LangChain's chat"
        " models, that are made or called without `timeout`. Files in which a call brings its own"
        " are left alone, and where calls anywhere do, so are files that only make clients."
    ),
    why=(
        "the clients wait ten minutes by default, and try again twice: one slow answer holds a"
        " worker for half an hour, and a few of them hold all"
    ),
    fix="give the client a timeout that your users would wait: OpenAI(timeout=30)",
    bad="""\
from openai import OpenAI

client = OpenAI()


def label(mail: str) -> str:
    said = client.responses.create(model="gpt-5-mini", input=mail)
    return said.output_text
""",
    good="""\
from openai import OpenAI

client = OpenAI(timeout=30, max_retries=2)


def label(mail: str) -> str:
    said = client.responses.create(model="gpt-5-mini", input=mail)
    return said.output_text
""",
    in_source=find,
    in_whole=find_clients,
)
