"""Dataset files of spreadsheets: a head that names fields of a case, and a case a row."""

from __future__ import annotations

import csv
from functools import partial
from typing import TYPE_CHECKING

from proveout.domain.duration import shown
from proveout.faces.dataset_case import FIELDS, LONGEST_LINE, NotACase, check_keepable, json_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from proveout.domain.case import Json

DELIMITERS = ",;\t"
"""What may stand between cells: the first of them that the head holds."""

AS_JSON = ":json"
"""Ends the name of a column whose cells are JSON and not text."""

NESTED = ("input", "expected")
"""Fields that columns such as `input.subject` may make together."""

TAG_SEPARATOR = "|"


def cases(path: Path) -> Iterator[tuple[int, Callable[[], dict[str, Json]]]]:
    """Yield the line at which each row begins, and what reads it as a case's object.

    A column is a field of a case. `input.NAME` and `expected.NAME` make an object together, and
    `:json` at the end says that its cells are JSON; every other cell is a text, so that an order
    number keeps its zeros. An empty cell says nothing. Tags stand in one cell, between `|`.

    Raises:
        OSError, UnicodeDecodeError: the file cannot be read, or is not UTF-8.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline(LONGEST_LINE)
        file.seek(0)
        delimiter = next((one for one in DELIMITERS if one in first), DELIMITERS[0])
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        csv.field_size_limit(LONGEST_LINE)
        head: list[str] | None = None
        begins = 1
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield begins, partial(_refuse, f"not valid CSV: {error}")
                return
            if head is None:
                head = [name.strip() for name in row]
                if (fault := _fault(head)) is not None:
                    yield begins, partial(_refuse, fault, why=_COLUMNS, fix="input,expected")
                    return
            elif any(cell.strip() for cell in row):
                yield begins, partial(_object, head, row)
            begins = rows.line_num + 1


_COLUMNS = (
    "the first line names the columns: input or input.NAME, expected or expected.NAME, id, "
    f"cluster, tags; with {AS_JSON} at the end the cells are JSON"
)


def _refuse(message: str, why: str = "", fix: str = "") -> dict[str, Json]:
    raise NotACase(message, why=why, fix=fix)


def _fault(head: list[str]) -> str | None:
    """Return what is wrong with the names of the columns, or None."""
    names = [name.removesuffix(AS_JSON) for name in head]
    for name in names:
        field, _, inner = name.partition(".")
        if field not in FIELDS or ("." in name and (field not in NESTED or not inner)):
            return f"no column is called {shown(name)}"
        if names.count(name) > 1:
            return f"two columns are called {shown(name)}"
        if inner and field in names:
            return f"{field} is one column, or {field}.NAME several, not both"
    return None


def _object(head: list[str], row: list[str]) -> dict[str, Json]:
    """Return what a row says of a case."""
    if len(row) != len(head):
        raise NotACase(
            f"{len(row)} cells under {len(head)} columns",
            why="a cell that holds a separator or a line break stands in double quotes",
            fix='"Hello, world",greeting',
        )
    found: dict[str, Json] = {}
    for column, cell in zip(head, row, strict=True):
        if cell:
            _put(found, column, cell)
    check_keepable(found)
    return found


def _json(name: str, cell: str) -> Json:
    try:
        return json_of(cell)
    except NotACase as problem:
        why = f"the name of its column ends with {AS_JSON}; texts are quoted in JSON"
        raise NotACase(f"{name}: {problem.message}", why=why, fix=problem.fix) from None


def _put(found: dict[str, Json], column: str, cell: str) -> None:
    name = column.removesuffix(AS_JSON)
    value: Json = cell if column == name else _json(name, cell)
    if name == "tags" and isinstance(value, str):
        found[name] = [tag.strip() for tag in value.split(TAG_SEPARATOR) if tag.strip()]
        return
    field, _, inner = name.partition(".")
    if not inner:
        found[name] = value
        return
    nested = found.setdefault(field, {})
    if isinstance(nested, dict):
        nested[inner] = value
