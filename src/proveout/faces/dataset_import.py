"""Cases out of the files of other evaluation tools, one function for each form.

What a case can say comes along: input, right answer, id, and simple metadata as tags. How an
answer is judged does not; that is a score, and is named where it is left behind.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, cast

from proveout.faces.dataset_case import (
    LONGEST_LINE,
    NotACase,
    case_of,
    check_keepable,
    json_of,
)
from proveout.faces.dataset_file import MOST_MISTAKES, DatasetMistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from proveout.domain.case import Json

LARGEST = 256 * 1024 * 1024
"""Bytes that a file may have."""

MOST_NODES = 200_000
"""Values inside one case; aliases of YAML can stand for more than any file holds."""

Object: TypeAlias = "dict[str, Json]"
Form: TypeAlias = "Callable[[Object, Imported], Object | None]"
"""Makes a case's object of one of theirs; None where it is none to try."""


@dataclass(slots=True)
class Imported:
    """What came of a file.

    Attributes:
        form: the tool that wrote it.
        cases: the objects of the cases, each fit for a line of a dataset.
        left: what was left behind, with how often.
    """

    form: str
    cases: list[Object] = field(default_factory=list["Object"])
    left: Counter[str] = field(default_factory=Counter[str])


def read(path: Path, form: str | None = None) -> Imported:
    """Return the cases of a file of JSON, JSON Lines or YAML.

    Args:
        path: the file.
        form: one of `FORMS`; None to tell by what its records hold.

    Raises:
        DatasetMistake: it cannot be read, is of no known form, or holds what is no case.
    """
    try:
        whole = _parsed(path)
        records = _records(whole, path)
        imported = Imported(form or _form_of(records))
        mistakes = list(_taken(records, imported))
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetMistake(f"{path.name}: cannot be read", file=path, why=str(error)) from None
    except NotACase as problem:
        raise _mistake(path, problem.message, problem) from None
    if mistakes:
        told = [f"{path.name}: record {number}: {one.message}" for number, one in mistakes]
        raise _mistake(path, "\n".join(told[:MOST_MISTAKES]), mistakes[0][1], bare=True)
    if not imported.cases:
        raise DatasetMistake(f"{path.name}: holds no case", file=path)
    return imported


def _mistake(path: Path, told: str, problem: NotACase, *, bare: bool = False) -> DatasetMistake:
    message = told if bare else f"{path.name}: {told}"
    return DatasetMistake(
        message, file=path, why=problem.why, fix=(problem.fix,) if problem.fix else ()
    )


# Files


def _parsed(path: Path) -> Json:
    """Return what a file says, its lines as a list where each of them is JSON."""
    if path.stat().st_size > LARGEST:
        raise NotACase("larger than 256 MiB", fix="split it")
    text = path.read_text("utf-8-sig")
    if path.suffix.lower() in {".yaml", ".yml"}:
        return _yaml(text)
    lines = [line for line in text.splitlines() if line.strip()]
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        return [json_of(line) for line in lines]
    return json_of(text)


