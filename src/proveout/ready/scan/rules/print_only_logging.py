"""Services whose only word is `print`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ready.scan.facts import LOGGING, MONITORING, QUEUES
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.facts import Facts

_FEW = 3


def find(facts: Facts) -> Iterator[Spot]:
    """Yield the file that prints most, where a service logs nowhere."""
    serves = [one for one in facts.product if one.handlers or one.libraries & QUEUES]
    logs = any(one.libraries & (LOGGING | MONITORING) for one in facts.product)
    printing = [one for one in serves if one.prints]
    count = sum(len(one.prints) for one in printing)
    if serves and not logs and count >= _FEW:
        most = max(printing, key=lambda one: len(one.prints))
        yield Spot(
            file=most.path,
            line=most.prints[0],
            message=f"the service says what it does by print alone ({count} times)",
        )


RULE = Rule(
    code="print-only-logging",
    severity=Severity.LOW,
    title="A service only prints",
    finds=(
        "Repositories whose handlers of requests or workers of a queue stand in files with at"
        " least three calls of `print`, and in which no library is imported that logs or traces."
    ),
    why=(
        "in an incident the question is which request, when, and how bad; lines without time,"
        " level and id answer none of it"
    ),
    fix="log events with fields: logging or structlog, and the id of the run in each",
    bad="""\
from flask import Flask, request

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/orders")
def order() -> str:
    print("got an order")
    print(request.json)
    print("done")
    return "ok"
""",
    good="""\
import logging

from flask import Flask, request

app = Flask(__name__)
log = logging.getLogger(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/orders")
def order() -> str:
    log.info("order.accepted", extra={"order": request.json["id"]})
    return "ok"
""",
    in_whole=find,
)
