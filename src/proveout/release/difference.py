"""How one release differs from another: what is declared, the packages, the files line by line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DECLARED: Final = ("entry", "python", "scores", "settings")
"""What a manifest declares beside files and packages."""

LONGEST: Final = 256 * 1024
"""Bytes of a file up to which it is compared line by line."""

MOST_LINES: Final = 2_000
"""Lines of a file's changes that are kept."""

_HEADS: Final = 2
"""Lines with which a unified diff names its two sides."""


class Act(StrEnum):
    """What became of something between two releases."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One release, as it is compared.

    Attributes:
        manifest: bytes of canonical JSON, as `snapshot.take` writes it.
        files: its files by name.
        environment: what its packages' digest is of; None where they are not kept here.
    """

    manifest: bytes
    files: Mapping[str, bytes]
    environment: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Something declared, or a package, that is another.

    Attributes:
        before: "" where it was not there.
        after: "" where it is not there any more.
    """

    name: str
    before: str
    after: str

    @property
    def act(self) -> Act:
        """What became of it."""
        return _act(self.before or None, self.after or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file that is another.

    Attributes:
        lines: its changes as a unified diff with three lines around each; empty where `note`
            says why.
        note: why it is not compared line by line, or what its lines leave out; "" for nothing.
    """

    name: str
    act: Act
    lines: tuple[str, ...] = ()
    note: str = ""

    @property
    def added(self) -> int:
        """Count of the lines shown that are new."""
        return sum(line.startswith("+") for line in self.lines)

    @property
    def removed(self) -> int:
        """Count of the lines shown that are gone."""
        return sum(line.startswith("-") for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What the second of two releases executes otherwise than the first, each part by name.

    Attributes:
        packages: None where they differ, and those of one are not kept on this machine.
    """

    declared: tuple[Changed, ...]
    packages: tuple[Changed, ...] | None
    files: tuple[FileChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both execute the same."""
        return not (self.declared or self.packages is None or self.packages or self.files)


def difference(before: Held, after: Held) -> Difference:
    """Return what `after` executes otherwise than `before`."""
    old: dict[str, Any] = json.loads(before.manifest)
    new: dict[str, Any] = json.loads(after.manifest)
    is_same_place = old["environment"] == new["environment"]
    return Difference(
        declared=_changed(
            *({name: _said(one.get(name)) for name in DECLARED} for one in (old, new))
        ),
        packages=() if is_same_place else _packages(before.environment, after.environment),
        files=tuple(
            _file(name, before.files.get(name), after.files.get(name))
            for name in sorted({*before.files, *after.files})
            if before.files.get(name) != after.files.get(name)
        ),
    )


def _said(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def _packages(before: bytes | None, after: bytes | None) -> tuple[Changed, ...] | None:
    if before is None or after is None:
        return None
    return _changed(_installed(before), _installed(after))


def _installed(environment: bytes) -> dict[str, str]:
    """Return interpreter, platform and packages by name; a digest parts those of one version."""
    said: dict[str, Any] = json.loads(environment)
    packages = {name: f"{version} ({digest[:8]})" for name, version, digest in said["packages"]}
    return {"python": f"{said['implementation']} {said['python']}, {said['platform']}", **packages}


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Changed, ...]:
    return tuple(
        Changed(name=name, before=before.get(name, ""), after=after.get(name, ""))
        for name in sorted({*before, *after})
        if before.get(name, "") != after.get(name, "")
    )


def _act(before: object | None, after: object | None) -> Act:
    return Act.ADDED if before is None else Act.REMOVED if after is None else Act.CHANGED


def _file(name: str, before: bytes | None, after: bytes | None) -> FileChange:
    act = _act(before, after)
    if max(len(before or b""), len(after or b"")) > LONGEST:
        return FileChange(name=name, act=act, note=f"over {LONGEST // 1024} KiB")
    try:
        old, new = ((one or b"").decode("utf-8").splitlines() for one in (before, after))
    except UnicodeDecodeError:
        return FileChange(name=name, act=act, note="no text")
    lines = (*islice(unified_diff(old, new, lineterm=""), _HEADS, _HEADS + MOST_LINES + 1),)
    if len(lines) > MOST_LINES:
        note = f"only the first {MOST_LINES:,} lines of its changes"
        return FileChange(name=name, act=act, lines=lines[:MOST_LINES], note=note)
    note = "" if lines else "only how its lines end" if act is Act.CHANGED else "empty"
    return FileChange(name=name, act=act, lines=lines, note=note)
