"""Packages: what is installed, told by the records that installers leave."""

from __future__ import annotations

import ast
import csv
import hashlib
import json
import re
import sysconfig
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from email import message_from_string
from importlib.machinery import all_suffixes
from importlib.metadata import Distribution
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proveout.errors import Refusal
from proveout.prove.lock import digest
from proveout.release.sources import is_left_out, roots

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from email.message import Message

LEFT_OUT: Final = frozenset({"pip"})
"""Packages that install others, and that a kept environment has no use for."""

_OF_INSTALLERS: Final = frozenset(
    {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_build.json", "uv_cache.json"}
)
_FINDER: Final = re.compile(r"import (__editable__\w+)")


class PackageUnreadable(Refusal):
    """An installed package does not say which files it has."""

    code = "package-unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file of a package.

    Attributes:
        path: where it is imported from, within the folder of packages.
        source: the path where it stands now. A `Path` of each of ten thousands of files
            would take longer than all the rest.
        hash: as in records: the algorithm, "=" and the digest in URL-safe base64.
    """

    path: str
    source: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One installed distribution.

    Attributes:
        info: the folder of its metadata.
        digest: hexadecimal SHA-256 over the paths and hashes of its pieces.
        pieces: its files, sorted; without scripts and whatever installers add.
    """

    name: str
    version: str
    info: str
    digest: str
    pieces: tuple[Piece, ...]

    @property
    def record(self) -> str:
        """The record of the pieces, such that it reads back as this same package."""
        paths = [(piece.path.replace('"', '""'), piece.hash) for piece in self.pieces]
        return "".join(f'"{path}",{found},\n' for path, found in paths)


def installed(paths: Sequence[str], project: Path | None) -> tuple[Package, ...]:
    """Return the packages that are installed on the import path, sorted by name.

    A package installed editable is its source files. The project's own is left out: its
    files are the release's.

    Args:
        paths: as in `sys.path`; of two packages of one name the first counts.
        project: the project's folder; None where there is none.

    Raises:
        PackageUnreadable: a package names no files, or is editable in a way we do not know.
    """
    own = {root.resolve() for root in roots(project)} if project else set[Path]()
    found: dict[str, Package | None] = {}
    for info in _infos(paths, own):
        held = Distribution.at(info)
        heading = _heading(held)
        name = re.sub(r"[-_.]+", "-", heading["Name"] or info.stem).lower()
        if name not in found and name not in LEFT_OUT:
            found[name] = _package(name, heading["Version"] or "", held, info, own)
    return tuple(found[name] for name in sorted(found) if found[name])  # pyright: ignore[reportReturnType] - narrowed by the condition


def hash_of(path: Path, algorithm: str) -> str:
    """Return the hash of a file as records write it."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).digest()
    return f"{algorithm}={written(found)}"


def written(found: bytes) -> str:
    """Return a digest as records write it."""
    return urlsafe_b64encode(found).rstrip(b"=").decode()


def _infos(paths: Sequence[str], own: set[Path]) -> Iterator[Path]:
    """Yield the folders of metadata; the older form last, which editable sources also hold."""
    standard = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    whole = [Path(path).resolve() for path in paths if path]
    folders = [path for path in whole if path.is_dir() and path not in standard | own]
    for suffix in (".dist-info", ".egg-info"):
        for folder in folders:
            yield from sorted(folder.glob(f"[!~]*{suffix}"))


def _heading(held: Distribution) -> Message:
    """Return what the metadata of a package begin with; what follows is for people, and long."""
    text = held.read_text("METADATA") or held.read_text("PKG-INFO") or ""
    return message_from_string(text.partition("\n\n")[0])


def _package(
    name: str, version: str, held: Distribution, info: Path, own: set[Path]
) -> Package | None:
    record = held.read_text("RECORD")
    if record is None:
        raise PackageUnreadable(
            f"{name} does not say which files it has",
            why=f"{info} holds no RECORD, so the package cannot be kept for releases",
            fix=("work in a virtual environment", f"reinstall {name} with a current pip"),
        )
    lines = [row for row in csv.reader(record.splitlines()) if len(row) > 1 and _counts(*row[:2])]
    site = str(info.parent)
    pieces = [Piece(path=row[0], source=f"{site}/{row[0]}", hash=row[1]) for row in lines]
    sources = [source for piece in pieces for source in _editable(piece)]
    if any(source.parent in own for _, source in sources):
        return None
    if sources:
        pieces = [piece for piece in pieces if not _is_pointer(piece.path)]
        pieces += [piece for module, source in sources for piece in _pieces(module, source)]
    elif _is_editable(held):
        raise PackageUnreadable(
            f"{name} is installed editable in a way that cannot be kept",
            why=f"{info} names no folder of sources",
            fix=(f"install {name} without -e",),
        )
    pieces.sort(key=lambda piece: piece.path)
    text = "".join(f"{piece.path},{piece.hash}\n" for piece in pieces)
    return Package(
        name=name,
        version=version,
        info=info.name,
        digest=digest(text.encode(errors="surrogateescape")),
        pieces=tuple(pieces),
    )


def _counts(path: str, found: str) -> bool:
    """Whether a line of a record is about a file that is imported, or tells of the package."""
    folder, _, name = path.rpartition("/")
    is_outside = path.startswith("/") or ".." in path.split("/")
    is_installers = name in _OF_INSTALLERS and folder.endswith(".dist-info")
    return bool(found) and not is_outside and not is_installers and not name.endswith(".pyc")


def _is_editable(held: Distribution) -> bool:
    text = held.read_text("direct_url.json")
    return text is not None and json.loads(text).get("dir_info", {}).get("editable") is True


def _is_pointer(path: str) -> bool:
    return path.endswith(".pth") or re.fullmatch(r"__editable__\w+\.py", path) is not None


def _editable(piece: Piece) -> Iterator[tuple[str, Path]]:
    """Yield each module that a path file points to outside, with the place of its source."""
    if not piece.path.endswith(".pth") or "/" in piece.path:
        return
    source = Path(piece.source)
    if not source.is_file():
        return
    site = source.parent
    for line in source.read_text("utf-8").splitlines():
        if finder := _FINDER.match(line):
            yield from _mapped(site / f"{finder[1]}.py")
        elif line.strip() and not line.startswith(("#", "import ", "import\t")):
            folder = (site / line.strip()).resolve()
            if folder.is_dir() and not folder.is_relative_to(site):
                yield from _modules(folder)


def _mapped(finder: Path) -> Iterator[tuple[str, Path]]:
    """Yield what the finder of an editable package maps modules to."""
    for node in ast.parse(finder.read_bytes()).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id="MAPPING"), value=ast.Dict() as mapping):
                pass
            case ast.Assign(targets=[ast.Name(id="MAPPING")], value=ast.Dict() as mapping):
                pass
            case _:
                continue
        for module, place in dict[str, str](ast.literal_eval(mapping)).items():
            source = Path(place).resolve()
            yield module, source if source.exists() else source.with_suffix(".py")


def _modules(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield what can be imported from a folder of sources."""
    for path in sorted(folder.iterdir()):
        name = path.name.partition(".")[0]
        if not name.isidentifier() or is_left_out(path):
            continue
        is_module = path.is_file() and path.name.removeprefix(name) in all_suffixes()
        is_package = path.is_dir() and any(path.rglob("*.py"))
        if is_module or is_package:
            yield name, path


def _pieces(module: str, source: Path) -> Iterator[Piece]:
    """Yield the files of a module that is a file or a folder, as if they were installed."""
    place = module.replace(".", "/")
    if source.is_file():
        name = f"{place}{source.name.removeprefix(source.name.partition('.')[0])}"
        yield Piece(path=name, source=str(source), hash=hash_of(source, "sha256"))
    for path in sorted(source.iterdir()) if source.is_dir() else ():
        if is_left_out(path):
            continue
        if path.is_dir():
            yield from _pieces(f"{module}/{path.name}", path)
        elif path.is_file():
            yield Piece(path=f"{place}/{path.name}", source=str(path), hash=hash_of(path, "sha256"))
