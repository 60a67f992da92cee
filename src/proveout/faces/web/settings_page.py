"""Settings: what proveout.toml says, with whatever may be a secret masked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MASK = "••••••"
"""What stands for a value that is not shown."""

SECRET = re.compile(
    r"(secret|password|passwd|token|api_?key|authorization|cookie|credential|private)",
    re.IGNORECASE,
)
"""Names whose values are not shown; a variable's own name, as in `secret_env`, is none."""

NAMES = re.compile(r"_env$")

IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
"""Who signs in, in an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting by its dotted name, with its value as TOML would write it."""

    name: str
    value: str
    is_masked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The settings of one table of the file, in its order; "" for those above all tables."""

    name: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPage:
    """What the file and the environment say.

    Attributes:
        file: path of the file.
        changed: the file is another one than this server was started with.
        problem: why the file cannot be read now; "" where it can.
        environment: the variables of ours that are set.
    """

    template: ClassVar[str] = "settings.html.j2"
    section: ClassVar[Section] = Section.SETTINGS

    file: str
    tables: tuple[Table, ...]
    environment: tuple[Setting, ...]
    engine: str
    store: str
    changed: bool = False
    problem: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Settings"


def tables(found: Mapping[str, Any]) -> tuple[Table, ...]:
    """Return a file of settings, table by table, with every secret masked.

    >>> [one.value for one in tables({"a": {"secret": "x", "n": 1}})[0].settings]
    ['••••••', '1']
    """
    plain = {name: value for name, value in found.items() if not _is_table(value)}
    first = (Table(name="", settings=tuple(_settings(plain))),) if plain else ()
    return (*first, *(one for name, value in found.items() for one in _tables(name, value)))


def _is_table(value: object) -> bool:
    if isinstance(value, list):
        rows = cast("list[object]", value)
        return bool(rows) and all(isinstance(one, dict) for one in rows)
    return isinstance(value, dict)


def _tables(name: str, value: Any) -> Iterator[Table]:
    if isinstance(value, list):
        for number, one in enumerate(cast("list[Any]", value), 1):
            yield from _tables(f"{name} {number}", one)
    elif isinstance(value, dict):
        rows = cast("dict[str, Any]", value)
        plain = {key: one for key, one in rows.items() if not _is_table(one)}
        if plain or not rows:
            yield Table(name=name, settings=tuple(_settings(plain)))
        for key, one in rows.items():
            yield from _tables(f"{name}.{key}", one)


def _settings(found: Mapping[str, Any]) -> Iterator[Setting]:
    for name, value in found.items():
        yield setting(name, value)


def setting(name: str, value: object) -> Setting:
    """Return one setting as it may be shown.

    >>> setting("PROVEOUT_STORE", "postgresql://me:pw@db/x").value
    '"postgresql://••••••@db/x"'
    """
    if SECRET.search(name) and not NAMES.search(name):
        return Setting(name=name, value=MASK, is_masked=True)
    text = _toml(value)
    shown = IN_URL.sub(MASK, text)
    return Setting(name=name, value=shown, is_masked=shown != text)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in cast('list[object]', value))}]"
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return f"{{ {', '.join(f'{name} = {setting(name, one).value}' for name, one in pairs)} }}"
    return str(value)
