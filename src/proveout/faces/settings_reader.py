"""Reading one table of `proveout.toml`, with the line of whatever is wrong in it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar, cast

from proveout.domain.duration import duration, shown
from proveout.domain.money import Usd
from proveout.errors import Mistake
from proveout.faces import units
from proveout.faces.keys.key import ENTRY_PATTERN, NAME_PATTERN, Key, Kind, Table
from proveout.faces.keys.root import every_table
from proveout.statistics.arguments import RAREST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from proveout.faces.toml_lines import KeyPath, Lines

T = TypeVar("T")

MOST = 1_000_000_000
"""The greatest number that a setting may hold."""

_LONGEST_NUMBER = 10**15
_PERCENT = 100


class SettingsMistake(Mistake):
    """`proveout.toml` says something that cannot be; mend the line.

    Attributes:
        file: the file that was read.
        line: the line to mend, from 1; None where no line is to blame.
    """

    code = "settings"

    def __init__(
        self,
        message: str,
        *,
        file: Path,
        line: int | None = None,
        why: str = "",
        fix: tuple[str, ...] = (),
    ) -> None:
        place = file.name or str(file)
        place = place if line is None else f"{place}:{line}"
        super().__init__(f"{place}: {message}", why=why, fix=fix)
        self.file = file
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One table of the file: where it stands, what it may hold and what it holds.

    It is refused as soon as it is made, if it holds a key that `table` does not know or
    this version does not support, or lacks one that is required.
    """

    file: Path
    lines: Lines
    table: Table
    path: KeyPath
    values: Mapping[str, object]

    def __post_init__(self) -> None:
        known = {key.name: key for key in self.table.keys}
        for name in self.values:
            if name not in known:
                raise self._unknown(name)
            if not known[name].is_supported:
                raise self.not_supported(known[name])
        for key in self.table.keys:
            if key.required and key.name not in self.values:
                raise self.missing(key.name)

    def has(self, name: str) -> bool:
        """Return whether the key is given."""
        return self.table.key(name).name in self.values

    def line(self, *inside: str | int) -> int:
        """Return the line of the table, or of what stands `inside` it."""
        return self.lines.of((*self.path, *inside))

    # What is read

    def text(self, name: str) -> str:
        """Return the text of a key, or "" where it is absent."""
        value = self._value(name)
        return "" if value is None else self._text(value, name)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty where the key is absent."""
        return tuple(self._text(each, name, at) for at, each in enumerate(self._list(name)))

    def one_or_more(self, name: str) -> tuple[str, ...]:
        """Return a list of texts that may also be written as the only one of them."""
        value = self._value(name)
        return (value,) if isinstance(value, str) else self.texts(name)

    def name(self, name: str) -> str:
        """Return a text that can stand in an id, an address and a file name."""
        text = self.text(name)
        if text or self.has(name):
            self.check_name(text, name)
        return text

    def check_name(self, text: str, *inside: str) -> None:
        """Refuse a `text` that cannot stand in an id, an address and a file name."""
        if not re.fullmatch(NAME_PATTERN, text) or not text.isascii():
            usable = re.sub("[^A-Za-z0-9_-]+", "-", text).strip("-_")[:64] or "triage"
            raise self.mistake(
                f"{shown(text)} cannot be a name",
                *inside,
                why="names become ids, addresses and file names: up to 64 letters, digits, "
                "- and _, the first a letter or digit",
                fix=(usable if len(inside) > 1 else f'{" ".join(inside)} = "{usable}"',),
            )

    def entry(self, name: str) -> str:
        """Return a text of the form `module:attribute`."""
        text = self.text(name)
        if not _is_entry(text):
            module, _, attribute = text.replace(":", ".").rpartition(".")
            mended = f"{module}:{attribute}"
            example = f'"{mended}"' if _is_entry(mended) else self.table.key(name).example
            raise self.mistake(
                f"{name} {shown(text)} is not of the form module:attribute",
                name,
                why="a module as it is imported, a colon, and the name of the function in it",
                fix=(f"{name} = {example}",),
            )
        return text

    def choice(self, name: str) -> str:
        """Return one of the choices of a key, or "" where it is absent."""
        text, key = self.text(name), self.table.key(name)
        if not self.has(name) or text in key.choices:
            return text
        if text in key.later:
            raise self.not_supported(key, text)
        known = [str(choice) for choice in key.choices]
        near = difflib.get_close_matches(text, known, n=1) or known[:1]
        raise self.mistake(
            f"{name} cannot be {shown(text)}",
            name,
            why=f"it is {' or '.join(shown(choice) for choice in known)}",
            fix=(f'{name} = "{near[0]}"',),
        )

    def whole(self, name: str) -> int | None:
        """Return a whole number from 1 up, or None where the key is absent."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong_type(value, name)
        if not 1 <= value <= MOST:
            raise self.mistake(
                f"{name} must lie between 1 and {MOST:,}, and is {_said(value)}",
                name,
                fix=(self.example(name),),
            )
        return value

    def number(self, name: str) -> float | None:
        """Return a finite number, or None where the key is absent."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong_type(value, name)
        if not abs(value) <= MOST:  # as NaN is not
            raise self.mistake(
                f"{name} must be a finite number of moderate size, and is {_said(value)}",
                name,
                fix=(self.example(name),),
            )
        return float(value)

    def positive(self, name: str) -> float | None:
        """Return a finite number above 0, or None where the key is absent."""
        value = self.number(name)
        if value is not None and value <= 0:
            raise self.mistake(
                f"{name} must be more than 0, and is {value:.15g}",
                name,
                fix=(self.example(name),),
            )
        return value

    def share(self, name: str) -> float | None:
        """Return a number strictly between 0 and 1, or None where the key is absent."""
        value = self.number(name)
        if value is not None and not RAREST <= value < 1:
            is_percent = 1 < value < _PERCENT
            raise self.mistake(
                f"{name} {value:.15g} does not lie between 0 and 1",
                name,
                why="shares and chances are fractions: 85 % is 0.85; 0 and 1 are never certain",
                fix=(f"{name} = {value / _PERCENT:g}" if is_percent else self.example(name),),
            )
        return value

    def part(self, name: str) -> float | None:
        """Return a number above 0 and at most 1, or None where the key is absent."""
        value = self.number(name)
        if value is not None and not RAREST <= value <= 1:
            is_percent = 1 < value <= _PERCENT
            raise self.mistake(
                f"{name} {value:.15g} does not lie above 0 and at most at 1",
                name,
                why="it is a part of all: 25 % is 0.25, and all is 1",
                fix=(f"{name} = {value / _PERCENT:g}" if is_percent else self.example(name),),
            )
        return value

    def is_true(self, name: str) -> bool:
        """Return whether a key is true; an absent one is false."""
        value = self._value(name)
        if not isinstance(value, bool | None):
            raise self._wrong_type(value, name)
        return bool(value)

    def duration(self, name: str, *, zero: bool = False) -> timedelta | None:
        """Return a duration, above nothing unless `zero`, or None where the key is absent."""
        time = self._parsed(name, duration)
        if time == timedelta(0) and not zero:
            raise self._nothing(name)
        return time

    def money(self, name: str, *, zero: bool = True, negative: bool = False) -> Usd | None:
        """Return an amount of money, or None where the key is absent."""
        amount = self._parsed(name, units.money)
        if amount is None:
            return None
        if amount < Usd(0) and not negative:
            raise self.mistake(
                f"{name} {amount} is below nothing",
                name,
                why="prices, losses and budgets are written as positive amounts",
                fix=(f'{name} = "{abs(amount.amount)} USD"',),
            )
        if amount == Usd(0) and not zero:
            raise self._nothing(name)
        return amount

    def amount(self, name: str) -> float | None:
        """Return dollars, written as a number or as money, or None where the key is absent."""
        if isinstance(self._value(name), str):
            return float(cast("Usd", self.money(name)))
        return self.number(name)

    def number_or_text(self, name: str) -> float | str | None:
        """Return a finite number or a text, or None where the key is absent."""
        value = self._value(name)
        return value if isinstance(value, str) else self.number(name)

    def rate(self, name: str) -> units.Rate | None:
        """Return how often something happens, or None where the key is absent."""
        rate = self._parsed(name, units.rate)
        if rate and not rate.count:
            raise self._nothing(name)
        return rate

    def money_rate(self, name: str) -> units.MoneyRate | None:
        """Return money spent again and again, or None where the key is absent."""
        return self._parsed(name, units.money_rate)

    def durations(self, name: str) -> Iterator[tuple[str, timedelta]]:
        """Yield the named durations of a table, none where the key is absent."""
        for inner, value in self._table(name).items():
            self.check_name(inner, name, inner)
            text = self._text(value, name, inner)
            yield inner, self._read(text, duration, inner, name, inner)

    def named_texts(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield the texts of a table with what they are called, none where the key is absent."""
        for inner, value in self._table(name).items():
            yield inner, self._text(value, name, inner)

    def anything(self, name: str, default: object) -> object:
        """Return whatever stands there, or `default` where the key is absent."""
        return self._value(name) if self.has(name) else default

    def inner(self, name: str) -> Reader | None:
        """Return the reader of an inner table, or None where the key is absent."""
        return self._inside(self._table(name), name) if self.has(name) else None

    def each(self, name: str) -> tuple[Reader, ...]:
        """Return a reader for each of a list of tables, or for the one that is given."""
        key, value = self.table.key(name), self._value(name)
        if value is None:
            return ()
        if key.kind is Kind.TABLE_OR_TABLES and isinstance(value, dict):
            return (self._inside(self._table(name), name),)
        found = self._list(name)
        if not found:
            raise self.mistake(f"{name} is empty", name, fix=(self.example(name),))
        return tuple(
            self._inside(self._as_table(each, name, at), name, at) for at, each in enumerate(found)
        )

    def named(self, name: str) -> Iterator[tuple[str, Reader]]:
        """Yield a reader for each table of named tables."""
        for inner, value in self._table(name).items():
            self.check_name(inner, name, inner)
            yield inner, self._inside(self._as_table(value, name, inner), name, inner)

    # What is wrong

    def mistake(
        self, message: str, *inside: str | int, why: str = "", fix: tuple[str, ...] = ()
    ) -> SettingsMistake:
        """Return a mistake at the line of the table, or of what stands `inside` it."""
        line = self.line(*inside)
        return SettingsMistake(message, file=self.file, line=line, why=why, fix=fix)

    def missing(self, name: str) -> SettingsMistake:
        """Return the mistake that a key is needed and absent."""
        key = self.table.key(name)
        fix = f"[{name}]" if key.kind is Kind.TABLE and not self.path else self.example(name)
        return self.mistake(f"{self.table.title} needs {name}", why=key.meaning, fix=(fix,))

    def not_supported(self, key: Key, value: str = "") -> SettingsMistake:
        """Return the mistake that this version cannot do yet what the contract describes."""
        what = f"{key.name} = {shown(value)}" if value else key.name
        return self.mistake(
            f"{what} is not supported in this version",
            key.name,
            why=key.meaning,
            fix=(key.instead or self.example(key.name),),
        )

    def _unknown(self, name: str) -> SettingsMistake:
        known = [key.name for key in self.table.keys if key.is_supported]
        likely = name.lower().replace("-", "_")
        near = difflib.get_close_matches(likely, known, n=1)
        home = [table.title for table in every_table() if name in {k.name for k in table.keys}]
        hint = fix = ""
        if near:
            hint, fix = f"; did you mean {near[0]}?", self.example(near[0])
        elif home:
            hint, fix = f"; it belongs in {home[0]}", f"{home[0]}"
        return self.mistake(
            f"{self.table.title} has no key {shown(name)}{hint}",
            name,
            why=f"it takes {', '.join(known)}",
            fix=(fix,) if fix else (),
        )

    def _wrong_type(self, value: object, *inside: str | int) -> SettingsMistake:
        key = self.table.key(str(inside[0]))
        return self.mistake(
            f"{key.name} must be {_AS[key.kind]}, not {_said(value)}",
            *inside,
            why=key.meaning,
            fix=(self.example(key.name),),
        )

    def _nothing(self, name: str) -> SettingsMistake:
        return self.mistake(f"{name} must be more than nothing", name, fix=(self.example(name),))

    def example(self, name: str) -> str:
        """Return a line that gives the key a value it can have."""
        return f"{name} = {self.table.key(name).example}"

    # Values and their types

    def _value(self, name: str) -> object | None:
        return self.values.get(self.table.key(name).name)

    def _text(self, value: object, *inside: str | int) -> str:
        if not isinstance(value, str):
            raise self._wrong_type(value, *inside)
        return value

    def _list(self, name: str) -> list[object]:
        value = self._value(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong_type(value, name)
        return cast("list[object]", value)

    def _table(self, name: str) -> dict[str, object]:
        value = self._value(name)
        return {} if value is None else self._as_table(value, name)

    def _as_table(self, value: object, *inside: str | int) -> dict[str, object]:
        if not isinstance(value, dict):
            raise self._wrong_type(value, *inside)
        return cast("dict[str, object]", value)

    def _inside(self, values: dict[str, object], *inside: str | int) -> Reader:
        held = cast("Table", self.table.key(str(inside[0])).holds)
        return replace(self, table=held, path=(*self.path, *inside), values=values)

    def _parsed(self, name: str, parse: Callable[[str], T]) -> T | None:
        value = self._value(name)
        return None if value is None else self._read(self._text(value, name), parse, name, name)

    def _read(self, text: str, parse: Callable[[str], T], name: str, *inside: str | int) -> T:
        try:
            return parse(text)
        except Mistake as mistake:
            raise self.mistake(
                f"{name} {mistake.message}",
                *inside,
                why=mistake.why,
                fix=tuple(f"{name} = {each}" for each in mistake.fix),
            ) from None


_AS = {
    Kind.TEXT: "a text in quotes",
    Kind.TEXTS: "a list of texts",
    Kind.NAME: "a name in quotes",
    Kind.ENTRY: "a text of the form module:attribute",
    Kind.FILE: "a path in quotes",
    Kind.WHOLE: "a whole number",
    Kind.NUMBER: "a number",
    Kind.SHARE: "a number between 0 and 1",
    Kind.PART: "a number above 0, at most 1",
    Kind.TRUE: "true or false",
    Kind.DURATION: "a duration in quotes",
    Kind.MONEY: "money in quotes",
    Kind.BOUND: "a number",
    Kind.TOLERANCE: "a number or a percentage",
    Kind.CAP: "true, or money in quotes",
    Kind.RATE: "a rate in quotes",
    Kind.MONEY_RATE: "a rate of money in quotes",
    Kind.PATTERNS: "a list of patterns in quotes",
    Kind.VARIABLES: "the name of a variable in quotes, or a list of them",
    Kind.TABLE: "a table",
    Kind.TABLES: "a list of tables",
    Kind.TABLE_OR_TABLES: "a table",
    Kind.NAMED_TABLES: "a table of tables",
    Kind.NAMED_DURATIONS: "a table of durations in quotes",
    Kind.NAMED_VARIABLES: "a table of names of variables in quotes",
    Kind.ANYTHING: "a value",
}


def _said(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return shown(value)
        case int() | float():
            is_short = isinstance(value, float) or abs(value) <= _LONGEST_NUMBER
            return f"{value:.15g}" if is_short else "a number of enormous size"
        case _:
            kinds = {"list": "a list", "dict": "a table"}
            return kinds.get(type(value).__name__, "a date or time")


def _is_entry(text: str) -> bool:
    module, _, attribute = text.partition(":")
    return bool(re.fullmatch(ENTRY_PATTERN, text)) and all(
        part.isidentifier() for part in (*module.split("."), *attribute.split("."))
    )
