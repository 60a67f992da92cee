"""Services that nobody can ask whether they live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.facts import Facts


def find(facts: Facts) -> Iterator[Spot]:
    """Yield the first application, where no path of any tells whether it lives."""
    if any(one.is_local for one in facts.product) and not facts.is_deployed:
        return  # no platform runs it, so none would ask
    apps = [one for one in facts.product if one.apps]
    handlers = sum(one.handlers for one in facts.product)
    if apps and handlers and not any(one.is_healthy for one in facts.product):
        first = apps[0]
        yield Spot(file=first.path, line=first.apps[0], message="no path tells whether it lives")


RULE = Rule(
    code="no-health-endpoint",
    severity=Severity.MEDIUM,
    title="A service has no health endpoint",
    finds=(
        "An application of FastAPI, Flask, Quart, Sanic or Starlette with handlers, where no route"
        " of the repository is called health, ready, live, ping, status or the like. What serves"
        " its own machine only, and is deployed nowhere, is left alone."
    ),
    why=(
        "the platform sends traffic to a process that cannot answer, and a deploy replaces one"
        " that works by one that does not"
    ),
    fix="add /healthz (the process lives) and /readyz (its database answers)",
    bad="""\
from fastapi import FastAPI

app = FastAPI()


@app.get("/prices")
async def prices() -> list[int]:
    return [1, 2]
""",
    good="""\
from fastapi import FastAPI

app = FastAPI()


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.get("/prices")
async def prices() -> list[int]:
    return [1, 2]
""",
    in_whole=find,
)
