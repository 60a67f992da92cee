"""The table of keys: loader, schema and docs say the same."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, cast

import pytest

from proveout.faces import settings
from proveout.faces.keys.criterion import CRITERION
from proveout.faces.keys.production import SYNTHETIC
from proveout.faces.keys.prove import ANSWERS_BY, BASELINE, CANDIDATE, PROVE, WORTH
from proveout.faces.keys.root import ROOT, every_table
from proveout.faces.keys.workflow import WORKFLOW
from proveout.faces.settings_reader import SettingsMistake
from proveout.faces.settings_schema import json_schema, settings_table

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.faces.keys.key import Key, Table
    from proveout.faces.settings_schema import Schema

TABLES = {table.title: table for table in every_table()}
EVERY_KEY = [
    pytest.param(table, key, id=f"{table.title} {key.name}")
    for table in TABLES.values()
    for key in table.keys
]
IMPOSSIBLE = "1979-05-27"
"""A value that no key takes."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "cases.jsonl").write_text('{"input": 1}\n')
    (tmp_path / "answers.jsonl").write_text('{"id": "1", "output": 1}\n')
    (tmp_path / "RUNBOOK.md").write_text("# When it breaks\n")
    return tmp_path / "proveout.toml"


def document(table: Table, key: Key, value: str) -> str:
    """Return a file that gives `key` that value, and else only what the two of them need."""
    prices = {"price_per_call": '"0 USD"', "cap_per_call": '"0.05 USD"'}
    sections = {
        ROOT.title: {},
        WORKFLOW.title: required(WORKFLOW),
        PROVE.title: required(PROVE) | prices,
    }
    if key.name == "lead_over":
        sections[PROVE.title] |= {one: PROVE.key(one).example for one in ("candidates", "worth")}
    if table is SYNTHETIC or key.name == "synthetic":
        probe = '[{ name = "probe", cron = "*/15 * * * *" }]'
        sections[WORKFLOW.title] |= {"schedules": probe}
    if table is BASELINE:
        sections[WORTH.title] = required(WORTH)
    if table is ROOT:
        sections.pop(f"[{key.name}]", None)
    else:
        sections.setdefault(table.title, required(table))
        sections.get(PROVE.title, {}).pop(table.title.strip("[]").rpartition(".")[2], None)
    sections[table.title] |= beside(table, key) | {key.name: value}
    return "".join(written(title, pairs) for title, pairs in sections.items())


def required(table: Table) -> dict[str, str]:
    return {key.name: key.example for key in table.keys if key.required}


def beside(table: Table, key: Key) -> dict[str, str]:
    """Return what else a table holds or, where it is "", does not hold beside `key`."""
    if table is CANDIDATE:
        is_whole = key.name in ANSWERS_BY or not key.is_supported
        return {} if is_whole else {"url": '"https://localhost/answer"'}
    if table is not CRITERION:
        return {}
    graded = {"score": '"tone"', "low": "0", "high": "5"}
    usual = {"score": '"exact"', "floor": "0.85"}
    return usual | {
        "latency": {"score": ""},
        "cost": {"score": "", "floor": "", "ceiling": "0.04", "target": "0.01"},
        "ceiling": {"floor": "", "target": "0.001"},
        "low": graded,
        "high": graded,
        "variance_guess": graded,
        "judge": {"score": '"tone"'},
        "labels": {"score": '"tone"', "judge": "true"},
        "fields": {"score": '"fields"'},
        "choices": {"score": '"choice"'},
        "tolerance": {"score": '"number"'},
        "pattern": {"score": '"pattern"'},
    }.get(key.name, {})


def written(title: str, pairs: dict[str, str]) -> str:
    lines = [f"{name} = {value}" for name, value in pairs.items() if value]
    name = "workflow" if title.startswith("[choice") else "vendor"  # a candidate that there is
    opening = [] if title == ROOT.title else [title.replace("NAME", name)]
    return "".join(f"{line}\n" for line in opening + lines)


@pytest.mark.parametrize(("table", "key"), EVERY_KEY)
def test_every_example_is_taken_by_loader_and_schema(table: Table, key: Key, file: Path) -> None:
    """What the docs show as an example can be pasted; what is not supported yet says so."""
    text = document(table, key, key.example)
    file.write_text(text)

    if key.is_supported:
        settings.load(file)
        assert problems(json_schema(), tomllib.loads(text)) == []
    else:
        with pytest.raises(SettingsMistake, match="not supported in this version"):
            settings.load(file)
        assert problems(json_schema(), tomllib.loads(text))


@pytest.mark.parametrize(("table", "key"), EVERY_KEY)
def test_every_key_of_the_table_is_read(table: Table, key: Key, file: Path) -> None:
    """No key is accepted and ignored: a value it cannot have is refused, on its line."""
    text = document(table, key, IMPOSSIBLE)
    file.write_text(text)

    with pytest.raises(SettingsMistake) as caught:
        settings.load(file)

    assert caught.value.line == text[: text.index(IMPOSSIBLE)].count("\n") + 1
    assert problems(json_schema(), tomllib.loads(text))


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_no_other_key_is_taken(table: Table, file: Path) -> None:
    """Loader and schema refuse the same strangers."""
    known = table.keys[0]
    text = document(table, known, f"{known.example}\nstranger = 1")
    file.write_text(text)

    with pytest.raises(SettingsMistake, match='has no key "stranger"'):
        settings.load(file)
    assert problems(json_schema(), tomllib.loads(text))


