"""Servers that are started for developers."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.known import given
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_RUNS = re.compile(r"flask\.Flask\.run|quart\.Quart\.run|.*\bapp\.run")


def find(source: Source) -> Iterator[Spot]:
    """Yield servers that are started with their debugger on."""
    for scope in source.tree.scopes:
        for call in scope.calls:
            debug = given(call, "debug")
            if isinstance(debug, ast.Constant) and debug.value is True:
                name = source.name(call, scope)
                if _RUNS.fullmatch(name) and ("flask" in source.text or "quart" in source.text):
                    yield Spot(line=call.lineno, message="the server runs with its debugger on")


RULE = Rule(
    code="debug-server",
    severity=Severity.MEDIUM,
    title="A server runs with its debugger on",
    finds="`app.run(debug=True)` of Flask and Quart outside tests and examples.",
    why="an error shows a console that runs Python to whoever caused it, and the source to all",
    fix="start it by gunicorn or uvicorn; read debug from the environment, off by default",
    bad="""\
from flask import Flask

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


if __name__ == "__main__":
    app.run(host="0.0.0.0", debug=True)
""",
    good="""\
from flask import Flask

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    return "ok"


if __name__ == "__main__":
    app.run()
""",
    in_source=find,
)
