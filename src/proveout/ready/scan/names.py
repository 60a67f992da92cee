"""Full names: what an expression calls, through aliases of imports and simple assignments."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.ready.scan.tree import Handed, Scope, Tree

UNKNOWN = "?"
"""Stands before a name whose value nobody can tell from this file."""

HERE = "here."
"""Stands before the name of a function or class that this file defines."""

_DEEPEST = 12
_WRAPPERS = frozenset({"Optional", "Annotated", "Union", "Final", "ClassVar"})


class Names:
    """Answers what the expressions of one file are called in full.

    What a call returns is named as what was called, so that `OpenAI().chat` and, after
    `client = OpenAI()`, `client.chat` are both `openai.OpenAI.chat`.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._own = {one.name for one in tree.functions if not one.owner} | set(tree.classes)
        self._known: dict[ast.expr, str] = {}

    def of(self, node: ast.expr, scope: Scope, depth: int = 0) -> str:
        """Return the full name of an expression in a scope; `?` where it has none."""
        found = self._known.get(node)
        if found is None:
            found = self._named(node, scope, depth) if depth < _DEEPEST else UNKNOWN
            self._known[node] = found
        return found

    def _named(self, node: ast.expr, scope: Scope, depth: int) -> str:  # noqa: PLR0911 - a table
        deeper = depth + 1
        match node:
            case ast.Name(id=name):
                return self._plain(name, scope, deeper)
            case ast.Attribute(value=ast.Name(id="self"), attr=attr) if scope.owner:
                handed = self._tree.attributes.get((scope.owner, attr))
                found = self._handed(handed, self._maker(scope.owner), deeper)
                return found if found and found != UNKNOWN else f"{UNKNOWN}self.{attr}"
            case ast.Attribute(value=value, attr=attr):
                return f"{self.of(value, scope, deeper)}.{attr}"
            case ast.Call(func=func):
                return self.of(func, scope, deeper)
            case ast.Await(value=value) | ast.Subscript(value=value) | ast.Starred(value=value):
                return self.of(value, scope, deeper)
            case ast.BoolOp(values=values):
                return self.of(values[-1], scope, deeper)
            case ast.IfExp(body=body):
                return self.of(body, scope, deeper)
            case ast.BinOp(left=left, op=ast.Div()):
                return self.of(left, scope, deeper)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                names = [self.of(one, scope, deeper) for one in (left, right)]
                return next((one for one in names if one.startswith("langchain")), UNKNOWN)
            case _:
                return UNKNOWN

    def _maker(self, owner: str) -> Scope:
        """Return the scope in which a class's attributes are set: its first method."""
        methods = [one for one in self._tree.functions if one.owner == owner]
        makers = [one for one in methods if one.name == "__init__"]
        return next(iter(makers or methods), self._tree.module)

    def _plain(self, name: str, scope: Scope, depth: int) -> str:
        if name in scope.bound and depth < _DEEPEST:
            found = self._handed(scope.bound[name], scope, depth)
            return found if found and found != UNKNOWN else f"{UNKNOWN}{name}"
        if scope.outer is not None:
            return self._plain(name, scope.outer, depth)
        if name in self._tree.imports:
            return self._tree.imports[name]
        return f"{HERE}{name}" if name in self._own else name

    def _handed(self, handed: Handed | None, scope: Scope, depth: int) -> str:
        value, is_type = handed or (None, False)
        if value is None:
            return ""
        return self.of(_inner(value) if is_type else value, scope, depth)


def _inner(annotation: ast.expr) -> ast.expr:
    """Return the type within `Optional[…]`, `… | None` and their like."""
    match annotation:
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner) if (
            name in _WRAPPERS
        ):
            return inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
        case ast.BinOp(left=left, op=ast.BitOr()):
            return left
        case _:
            return annotation
