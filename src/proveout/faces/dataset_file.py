"""Dataset files: JSON Lines, one case a line."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from proveout.domain.case import Case, Dataset
from proveout.domain.duration import shown
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import NoReturn

    from proveout.domain.case import Json

LONGEST_LINE = 1024 * 1024
"""Bytes that one case may have."""

DEEPEST = 100
"""Lists and objects that may stand inside one another."""

MOST_MISTAKES = 5
"""Mistakes that are told at once."""

FIELDS = ("input", "expected", "id", "cluster", "tags")

_LONGEST_ID = 200
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EXAMPLE = '{"input": "Where is my parcel?", "expected": "shipping"}'


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
        for number, line in _lines(path):
            reading.take(number, line)
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
            f"{path.name}: holds no case", file=path, why="there is nothing to try", fix=(_EXAMPLE,)
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
        digest.update(_canonical(said))
        digest.update(b"\n")
    return digest.hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _refuse_what_is_no_file(path: Path) -> None:
    if path.is_file():
        return
    what = "a folder, not a file" if path.is_dir() else "no such file"
    raise DatasetMistake(
        f"{path.name or path}: {what}",
        file=path,
        why=f"nothing readable stands at {shown(str(path))}",
        fix=(
            f"write one case a line: {_EXAMPLE}",
            "proveout init NAME makes a folder with a dataset that runs at once",
        ),
    )


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


# One line


class _NotACase(Exception):
    """The line says something that a case cannot say."""

    def __init__(self, message: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.fix = fix


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

    def take(self, number: int, line: bytes) -> None:
        self.count += 1
        try:
            case = _case(_object(line), default_id=str(self.count))
            self._refuse_taken(case.id, number)
        except _NotACase as problem:
            self.mistakes.append(
                _LineMistake(line=number, message=problem.message, why=problem.why, fix=problem.fix)
            )
        else:
            self.cases.append(case)

    def _refuse_taken(self, name: str, number: int) -> None:
        first = self.line_of.setdefault(name, number)
        if first != number:
            raise _NotACase(
                f"its id {shown(name)} is that of line {first}",
                why="an id names one case; a case without an id is called by its number",
                fix='"id": "another"',
            )


def _object(line: bytes) -> dict[str, Json]:
    if len(line) > LONGEST_LINE:
        raise _NotACase(
            "longer than 1 MiB", why="a case is kept, shown and sent to a model", fix="shorten it"
        )
    value = _json(_text(line))
    if not isinstance(value, dict):
        raise _NotACase(
            f"a case is an object, not {_kind(value)}",
            why="a dataset is JSON Lines: one object a line, without commas or brackets around",
            fix=_EXAMPLE,
        )
    _refuse_deep(value)
    try:
        _canonical(value)
    except UnicodeEncodeError:
        raise _NotACase(
            "a character is cut in half (a lone surrogate)",
            why="half of a \\ud83d\\ude00 pair is no character and cannot be stored",
            fix="remove the half, or write the whole character",
        ) from None
    return value


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise _NotACase(
            f"not UTF-8 at byte {error.start + 1}",
            why="JSON is written in UTF-8",
            fix="save the file as UTF-8",
        ) from None


def _json(text: str) -> Json:
    try:
        return json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_unambiguous,
        )
    except json.JSONDecodeError as error:
        raise _NotACase(
            f"not valid JSON: {error.msg} at column {error.colno}",
            why="a dataset is JSON Lines: one object a line",
            fix=_EXAMPLE,
        ) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise _NotACase("a number has too many digits", fix="write it as text") from None


def _refuse_constant(name: str) -> NoReturn:
    raise _NotACase(
        f"not valid JSON: {name} is no number of JSON",
        why="NaN and infinity compare with nothing",
        fix="null",
    )


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _NotACase(f"the number {shown(text)} is too large", fix="write it as text")
    return number


def _unambiguous(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotACase(
            f"the key {shown(twice)} stands twice in one object",
            why="readers differ in which of the two they take",
            fix="remove one",
        )
    return found


def _refuse_deep(value: Json) -> None:
    level: list[Json] = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise _too_deep()


def _inside(value: Json) -> Iterable[Json]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()


def _too_deep() -> _NotACase:
    return _NotACase(
        f"nested more than {DEEPEST} deep", why="no model is asked that", fix="flatten it"
    )


# One case


def _case(found: dict[str, Json], *, default_id: str) -> Case:
    for name in found:
        if name not in FIELDS:
            raise _unknown(name)
    if "input" not in found:
        raise _NotACase("input is missing", why="a case is an input", fix=_EXAMPLE)
    return Case(
        id=_label(found, "id") if "id" in found else default_id,
        value=found["input"],
        expected=found.get("expected"),
        cluster=_label(found, "cluster") if found.get("cluster") is not None else "",
        tags=_tags(found),
    )


def _unknown(name: str) -> _NotACase:
    near = difflib.get_close_matches(name.lower(), FIELDS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return _NotACase(
        f"a case has no field {shown(name)}{hint}",
        why=f"it takes {', '.join(FIELDS)}",
        fix=f'"{near[0]}"' if near else f"move {shown(name)} into input or tags",
    )


def _label(found: dict[str, Json], name: str) -> str:
    value = found[name]
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise _NotACase(f"{name} must be a text, not {_kind(value)}", fix=f'"{name}": "a-17"')
    if not text.strip() or len(text) > _LONGEST_ID or not text.isprintable():
        raise _NotACase(
            f"{shown(text)} cannot be the {name} of a case",
            why=f"it takes 1 to {_LONGEST_ID} characters that print",
            fix=f'"{name}": "a-17"',
        )
    return text


def _tags(found: dict[str, Json]) -> tuple[str, ...]:
    tags = found.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise _NotACase(
            "tags must be a list of texts", why="tags name slices", fix='"tags": ["refund"]'
        )
    return tuple(cast("list[str]", tags))


def _kind(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "a number"
