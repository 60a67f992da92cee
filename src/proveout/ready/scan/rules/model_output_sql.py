"""What a model wrote, run as SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Origin
from proveout.ready.scan.known import Does
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_FRAMES = re.compile(r"pandas\.read_sql(?:_query)?|sqlalchemy\.(?:\w+\.)*text")


def find(source: Source) -> Iterator[Spot]:
    """Yield statements that a model wrote, or wrote into."""
    for scope in source.tree.scopes:
        for call in scope.calls:
            runs = source.does(call, scope) is Does.SQL or _FRAMES.fullmatch(
                source.name(call, scope)
            )
            if runs and call.args and source.flow(scope).of(call.args[0]) & Origin.MODEL:
                yield Spot(line=call.lineno, message="a model wrote this SQL, or a part of it")


RULE = Rule(
    code="model-output-sql",
    severity=Severity.CRITICAL,
    title="A model's answer becomes SQL",
    finds="Statements that hold what a model wrote in their text; parameters are fine.",
    why=(
        "a prompt can be turned by whoever writes a part of it; then the model writes DROP, or"
        " SELECT over another customer's rows"
    ),
    fix="let the model fill in parameters of statements you wrote, on a read-only login",
    bad="""\
import sqlite3

from openai import OpenAI

client = OpenAI(timeout=30)


def report(db: sqlite3.Connection, question: str) -> list:
    said = client.responses.create(model="gpt-5-mini", input=f"SQL for: {question}")
    return db.execute(said.output_text).fetchall()
""",
    good="""\
import sqlite3

from openai import OpenAI

client = OpenAI(timeout=30)


def report(db: sqlite3.Connection, question: str) -> list:
    said = client.responses.create(model="gpt-5-mini", input=f"Which city? {question}")
    return db.execute("SELECT * FROM sales WHERE city = ?", (said.output_text,)).fetchall()
""",
    in_source=find,
)
