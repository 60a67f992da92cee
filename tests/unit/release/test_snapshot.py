"""A snapshot is its content: the same anywhere, and nothing else comes out of it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from proveout.errors import Refusal
from proveout.prove.lock import canonical, digest
from proveout.release.secrets_found import SecretInRelease
from proveout.release.snapshot import (
    LARGEST,
    MOST,
    Declared,
    ReleaseTooLarge,
    SnapshotBroken,
    release_folder,
    take,
    unpack,
)
from proveout.release.sources import code_digest, executed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from proveout.release.snapshot import Snapshot

DECLARED = Declared(
    workflow="triage",
    entry="app.flow:triage",
    environment="e" * 64,
    scores=("app.flow:tone", "app.flow:clear"),
    settings={"patience": "4 h"},
)
FILES = {"app/__init__.py": b"", "app/flow.py": b"x = 1\n", "app/prompts/\xe9.txt": b"Hello\x00"}


def project(folder: Path, files: Mapping[str, bytes] = FILES) -> list[Path]:
    paths = [folder / name for name in files]
    for path, data in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return paths


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return take(DECLARED, project(tmp_path / "project"), tmp_path / "project")


def held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return zlib.compress(packed.getvalue())


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    digests = {name: digest(data) for name, data in files.items()}
    return canonical({"format": "proveout-release/1", "files": digests})


# Taking


def test_the_same_content_is_the_same_release(tmp_path: Path) -> None:
    """Folder, order, time, mode and owner do not count: digest and archive are the same."""
    here, there = tmp_path / "here", tmp_path / "there"
    files, others = project(here), project(there)
    os.utime(others[0], (1, 1))
    others[1].chmod(0o755)

    first, second = take(DECLARED, files, here), take(DECLARED, others[::-1], there)

    assert first == second
    assert first.digest == digest(first.manifest)


def test_the_manifest_says_what_executes_and_nothing_of_the_machine(snapshot: Snapshot) -> None:
    said = json.loads(snapshot.manifest)

    assert snapshot.manifest == canonical(said)
    assert said == {
        "format": "proveout-release/1",
        "workflow": "triage",
        "entry": "app.flow:triage",
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "environment": "e" * 64,
        "scores": ["app.flow:clear", "app.flow:tone"],
        "settings": {"patience": "4 h"},
        "files": {name: digest(data) for name, data in FILES.items()},
    }


@pytest.mark.parametrize("part", ["workflow", "entry", "environment", "python", "file", "name"])
def test_whatever_executes_counts(tmp_path: Path, part: str, snapshot: Snapshot) -> None:
    """One changed part is another release."""
    folder, files, declared = tmp_path / "other", dict(FILES), DECLARED
    match part:
        case "file":
            files["app/flow.py"] = b"x = 2\n"
        case "name":
            files["app/flow2.py"] = files.pop("app/flow.py")
        case _:
            declared = replace(DECLARED, **{part: "other"})

    other = take(declared, project(folder, files), folder)

    assert other.digest != snapshot.digest
    assert (other.code != snapshot.code) == (part in {"file", "name"})


def test_the_code_is_what_an_experiment_locks(tmp_path: Path, snapshot: Snapshot) -> None:
    """The promise by which a verdict counts for a release: both digests are one."""
    folder = tmp_path / "project"

    locked = code_digest(executed("app.flow:triage", (), folder, ()), folder)

    assert snapshot.code == locked


def test_too_much_is_refused_with_what_is_largest(tmp_path: Path) -> None:
    """Before anything is read; the limit itself is allowed."""
    fits = {"app/model.bin": bytes(LARGEST - 1), "app/a.py": b"#"}
    take(DECLARED, project(tmp_path / "fits", fits), tmp_path / "fits")

    with pytest.raises(ReleaseTooLarge) as caught:
        take(DECLARED, project(tmp_path / "over", fits | {"b": b"1"}), tmp_path / "over")

    assert isinstance(caught.value, Refusal)
    assert "3 files of 20.0 MiB" in caught.value.message
    assert "the largest: app/model.bin 20.0 MiB, " in caught.value.why
    assert any("out of the package" in fix for fix in caught.value.fix)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    many = {f"app/{number}.txt": b"" for number in range(MOST + 1)}
    paths = project(tmp_path, many)

    take(DECLARED, paths[1:], tmp_path)

    with pytest.raises(ReleaseTooLarge, match="2,001 files"):
        take(DECLARED, paths, tmp_path)


def test_a_secret_is_refused(tmp_path: Path) -> None:
    token = "gh" + "p_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6"

    with pytest.raises(SecretInRelease, match="a:1 holds a GitHub token"):
        take(DECLARED, project(tmp_path, {"a": token.encode()}), tmp_path)


# Unpacking


def test_what_was_taken_is_unpacked(tmp_path: Path, snapshot: Snapshot) -> None:
    """Every file with its bytes, and no other; a second time changes nothing."""
    into = release_folder(snapshot.digest, tmp_path / "cache")

    assert unpack(snapshot.archive, snapshot.manifest, into) == into
    place = into.stat().st_ino
    unpack(snapshot.archive, snapshot.manifest, into)

    assert held(into) == FILES
    assert into.stat().st_ino == place


@pytest.mark.parametrize("harm", ["changed", "missing", "added", "linked", "file", "link"])
def test_a_folder_that_was_tampered_with_is_replaced(
    tmp_path: Path, snapshot: Snapshot, harm: str
) -> None:
    """Whatever stands there is believed only file by file, links and additions included."""
    into = unpack(snapshot.archive, snapshot.manifest, tmp_path / "cache/r")
    flow, elsewhere = into / "app/flow.py", tmp_path / "elsewhere"
    match harm:
        case "added":
            (into / "json.py").write_text("raise SystemExit")
        case "file" | "link":
            into.rename(elsewhere)
            into.symlink_to(elsewhere) if harm == "link" else into.write_text("")
        case _:
            flow.rename(elsewhere)
            flow.symlink_to(elsewhere) if harm == "linked" else None
            flow.write_text("x = 3\n") if harm == "changed" else None

    unpack(snapshot.archive, snapshot.manifest, into)

    assert held(into) == FILES
    assert not any(path.is_symlink() for path in (into, *into.rglob("*")))


def test_compiled_files_are_removed_and_nothing_else(tmp_path: Path, snapshot: Snapshot) -> None:
    """Nobody can tell what they were made of; the folder itself may be in use and stays."""
    into = unpack(snapshot.archive, snapshot.manifest, tmp_path / "r")
    place = into.stat().st_ino
    (into / "app/__pycache__").mkdir()
    (into / "app/__pycache__/flow.cpython-311.pyc").write_bytes(b"planted")

    unpack(snapshot.archive, snapshot.manifest, into)

    assert held(into) == FILES
    assert into.stat().st_ino == place


def test_what_a_killed_process_left_is_not_taken_for_whole(
    tmp_path: Path, snapshot: Snapshot
) -> None:
    """Half-written files stand beside, under another name, and go with the next unpacking."""
    leftover = tmp_path / ".r.new"
    leftover.mkdir()
    (leftover / "app").write_text("half")

    unpack(snapshot.archive, snapshot.manifest, tmp_path / "r")

    assert held(tmp_path / "r") == FILES
    assert not leftover.exists()


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "a//b", "./a", "a/", "", ".", "..", "a\0b"]
)
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Even where manifest and archive agree on it; the same files with plain names pass."""
    unpack(tar((tarfile.TarInfo("x"), b"1")), manifest_of({"x": b"1"}), tmp_path / "plain")
    archive = tar((tarfile.TarInfo(name or "x"), b"1"))

    with pytest.raises(SnapshotBroken):
        unpack(archive, manifest_of({name: b"1"}), tmp_path / "in/r")

    assert not (tmp_path / "in").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, b"6"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    """Links, folders and pipes never come out of an archive."""
    member = tarfile.TarInfo("x")
    member.type, member.linkname = kind, "../../etc/passwd"

    with pytest.raises(SnapshotBroken, match="broken"):
        unpack(tar((member, b"")), manifest_of({"x": b""}), tmp_path / "r")

    assert not (tmp_path / "r").exists()


