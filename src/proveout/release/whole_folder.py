"""Folders that are whole: written beside, renamed when finished, by one process at a time."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path


def make_whole(
    folder: Path, write: Callable[[Path], None], is_whole: Callable[[Path], bool]
) -> Path:
    """Return `folder`, which is whole: as it stood, or else as `write` made it.

    No process ever sees it half-written. Of two that want it at once the second waits, and
    finds it done. What a killed one left behind is removed by the next.

    Args:
        folder: where it stands, or will.
        write: makes the folder it is given, which does not exist.
        is_whole: whether a folder, which may be missing, holds what it should.
    """
    if is_whole(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if not is_whole(folder):
            _replace(folder, write)
    return folder


def _replace(folder: Path, write: Callable[[Path], None]) -> None:
    beside = folder.with_name(f".{folder.name}.new")
    former = folder.with_name(f".{folder.name}.old")
    for leftover in (beside, former):
        _remove(leftover)
    write(beside)
    if folder.is_symlink() or folder.exists():
        folder.rename(former)
    beside.rename(folder)
    _remove(former)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Hold the folder's lock; the system lets go of it when its holder dies."""
    with folder.with_name(f".{folder.name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
