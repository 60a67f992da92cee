"""Retries that nothing ends."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from proveout.ready.scan.known import given, spreads
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_ENDS = {
    "tenacity.retry": ("stop",),
    "backoff.on_exception": ("max_tries", "max_time"),
    "backoff.on_predicate": ("max_tries", "max_time"),
}
_STOP_PLACE = 2


def find(source: Source) -> Iterator[Spot]:
    """Yield decorators that try again for as long as it fails."""
    for scope in source.tree.functions:
        if isinstance(scope.node, ast.Module):
            continue
        outer = scope.outer or source.tree.module
        for decorator in scope.node.decorator_list:
            name = source.names.of(decorator, outer)
            ends = _ENDS.get(name)
            if ends and not _ends(_made(decorator, outer), ends):
                yield Spot(line=decorator.lineno, message=f"{name} tries {scope.name}() for ever")


def _made(decorator: ast.expr, outer: Scope) -> ast.expr:
    """Return what a decorator is, also where it was made under a name of its own."""
    name = decorator.id if isinstance(decorator, ast.Name) else ""
    value, _ = outer.bound.get(name, (None, False))
    return value or decorator


def _ends(decorator: ast.expr, ends: tuple[str, ...]) -> bool:
    return isinstance(decorator, ast.Call) and (
        spreads(decorator)
        or len(decorator.args) > _STOP_PLACE
        or any(given(decorator, one) is not None for one in ends)
    )


RULE = Rule(
    code="retry-without-end",
    severity=Severity.MEDIUM,
    title="A retry never gives up",
    finds="`tenacity.retry` without `stop`, and `backoff` without `max_tries` and `max_time`.",
    why=(
        "what can never succeed (a revoked key, a request that is too long) is tried until"
        " somebody restarts the process, and with a model each try is paid for"
    ),
    fix="say when it ends: @retry(stop=stop_after_attempt(4), wait=wait_exponential())",
    bad="""\
from tenacity import retry, wait_exponential


@retry(wait=wait_exponential())
def ask(client, mail: str) -> str:
    return client.chat.completions.create(model="gpt-5-mini", messages=[mail])
""",
    good="""\
from tenacity import retry, stop_after_attempt, wait_exponential


@retry(stop=stop_after_attempt(4), wait=wait_exponential())
def ask(client, mail: str) -> str:
    return client.chat.completions.create(model="gpt-5-mini", messages=[mail])
""",
    in_source=find,
)
