"""Dataset files: JSON Lines or CSV, one case a line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from proveout.domain.case import Case, Dataset
from proveout.domain.duration import shown
from proveout.errors import Mistake
from proveout.faces import dataset_csv
from proveout.faces.dataset_case import (
    EXAMPLE,
    LONGEST_LINE,
    NotACase,
    canonical,
    case_of,
    object_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from proveout.domain.case import Json


MOST_MISTAKES = 5
"""Mistakes that are told at once."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class DatasetMistake(Mistake):
    """A dataset file holds something that is not a case; mend the lines.

    Attributes:
        file: the file that was read.
        lines: the lines to mend, from 1; empty where no line is to blame.
    """

    code = "dataset"

    def __init__(
        self,
        message: str,
        *,
        file: Path,
        lines: tuple[int, ...] = (),
        why: str = "",
        fix: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, why=why, fix=fix)
        self.file = file
        self.lines = lines


def load(path: Path) -> Dataset:
    """Return the cases of the file at `path`, in its order.

    A case without an id is called by its number among the cases, so that blank lines change
    neither ids nor digest.

    Raises:
        DatasetMistake: the file cannot be read or holds no case; or lines of it are not
            cases, of which the first few are named at once.
    """
    reading = _Reading()
    try:
        _refuse_what_is_no_file(path)
        for number, read in _cases(path):
            reading.take(number, read)
            if len(reading.mistakes) == MOST_MISTAKES:
                break
    except (OSError, ValueError) as error:
        if isinstance(error, DatasetMistake):
            raise
        raise DatasetMistake(f"{path.name}: cannot be read", file=path, why=str(error)) from None
    if reading.mistakes:
        raise _all_at_once(path, reading.mistakes)
    if not reading.cases:
        raise DatasetMistake(
            f"{path.name}: holds no case", file=path, why="there is nothing to try", fix=(EXAMPLE,)
        )
    cases = tuple(reading.cases)
    return Dataset(name=path.stem, digest=digest_of(cases), cases=cases)


def digest_of(cases: Iterable[Case]) -> str:
    """Return the hexadecimal SHA-256 over what the cases say, in their order.

    It is taken over one line of canonical JSON for each case: keys sorted, no blanks, UTF-8.
    """
    digest = hashlib.sha256()
    for case in cases:
        said = {
            "id": case.id,
            "input": case.value,
            "expected": case.expected,
            "cluster": case.cluster,
            "tags": case.tags,
        }
        digest.update(canonical(said))
        digest.update(b"\n")
    return digest.hexdigest()


def _refuse_what_is_no_file(path: Path) -> None:
    if path.is_file():
        return
    what = "a folder, not a file" if path.is_dir() else "no such file"
    raise DatasetMistake(
        f"{path.name or path}: {what}",
        file=path,
        why=f"nothing readable stands at {shown(str(path))}",
        fix=(
            f"write one case a line: {EXAMPLE}",
            "proveout init NAME makes a folder with a dataset that runs at once",
        ),
    )


def _cases(path: Path) -> Iterator[tuple[int, Callable[[], dict[str, Json]]]]:
    """Yield the line at which each case begins, and what reads it as an object."""
    if path.suffix.lower() == ".csv":
        yield from dataset_csv.cases(path)
    else:
        for number, line in _lines(path):
            yield number, partial(object_of, line)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, each cut just after it is too long."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE + 2):
            number += 1
            rest = line
            while not rest.endswith(b"\n") and (rest := file.readline(LONGEST_LINE)):
                pass
            if number == 1:
                line = line.removeprefix(_BYTE_ORDER_MARK)
            if line.strip():
                yield number, line.rstrip(b"\r\n")


def _all_at_once(path: Path, mistakes: list[_LineMistake]) -> DatasetMistake:
    lines = [f"{path.name}:{each.line}: {each.message}" for each in mistakes]
    if len(mistakes) == MOST_MISTAKES:
        lines.append(f"{path.name}: not read past the first {MOST_MISTAKES} mistakes")
    return DatasetMistake(
        "\n".join(lines),
        file=path,
        lines=tuple(each.line for each in mistakes),
        why=mistakes[0].why,
        fix=tuple(dict.fromkeys(each.fix for each in mistakes if each.fix)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _LineMistake:
    line: int
    message: str
    why: str
    fix: str


@dataclass(slots=True)
class _Reading:
    """What was found so far; a line that is not a case counts as one, to keep the numbers."""

    cases: list[Case] = field(default_factory=list[Case])
    mistakes: list[_LineMistake] = field(default_factory=list[_LineMistake])
    count: int = 0
    line_of: dict[str, int] = field(default_factory=dict[str, int])

    def take(self, number: int, read: Callable[[], dict[str, Json]]) -> None:
        self.count += 1
        try:
            case = case_of(read(), default_id=str(self.count))
            self._refuse_taken(case.id, number)
        except NotACase as problem:
            self.mistakes.append(
                _LineMistake(line=number, message=problem.message, why=problem.why, fix=problem.fix)
            )
        else:
            self.cases.append(case)

    def _refuse_taken(self, name: str, number: int) -> None:
        first = self.line_of.setdefault(name, number)
        if first != number:
            raise NotACase(
                f"its id {shown(name)} is that of line {first}",
                why="an id names one case; a case without an id is called by its number",
                fix='"id": "another"',
            )
