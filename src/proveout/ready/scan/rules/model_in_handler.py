"""Models that are asked while somebody waits for the answer to a request."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from proveout.ready.scan.known import Does, given
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope


def find(source: Source) -> Iterator[Spot]:
    """Yield the first call of a model that each handler waits for."""
    for scope, found in source.handlers.items():
        if found.is_webhook or found.is_health or "websocket" in found.verbs or _streams(scope):
            continue
        for where, call in source.reached(scope):
            if source.does(call, where) is Does.MODEL and not _is_streamed(call):
                through = "" if where is scope else f" through {where.name}()"
                yield Spot(
                    line=call.lineno,
                    message=f"{scope.name}() answers a request and waits for a model{through}",
                )
                break


def _streams(scope: Scope) -> bool:
    return any(
        "Streaming" in ast.unparse(call.func) or "EventSource" in ast.unparse(call.func)
        for call in scope.calls
    )


def _is_streamed(call: ast.Call) -> bool:
    stream = given(call, "stream")
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    is_off = isinstance(stream, ast.Constant) and stream.value is False
    return "stream" in name or (stream is not None and not is_off)


RULE = Rule(
    code="model-in-handler",
    severity=Severity.MEDIUM,
    title="A request waits for a model",
    finds=(
        "Handlers of Flask, FastAPI, Starlette and Django that ask a model before they answer, in"
        " their own code or in functions of the same file. Answers that are streamed are left"
        " alone; webhooks have a rule of their own."
    ),
    why=(
        "the request takes as long as the model: proxies cut it off, people press the button"
        " again and pay twice, and a restart loses what was in flight"
    ),
    fix="accept the request (202), do the work in a durable run, and let the caller ask for it",
    bad="""\
from fastapi import FastAPI
from openai import AsyncOpenAI

app = FastAPI()
client = AsyncOpenAI(timeout=30)


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.post("/summaries")
async def summarise(text: str) -> str:
    said = await client.responses.create(model="gpt-5-mini", input=text)
    return said.output_text
""",
    good="""\
from fastapi import FastAPI
from proveout import Project

app = FastAPI()


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.post("/summaries", status_code=202)
async def summarise(text: str, key: str) -> str:
    async with Project.open() as project:
        run = await project.enqueue("summarise", text, key=key)
    return run.id
""",
    in_source=find,
)
