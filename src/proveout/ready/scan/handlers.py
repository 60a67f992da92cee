"""Functions that answer requests, as frameworks mark them, and which of them take webhooks."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.ready.scan.names import Names
    from proveout.ready.scan.tree import Scope, Tree

_VERBS = frozenset({"get", "post", "put", "patch", "delete", "route", "api_route", "websocket"})
_SLACK = frozenset({"event", "message", "command", "action", "shortcut", "view", "options"})
_SLACK_APP = re.compile(r"slack_bolt\.(?:\w+\.)*(?:Async)?App")
_VIEWS = re.compile(
    r"(?:^|\.)(?:\w*View|\w*ViewSet|Resource|HTTPEndpoint|MethodView|RequestHandler)$"
)
_MANAGES = re.compile(
    r"(?:^|[/_-])(?:set|create|list|delete|remove|get|register|update|edit|redirect_to)[_-](?:\w*)hooks?",
    re.IGNORECASE,
)
"""What manages webhooks, and receives none."""

_VERIFIES = re.compile(
    r"(?:.*\.)?construct_event|.*WebhookSignature\.verify_header|.*\bWebhook\.verify"
)
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
HEALTH = re.compile(
    r"health|ready\b|readyz|alive|livez|liveness|/up\b|/?ping\b|heartbeat|status", re.IGNORECASE
)
"""How paths are called that tell whether a service lives."""

_HOOK = re.compile(
    r"web_?-?hook|(?:^|[/_-])hooks?(?:$|[/_-])|(?:^|[/_-])callback/(?:stripe|github|slack)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What answers a request.

    Attributes:
        path: as it is written, or "".
        verbs: lower-case methods; empty where they are not said.
        is_webhook: whether others call it when something happened.
        is_slack: whether it is Slack's, which waits three seconds for `ack()`.
        is_health: whether it tells whether the service lives.
    """

    path: str = ""
    verbs: frozenset[str] = frozenset()
    is_webhook: bool = False
    is_slack: bool = False
    is_health: bool = False


def handler(scope: Scope, tree: Tree, names: Names) -> Handler | None:
    """Return how a function answers requests; None where it does not."""
    found = _answers(scope, tree, names)
    if found is not None and any(
        _VERIFIES.fullmatch(names.of(one.func, scope)) for one in scope.calls
    ):
        return replace(found, is_webhook=True)
    return found


def _answers(scope: Scope, tree: Tree, names: Names) -> Handler | None:
    node = scope.node
    if isinstance(node, ast.Module):
        return None
    outer = scope.outer or tree.module
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and (found := _decorated(decorator, outer, names)):
            return _with_hook(found, node.name)
    if (
        scope.owner
        and node.name in _METHODS
        and _is_view(tree.classes.get(scope.owner), tree, names)
    ):
        return _with_hook(Handler(verbs=frozenset({node.name})), scope.owner)
    if _is_django(scope, tree):
        return _with_hook(Handler(), node.name)
    return None


def _decorated(decorator: ast.Call, outer: Scope, names: Names) -> Handler | None:
    func = decorator.func
    if not isinstance(func, ast.Attribute):
        return None
    if func.attr in _SLACK and _SLACK_APP.match(names.of(func.value, outer)):
        return Handler(path=_text(decorator), is_webhook=True, is_slack=True)
    path = _text(decorator)
    if func.attr not in _VERBS or not (
        path.startswith("/") or _is_app(names.of(func.value, outer))
    ):
        return None
    return Handler(path=path, verbs=_verbs(func.attr, decorator))


def _is_app(name: str) -> bool:
    return name.startswith(("fastapi.", "flask.", "starlette.", "quart.", "sanic.", "aiohttp.web."))


def _verbs(attr: str, decorator: ast.Call) -> frozenset[str]:
    if attr not in ("route", "api_route"):
        return frozenset({attr})
    methods = next((one.value for one in decorator.keywords if one.arg == "methods"), None)
    if not isinstance(methods, ast.List | ast.Tuple | ast.Set):
        return frozenset({"get"})
    return frozenset(
        str(one.value).lower() for one in methods.elts if isinstance(one, ast.Constant)
    )


def _text(call: ast.Call) -> str:
    """Return the text that a decorator is called with first, or as its path."""
    given = [*call.args[:1], *(one.value for one in call.keywords if one.arg in ("path", "rule"))]
    texts = (one.value for one in given if isinstance(one, ast.Constant))
    return next((one for one in texts if isinstance(one, str)), "")


def _is_view(owner: ast.ClassDef | None, tree: Tree, names: Names) -> bool:
    return owner is not None and any(
        _VIEWS.search(names.of(base, tree.module)) for base in owner.bases
    )


def _is_django(scope: Scope, tree: Tree) -> bool:
    """Whether it is a function `view(request)` of a file that answers with Django."""
    if scope.owner or isinstance(scope.outer and scope.outer.node, ast.FunctionDef):
        return False
    first = next((one.arg for one in scope.parameters), "")
    answers = any(
        full.startswith(("django.http.", "django.shortcuts.", "rest_framework."))
        for full in tree.imports.values()
    )
    return first == "request" and answers and not scope.name.startswith("_")


def _with_hook(found: Handler, name: str) -> Handler:
    takes = not found.verbs or bool(found.verbs & {"post", "put"})
    hook = found.is_webhook or (takes and bool(_HOOK.search(found.path) or _HOOK.search(name)))
    hook = hook and not (_MANAGES.search(found.path) or _MANAGES.search(name))
    healthy = bool(HEALTH.search(found.path) or HEALTH.search(name))
    return replace(found, is_webhook=hook, is_health=healthy)
