"""Clients of models: which are made without a time-out, and whether calls bring one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proveout.ready.scan.known import MODEL_CLIENTS, PATIENT, Does, given, spreads

if TYPE_CHECKING:
    import ast

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_CHAINED = re.compile(r"langchain_(?:openai|anthropic)\.(?:[\w.]*\.)?(?:Azure)?Chat\w+")
_ASKS = re.compile(r"\.(?:create|parse|stream|a?invoke|a?completion|with_options)$")
_WITHOUT_VENDOR = re.compile(r"anthropic\.\w+\.(?:get_tokenizer|count_tokens)")
_WAYS = ("timeout", "request_timeout", "default_request_timeout", "http_client", "stream_timeout")


def is_open(call: ast.Call) -> bool:
    """Whether a call says nowhere how long it waits, as far as anybody can see."""
    return not spreads(call) and all(given(call, way) is None for way in (*_WAYS, "client"))


def open_clients(source: Source) -> tuple[tuple[int, str], ...]:
    """Return line and name of each client that is made without a time-out."""
    return tuple(
        (call.lineno, name.rpartition(".")[2])
        for scope in source.tree.scopes
        if not _asks_nobody(source, scope)
        for call in scope.calls
        if (name := source.name(call, scope))
        and (_is_patient(name) or _CHAINED.fullmatch(name))
        and is_open(call)
    )


def _is_patient(name: str) -> bool:
    return bool(MODEL_CLIENTS.fullmatch(name) and PATIENT.fullmatch(name))


def _asks_nobody(source: Source, scope: Scope) -> bool:
    """Whether a function makes a client for what that does without its vendor."""
    counts = any(_WITHOUT_VENDOR.fullmatch(source.name(call, scope)) for call in scope.calls)
    asks = any(source.does(call, scope) is Does.MODEL for call in scope.calls)
    return counts and not asks


def is_timed(source: Source) -> bool:
    """Whether any call that could ask a model brings a time-out of its own."""
    return any(
        given(call, "timeout") is not None
        and (source.does(call, scope) is Does.MODEL or _ASKS.search(source.name(call, scope)))
        for scope in source.tree.scopes
        for call in scope.calls
    )
