"""What a model wrote, run by a shell."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Origin
from proveout.ready.scan.known import given
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_SHELLS = re.compile(
    r"os\.(?:system|popen)|subprocess\.(?:getoutput|getstatusoutput)|asyncio\.create_subprocess_shell"
)
_MAYBE = re.compile(r"subprocess\.(?:run|call|check_call|check_output|Popen)")
_NAMES = frozenset({"sh", "bash", "zsh", "/bin/sh", "/bin/bash", "python", "python3"})


def find(source: Source) -> Iterator[Spot]:
    """Yield commands that a model wrote, or wrote into, where a shell reads them."""
    for scope in source.tree.scopes:
        for call in scope.calls:
            name = source.name(call, scope)
            if not call.args or not (
                _SHELLS.fullmatch(name) or (_MAYBE.fullmatch(name) and _is_shell(call))
            ):
                continue
            if source.flow(scope).of(call.args[0]) & Origin.MODEL:
                yield Spot(line=call.lineno, message=f"{name} hands a shell what a model wrote")


def _is_shell(call: ast.Call) -> bool:
    shell = given(call, "shell")
    if shell is not None and not (isinstance(shell, ast.Constant) and not shell.value):
        return True
    match call.args[0]:
        case ast.List(elts=[ast.Constant(value=str(program)), ast.Constant(value="-c"), *_]):
            return program in _NAMES
        case _:
            return False


RULE = Rule(
    code="model-output-shell",
    severity=Severity.CRITICAL,
    title="A model's answer reaches a shell",
    finds="`os.system`, `shell=True`, `bash -c` and their like with what a model wrote.",
    why=(
        "a semicolon is enough: whoever can put text before the model can run any program on your"
        " machine"
    ),
    fix="run one fixed program with a list of checked arguments, never through a shell",
    bad="""\
import subprocess

from openai import OpenAI

client = OpenAI(timeout=30)


def convert(wish: str) -> None:
    said = client.responses.create(model="gpt-5-mini", input=f"ffmpeg line for: {wish}")
    subprocess.run(said.output_text, shell=True, check=True)
""",
    good="""\
import subprocess

from openai import OpenAI

client = OpenAI(timeout=30)
FORMATS = {"mp3", "ogg"}


def convert(wish: str, path: str) -> None:
    said = client.responses.create(model="gpt-5-mini", input=f"mp3 or ogg? {wish}")
    if said.output_text not in FORMATS:
        raise ValueError("no known format")
    subprocess.run(["ffmpeg", "-i", path, f"out.{said.output_text}"], check=True)
""",
    in_source=find,
)