def test_an_archive_that_is_not_what_the_manifest_says_is_refused(
    tmp_path: Path, snapshot: Snapshot
) -> None:
    """Changed, missing, added, doubled, cut short, blown up, or no archive at all."""
    one, two = (tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("b"), b"2")
    both = manifest_of({"a": b"1", "b": b"2"})
    whole = snapshot.archive
    wrong = [
        (tar(one), both),
        (tar(one, (tarfile.TarInfo("b"), b"3")), both),
        (tar(one, two, (tarfile.TarInfo("c"), b"")), both),
        (tar(one, two, two), both),
        (whole[:-8], snapshot.manifest),
        (whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], snapshot.manifest),
        (zlib.compress(bytes(3 * LARGEST)), both),
        (zlib.compress(b"no tar"), both),
        (b"", both),
        (tar(one, two), b"no json"),
        (tar(one, two), b"[]"),
        (tar(one, two), b'{"files": 3, "format": "proveout-release/1"}'),
        (tar(one, two), both.replace(b"release/1", b"release/2")),
        (tar(one, (tarfile.TarInfo("a/b"), b"2")), manifest_of({"a": b"1", "a/b": b"2"})),
    ]

    for archive, manifest in wrong:
        with pytest.raises(SnapshotBroken):
            unpack(archive, manifest, tmp_path / "r")

    assert unpack(tar(one, two), both, tmp_path / "r").is_dir()


def test_processes_that_unpack_at_once_all_find_it_whole(
    tmp_path: Path, snapshot: Snapshot
) -> None:
    """Each comes back to a whole folder, and nothing is left beside it but the lock."""
    (tmp_path / "archive").write_bytes(snapshot.archive)
    (tmp_path / "manifest").write_bytes(snapshot.manifest)
    code = (
        "import sys, pathlib; from proveout.release.snapshot import unpack\n"
        "at = pathlib.Path(sys.argv[1])\n"
        "sys.stdin.read(1)\n"
        "into = unpack((at/'archive').read_bytes(), (at/'manifest').read_bytes(), at/'cache/r')\n"
        "assert (into/'app/flow.py').read_bytes() == b'x = 1\\n'\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE)
        for _ in range(4)
    ]

    for process in processes:
        process.communicate(b"!", timeout=60)

    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert held(tmp_path / "cache/r") == FILES
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"r", ".r.lock"}
