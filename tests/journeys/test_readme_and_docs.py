"""Every example in README, docs and docstrings does what it shows.

A page is read from top to bottom in one folder: empty where the page begins with
`proveout init`, else a project that it made. How blocks are marked:

- `python` runs as a script of its own; `python fragment` must only compile.
- `console` runs each line after `$ `. Lines below it must come in what it prints, in that
  order; `…` stands for anything, and `exit 3` for the exit code, which is else 0.
- `sh` is for the reader alone, and names targets of the Makefile that exist.
- `toml`, `json` and `jsonl` must parse, and `csv` be a dataset; `text` is not code.
"""

from __future__ import annotations

import ast
import doctest
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import proveout
from proveout.faces import dataset_file

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
MODULES = sorted(one.name for one in pkgutil.walk_packages(proveout.__path__, "proveout."))

FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
EXIT = re.compile(r"exit (\d+)")
PATIENCE = 600
"""Seconds that one command may take; drills take minutes where much else goes on."""

TOOLS = Path(sys.executable).parent

OURS = {"PROVEOUT_CACHE", "PROVEOUT_KEY_FILE"}
"""What the tests set so that nothing of theirs is left with whoever runs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block of a page.

    Attributes:
        line: where it begins.
        kind: what stands behind the fence.
    """

    line: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One command of a `console` block with what the page says it prints."""

    command: str
    output: tuple[str, ...]
    code: int


class Reader:
    """Follows one page, block by block."""

    def __init__(self, folder: Path, installed: Path) -> None:
        self.folder = folder
        self._state = folder.parent / "where"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in OURS or not name.startswith("PROVEOUT_")
        }
        path = os.pathsep.join(map(str, [installed, TOOLS, os.environ["PATH"]]))
        self._environment = {**inherited, "PATH": path, "NO_COLOR": "1", "COLUMNS": "100"}

    def follow(self, block: Block) -> None:
        """Do what a block shows."""
        match block.kind:
            case "python":
                self._run([sys.executable, "-c", block.text], 0)
            case "python fragment":
                compile(block.text, "fragment", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            case "console":
                for shown in commands(block.text):
                    check_output(shown, self._type(shown.command, shown.code))
            case "sh":
                check_targets(block.text)
            case "toml" | "json" | "jsonl" | "csv":
                self._read(block)
            case "text":
                pass
            case _:
                pytest.fail(f'nothing is known of blocks marked "{block.kind}"')

    def _read(self, block: Block) -> None:
        """Read data that a block shows."""
        if block.kind == "toml":
            tomllib.loads(block.text)
        elif block.kind == "csv":
            file = self.folder / "shown.csv"
            file.write_text(block.text, "utf-8")
            dataset_file.load(file)
        else:
            for text in block.text.splitlines() if block.kind == "jsonl" else [block.text]:
                json.loads(text)

    def _type(self, command: str, code: int) -> str:
        """Type a command into the shell that the reader has open; return what it prints."""
        self._prepare()
        done = self._run(
            ["sh", "-c", f"{command}\ncode=$?\npwd >'{self._state}'; exit $code"], code
        )
        self.folder = Path(self._state.read_text("utf-8").strip())
        return done

    def _run(self, arguments: list[str], code: int) -> str:
        done = subprocess.run(
            arguments,
            cwd=self.folder,
            env=self._environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )
        assert done.returncode == code, f"{arguments[-1]}\n{done.stdout}"
        return done.stdout

    def _prepare(self) -> None:
        """Have the inputs that pages speak of: those of the project's own cases."""
        cases, inputs = self.folder / "cases.jsonl", self.folder / "inputs.jsonl"
        if cases.exists() and not inputs.exists():
            found = (json.loads(line)["input"] for line in cases.read_text("utf-8").splitlines())
            inputs.write_text("".join(f"{json.dumps(one)}\n" for one in found), "utf-8")


