"""Keeping what a person answered in `proveout.toml`, and changing nothing else of it."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proveout.errors import Mistake
from proveout.faces.toml_lines import find_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = "workflow"


class AnswersNotKept(Mistake):
    """The settings are written in a way that answers cannot be added to by a program."""

    code = "answers-not-kept"


def keep_answers(file: Path, answers: Mapping[str, str]) -> None:
    """Write answers under `[workflow]`, whole or not at all; all else stays as it is.

    Raises:
        AnswersNotKept: the file would not say what it said before, and the answers.
    """
    before = file.read_text("utf-8")
    after = with_answers(before, answers)
    expected: dict[str, Any] = tomllib.loads(before)
    expected[TABLE] = {**expected.get(TABLE, {}), **answers}
    if _read(after) != expected:
        lines = tuple(f"{key} = {_quoted(value)}" for key, value in answers.items())
        raise AnswersNotKept(
            f"{file} was left as it is: its [{TABLE}] is not written line by line",
            fix=(f"add under [{TABLE}]:", *lines),
        )
    _replace(file, after)


def with_answers(text: str, answers: Mapping[str, str]) -> str:
    r"""Return settings with answers in the place of those keys, or below the table's head.

    >>> with_answers('[workflow]\nname = "a"\noperator = ""  # who?\n', {"operator": "ana"})
    '[workflow]\nname = "a"\noperator = "ana"\n'
    """
    lines = text.splitlines(keepends=True)
    found = find_lines(text).found
    head = found.get((TABLE,), len(lines))
    added: list[str] = []
    for key, value in answers.items():
        entry = f"{key} = {_quoted(value)}\n"
        at = found.get((TABLE, key))
        if at is None:
            added.append(entry)
        else:
            lines[at - 1] = entry
    lines[head:head] = added
    return "".join(lines)


def _quoted(value: str) -> str:
    """Return text as a string of TOML; its escapes are those of JSON."""
    return json.dumps(value, ensure_ascii=True)


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _replace(file: Path, text: str) -> None:
    """Put a new content in the place of the old one at once, with the same rights."""
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(number, "w", encoding="utf-8", newline="") as new:
        new.write(text)
    Path(name).chmod(file.stat().st_mode & 0o777)
    Path(name).replace(file)
