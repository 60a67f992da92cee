"""Writing a new project: a workflow, its cases and its settings, ready to be proved."""

from __future__ import annotations

import errno
import keyword
import re
import sys
import tempfile
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from proveout.errors import Mistake

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

LONGEST_NAME = 64
"""Characters that a name may have; workflows are named in the same way."""

TEMPLATE = "template"
"""The folder of this package that holds the files, their placeholders in `{{ }}`."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file of a new project.

    Attributes:
        meaning: what it is to its owner, in a few words.
    """

    path: Path
    meaning: str


class InitMistake(Mistake):
    """No project can be written under this name, or in this place; nothing was changed."""

    code = "init"


def write_project(name: str, folder: Path) -> list[Written]:
    """Write the project `name` into `folder`, whole or not at all; return its files.

    It is written beside its place and then moved there, so that nobody meets half of it.

    Args:
        name: letters, digits, "-" and "_", a letter first; also the workflow's name, and
            in lower case with "_" for "-" that of its package.
        folder: an existing folder, where at most an empty one has that name.

    Raises:
        InitMistake: the name cannot be used, the place is taken, or it cannot be written.
    """
    package = package_of(name)
    place = folder / name
    _refuse_taken(place)
    try:
        with tempfile.TemporaryDirectory(prefix=".proveout-init-", dir=folder) as beside:
            draft = Path(beside) / name
            _write(draft, name, package)
            draft.rename(place)
    except OSError as error:
        if error.errno in _TAKEN:
            _refuse_taken(place)
        raise InitMistake(
            f"{place} cannot be written",
            why=error.strerror or str(error),
            fix=("go to a folder that you can write to, and run the same command there",),
        ) from error
    return [Written(path=place / path, meaning=said) for _, path, said in _plan(package)]


def package_of(name: str) -> str:
    """Return the package of a project called `name`.

    Raises:
        InitMistake: no project can be called so.
    """
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise InitMistake(
            f"{_shown(name)} cannot be the name of a project",
            why="it becomes a folder, a Python package and an id:"
            f" up to {LONGEST_NAME} letters, digits, - and _, a letter first",
            fix=(f"proveout init {_usable(name)}",),
        )
    package = name.replace("-", "_").lower()
    if reason := _clash(package):
        raise InitMistake(
            f"{_shown(name)} cannot be the name of a project",
            why=f"its package would be called {package}, and that is {reason}",
            fix=(f"proveout init {name[: LONGEST_NAME - 7]}-triage",),
        )
    return package


def _clash(package: str) -> str:
    """Return what else a package's name means to Python, or "".

    The project comes first on the path: a name that is taken would hide its owner.
    """
    if keyword.iskeyword(package):
        return "a word of the language"
    if package in sys.stdlib_module_names:
        return "a module of Python itself"
    if package == "proveout":
        return "Proveout itself"
    found = PathFinder.find_spec(package, [entry for entry in sys.path if entry])
    if found is not None and found.origin is not None:
        return "a module that is installed here"
    return ""


def _usable(name: str) -> str:
    """Return a name like the one that was refused."""
    tried = re.sub("[^A-Za-z0-9_-]+", "-", name).strip("-_")
    tried = tried.lstrip("0123456789-_")[:LONGEST_NAME]
    return tried if tried and not _clash(tried.replace("-", "_").lower()) else "support-triage"


def _shown(name: str) -> str:
    """Return a name in quotes, shortened, with whatever does not print written out."""
    short = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
    return f'"{short}"' if short.isprintable() else ascii(short)


def _refuse_taken(place: Path) -> None:
    """Refuse a place where anything stands but an empty folder."""
    try:
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            what = "is there already, and is no folder"
        elif place.is_dir() and any(place.iterdir()):
            what = "is there already, and is not empty"
        else:
            return
    except OSError as error:
        what = f"cannot be looked into: {error.strerror or error}"
    raise InitMistake(
        f"{place} {what}",
        why="nothing is overwritten, and nothing was changed",
        fix=(
            f"proveout init {_another(place)}",
            f"cd {quote(str(place))}    if it is a project of yours",
        ),
    )


def _another(place: Path) -> str:
    """Return a name like that of `place`, under which nothing stands yet."""
    stem = place.name[: LONGEST_NAME - 5]
    free = (n for n in range(2, 1000) if not (place.parent / f"{stem}-{n}").exists())
    return f"{stem}-{next(free, 1000)}"


def _plan(package: str) -> list[tuple[str, str, str]]:
    """Return each file's template ("" for an empty file), path in the project, and meaning."""
    return [
        ("workflow.py.in", f"{package}/workflow.py", "your workflow, one function"),
        ("cases.jsonl", "cases.jsonl", "60 mails, their answers"),
        ("proveout.toml.in", "proveout.toml", "budget, criteria, owners"),
        ("README.md.in", "README.md", "what to change first"),
        ("RUNBOOK.md.in", "RUNBOOK.md", "what to do when it breaks"),
        ("gitignore.in", ".gitignore", "keeps its state out of git"),
        ("", f"{package}/__init__.py", "empty; makes it a package"),
    ]


def _write(draft: Path, name: str, package: str) -> None:
    template = files("proveout.faces") / TEMPLATE
    (draft / package).mkdir(parents=True)
    for source, path, _ in _plan(package):
        text = _filled(template / source, name, package) if source else b""
        (draft / path).write_bytes(text)


def _filled(source: Traversable, name: str, package: str) -> bytes:
    """Return a template with its placeholders replaced, in UTF-8 and with plain line ends."""
    text = source.read_text(encoding="utf-8")
    return text.replace("{{name}}", name).replace("{{package}}", package).encode()
