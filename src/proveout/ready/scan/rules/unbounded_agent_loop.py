"""Loops in which only a model decides when to stop."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.known import Does
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_BOUND = re.compile(
    r"max|limit|iter|turn|step|attempt|retr|tries|count|budget|depth|round|deadline|timeout|remaining|elapsed",
    re.IGNORECASE,
)
_DONE = re.compile(r"^(?:is_)?(?:done|finished|complete|completed|solved|stop|stopped)$")
_WAITS = frozenset(
    """input get recv receive receive_text receive_json poll consume readline prompt prompt_async
    sleep get_nowait brpop blpop xread next wait accept ask get_input""".split()  # noqa: SIM905 - a list of words reads better so
)


def find(source: Source) -> Iterator[Spot]:
    """Yield endless loops around a call of a model that nothing else bounds."""
    for scope in source.tree.functions:
        for loop in scope.loops:
            if not _is_endless(loop.test) or _is_bounded(loop):
                continue
            called = _asked(source, scope, loop)
            if called:
                yield Spot(line=loop.lineno, message="nothing but the model ends this loop")


def _is_endless(test: ast.expr) -> bool:
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)):
            return bool(_DONE.search(name))
        case _:
            return False


def _is_bounded(loop: ast.While) -> bool:
    """Whether it counts anything, or waits for somebody in each round."""
    for node in ast.walk(loop):
        match node:
            case ast.Compare() if _BOUND.search(ast.unparse(node)):
                return True
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if (
                name in _WAITS or "input" in name
            ):
                return True
            case ast.Yield():
                return True
            case _:
                pass
    return False


def _asked(source: Source, scope: Scope, loop: ast.While) -> bool:
    inside = {one for one in ast.walk(loop) if isinstance(one, ast.Call)}
    return any(source.does(call, scope) is Does.MODEL for call in scope.calls if call in inside)


RULE = Rule(
    code="unbounded-agent-loop",
    severity=Severity.HIGH,
    title="Only the model ends a loop",
    finds=(
        "`while True` or `while not done` around a call of a model, in which no count, budget,"
        " depth or time is compared and nobody is waited for."
    ),
    why=(
        "an agent that goes in circles asks for the same tool for ever; the first sign is the bill"
    ),
    fix="count the rounds: for _ in range(MAX_TURNS), and say what happens at the end",
    bad="""\
from openai import OpenAI

client = OpenAI(timeout=30)


def agent(messages: list, call) -> str:
    while True:
        said = client.chat.completions.create(model="gpt-5-mini", messages=messages)
        message = said.choices[0].message
        if not message.tool_calls:
            return message.content
        messages += [message, *(call(one) for one in message.tool_calls)]
""",
    good="""\
from openai import OpenAI

client = OpenAI(timeout=30)
MAX_TURNS = 10


def agent(messages: list, call) -> str:
    for _ in range(MAX_TURNS):
        said = client.chat.completions.create(model="gpt-5-mini", messages=messages)
        message = said.choices[0].message
        if not message.tool_calls:
            return message.content
        messages += [message, *(call(one) for one in message.tool_calls)]
    raise RuntimeError(f"no answer after {MAX_TURNS} turns")
""",
    in_source=find,
)
