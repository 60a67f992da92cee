"""What is known of one key of `proveout.toml`, and of one table of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
VARIABLE_PATTERN = "^[A-Z_][A-Z0-9_]{0,63}$"
HEADER_PATTERN = "^[A-Za-z][A-Za-z0-9-]{0,63}$"
ENTRY_PATTERN = r"^[^\s:]+:[^\s:]+$"
NOT_ASKED = "not asked"


class Kind(StrEnum):
    """How the value of a key is written."""

    TEXT = "text"
    TEXTS = "list of texts"
    NAME = "name"
    ENTRY = "module:attribute"
    FILE = "path"
    WHOLE = "whole number"
    NUMBER = "number"
    SHARE = "number between 0 and 1"
    PART = "number above 0, at most 1"
    TRUE = "true or false"
    DURATION = "duration"
    MONEY = "money"
    BOUND = "number, or money for a cost"
    CAP = "true or money"
    TOLERANCE = "number, or percentage"
    RATE = "rate"
    MONEY_RATE = "rate of money"
    PATTERNS = "list of patterns"
    VARIABLES = "name of a variable, or list of names"
    TABLE = "table"
    TABLES = "list of tables"
    TABLE_OR_TABLES = "table, or list of tables"
    NAMED_TABLES = "table of named tables"
    NAMED_DURATIONS = "table of named durations"
    NAMED_VARIABLES = "table of names of variables"
    ANYTHING = "any value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a table.

    Attributes:
        meaning: one line for the docs and for editors.
        example: a value as it is written in TOML.
        default: what holds where the key is absent, as it is read by a person.
        choices: the only values, where they can be listed.
        later: values that are known and that this version does not support yet.
        holds: what a table, or each of a list of tables, may hold.
        instead: what to write in this version, where the key is not supported yet.
    """

    name: str
    kind: Kind
    meaning: str
    example: str
    default: str = ""
    required: bool = False
    choices: tuple[str | int, ...] = ()
    later: tuple[str, ...] = ()
    holds: Table | None = None
    instead: str = ""

    @property
    def is_supported(self) -> bool:
        """Whether this version reads the key."""
        return not self.instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table and its keys, in the order of the docs.

    Attributes:
        title: the table as messages name it.
        one_of: groups of keys of which exactly one is given.
        any_of: keys of which at least one is given.
    """

    title: str
    keys: tuple[Key, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    any_of: tuple[str, ...] = ()

    def key(self, name: str) -> Key:
        """Return the key called `name`.

        Raises:
            KeyError: the table has no such key.
        """
        for key in self.keys:
            if key.name == name:
                return key
        raise KeyError(name)
