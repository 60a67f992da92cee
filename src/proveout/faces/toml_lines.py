"""Where each key of a TOML text stands; the standard parser does not say."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys from the outside in; a number counts the elements of a list, from 0."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:("(?:\\.|[^"\\\n])*")|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*""")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]+")


@dataclass(frozen=True, slots=True)
class Lines:
    """The line of every key that was found, counted from 1."""

    found: dict[KeyPath, int]

    def of(self, path: KeyPath) -> int:
        """Return the line of `path`, or of the nearest table that holds it."""
        while path and path not in self.found:
            path = path[:-1]
        return self.found.get(path, 1)


def find_lines(text: str) -> Lines:
    r"""Return where each table, key and element of valid TOML stands.

    A text that is not valid TOML, or is nested too deeply, gives the lines up to where
    it stops making sense.

    >>> find_lines("[prove]\n\nbudget = { calls = 3 }").of(("prove", "budget", "calls"))
    3
    """
    scan = _Scan(text)
    with suppress(_Lost, tomllib.TOMLDecodeError, RecursionError):
        scan.statements()
    return Lines(scan.found)


class _Lost(Exception):
    """The text is not what valid TOML would be here."""


@dataclass(slots=True)
class _Scan:
    """One pass over the text; `at` is the offset of what comes next."""

    text: str
    at: int = 0
    found: dict[KeyPath, int] = field(default_factory=dict[KeyPath, int])
    lengths: dict[KeyPath, int] = field(default_factory=dict[KeyPath, int])
    breaks: list[int] = field(default_factory=list[int])

    def __post_init__(self) -> None:
        self.breaks = [match.start() for match in re.finditer("\n", self.text)]

    def statements(self) -> None:
        table: KeyPath = ()
        self._take(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._take(_BLANK)

    def _header(self) -> KeyPath:
        line = self._line()
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        *outer, last = self._key()
        path: KeyPath = ()
        for part in outer:
            path = self._newest((*path, part))
            self.found.setdefault(path, line)
        path = (*path, last)
        if brackets == 2:  # noqa: PLR2004 - [[ opens the next element of a list
            self.found.setdefault(path, line)
            self.lengths[path] = self.lengths.get(path, 0) + 1
            path = self._newest(path)
        self.found[path] = line
        self.at += brackets
        return path

    def _newest(self, path: KeyPath) -> KeyPath:
        """Return `path`, or its last element where it is a list of tables."""
        length = self.lengths.get(path)
        return path if length is None else (*path, length - 1)

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        *outer, last = self._key()
        for part in outer:
            table = (*table, part)
            self.found.setdefault(table, line)
        self.found[*table, last] = line
        self._skip("=")
        self._value((*table, last))

    def _key(self) -> list[str]:
        parts = [self._key_part()]
        while self.text.startswith(".", self.at):
            self.at += 1
            parts.append(self._key_part())
        return parts

    def _key_part(self) -> str:
        quoted, literal, bare = self._take(_KEY).groups()
        if quoted is not None:
            return tomllib.loads(f"key = {quoted}")["key"]
        return literal if literal is not None else bare

    def _value(self, path: KeyPath) -> None:
        self._take(_BLANK)
        match self.text[self.at : self.at + 1]:
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._take(_STRING)
            case _:
                self._take(_BARE)

    def _list(self, path: KeyPath) -> None:
        self._skip("[")
        count = 0
        while not self._ends("]"):
            element = (*path, count)
            self.found[element] = self._line()
            self._value(element)
            count += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._skip("{")
        while not self._ends("}"):
            self._pair(path)

    def _ends(self, bracket: str) -> bool:
        """Pass over blanks and a comma; return whether the closing bracket was passed, too."""
        self._take(_BLANK)
        if self.text.startswith(",", self.at):
            self.at += 1
            self._take(_BLANK)
        if self.text.startswith(bracket, self.at):
            self.at += 1
            return True
        return False

    def _skip(self, sign: str) -> None:
        if not self.text.startswith(sign, self.at):
            raise _Lost
        self.at += 1

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _Lost
        self.at = match.end()
        return match

    def _line(self) -> int:
        return bisect_right(self.breaks, self.at - 1) + 1
