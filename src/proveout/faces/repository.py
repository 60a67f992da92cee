"""Reading a repository that is to be audited: bounded, and nothing of it is executed."""

from __future__ import annotations

import io
import os
import stat
import tokenize
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from proveout.ready.scan.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.scan import Scanned

LARGEST_PYTHON = 1_000_000
"""Bytes of a file of Python; what is larger was written by a program."""

LARGEST_TEXT = 250_000
"""Bytes of any other file that is searched for keys."""

MOST_FILES = 50_000
"""Files of one repository."""

DEEPEST = 60
"""Folders within one another."""

SKIPPED = frozenset(
    """.git .hg .svn .venv venv .tox .nox node_modules __pycache__ .mypy_cache .ruff_cache
    .pytest_cache site-packages .eggs .proveout .idea .vscode .ipynb_checkpoints""".split()  # noqa: SIM905 - a list of words reads better so
)
"""Folders that hold nothing which the repository's people wrote."""

_TEXTS = (
    *("*.toml", "*.yml", "*.yaml", "*.json", "*.ini", "*.cfg", "*.conf", "*.sh", "*.ipynb"),
    *(".env", ".env.*", "*.env", "Dockerfile*", "Procfile"),
)


def scan_repository(place: Path) -> Scanned:
    """Return what is found in a folder, or in one file of Python.

    No link is followed, no module imported, nothing of it executed and no network asked.
    A file that cannot be read is reported, and ends nothing.
    """
    root = place if place.is_dir() else place.parent
    scan = Scan(root.resolve().name)
    for path in _files(root, scan) if place.is_dir() else [place]:
        name = path.relative_to(root).as_posix()
        if len(scan.paths) >= MOST_FILES:
            scan.could_not_read(
                name, f"and all that follow: there are more than {MOST_FILES:,} files"
            )
            break
        scan.saw(name)
        if path.suffix == ".py" or _is_text(path.name):
            _read(path, name, scan)
    return scan.ended()


def _read(path: Path, name: str, scan: Scan) -> None:
    is_python = path.suffix == ".py"
    largest = LARGEST_PYTHON if is_python else LARGEST_TEXT
    try:
        data = _bytes(path, largest + 1)
    except OSError as error:
        scan.could_not_read(name, f"it cannot be read: {error.strerror}")
        return
    if len(data) > largest:
        if is_python:
            scan.could_not_read(name, f"it is larger than {largest // 1000:,} kB")
        return
    text = _text(data, name, scan) if is_python else data.decode("utf-8", "replace")
    if text is not None:
        scan.read(name, text)


def _bytes(path: Path, most: int) -> bytes:
    """Return the beginning of a regular file; a pipe or a device is none."""
    number = os.open(
        path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(0, "it is no regular file")
        return file.read(most)


def _text(data: bytes, name: str, scan: Scan) -> str | None:
    """Return the text of a file of Python in the encoding that it declares."""
    try:
        return data.decode(_encoding(data))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        why = f"it is not {error.encoding}, and declares no other encoding"
        scan.could_not_read(name, why, line)
    except LookupError:
        scan.could_not_read(name, "its encoding is not known")
    return None


def _encoding(data: bytes) -> str:
    """Return the encoding that a file of Python declares in its first lines, or UTF-8.

    Raises:
        LookupError: there is no such encoding.
        UnicodeDecodeError: the first lines declare none, and are no UTF-8.
    """
    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError as error:
        data.decode()
        raise LookupError from error


def _is_text(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in _TEXTS)


def _files(root: Path, scan: Scan) -> Iterator[Path]:
    """Yield the regular files below a folder that git would keep, in order."""
    left: list[tuple[Path, tuple[_Ignores, ...]]] = [(root, ())]
    while left:
        folder, outer = left.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda one: one.name)
        except OSError as error:
            scan.could_not_read(
                folder.relative_to(root).as_posix(), f"it cannot be read: {error.strerror}"
            )
            continue
        ignores = (*outer, *_Ignores.of(folder))
        inner: list[Path] = []
        for entry in entries:
            path = Path(entry.path)
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.is_symlink() or any(one.covers(path, is_folder=is_folder) for one in ignores):
                continue
            if not is_folder:
                yield path
            elif not _is_skipped(path) and len(path.relative_to(root).parts) <= DEEPEST:
                inner.append(path)
        left += [(one, ignores) for one in reversed(inner)]


def _is_skipped(folder: Path) -> bool:
    return (
        folder.name in SKIPPED
        or folder.name.endswith(".egg-info")
        or (folder / "pyvenv.cfg").is_file()
    )


class _Ignores:
    """The patterns of one `.gitignore`; the last that matches counts."""

    def __init__(self, folder: Path, lines: list[str]) -> None:
        self._folder = folder
        self._patterns = [line for line in map(str.strip, lines) if line and line[0] != "#"]

    @classmethod
    def of(cls, folder: Path) -> Iterator[_Ignores]:
        """Yield the patterns of a folder, where it has any."""
        try:
            text = _bytes(folder / ".gitignore", LARGEST_TEXT).decode("utf-8", "replace")
        except OSError:
            return
        yield cls(folder, text.splitlines())

    def covers(self, path: Path, *, is_folder: bool) -> bool:
        """Whether git would ignore a path for these patterns."""
        name, full = path.name, path.relative_to(self._folder).as_posix()
        covered = False
        for line in self._patterns:
            pattern = line.removeprefix("!")
            if pattern.endswith("/") and not is_folder:
                continue
            pattern = pattern.rstrip("/")
            anchored = "/" in pattern
            subject = full if anchored else name
            if fnmatchcase(subject, pattern.removeprefix("/").removeprefix("**/")):
                covered = not line.startswith("!")
        return covered
