"""Files that a model names."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Origin
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_FILES = re.compile(
    r"open|io\.open|aiofiles\.open|os\.(?:remove|unlink|rmdir|makedirs|rename)|shutil\.(?:rmtree|move|copy\w*)"
    r"|(?:fastapi|starlette)\.responses\.FileResponse|flask\.send_file"
)
_METHODS = re.compile(
    r"pathlib\.(?:Pure)?Path(?:\.\w+)*\.(?:write_text|write_bytes|unlink|rmdir|open)"
)


def find(source: Source) -> Iterator[Spot]:
    """Yield where a file is opened, written or removed whose name a model wrote."""
    for scope in source.tree.scopes:
        for call in scope.calls:
            name = source.name(call, scope)
            named: ast.expr | None = None
            if _FILES.fullmatch(name) and call.args:
                named = call.args[0]
            elif _METHODS.fullmatch(name) and isinstance(call.func, ast.Attribute):
                named = call.func.value
            if named is not None and source.flow(scope).of(named) & Origin.MODEL:
                yield Spot(line=call.lineno, message=f"{name}: a model chose which file")


RULE = Rule(
    code="model-output-path",
    severity=Severity.HIGH,
    title="A model chooses a file",
    finds="Files that are opened, written, sent or removed under a name that a model wrote.",
    why="`../../` is text like any other: it reads your keys, or writes where your code is",
    fix="take the name from a list, or resolve it and check that it is below one folder",
    bad="""\
from openai import OpenAI

client = OpenAI(timeout=30)


def save(note: str) -> None:
    said = client.responses.create(model="gpt-5-mini", input=f"A file name for: {note}")
    with open(said.output_text, "w") as file:
        file.write(note)
""",
    good="""\
import re

from openai import OpenAI

client = OpenAI(timeout=30)


def save(note: str) -> None:
    said = client.responses.create(model="gpt-5-mini", input=f"A title for: {note}")
    slug = re.sub("[^a-z]", "", said.output_text.lower())
    with open(f"notes/{slug}.txt", "w") as file:
        file.write(note)
""",
    in_source=find,
)
