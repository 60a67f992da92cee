"""Environments: the packages that a release runs among, kept by their digest."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proveout.errors import Refusal
from proveout.prove.lock import canonical, digest
from proveout.release.packages import installed, written
from proveout.release.whole_folder import make_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import SimpleNamespace

    from proveout.release.packages import Package

CACHE: Final = "PROVEOUT_CACHE"

_NOTE: Final = "environment.json"
_CHUNK: Final = 1 << 20


class EnvironmentMissing(Refusal):
    """The packages of a release are not kept on this machine."""

    code = "environment-missing"


class EnvironmentChanged(Refusal):
    """Installed files are not what their package says, so a copy would not be either."""

    code = "environment-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The interpreter and the packages that a release runs among.

    Attributes:
        python: the whole version, such as 3.11.7.
        implementation: such as cpython.
        platform: such as linux-x86_64.
        packages: sorted by name.
    """

    python: str
    implementation: str
    platform: str
    packages: tuple[Package, ...]

    @property
    def text(self) -> bytes:
        """What the digest is of: canonical JSON, without a place of this machine."""
        return canonical(
            {
                "python": self.python,
                "implementation": self.implementation,
                "platform": self.platform,
                "packages": [[one.name, one.version, one.digest] for one in self.packages],
            }
        )

    @property
    def digest(self) -> str:
        """Hexadecimal SHA-256 of `text`; an environment described from its copy has the same."""
        return digest(self.text)


def describe(paths: Sequence[str], project: Path | None = None) -> Environment:
    """Return the environment that the packages on `paths` make with this interpreter.

    Nothing is imported, and no place of the machine is part of the answer.

    Args:
        paths: as in `sys.path`.
        project: the project's folder, whose files are the release's own.

    Raises:
        PackageUnreadable: a package names no files.
    """
    return Environment(
        python=platform.python_version(),
        implementation=sys.implementation.name,
        platform=sysconfig.get_platform(),
        packages=installed(paths, project),
    )


def keep(environment: Environment, cache: Path) -> Path:
    """Return the Python of a copy of `environment`, which no later installation touches.

    The copy is made once, beside its place, and renamed when it is whole.

    Raises:
        EnvironmentChanged: an installed file is gone, or not what its package says.
    """
    folder = make_whole(
        environment_folder(environment.digest, cache),
        lambda folder: _write(environment, folder),
        _is_kept,
    )
    return _python(folder)


def python_of(digest: str, cache: Path, *, release: str = "RELEASE") -> Path:
    """Return the Python of a kept environment.

    Args:
        digest: the environment's.
        cache: as from `cache_folder`.
        release: whose environment it is, for the command that makes it.

    Raises:
        EnvironmentMissing: it is not kept here, or the interpreter it was made with is gone.
    """
    folder = environment_folder(digest, cache)
    if not _is_kept(folder):
        raise EnvironmentMissing(
            f"the packages of {release} are not kept on this machine",
            why=f"there is no whole environment {folder}; nothing else is taken in its place",
            fix=(f"proveout release keep {release}    where those packages are installed",),
        )
    return _python(folder)


def text_of(digest: str, cache: Path) -> bytes | None:
    """Return what the digest of a kept environment is of; None where it is not kept here."""
    folder = environment_folder(digest, cache)
    return (folder / _NOTE).read_bytes() if _is_kept(folder) else None


def environment_folder(digest: str, cache: Path) -> Path:
    """Return where an environment is kept in a cache."""
    return cache / "environments" / digest


def cache_folder() -> Path:
    """Return the folder of what can be made again: releases unpacked and environments kept."""
    if named := os.environ.get(CACHE):
        return Path(named).absolute()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "proveout"


class _Bare(venv.EnvBuilder):
    """A virtual environment without the scripts that activate it in a shell."""

    def setup_scripts(self, context: SimpleNamespace) -> None:
        """Write none: nobody works in a kept environment."""


def _write(environment: Environment, folder: Path) -> None:
    _Bare(symlinks=True, with_pip=False).create(folder)
    site = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder)}))
    for path, (source, hashes) in _wanted(environment.packages).items():
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(Path(source), target, hashes)
    for package in environment.packages:
        info = site / package.info
        info.mkdir(parents=True, exist_ok=True)
        (info / "RECORD").write_text(package.record, "utf-8")
    (folder / _NOTE).write_bytes(environment.text)
    os.sync()  # or a power cut could leave a whole name on half-written files


def _wanted(packages: Iterable[Package]) -> dict[str, tuple[str, set[str]]]:
    """Return the source of each path, with the hashes that packages claim for it.

    Packages that share a file may claim several; the file is what the last one wrote.
    """
    wanted: dict[str, tuple[str, set[str]]] = {}
    for package in packages:
        for piece in package.pieces:
            source, hashes = wanted.setdefault(piece.path, (piece.source, set()))
            if source == piece.source:
                hashes.add(piece.hash)
    return wanted


def _copy(source: Path, target: Path, hashes: set[str]) -> None:
    """Copy a file while it is what one of `hashes` says."""
    sums = {name: hashlib.new(name) for name in {one.partition("=")[0] for one in hashes}}
    try:
        with source.open("rb") as file, target.open("wb") as copy:
            while data := file.read(_CHUNK):
                copy.write(data)
                for one in sums.values():
                    one.update(data)
        shutil.copymode(source, target)
    except FileNotFoundError:
        raise _changed(source, "is gone") from None
    if hashes.isdisjoint(f"{name}={written(one.digest())}" for name, one in sums.items()):
        raise _changed(source, "is not what its package says")


def _changed(source: Path, what: str) -> EnvironmentChanged:
    return EnvironmentChanged(
        f"{source} {what}",
        why="a kept environment holds what its digest names, so it was not made",
        fix=("reinstall the package", "describe the environment again if packages were upgraded"),
    )


def _is_kept(folder: Path) -> bool:
    try:
        note = (folder / _NOTE).read_bytes()
    except OSError:
        return False
    return digest(note) == folder.name and _python(folder).exists()


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"
