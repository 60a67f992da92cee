"""The workflow: a small language model chooses the tool for a request."""

from __future__ import annotations

from functools import cache

from openai import AsyncOpenAI
from pydantic import BaseModel

from proveout import step, workflow

MODEL = "smollm2-135m"
LONGEST = 24
"""Tokens that an answer may have: the name of a tool has fewer."""

DESCRIBED = 200
"""Characters of a tool's description that the model is shown."""


class Tool(BaseModel):
    """A tool on offer."""

    name: str
    description: str


@cache
def client() -> AsyncOpenAI:
    """Return the vendor's client; it reads OPENAI_BASE_URL, and so goes through the meter."""
    return AsyncOpenAI(max_retries=0)


@step(timeout=60)
async def ask(question: str) -> str:
    """Return what the model answers."""
    answer = await client().chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": question}],
        max_tokens=LONGEST,
        temperature=0,
    )
    return answer.choices[0].message.content or ""


@workflow
async def route(request: str, tools: list[Tool]) -> str:
    """Return the name of the tool that the model names first, or nothing where it names none."""
    answer = await ask(question(request, tools))
    named = {answer.find(tool.name): tool.name for tool in tools if tool.name in answer}
    return named[min(named)] if named else ""


def question(request: str, tools: list[Tool]) -> str:
    """Return what the model is asked."""
    offer = "\n".join(f"{tool.name}: {tool.description[:DESCRIBED]}" for tool in tools)
    return f"Tools:\n{offer}\n\nRequest: {request}\n\nAnswer with the name of the one right tool."
