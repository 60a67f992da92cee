"""Files of answers: JSON Lines, one answer a line, each with the id of its case."""

from __future__ import annotations

import difflib
import hashlib
from typing import TYPE_CHECKING

from proveout.domain.duration import shown
from proveout.errors import Mistake
from proveout.faces.dataset_case import NotACase, check_keepable, json_of, label_of
from proveout.ports.elsewhere import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from proveout.domain.case import Json

LARGEST = 256 * 1024 * 1024
"""Bytes that a file of answers may have."""

EXAMPLE = '{"id": "a-17", "output": "shipping"}'

TOLD = 5
"""Lines that are told at once."""

_FIELDS = {"id", "output"}


class AnswersMistake(Mistake):
    """A file of answers holds something that is no answer; mend the line."""

    code = "answers"


class FromFile:
    """Gives the answers of a file, by the ids of their cases."""

    def __init__(self, name: str, answers: Mapping[str, Json]) -> None:
        self._name = name
        self._answers = answers

    async def ready(self) -> None:
        """Leave quietly: the file was read."""

    async def answer(self, value: Json) -> Json:
        """Return the answer to the case of that id."""
        if not isinstance(value, str) or value not in self._answers:
            raise NoAnswer(f"no answer: {self._name} has none for case {value}")
        return self._answers[value]

    async def close(self) -> None:
        """Do nothing: there is nothing to leave behind."""


def digest_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file of answers.

    Raises:
        AnswersMistake: it cannot be read.
    """
    return hashlib.sha256(_bytes(path)).hexdigest()


def load(path: Path, cases: Iterable[str]) -> FromFile:
    """Return what gives the answers of the file at `path`.

    Args:
        path: of the file.
        cases: ids of the dataset; the file need not answer all.

    Raises:
        AnswersMistake: it cannot be read, a line is no answer, or answers no case of the dataset.
    """
    found: dict[str, Json] = {}
    first: dict[str, int] = {}
    for number, line in enumerate(_bytes(path).removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            case, output = _answer(line)
        except NotACase as problem:
            raise _mistake(path, number, problem.message, problem.why) from None
        if case in found:
            raise _mistake(path, number, f"line {first[case]} answers case {shown(case)} already")
        found[case], first[case] = output, number
    known = tuple(cases)
    if found.keys().isdisjoint(known):
        raise AnswersMistake(
            f"{path.name} answers no case of the dataset",
            why=f"ids of the dataset are like {shown(known[0])}; without an id, a case is called "
            "by its number",
            fix=(EXAMPLE.replace("a-17", known[0]),),
        )
    if strange := [case for case in found if case not in set(known)]:
        raise _strange(path, {case: first[case] for case in strange}, known)
    return FromFile(path.name, found)


def _strange(path: Path, lines: Mapping[str, int], known: tuple[str, ...]) -> AnswersMistake:
    """Return what to say of answers to cases that the dataset does not have, by their lines."""
    told = [f"line {line}: {shown(case)}" for case, line in lines.items()]
    more = f" and {len(told) - TOLD:,} more" if len(told) > TOLD else ""
    case, line = next(iter(lines.items()))
    near = difflib.get_close_matches(case, known, n=1)
    return AnswersMistake(
        f"{path.name}:{line}: the dataset has no case {shown(case)}",
        why=f"an id that was mistyped would leave its case without an answer, unseen;"
        f" {', '.join(told[:TOLD])}{more}",
        fix=(
            *([EXAMPLE.replace("a-17", near[0])] if near else []),
            f"remove {'the line' if len(told) == 1 else 'these lines'}",
        ),
    )


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise AnswersMistake(f"{path.name} cannot be read", why=str(error)) from None
    if len(data) > LARGEST:
        raise AnswersMistake(f"{path.name} is larger than {LARGEST >> 20} MiB")
    return data


def _answer(line: bytes) -> tuple[str, Json]:
    """Return the id and the output that a line holds.

    Raises:
        NotACase: it is no answer.
    """
    try:
        value = json_of(line.decode())
    except UnicodeDecodeError:
        raise NotACase("not UTF-8", why="JSON is written in UTF-8") from None
    check_keepable(value)
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise NotACase("not an object of id and output", why="it takes exactly these two")
    return label_of(value, "id"), value["output"]


def _mistake(path: Path, line: int, message: str, why: str = "") -> AnswersMistake:
    return AnswersMistake(f"{path.name}:{line}: {message}", why=why, fix=(EXAMPLE,))
