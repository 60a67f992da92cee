"""The workflow: choose the right tool for a request, ask a person when unsure, dispatch."""

from __future__ import annotations

import os
import urllib.request

from proveout import effect, review, step, workflow
from request_routing import rank_minilm, rank_tfidf
from request_routing.embed import embed
from request_routing.tool import Ranked, Tool  # noqa: TC001 - read at run time, to check values

embed(["ready"])  # the model loads when a worker starts, so that no request waits for it

UNSURE = 0.02
"""Confidence below which a person looks at the choice."""


@step
def choose(request: str, tools: list[Tool]) -> Ranked:
    """Let the model choose among the tools."""
    return rank_minilm.rank(request, tools)


@effect(retries=3, timeout=10)
def dispatch(tool: str, request: str, *, idempotency_key: str = "") -> None:
    """Hand the request to the chosen tool's service, once for each key."""
    call = urllib.request.Request(  # noqa: S310 - the address comes from the operator
        os.environ["ROUTING_SERVICE"],
        data=f"{tool}\n{request}".encode(),
        headers={"Idempotency-Key": idempotency_key},
    )
    with urllib.request.urlopen(call, timeout=10) as answer:  # noqa: S310 - as above
        answer.read()


@workflow
def route(request: str, tools: list[Tool]) -> str:
    """Return the name of the tool that the request went to."""
    ranked = choose(request, tools)
    tool = ranked.tool
    if ranked.confidence < UNSURE:
        tool = review(tool, queue="routing", within="2 days", on_expiry="reject").value
    dispatch(tool, request)
    return tool


def by_words(request: str, tools: list[Tool]) -> str:
    """The other candidate: no model, only words that request and tool share."""
    return rank_tfidf.rank(request, tools).tool
