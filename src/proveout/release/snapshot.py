"""Snapshots: what executes, as bytes that a store keeps and any machine can unpack."""

from __future__ import annotations

import io
import json
import shutil
import sys
import tarfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from proveout.domain.release import ReleaseDigest
from proveout.errors import Refusal
from proveout.prove.lock import canonical, digest
from proveout.release.secrets_found import refuse_secrets
from proveout.release.sources import contents, digest_of_files, file_digests, relative
from proveout.release.whole_folder import make_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from proveout.release.sources import Contents

FORMAT: Final = "proveout-release/1"

LARGEST: Final = 20 * 1024 * 1024
"""Bytes that the files of a release may have together."""

MOST: Final = 2_000
"""Files that a release may have."""

PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"

_OVERHEAD: Final = LARGEST + (MOST + 1) * 8192
"""Bytes that an archive may have before compression: its files, with names and padding."""

_SHOWN: Final = 5
_KIB: Final = 1024
_READ_ONLY: Final = 0o444


class ReleaseTooLarge(Refusal):
    """The files of a release are more, or larger, than a release may be."""

    code = "release-too-large"


class SnapshotBroken(Refusal):
    """A stored snapshot is not what its manifest says; nothing of it may execute."""

    code = "snapshot-broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a release is said to be, beside its files.

    Attributes:
        entry: `module:attribute` of the workflow.
        environment: digest of the packages that it runs among.
        scores: the scores that production shares with the experiments.
        settings: plain data that decides how it executes, such as a review policy.
        python: the version it runs on, without its last part.
    """

    workflow: str
    entry: str
    environment: str
    scores: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    python: str = PYTHON


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What executes, with the digest that names it.

    Attributes:
        digest: hexadecimal SHA-256 of `manifest`.
        manifest: canonical JSON with the digest of each file; no clock, place or person.
        archive: the files, as a compressed archive; no part of the digest.
        code: digest of the files alone, as an experiment locks it.
        environment: digest of the packages that it runs among.
    """

    digest: ReleaseDigest
    manifest: bytes
    archive: bytes
    code: str
    environment: str


def take(declared: Declared, files: Sequence[Path], folder: Path) -> Snapshot:
    """Return the snapshot of `files`: the same content gives the same digest anywhere.

    Args:
        declared: what is said of the release.
        files: what executes, in any order.
        folder: the project's; the archive names files as seen from it.

    Raises:
        ReleaseTooLarge: there are too many files, or too many bytes.
        SecretInRelease: one of the files holds a secret.
    """
    _refuse_size({relative(path, folder): path.stat().st_size for path in files})
    held = contents(files, folder)
    _refuse_size({name: len(data) for name, data in held.items()})
    refuse_secrets(held)
    digests = file_digests(held)
    manifest = canonical(
        {
            "format": FORMAT,
            "workflow": declared.workflow,
            "entry": declared.entry,
            "python": declared.python,
            "environment": declared.environment,
            "scores": sorted(declared.scores),
            "settings": dict(declared.settings),
            "files": digests,
        }
    )
    return Snapshot(
        digest=ReleaseDigest(digest(manifest)),
        manifest=manifest,
        archive=_packed(held),
        code=digest_of_files(digests),
        environment=declared.environment,
    )


def unpack(archive: bytes, manifest: bytes, into: Path) -> Path:
    """Return the folder `into`, which holds the files of the manifest and no other.

    A folder that stands there is believed only file by file: one that was tampered with is
    replaced, and compiled files in it are removed. Two processes may do this at once.

    Raises:
        SnapshotBroken: the archive is not what the manifest says, or either is unsafe.
    """
    digests = _files_of(manifest)
    return make_whole(
        into,
        lambda folder: _write(_unpacked(archive, digests), folder),
        lambda folder: _is_whole(folder, digests),
    )


def files_in(archive: bytes, manifest: bytes) -> dict[str, bytes]:
    """Return the files of a snapshot by name: those of the manifest and no other.

    Raises:
        SnapshotBroken: the archive is not what the manifest says, or either is unsafe.
    """
    return _unpacked(archive, _files_of(manifest))


