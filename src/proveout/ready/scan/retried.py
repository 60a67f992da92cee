"""Whether a call is made again when something fails: by a decorator, or by a loop of attempts."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_RETRY = re.compile(r"retry|retri|backoff|with_attempts", re.IGNORECASE)
_ATTEMPT = re.compile(r"attempt|retr(?:y|ies)|^tries$|^try_?(?:no|count|num)", re.IGNORECASE)


def is_retried(source: Source, scope: Scope, call: ast.Call) -> bool:
    """Whether a call runs again after an error in it, or after it."""
    return retried_by_decorator(source, scope) or _in_attempts(source, call)


def retried_by_decorator(source: Source, scope: Scope) -> bool:
    """Whether a decorator of the function runs it again."""
    node = scope.node
    if isinstance(node, ast.Module):
        return False
    outer = scope.outer or source.tree.module
    for decorator in node.decorator_list:
        if _RETRY.search(source.names.of(decorator, outer)):
            return True
        if isinstance(decorator, ast.Call) and any(
            one.arg in ("autoretry_for", "retries") for one in decorator.keywords
        ):
            return True
    return any(
        isinstance(one.func, ast.Attribute)
        and one.func.attr == "retry"
        and isinstance(one.func.value, ast.Name)
        and one.func.value.id == "self"
        for one in scope.calls
    )


def _in_attempts(source: Source, call: ast.Call) -> bool:
    """Whether a loop that counts attempts holds the call within a `try`."""
    in_try = False
    for node in source.tree.above(call):
        if isinstance(node, ast.Try):
            in_try = True
        if in_try and isinstance(node, ast.For | ast.AsyncFor | ast.While) and _counts(node):
            return True
        if isinstance(node, ast.With | ast.AsyncWith) and any(
            _ATTEMPT.search(name) for item in node.items for name in _names(item)
        ):
            return True
    return False


def _counts(loop: ast.For | ast.AsyncFor | ast.While) -> bool:
    heads = (loop.test,) if isinstance(loop, ast.While) else (loop.target, loop.iter)
    return any(_ATTEMPT.search(name) for head in heads for name in _names(head))


def _names(node: ast.AST) -> list[str]:
    found = (
        one.id if isinstance(one, ast.Name) else one.attr if isinstance(one, ast.Attribute) else ""
        for one in ast.walk(node)
    )
    return [one for one in found if one]
