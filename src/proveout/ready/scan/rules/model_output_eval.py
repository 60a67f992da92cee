"""What a model wrote, run as Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Origin
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_RUNS = re.compile(
    r"eval|exec|builtins\.(?:eval|exec)|pickle\.loads|.*\.PythonREPL\.run|importlib\.import_module|__import__"
)


def find(source: Source) -> Iterator[Spot]:
    """Yield calls that run what a model wrote."""
    for scope in source.tree.scopes:
        for call in scope.calls:
            name = source.name(call, scope)
            if (
                call.args
                and _RUNS.fullmatch(name)
                and source.flow(scope).of(call.args[0]) & Origin.MODEL
            ):
                yield Spot(line=call.lineno, message=f"{name} runs what a model wrote")


RULE = Rule(
    code="model-output-eval",
    severity=Severity.CRITICAL,
    title="A model's answer is run as code",
    finds="`eval`, `exec`, `pickle.loads`, `import_module` and REPL tools with what a model wrote.",
    why=(
        "whoever can put text before the model (a customer's mail, a web page) can have it write"
        " code, and your process runs it with your keys"
    ),
    fix="let the model choose from a list of functions, or run its code in a sandbox",
    bad="""\
from openai import OpenAI

client = OpenAI(timeout=30)


def compute(question: str) -> object:
    said = client.responses.create(model="gpt-5-mini", input=f"As Python: {question}")
    return eval(said.output_text)
""",
    good="""\
import operator

from openai import OpenAI

client = OpenAI(timeout=30)
KNOWN = {"add": operator.add, "times": operator.mul}


def compute(question: str, a: float, b: float) -> float:
    said = client.responses.create(model="gpt-5-mini", input=f"add or times? {question}")
    return KNOWN[said.output_text.strip()](a, b)
""",
    in_source=find,
)
