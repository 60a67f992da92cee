"""Where values come from, within one function: assignments are followed, branches joined."""

from __future__ import annotations

import ast
import re
from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Origin(IntFlag):
    """What a value was made from."""

    NOWHERE = 0
    MODEL = 1
    REQUEST = 2
    WEB = 4
    PARSED = 8
    """A request's body after it was parsed."""
    DIGEST = 16
    """The signature that was computed for a body."""
    HASH = 32
    """A digest without a key."""


OUTSIDE = Origin.REQUEST | Origin.WEB
"""Whatever others may write."""

_HARMLESS = re.compile(
    r"valid|check|clean|saniti|escape|quote|safe|allow|verif|redact|strip_tags|bleach|whitelist"
    r"|lookup|resolve_id|match|filter|count|hash|slug|literal_eval|secure_filename|approve|confirm",
    re.IGNORECASE,
)
"""What a function is called that makes a value harmless, or another value of it."""

_CARRIES = frozenset(
    """str join format strip lstrip rstrip split rsplit splitlines replace lower upper title get
    pop items values keys copy encode decode loads dumps dict list tuple sorted reversed
    next iter enumerate zip map text read content json removeprefix removesuffix partition
    dedent fromkeys extend model_dump deepcopy concat extract parse zip_longest
    aread aiter aiter_text Path PurePath joinpath search findall finditer""".split()  # noqa: SIM905 - a list of words reads better so
)
"""Functions and methods that hand on what they are given."""

_PLAIN = frozenset(
    """usage id model finish_reason stop_reason role type index created total_tokens
    prompt_tokens completion_tokens input_tokens output_tokens status_code ok headers elapsed
    is_valid length object system_fingerprint name""".split()  # noqa: SIM905 - a list of words reads better so
)
"""Attributes that say something about an answer, and nothing that a model wrote."""

_REQUEST_PARTS = frozenset(
    """args form values data json body GET POST query_params path_params headers cookies files
    view_args FILES""".split()  # noqa: SIM905 - a list of words reads better so
)