def release_folder(digest: str, cache: Path) -> Path:
    """Return where a release is unpacked in a cache."""
    return cache / "releases" / digest


# Making


def _refuse_size(sizes: Mapping[str, int]) -> None:
    total = sum(sizes.values())
    if len(sizes) <= MOST and total <= LARGEST:
        return
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:_SHOWN]
    shown = ", ".join(f"{name} {_size(sizes[name])}" for name in largest)
    raise ReleaseTooLarge(
        f"{len(sizes):,} files of {_size(total)} are too much for a release",
        why=f"at most {MOST:,} files of {_size(LARGEST)} together; the largest: {shown}",
        fix=(
            "move data out of the package, and have the workflow read it from where it belongs",
            "install large, stable parts as a package: the environment keeps those",
            "name fewer files in [workflow] files",
        ),
    )


def _size(count: int) -> str:
    return f"{count / _KIB / _KIB:.1f} MiB" if count >= _KIB * _KIB else f"{count / _KIB:.1f} KiB"


def _packed(held: Contents) -> bytes:
    """Return files as a compressed tar archive that tells nothing of time, owner or order."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(held):
            member = tarfile.TarInfo(name)
            member.size = len(held[name])
            member.mode = _READ_ONLY
            tar.addfile(member, io.BytesIO(held[name]))
    return zlib.compress(packed.getvalue(), level=9)


# Unpacking


def _files_of(manifest: bytes) -> dict[str, str]:
    try:
        said: Any = json.loads(manifest)
        form, files = said["format"], dict[str, str](said["files"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _broken("its manifest cannot be read") from None
    if form != FORMAT:
        raise _broken(f"its format is {form!r}, and this version reads {FORMAT!r}")
    if len(files) > MOST:
        raise _broken(f"it names {len(files):,} files, more than {MOST:,}")
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    for name in files:
        if not _is_safe(name) or name in folders:
            raise _broken(f"it names a file {name!r}")
    return files


def _is_safe(name: str) -> bool:
    """Whether a name stays within the folder it is unpacked into, and is written one way."""
    path = PurePosixPath(name)
    is_plain = bool(path.parts) and str(path) == name and "\0" not in name
    return is_plain and not path.is_absolute() and not {"..", "."} & set(path.parts)


def _unpacked(archive: bytes, digests: Mapping[str, str]) -> dict[str, bytes]:
    held: dict[str, bytes] = {}
    for name, data in _members(_inflated(archive)):
        if name in held or digests.get(name) != digest(data):
            raise _broken(f"{name!r} in its archive is not what the manifest names")
        held[name] = data
    if missing := sorted(set(digests) - set(held)):
        raise _broken(f"its archive lacks {missing[0]!r}")
    return held


def _inflated(archive: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(archive, _OVERHEAD)
    except zlib.error:
        raise _broken("its archive cannot be read") from None
    if not stream.eof:
        raise _broken("its archive is cut short, or larger than a release may be")
    return data


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is None or member.sparse is not None:
                    raise _broken(f"{member.name!r} in its archive is no plain file")
                yield member.name, file.read()
    except (tarfile.TarError, ValueError, OSError, RecursionError):
        raise _broken("its archive cannot be read") from None


def _write(held: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir()
    for name, data in held.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(_READ_ONLY)


def _is_whole(folder: Path, digests: Mapping[str, str]) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    found: dict[str, str] = {}
    for path in _inside(folder):
        if path.is_symlink() or not path.is_file():
            return False
        found[path.relative_to(folder).as_posix()] = digest(path.read_bytes())
    return found == digests


def _inside(folder: Path) -> Iterator[Path]:
    """Yield whatever a folder holds but real folders, without compiled files: those go.

    They are made again when they are needed, and nobody can tell what they were made of.
    """
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir():
            yield path
        elif path.name == "__pycache__":
            shutil.rmtree(path, ignore_errors=True)
        else:
            yield from _inside(path)


def _broken(why: str) -> SnapshotBroken:
    return SnapshotBroken(
        "the snapshot of this release is broken",
        why=why,
        fix=("proveout release create", "restore the store from its backup"),
    )
