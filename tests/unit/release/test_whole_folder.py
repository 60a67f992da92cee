"""A folder is whole or not there, whoever dies while it is made."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from proveout.release.whole_folder import make_whole

if TYPE_CHECKING:
    from pathlib import Path

DIES_HALFWAY = """\
import os, pathlib, signal, sys
from proveout.release.whole_folder import make_whole

def write(folder):
    folder.mkdir()
    (folder / "a").write_text("a")
    os.kill(os.getpid(), signal.SIGKILL)

make_whole(pathlib.Path(sys.argv[1]), write, lambda folder: (folder / "b").exists())
"""


def write(folder: Path) -> None:
    folder.mkdir()
    (folder / "a").write_text("a")
    (folder / "b").write_text("b")


def is_whole(folder: Path) -> bool:
    return (folder / "a").exists() and (folder / "b").exists()


def test_a_process_that_dies_halfway_leaves_nothing_to_be_taken_for_whole(tmp_path: Path) -> None:
    """The next one neither waits for the dead one's lock nor uses its files."""
    folder = tmp_path / "cache/one"
    dead = subprocess.run([sys.executable, "-c", DIES_HALFWAY, folder], check=False, timeout=60)
    seen = folder.exists()

    make_whole(folder, write, is_whole)

    assert (dead.returncode, seen) == (-signal.SIGKILL, False)
    assert is_whole(folder)
    assert {path.name for path in folder.parent.iterdir()} == {"one", ".one.lock"}


def test_a_folder_that_is_whole_is_left_alone(tmp_path: Path) -> None:
    """It is not written again; one that is not whole is, and what was in it is gone."""
    folder = make_whole(tmp_path / "one", write, is_whole)
    (folder / "mine").touch()
    make_whole(folder, write, is_whole)
    kept = (folder / "mine").exists()

    (folder / "b").unlink()
    make_whole(folder, write, is_whole)

    assert kept
    assert not (folder / "mine").exists()


def test_what_cannot_be_written_leaves_what_stood_there(tmp_path: Path) -> None:
    """A failure while writing is told, and takes nothing away."""
    folder = make_whole(tmp_path / "one", write, is_whole)
    (folder / "b").unlink()

    def fail(folder: Path) -> None:
        folder.mkdir()
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        make_whole(folder, fail, is_whole)

    assert (folder / "a").exists()
    assert is_whole(make_whole(folder, write, is_whole))
