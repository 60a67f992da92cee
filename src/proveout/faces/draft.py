"""The draft: whether the working tree is still what was loaded from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from proveout.errors import ProveoutError
from proveout.release.sources import executed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from proveout.faces.settings import Settings

Stamps: TypeAlias = "dict[Path, tuple[int, int] | None]"
"""When each file was changed last, in nanoseconds, and its bytes; None where there is none."""


class LoadedDraft:
    """The modules of the working tree as they were when a process began to load them."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._loaded = self._seen = _stamps(files)

    def is_stale(self) -> bool:
        """Whether a module has changed since, and nobody has written to any since the last look."""
        now = _stamps(self._loaded)
        is_settled = now == self._seen
        self._seen = now
        return is_settled and now != self._loaded


def loaded_draft(settings: Settings) -> LoadedDraft:
    """Return what a process loads that begins now: each module of the project that executes.

    Data beside the modules may be the workflow's own to write, so it is left out. Where an entry
    stands elsewhere, or a pattern of files is wrong, nothing is known to change.
    """
    workflow = settings.workflow
    try:
        files = executed(workflow.entry, (), settings.folder, workflow.files)
    except ProveoutError:
        files = ()
    return LoadedDraft(one for one in files if one.suffix == ".py")


def _stamps(files: Iterable[Path]) -> Stamps:
    return {path: _stamp(path) for path in files}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
