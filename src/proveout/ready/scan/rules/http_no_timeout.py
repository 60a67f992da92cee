"""Requests that may wait for ever."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.known import given, spreads
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_WAITS = re.compile(
    r"requests\.(?:(?:Session|session)\.)?(?:get|post|put|patch|delete|head|options|request)"
    r"|urllib\.request\.urlopen|smtplib\.SMTP(?:_SSL)?"
)
_ENDLESS = re.compile(
    r"httpx\.(?:(?:Async)?Client(?:\.\w+)?|get|post|put|patch|delete|request|stream)"
)
_PIECEMEAL = re.compile(r"stream|a?iter_(?:lines|bytes|text|content|raw|any|chunked)")
_URLOPEN_TIMEOUT = 3
_SMTP_TIMEOUT = 4


def find(source: Source) -> Iterator[Spot]:
    """Yield requests that nothing ends but the other side."""
    for scope in source.tree.scopes:
        for call in scope.calls:
            name = source.name(call, scope)
            if _WAITS.fullmatch(name) and _is_open(name, call) and not _is_meant(scope, call, name):
                severity = Severity.HIGH if scope in source.handlers else None
                yield Spot(line=call.lineno, message=f"{name} has no time-out", severity=severity)
            elif _ENDLESS.fullmatch(name) and _is_none(given(call, "timeout")):
                if _streams(scope, call, name):
                    continue
                yield Spot(line=call.lineno, message=f"{name} is told to wait for ever")


def _is_open(name: str, call: ast.Call) -> bool:
    found = given(call, "timeout")
    if found is not None:
        return _is_none(found)
    places = {"urlopen": _URLOPEN_TIMEOUT, "SMTP": _SMTP_TIMEOUT}.get(name.rpartition(".")[2], 99)
    return not spreads(call) and len(call.args) < places


def _is_meant(scope: Scope, call: ast.Call, name: str) -> bool:
    """Whether somebody chose to wait for a stream, or what is opened is on no network."""
    if name.endswith("urlopen") and any(
        isinstance(one, ast.Constant) and str(one.value).startswith(("data:", "file:"))
        for one in ast.walk(scope.node)
    ):
        return True
    return _is_none(given(call, "timeout")) and _streams(scope, call, name)


def _streams(scope: Scope, call: ast.Call, name: str) -> bool:
    """Whether an answer is read as it comes, which may rightly take as long as it takes."""
    told = given(call, "stream")
    if name.endswith(".stream") or (isinstance(told, ast.Constant) and told.value is True):
        return True
    return any(
        isinstance(one.func, ast.Attribute) and _PIECEMEAL.fullmatch(one.func.attr)
        for one in scope.calls
    )


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


RULE = Rule(
    code="http-no-timeout",
    severity=Severity.MEDIUM,
    title="A request may wait for ever",
    finds=(
        "`requests`, `urllib.request.urlopen` and `smtplib.SMTP` without `timeout`, which wait for"
        " ever by default, and `httpx` with `timeout=None`. It is high where a handler of requests"
        " does so itself. An explicit `timeout=None` for what is read as a stream is left alone."
    ),
    why=(
        "a server that accepts and never answers holds the thread for good; when all are held the"
        " service is down, and its log says nothing"
    ),
    fix="give every request a timeout: requests.get(url, timeout=10)",
    bad="""\
import requests


def rate(currency: str) -> float:
    return requests.get(f"https://rates.example.com/{currency}").json()["rate"]
""",
    good="""\
import requests


def rate(currency: str) -> float:
    return requests.get(f"https://rates.example.com/{currency}", timeout=10).json()["rate"]
""",
    in_source=find,
)