@pytest.fixture(scope="session")
def installed(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the command `proveout` is, in an environment with nothing else."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "proveout"
    command.write_text(f"#!/bin/sh\nexec '{python}' -P -m proveout \"$@\"\n", "utf-8")
    command.chmod(0o755)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path, installed: Path) -> None:
    """Whoever types what a page shows gets what it shows."""
    text = page.read_text("utf-8")
    reader = Reader(start(tmp_path, is_from_nothing="$ proveout init" in text), installed)

    for block in blocks(text):
        try:
            reader.follow(block)
        except Exception as error:
            error.add_note(f"in {page.relative_to(ROOT)}, line {block.line}")
            raise


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_refers_to_what_exists(page: Path) -> None:
    """Links within the repository lead somewhere."""
    links = LINK.findall(FENCE.sub("", page.read_text("utf-8")))
    inner = (link.partition("#")[0] for link in links if "://" not in link)

    dead = [link for link in inner if link and not (page.parent / link).exists()]

    assert dead == []


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_right(name: str) -> None:
    """Docstrings show what their functions return."""
    found = doctest.testmod(import_module(name))

    assert found.failed == 0


def test_there_are_examples_in_docstrings() -> None:
    """The test above looks at something."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = map(import_module, MODULES)

    examples = [one for module in modules for one in finder.find(module) if one.examples]

    assert len(examples) > 5


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("python", "raise SystemExit(3)"),
        ("python fragment", "def ("),
        ("console", "$ proveout prvoe\n"),
        ("console", "$ proveout --version\nproveout, version 99\n"),
        ("sh", "make coffee\n"),
        ("toml", "a ="),
        ("jsonl", "{}\n{"),
        ("csv", "question,answer\n1,2\n"),
        ("fortran", ""),
    ],
)
def test_a_block_that_shows_nonsense_is_noticed(
    kind: str, text: str, tmp_path: Path, installed: Path
) -> None:
    """The reader can fail, whatever the kind of the block."""
    reader = Reader(start(tmp_path, is_from_nothing=True), installed)

    with pytest.raises((AssertionError, SyntaxError, ValueError, pytest.fail.Exception)):
        reader.follow(Block(line=1, kind=kind, text=text))


def start(tmp_path: Path, *, is_from_nothing: bool) -> Path:
    """Return the folder that a page begins in."""
    folder = tmp_path / "reader"
    folder.mkdir()
    if is_from_nothing:
        return folder
    command = [sys.executable, "-m", "proveout", "init", "support-triage"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
    return folder / "support-triage"


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(line=line, kind=found[1].strip() or "text", text=found[2])


def commands(text: str) -> Iterator[Shown]:
    """Yield the commands of a `console` block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *output = part.splitlines()
        codes = [int(found[1]) for line in output if (found := EXIT.fullmatch(line.strip()))]
        said = [
            line.strip() for line in output if line.strip() and not EXIT.fullmatch(line.strip())
        ]
        yield Shown(
            command=command,
            output=tuple(line for line in said if not line.startswith("…")),
            code=codes[-1] if codes else 0,
        )


def check_output(shown: Shown, printed: str) -> None:
    """Fail unless every line that is shown was printed, in that order."""
    lines = iter(squeezed(line) for line in printed.splitlines())
    for line in shown.output:
        pattern = re.escape(squeezed(line)).replace("…", ".*")
        assert any(re.fullmatch(pattern, one) for one in lines), (
            f"{shown.command} did not print: {line}\n{printed}"
        )


def check_targets(text: str) -> None:
    """Fail where a block for the reader names a target of make that is not there."""
    targets = TARGET.findall((ROOT / "Makefile").read_text("utf-8"))
    for line in text.splitlines():
        program, _, rest = line.partition("#")[0].strip().partition(" ")
        if program == "make":
            assert rest.split()[0] in targets, line
        assert program != "proveout", f"a console block would run it: {line}"


def squeezed(line: str) -> str:
    """Return a line with single spaces."""
    return " ".join(line.split())
