"""The keys of `proveout.toml` as a table for the docs and as a schema for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from proveout.domain.duration import DURATION_PATTERN
from proveout.faces import units
from proveout.faces.keys.key import (
    ENTRY_PATTERN,
    HEADER_PATTERN,
    NAME_PATTERN,
    VARIABLE_PATTERN,
    Kind,
)
from proveout.faces.keys.root import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.faces.keys.key import Key, Table

Schema: TypeAlias = "dict[str, object]"


class SettingsRow(NamedTuple):
    """One line of the table of settings in the docs."""

    key: str
    type: str
    default: str
    meaning: str


def settings_table() -> list[SettingsRow]:
    """Return every key with its type, default and meaning, in the order of the file."""
    return list(_rows(ROOT, ""))


def _rows(table: Table, prefix: str) -> Iterator[SettingsRow]:
    for key in table.keys:
        path = prefix + key.name
        default = "required" if key.required else key.default or "empty"
        meaning = key.meaning
        if not key.is_supported:
            default, meaning = "", f"{meaning} Not supported in this version."
        yield SettingsRow(path, _type(key), default, meaning)
        if key.holds:
            yield from _rows(key.holds, path + _DEEPER.get(key.kind, "."))


_DEEPER = {Kind.TABLES: "[].", Kind.NAMED_TABLES: ".NAME."}


def _type(key: Key) -> str:
    choices = " or ".join(f'"{choice}"' for choice in key.choices if isinstance(choice, str))
    if key.holds and choices:
        return f"{key.kind}, or {choices}"
    return choices or key.kind


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of `proveout.toml`, for editors.

    It holds what an editor can see in one value: names, types, units, choices. What takes
    two keys to see (a target below its floor, a missing file) is left to the loader.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "proveout.toml",
        "description": "One AI workflow, what must be shown of it, and what production asks for.",
        **_table(ROOT),
    }


def _table(table: Table) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {key.name: _key(key) for key in table.keys},
        "required": [key.name for key in table.keys if key.required],
        "additionalProperties": False,
    }
    if table.one_of:
        schema["allOf"] = [
            {"oneOf": [{"required": [name]} for name in group]} for group in table.one_of
        ]
    if table.any_of:
        schema["anyOf"] = [{"required": [name]} for name in table.any_of]
    return schema


def _key(key: Key) -> Schema:
    if not key.is_supported:
        return {"not": {}, "description": f"{key.meaning} Not supported in this version."}
    shape = _shape(key)
    if key.choices:
        listed: Schema = {"enum": list(key.choices)}
        shape = {"anyOf": [listed, shape]} if key.holds else listed
    return {"description": key.meaning, **shape}


def _shape(key: Key) -> Schema:
    if key.holds is None:
        return _SHAPES[key.kind]
    held = _table(key.holds)
    tables: Schema = {"type": "array", "minItems": 1, "items": held}
    match key.kind:
        case Kind.TABLES:
            return tables
        case Kind.TABLE_OR_TABLES:
            return {"anyOf": [held, tables]}
        case Kind.NAMED_TABLES:
            return {"type": "object", "propertyNames": _NAME, "additionalProperties": held}
        case _:
            return held


_NAME: Schema = {"type": "string", "pattern": NAME_PATTERN}
_TEXT: Schema = {"type": "string"}
_VARIABLE: Schema = {"type": "string", "pattern": VARIABLE_PATTERN}
_DURATION: Schema = {"type": "string", "pattern": DURATION_PATTERN}
_MONEY: Schema = {"type": "string", "pattern": units.MONEY_PATTERN}
_SHAPES: dict[Kind, Schema] = {
    Kind.TEXT: _TEXT,
    Kind.TEXTS: {"type": "array", "items": _TEXT},
    Kind.PATTERNS: {"type": "array", "items": {"type": "string", "minLength": 1}},
    Kind.VARIABLES: {"anyOf": [_VARIABLE, {"type": "array", "minItems": 1, "items": _VARIABLE}]},
    Kind.NAME: _NAME,
    Kind.ENTRY: {"type": "string", "pattern": ENTRY_PATTERN},
    Kind.FILE: {"type": "string", "minLength": 1},
    Kind.WHOLE: {"type": "integer", "minimum": 1},
    Kind.NUMBER: {"type": "number"},
    Kind.SHARE: {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    Kind.PART: {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    Kind.TRUE: {"type": "boolean"},
    Kind.DURATION: _DURATION,
    Kind.MONEY: _MONEY,
    Kind.BOUND: {"anyOf": [{"type": "number"}, _MONEY]},
    Kind.TOLERANCE: {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$"},
        ]
    },
    Kind.CAP: {"anyOf": [{"enum": [True]}, _MONEY]},
    Kind.RATE: {"type": "string", "pattern": units.RATE_PATTERN},
    Kind.MONEY_RATE: {"type": "string", "pattern": units.MONEY_RATE_PATTERN},
    Kind.NAMED_DURATIONS: {
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": _DURATION,
    },
    Kind.NAMED_VARIABLES: {
        "type": "object",
        "propertyNames": {"type": "string", "pattern": HEADER_PATTERN},
        "additionalProperties": _VARIABLE,
    },
    Kind.ANYTHING: {"type": ["object", "array", "string", "number", "boolean"]},
}
