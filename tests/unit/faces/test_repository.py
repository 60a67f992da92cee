"""Reading a repository: what git would keep, bounded, and never fatal."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from proveout.faces import repository
from proveout.faces.repository import scan_repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RISKY = "import requests\nrequests.get('https://a.example')\n"


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Return a folder that holds these files."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def found_in(root: Path) -> list[str]:
    return sorted(one.finding.file or "" for one in scan_repository(root).found)


def test_what_nobody_here_wrote_is_not_read(tmp_path: Path) -> None:
    """Environments, packages, caches; the control stands beside them."""
    inner = ("node_modules", ".venv", "site-packages", ".git", "mine/__pycache__", "x.egg-info")
    root = write(tmp_path, {f"{folder}/a.py": RISKY for folder in inner} | {"app.py": RISKY})
    write(tmp_path, {"my-env/pyvenv.cfg": "", "my-env/lib/a.py": RISKY})

    assert found_in(root) == ["app.py"]


def test_what_git_ignores_is_not_read(tmp_path: Path) -> None:
    """By name, by path, by folder, by a file further in; what is taken back is read."""
    root = write(
        tmp_path,
        {
            ".gitignore": "# mine\nscratch*.py\n/out/\nlib/old.py\n*.gen.py\n!keep.gen.py\n",
            "inner/.gitignore": "here.py\n",
        }
        | dict.fromkeys(("scratch1.py", "deep/scratch2.py", "out/a.py", "lib/old.py"), RISKY)
        | dict.fromkeys(("a.gen.py", "inner/here.py"), RISKY)
        | dict.fromkeys(("keep.gen.py", "lib/new.py", "here.py", "deep/out/a.py"), RISKY),
    )

    assert found_in(root) == ["deep/out/a.py", "here.py", "keep.gen.py", "lib/new.py"]


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Neither to a file, nor to a folder that holds itself, nor out of the repository."""
    write(tmp_path, {"outside/secret.py": RISKY, "repo/app.py": RISKY})
    root = tmp_path / "repo"
    (root / "again").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "one.py").symlink_to(tmp_path / "outside" / "secret.py")

    assert found_in(root) == ["app.py"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"name = 'caf\xe9'\n", "not utf-8"),
        (b"# coding: klingon\n", "encoding is not known"),
        (b"x = 1\n" * 300_000, "larger than 1,000 kB"),
        (b"print 'hello'\n", "Python 2"),
        (b"\xff\xfe\x00\x01binary", "not utf-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path, content: bytes, why: str) -> None:
    """With its reason; the others are read as ever."""
    root = write(tmp_path, {"a.py": content, "app.py": RISKY})

    found = scan_repository(root)

    assert [one.path for one in found.unread] == ["a.py"]
    assert why in found.unread[0].why
    assert [one.finding.file for one in found.found] == ["app.py"]


@pytest.mark.parametrize(
    "content", [b"# coding: latin-1\nname = 'caf\xe9'\n", b"\xef\xbb\xbfname = 'x'\n"]
)
def test_a_declared_encoding_is_honoured(tmp_path: Path, content: bytes) -> None:
    """And so is a byte order mark."""
    root = write(tmp_path, {"a.py": content + RISKY.encode()})

    assert found_in(root) == ["a.py"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A named pipe that nobody writes to would hold the audit for ever."""
    root = write(tmp_path, {"app.py": RISKY})
    os.mkfifo(root / "pipe.py")

    found = scan_repository(root)

    assert [one.why for one in found.unread] == ["it cannot be read: it is no regular file"]
    assert found.facts.paths == ("app.py", "pipe.py")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_reported(tmp_path: Path) -> None:
    root = write(tmp_path, {"app.py": RISKY, "closed/a.py": RISKY})
    (root / "closed").chmod(0)

    found = scan_repository(root)

    (root / "closed").chmod(stat.S_IRWXU)
    assert [one.path for one in found.unread] == ["closed"]


def test_names_of_files_may_be_anything(tmp_path: Path) -> None:
    """Letters of every script, blanks, and bytes that are no text."""
    root = write(tmp_path, {"日本/ü b.py": RISKY})
    with (tmp_path / os.fsdecode(b"bad\xff.py")).open("w") as file:
        file.write(RISKY)

    assert len(found_in(root)) == 2


def test_a_repository_without_end_is_read_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is said that there is more."""
    monkeypatch.setattr(repository, "MOST_FILES", 3)
    root = write(tmp_path, {f"{index}.py": RISKY for index in range(5)})

    found = scan_repository(root)

    assert len(found.facts.paths) == 3
    assert "more than 3 files" in found.unread[0].why


def test_one_file_may_be_audited_alone(tmp_path: Path) -> None:
    root = write(tmp_path, {"app.py": RISKY, "other.py": RISKY})

    assert [one.finding.file for one in scan_repository(root / "app.py").found] == ["app.py"]