def test_the_table_of_settings_names_every_key_once() -> None:
    """One row a key, none without a meaning, required ones marked."""
    rows = settings_table()
    keys = [row.key for row in rows]

    assert len(keys) == len(set(keys)) == sum(len(table.keys) for table in every_table())
    assert all(row.meaning.endswith(".") for row in rows)
    assert {row.key for row in rows if row.default == "required" and row.key.count(".") < 2} == {
        "workflow",
        "workflow.name",
        "workflow.entry",
        "prove.dataset",
        "prove.time_box",
        "prove.budget",
        "prove.criteria",
    }


def test_the_schema_is_json() -> None:
    schema = json.loads(json.dumps(json_schema()))

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["properties"]) == {
        *("workflow", "prove", "production", "sources", "channels", "models", "choice"),
        *("access", "telemetry", "review", "groups"),
    }
    assert problems(schema, {}) != []


# Enough of a JSON Schema validator for the words that our schema uses


def problems(schema: Schema, value: object, path: str = "$") -> list[str]:
    """Return what is wrong with `value`, as far as `schema` can see."""
    known = {"$schema", "title", "description", *CHECKS}
    assert set(schema) <= known, f"unchecked: {set(schema) - known}"
    return [
        found
        for word, check in CHECKS.items()
        if word in schema
        for found in check(schema, value, path)
    ]


def type_problems(schema: Schema, value: object, path: str) -> list[str]:
    python = {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
    }
    named = cast("str | list[str]", schema["type"])
    kinds = [named] if isinstance(named, str) else named
    return [] if any(python[kind] for kind in kinds) else [f"{path}: not {named}"]


def object_problems(schema: Schema, value: object, path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    pairs = cast("dict[str, object]", value)
    inner = cast("dict[str, Schema]", schema.get("properties", {}))
    other = cast("Schema | bool", schema["additionalProperties"])
    found = [
        f"{path}: no {n}" for n in cast("list[str]", schema.get("required", [])) if n not in pairs
    ]
    for name, each in pairs.items():
        found += problems(cast("Schema", schema.get("propertyNames", {})), name, path)
        if name in inner:
            found += problems(inner[name], each, f"{path}.{name}")
        elif isinstance(other, bool):
            found += [f"{path}: stranger {name}"]
        else:
            found += problems(other, each, f"{path}.{name}")
    return found


def required_problems(schema: Schema, value: object, path: str) -> list[str]:
    names = cast("list[str]", schema["required"])
    if not isinstance(value, dict):
        return []
    return [f"{path}: no {name}" for name in names if name not in value]


def array_problems(schema: Schema, value: object, path: str) -> list[str]:
    if not isinstance(value, list):
        return []
    items = cast("list[object]", value)
    found = [f"{path}: too few"] if len(items) < cast("int", schema.get("minItems", 0)) else []
    for at, each in enumerate(items):
        found += problems(cast("Schema", schema["items"]), each, f"{path}[{at}]")
    return found


def scalar_problems(schema: Schema, value: object, path: str) -> list[str]:
    wrong = False
    if isinstance(value, str):
        wrong = not re.search(str(schema.get("pattern", "")), value)
        wrong |= len(value) < cast("int", schema.get("minLength", 0))
    elif isinstance(value, int | float):
        wrong = value < cast("float", schema.get("minimum", value))
        wrong |= value > cast("float", schema.get("maximum", value))
        wrong |= value <= cast("float", schema.get("exclusiveMinimum", value - 1))
        wrong |= value >= cast("float", schema.get("exclusiveMaximum", value + 1))
    return [f"{path}: {value!r}"] if wrong else []


def enum_problems(schema: Schema, value: object, path: str) -> list[str]:
    listed = cast("list[object]", schema["enum"])
    return [] if value in listed else [f"{path}: not one of {listed}"]


def mixed_problems(schema: Schema, value: object, path: str) -> list[str]:
    found: list[str] = []
    for word, fits in (("anyOf", range(1, 99)), ("oneOf", range(1, 2)), ("not", range(1))):
        if word in schema:
            listed = cast("list[Schema] | Schema", schema[word])
            each = listed if isinstance(listed, list) else [listed]
            good = [one for one in each if not problems(one, value, path)]
            found += [] if len(good) in fits else [f"{path}: {word}"]
    for one in cast("list[Schema]", schema.get("allOf", [])):
        found += problems(one, value, path)
    return found


CHECKS = {
    "type": type_problems,
    "properties": object_problems,
    "additionalProperties": object_problems,
    "propertyNames": object_problems,
    "required": required_problems,
    "items": array_problems,
    "minItems": array_problems,
    "pattern": scalar_problems,
    "minLength": scalar_problems,
    "minimum": scalar_problems,
    "maximum": scalar_problems,
    "exclusiveMinimum": scalar_problems,
    "exclusiveMaximum": scalar_problems,
    "enum": enum_problems,
    "anyOf": mixed_problems,
    "oneOf": mixed_problems,
    "allOf": mixed_problems,
    "not": mixed_problems,
}