_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Flow:
    """The origin of every expression of one function, in the order in which it runs.

    A name keeps what any branch gave it; at the top level of a function a new value
    replaces the old one.
    """

    def __init__(self, begins: dict[str, Origin], call: Callable[[ast.Call], Origin]) -> None:
        self._names = dict(begins)
        self._call = call
        self._found: dict[ast.AST, Origin] = {}
        self.returned = Origin.NOWHERE

    def of(self, node: ast.AST | None) -> Origin:
        """Return what an expression was made from, where it stands."""
        return Origin.NOWHERE if node is None else self._found.get(node, Origin.NOWHERE)

    def follow(self, body: Iterable[ast.stmt]) -> None:
        """Read statements in order."""
        for statement in body:
            self._statement(statement, depth=0)

    def _statement(self, node: ast.stmt, depth: int) -> None:  # noqa: C901, PLR0912 - a table
        match node:
            case ast.Assign(targets=targets, value=value):
                origin = self._origin(value)
                for target in targets:
                    self._give(target, origin, depth)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._give(target, self._origin(value), depth)
            case ast.AugAssign(target=target, value=value):
                self._give(target, self._origin(value), depth + 1)
            case ast.For(target=target, iter=source) | ast.AsyncFor(target=target, iter=source):
                self._give(target, self._origin(source), depth)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    origin = self._origin(item.context_expr)
                    if item.optional_vars is not None:
                        self._give(item.optional_vars, origin, depth)
            case ast.Return(value=ast.expr() as value):
                self.returned |= self._origin(value)
            case _ if isinstance(node, _NESTED):
                return
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._origin(child)
        self._within(node, depth)

    def _within(self, node: ast.AST, depth: int) -> None:
        for name in ("body", "handlers", "orelse", "finalbody", "cases"):
            inner: list[ast.AST] = getattr(node, name, [])
            for one in inner:
                if isinstance(one, ast.stmt):
                    # What stands in a `with` always happens, as in the function itself.
                    always = isinstance(node, ast.With | ast.AsyncWith)
                    self._statement(one, depth if always else depth + 1)
                else:
                    self._within(one, depth + 1)

    def _give(self, target: ast.expr, origin: Origin, depth: int) -> None:
        match target:
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                for one in elts:
                    self._give(one, origin, depth)
            case ast.Starred(value=value):
                self._give(value, origin, depth)
            case ast.Subscript(value=value):
                self._origin(target.slice)
                self._give(value, origin, depth + 1)
            case _ if place := _place(target):
                before = self._names.get(place, Origin.NOWHERE) if depth else Origin.NOWHERE
                self._names[place] = before | origin
            case _:
                pass

    def _origin(self, node: ast.expr) -> Origin:
        """Return and remember what an expression was made from."""
        found = self._made_from(node)
        if found:
            self._found[node] = found
        return found

    def _made_from(self, node: ast.expr) -> Origin:  # noqa: C901, PLR0911, PLR0912 - a table
        match node:
            case ast.Constant() | ast.Lambda():
                return Origin.NOWHERE
            case ast.Name(id=name):
                return self._names.get(name, Origin.NOWHERE)
            case ast.Attribute(value=value, attr=attr):
                inner = self._origin(value) | self._names.get(_place(node), Origin.NOWHERE)
                if attr in _REQUEST_PARTS and is_of_request(value):
                    parsed = attr in ("json", "data")
                    return Origin.REQUEST | (Origin.PARSED if parsed else Origin.NOWHERE)
                return Origin.NOWHERE if attr in _PLAIN else inner
            case ast.Call():
                return self._called(node)
            case ast.Compare(left=left, comparators=others):
                for one in (left, *others):
                    self._origin(one)
                return Origin.NOWHERE
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self._origin(test)
                return self._origin(body) | self._origin(orelse)
            case ast.Subscript(value=value, slice=index):
                self._origin(index)
                return self._origin(value)
            case ast.NamedExpr(target=target, value=value):
                origin = self._origin(value)
                self._give(target, origin, 1)
                return origin
            case (
                ast.ListComp(generators=loops)
                | ast.SetComp(generators=loops)
                | ast.GeneratorExp(generators=loops)
                | ast.DictComp(generators=loops)
            ):
                for loop in loops:
                    self._give(loop.target, self._origin(loop.iter), 0)
                return self._all(node, skip=ast.comprehension)
            case _:
                return self._all(node)

    def _all(self, node: ast.AST, skip: type[ast.AST] | None = None) -> Origin:
        origin = Origin.NOWHERE
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and not (skip and isinstance(child, skip)):
                origin |= self._origin(child)
        return origin

    def _called(self, node: ast.Call) -> Origin:
        receiver = self._origin(node.func)
        arguments = Origin.NOWHERE
        for one in (*node.args, *(keyword.value for keyword in node.keywords)):
            arguments |= self._origin(one)
        own = self._call(node)
        if own:
            return own
        name = _last(node.func)
        if _HARMLESS.search(name):
            return Origin.NOWHERE
        if name in ("append", "extend", "insert", "update", "add", "write"):
            self._mutated(node.func, arguments)
            return Origin.NOWHERE
        if isinstance(node.func, ast.Name):
            return arguments if name in _CARRIES else Origin.NOWHERE
        return receiver | (arguments if name in _CARRIES else Origin.NOWHERE)

    def _mutated(self, func: ast.expr, origin: Origin) -> None:
        if isinstance(func, ast.Attribute) and (place := _place(func.value)):
            self._names[place] = self._names.get(place, Origin.NOWHERE) | origin


def is_of_request(node: ast.expr) -> bool:
    """Whether an expression is, or belongs to, the request that a handler is given."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and node.id in ("request", "req")


def _place(node: ast.AST) -> str:
    """Return a name, or an attribute of one, as a key; "" for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=name), attr=attr):
            return f"{name}.{attr}"
        case _:
            return ""


def _last(func: ast.expr) -> str:
    match func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=attr):
            return attr
        case _:
            return ""