def _yaml(text: str) -> Json:
    try:
        import yaml  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError:
        raise NotACase(
            "reading YAML takes the package PyYAML",
            why="it is not among what Proveout needs everywhere",
            fix="pip install 'proveout[yaml]'",
        ) from None
    try:
        return cast("Json", yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise NotACase(f"not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise NotACase("nested too deep") from None


def _records(whole: Json, path: Path) -> list[Object]:
    """Return the records of a file: the list that it is, or the one that it holds."""
    shared: Object = {}
    if isinstance(whole, dict):
        home = next((name for name in ("tests", "cases", "data", "items") if name in whole), None)
        if home is None:
            whole = [whole]
        else:
            default = whole.get("defaultTest")
            shared = default if isinstance(default, dict) else {}
            whole = whole[home]
    if isinstance(whole, str):
        raise NotACase(
            f"its tests stand in another file: {whole}",
            fix=f"proveout dataset import {path.parent / whole.removeprefix('file://')}",
        )
    if not isinstance(whole, list):
        raise NotACase("it holds no list of records")
    found: list[Object] = []
    for number, record in enumerate(whole, 1):
        if not isinstance(record, dict):
            raise NotACase(f"record {number} is no object")
        found.append(_on_top_of(shared, record))
    return found


def _on_top_of(shared: Object, record: Object) -> Object:
    """Return a record of promptfoo with what its `defaultTest` says of all."""
    merged: Object = {**shared, **record}
    for name in ("vars", "metadata"):
        above, below = record.get(name), shared.get(name)
        if isinstance(above, dict) and isinstance(below, dict):
            merged[name] = {**below, **above}
    return merged


def _form_of(records: list[Object]) -> str:
    """Return the form of records by a key that only that form has."""
    names = set[str]().union(*(record.keys() for record in records))
    found = next((form for form, (marks, _) in FORMS.items() if names & marks), None)
    if found is None:
        raise NotACase(
            "the form cannot be told from what it holds",
            why=f"known forms are {', '.join(FORMS)}",
            fix="proveout dataset import FILE --from promptfoo",
        )
    return found


# Records


def _taken(records: list[Object], imported: Imported) -> Iterator[tuple[int, NotACase]]:
    """Take one record after the other; yield what is wrong with those that are no case."""
    _, make = FORMS[imported.form]
    ids: set[str] = set()
    for number, record in enumerate(records, 1):
        try:
            _refuse_huge(record)
            made = make(record, imported)
            if made is None:
                continue
            if "id" in made and str(made["id"]) in ids:
                del made["id"]
                imported.left["id that another record has, too"] += 1
            elif "id" in made:
                ids.add(str(made["id"]))
            _check(made, str(number))
        except NotACase as problem:
            yield number, problem
        else:
            imported.cases.append(made)


def _check(made: Object, default_id: str) -> None:
    """Leave quietly when an object can be a line of a dataset."""
    try:
        check_keepable(made)
        length = len(json.dumps(made, ensure_ascii=False).encode())
    except (TypeError, ValueError) as error:
        why = "YAML reads some unquoted texts as dates or numbers"
        raise NotACase(f"it is no JSON: {error}", why=why, fix="put it in quotes") from None
    if length > LONGEST_LINE:
        raise NotACase("longer than 1 MiB", fix="shorten it")
    case_of(made, default_id=default_id)


def _refuse_huge(record: Json) -> None:
    open_ones: list[Json] = [record]
    for _ in range(MOST_NODES):
        if not open_ones:
            return
        one = open_ones.pop()
        if isinstance(one, dict):
            open_ones.extend(one.values())
        elif isinstance(one, list):
            open_ones.extend(one)
    raise NotACase(f"it holds more than {MOST_NODES:,} values")


def _of_promptfoo(record: Object, imported: Imported) -> Object:
    """`vars` are the input; `assert` gives the right answer where it names one."""
    found = _with_tags(record.get("metadata"))
    found["input"] = record.get("vars", {})
    asserts = record.get("assert", [])
    expected: list[Json] = []
    for one in asserts if isinstance(asserts, list) else []:
        kind = one.get("type") if isinstance(one, dict) else None
        if isinstance(one, dict) and kind in {"equals", "contains", "icontains"} and "value" in one:
            expected.append(one["value"])
        else:
            imported.left[f"assert of type {kind}"] += 1
    if expected:
        found["expected"] = expected[0] if len(expected) == 1 else expected
    return found


def _of_inspect(record: Object, _: Imported) -> Object:
    """`target` is the right answer; choices belong to the input."""
    found = _with_tags(record.get("metadata"))
    if (name := record.get("id")) is not None:
        found["id"] = name
    asked = record.get("input")
    choices = record.get("choices")
    found["input"] = {"input": asked, "choices": choices} if choices else asked
    found["expected"] = record.get("target")
    return found


def _of_pydantic_evals(record: Object, imported: Imported) -> Object:
    """`inputs` and `expected_output`, under the name of the case."""
    found = _with_tags(record.get("metadata"))
    if (name := record.get("name")) is not None:
        found["id"] = name
    found["input"] = record.get("inputs")
    found["expected"] = record.get("expected_output")
    if record.get("evaluators"):
        imported.left["evaluators of a case"] += 1
    return found


def _of_langfuse(record: Object, imported: Imported) -> Object | None:
    """`input` and `expectedOutput`; what was archived there is not tried here."""
    if record.get("status") == "ARCHIVED":
        imported.left["archived item"] += 1
        return None
    found = _with_tags(record.get("metadata"))
    if (name := record.get("id")) is not None:
        found["id"] = name
    found["input"] = record.get("input")
    found["expected"] = record.get("expectedOutput")
    return found


def _with_tags(metadata: Json) -> Object:
    """Return the beginning of a case: metadata whose values are simple, as tags."""
    if not isinstance(metadata, dict):
        return {}
    simple = {
        name: value
        for name, value in metadata.items()
        if isinstance(value, str | int | float) and len(str(value)) <= _LONGEST_TAG
    }
    return {"tags": [f"{name}={value}" for name, value in simple.items()]} if simple else {}


_LONGEST_TAG = 60

FORMS: dict[str, tuple[frozenset[str], Form]] = {
    "promptfoo": (frozenset({"vars", "assert"}), _of_promptfoo),
    "pydantic-evals": (frozenset({"inputs", "expected_output"}), _of_pydantic_evals),
    "langfuse": (frozenset({"expectedOutput", "datasetId", "datasetName"}), _of_langfuse),
    "inspect": (frozenset({"target", "choices"}), _of_inspect),
}
"""The keys that tell each form, and what reads its records."""
