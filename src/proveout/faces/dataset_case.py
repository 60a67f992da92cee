"""One case of a dataset: what it may hold, and what is said where it does not."""

from __future__ import annotations

import difflib
import json
import math
from typing import TYPE_CHECKING, cast

from proveout.domain.case import Case
from proveout.domain.duration import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn

    from proveout.domain.case import Json

FIELDS = ("input", "expected", "id", "cluster", "tags")

PROVENANCE = "provenance"
"""Says where a case comes from, to people: no part of the case, nor of its dataset's digest."""

DEEPEST = 100
"""Lists and objects that may stand inside one another."""

LONGEST_LINE = 1024 * 1024
"""Bytes that one case may have."""

EXAMPLE = '{"input": "Where is my parcel?", "expected": "shipping"}'

_LONGEST_ID = 200


class NotACase(Exception):
    """The line says something that a case cannot say."""

    def __init__(self, message: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.fix = fix


def object_of(line: bytes) -> dict[str, Json]:
    """Return the object that one line of JSON is.

    Raises:
        NotACase: it is too long, no object, or holds what cannot be kept.
    """
    if len(line) > LONGEST_LINE:
        raise NotACase(
            "longer than 1 MiB", why="a case is kept, shown and sent to a model", fix="shorten it"
        )
    value = json_of(_text(line))
    if not isinstance(value, dict):
        raise NotACase(
            f"a case is an object, not {_kind(value)}",
            why="a dataset is JSON Lines: one object a line, without commas or brackets around",
            fix=EXAMPLE,
        )
    check_keepable(value)
    return value


def check_keepable(value: Json) -> None:
    """Leave quietly when the value can be kept, shown and sent.

    Raises:
        NotACase: it is nested too deep, or a character is cut in half.
    """
    _refuse_deep(value)
    try:
        canonical(value)
    except UnicodeEncodeError:
        raise NotACase(
            "a character is cut in half (a lone surrogate)",
            why="half of a \\ud83d\\ude00 pair is no character and cannot be stored",
            fix="remove the half, or write the whole character",
        ) from None


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise NotACase(
            f"not UTF-8 at byte {error.start + 1}",
            why="JSON is written in UTF-8",
            fix="save the file as UTF-8",
        ) from None


def json_of(text: str) -> Json:
    """Return the value that a text of JSON is, with numbers that are finite and keys that differ.

    Raises:
        NotACase: it is no such JSON.
    """
    try:
        return json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_unambiguous,
        )
    except json.JSONDecodeError as error:
        raise NotACase(
            f"not valid JSON: {error.msg} at column {error.colno}",
            why="a dataset is JSON Lines: one object a line",
            fix=EXAMPLE,
        ) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise NotACase("a number has too many digits", fix="write it as text") from None


def _refuse_constant(name: str) -> NoReturn:
    raise NotACase(
        f"not valid JSON: {name} is no number of JSON",
        why="NaN and infinity compare with nothing",
        fix="null",
    )


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotACase(f"the number {shown(text)} is too large", fix="write it as text")
    return number


def _unambiguous(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotACase(
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


def _too_deep() -> NotACase:
    return NotACase(
        f"nested more than {DEEPEST} deep", why="no model is asked that", fix="flatten it"
    )


def case_of(found: dict[str, Json], *, default_id: str) -> Case:
    """Return the case that an object is.

    Raises:
        NotACase: a field is unknown, missing or of another kind.
    """
    for name, value in found.items():
        if name not in FIELDS and not (name == PROVENANCE and isinstance(value, dict)):
            raise _unknown(name)
    if "input" not in found:
        raise NotACase("input is missing", why="a case is an input", fix=EXAMPLE)
    return Case(
        id=label_of(found, "id") if "id" in found else default_id,
        value=found["input"],
        expected=found.get("expected"),
        cluster=label_of(found, "cluster") if found.get("cluster") is not None else "",
        tags=_tags(found),
    )


def _unknown(name: str) -> NotACase:
    near = difflib.get_close_matches(name.lower(), FIELDS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return NotACase(
        f"a case has no field {shown(name)}{hint}",
        why=f"it takes {', '.join(FIELDS)}",
        fix=f'"{near[0]}"' if near else f"move {shown(name)} into input or tags",
    )


def label_of(found: dict[str, Json], name: str) -> str:
    """Return the text, or the whole number as a text, by which a field names something.

    Raises:
        NotACase: it is neither, or cannot be shown on a line.
    """
    value = found[name]
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise NotACase(f"{name} must be a text, not {_kind(value)}", fix=f'"{name}": "a-17"')
    if not text.strip() or len(text) > _LONGEST_ID or not text.isprintable():
        raise NotACase(
            f"{shown(text)} cannot be the {name} of a case",
            why=f"it takes 1 to {_LONGEST_ID} characters that print",
            fix=f'"{name}": "a-17"',
        )
    return text


def _tags(found: dict[str, Json]) -> tuple[str, ...]:
    tags = found.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise NotACase(
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


def canonical(value: object) -> bytes:
    """Return a value as JSON that depends on nothing but it: keys sorted, no blanks, UTF-8."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()
