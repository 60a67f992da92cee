"""State between requests that lives in one process."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_CHANGES = frozenset({"append", "extend", "insert", "update", "setdefault", "add", "appendleft"})
_MADE = frozenset(
    {
        "dict",
        "list",
        "set",
        "collections.defaultdict",
        "collections.deque",
        "collections.OrderedDict",
    }
)


def find(source: Source) -> Iterator[Spot]:
    """Yield the first change of each module's variable in each handler."""
    for scope in source.handlers:
        seen: set[str] = set()
        for name, line in sorted(_changed(source, scope), key=lambda one: one[1]):
            if name not in seen:
                seen.add(name)
                yield Spot(
                    line=line, message=f"{scope.name}() keeps {name} in the memory of one process"
                )


def _changed(source: Source, scope: Scope) -> Iterator[tuple[str, int]]:
    for node in scope.globals:
        assigned = {
            target.id
            for one in ast.walk(scope.node)
            if isinstance(one, ast.Assign | ast.AugAssign) and not _is_flag(one.value)
            for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
            if isinstance(target, ast.Name)
        }
        yield from (
            (name, node.lineno)
            for name in node.names
            if name in assigned and not _is_kept_once(scope, name)
        )
    for call in scope.calls:
        match call.func:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if attr in _CHANGES:
                if _is_shared(source, scope, name) and not _is_task(source, scope, call):
                    yield name, call.lineno
            case _:
                pass
    for node in ast.walk(scope.node):
        match node:
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()) if _is_shared(
                source, scope, name
            ):
                yield name, node.lineno
            case _:
                pass


def _is_flag(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, bool | None)


def _is_task(source: Source, scope: Scope, call: ast.Call) -> bool:
    """Whether a task is only kept from being collected while it runs."""
    return any(source.names.of(one, scope).startswith("asyncio.") for one in call.args)


def _is_kept_once(scope: Scope, name: str) -> bool:
    """Whether a value is only made at first use, which every process may do for itself."""
    text = ast.unparse(scope.node)
    return "cache" in name.lower() or f"{name} is None" in text or f"not {name}" in text


def _is_shared(source: Source, scope: Scope, name: str) -> bool:
    """Whether a name is a container of the module, and no variable of the function."""
    if name in scope.bound or "cache" in name.lower():
        return False
    value, _ = source.tree.module.bound.get(name, (None, False))
    if isinstance(value, ast.Call):
        return source.names.of(value.func, source.tree.module) in _MADE
    return isinstance(value, ast.Dict | ast.List | ast.Set)


RULE = Rule(
    code="global-state",
    severity=Severity.MEDIUM,
    title="Requests share state in memory",
    finds=(
        "Handlers of requests that assign to a `global`, or change a dictionary, list or set of"
        " their module. Caches, and what is made once at first use, are left alone."
    ),
    why=(
        "a second worker does not see it, a restart loses it, and two requests at once change it"
        " under each other: one user gets another's answer"
    ),
    fix="keep it in a store: the database, or Redis where it may be lost",
    bad="""\
from flask import Flask, request

app = Flask(__name__)
chats = {}


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/chats/<user>")
def say(user: str) -> str:
    chats[user] = request.get_data()
    return "ok"
""",
    good="""\
from flask import Flask, request

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/chats/<user>")
def say(user: str, store) -> str:
    store.save(user, request.get_data())
    return "ok"
""",
    in_source=find,
)
