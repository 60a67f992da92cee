"""Calls of models that give up at the first 429."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ready.scan.known import asks_model_host
from proveout.ready.scan.retried import is_retried
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source


def find(source: Source) -> Iterator[Spot]:
    """Yield bare requests to vendors that nobody repeats."""
    for scope in source.tree.scopes:
        for call in scope.calls:
            if is_retried(source, scope, call):
                continue
            name = source.name(call, scope)
            if name.startswith("requests.") and name.count(".") == 1 and asks_model_host(call):
                yield Spot(line=call.lineno, message=f"{name} asks a model once, and gives up")


RULE = Rule(
    code="model-no-retry",
    severity=Severity.MEDIUM,
    title="A model is asked once, and never again",
    finds=(
        "Requests to the address of a vendor's model by plain `requests`, outside anything that"
        " tries again: a loop of attempts, tenacity, backoff. The vendors' own clients try twice"
        " more by themselves and are left alone; so is `max_retries=0`, which somebody decided."
    ),
    why=(
        "vendors answer 429 and 529 on ordinary days; each becomes an error for a user, although a"
        " second try a moment later would have been answered"
    ),
    fix="use the vendor's client (max_retries=2), or retry 429, 5xx and time-outs, ever slower",
    bad="""\
import requests


def ask(prompt: str) -> str:
    answer = requests.post(
        "https://api.openai.com/v1/responses",
        json={"model": "gpt-5-mini", "input": prompt},
        timeout=30,
    )
    return answer.json()["output_text"]
""",
    good="""\
import requests
from tenacity import retry, stop_after_attempt, wait_exponential


@retry(stop=stop_after_attempt(3), wait=wait_exponential())
def ask(prompt: str) -> str:
    answer = requests.post(
        "https://api.openai.com/v1/responses",
        json={"model": "gpt-5-mini", "input": prompt},
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()["output_text"]
""",
    in_source=find,
)
