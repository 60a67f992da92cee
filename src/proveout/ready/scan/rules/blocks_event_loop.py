"""Calls that hold the event loop of an asynchronous function."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.known import MODEL_CLIENTS, Does
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_BLOCKING = re.compile(
    r"time\.sleep|requests\.(?:get|post|put|patch|delete|head|request)|urllib\.request\.urlopen"
    r"|subprocess\.(?:run|call|check_call|check_output)|os\.system|smtplib\.SMTP(?:_SSL)?\.\w+"
)

_ALONE = re.compile(r"main|_?lifespan|_?(?:startup|shutdown)|on_(?:startup|shutdown)|\w*_cli")
"""How functions are called beside which nothing runs: a program's own, or before and after it."""


def find(source: Source) -> Iterator[Spot]:
    """Yield the first call of each library that blocks, in each asynchronous function."""
    for scope in source.tree.functions:
        if not scope.is_async or _ALONE.fullmatch(scope.name):
            continue
        seen: set[str] = set()
        for call in scope.calls:
            name = source.name(call, scope)
            if not (_BLOCKING.fullmatch(name) or _asks_synchronously(source, scope, call, name)):
                continue
            if _is_awaited(source, call) or name.partition(".")[0] in seen:
                continue
            seen.add(name.partition(".")[0])
            severity = Severity.HIGH if scope in source.handlers else None
            yield Spot(
                line=call.lineno,
                message=f"{name} blocks the event loop of {scope.name}()",
                severity=severity,
            )


def _asks_synchronously(source: Source, scope: Scope, call: ast.Call, name: str) -> bool:
    client = MODEL_CLIENTS.match(name)
    return (
        client is not None and "Async" not in client[0] and source.does(call, scope) is Does.MODEL
    )


def _is_awaited(source: Source, call: ast.Call) -> bool:
    """Whether it is awaited after all, or handed to a thread by a lambda."""
    if isinstance(source.tree.up.get(call), ast.Await):
        return True
    node: ast.AST = call
    while (node := source.tree.up.get(node, node)) in source.tree.up:
        if isinstance(node, ast.Lambda):
            return True
        if isinstance(node, ast.stmt):
            return False
    return False


RULE = Rule(
    code="blocks-event-loop",
    severity=Severity.MEDIUM,
    title="An asynchronous function blocks its event loop",
    finds=(
        "`time.sleep`, `requests`, `urlopen`, `subprocess`, `smtplib` and synchronous clients of"
        " models, called straight from an `async def`, unless that is a program's `main`, its"
        " start or its end. It is high where it answers requests."
    ),
    why=(
        "while it waits nothing else in the process runs: every other request stands still, and"
        " health checks fail under a load that would be easy"
    ),
    fix="use the asynchronous client (AsyncOpenAI, httpx.AsyncClient), or asyncio.to_thread(…)",
    bad="""\
import time


async def poll(fetch) -> str:
    while (state := await fetch()) == "running":
        time.sleep(5)
    return state
""",
    good="""\
import asyncio


async def poll(fetch) -> str:
    while (state := await fetch()) == "running":
        await asyncio.sleep(5)
    return state
""",
    in_source=find,
)
