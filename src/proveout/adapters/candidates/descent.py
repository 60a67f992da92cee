"""What a program has started, whatever it did to get away: known by a mark in its environment."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "PROVEOUT_CANDIDATE"
"""The variable whose value is a program's mark; what it starts inherits it."""

PROCESSES = Path("/proc")
"""Where Linux shows processes with their environments; elsewhere there is no such folder."""

ROUNDS = 20
"""Times that processes are looked for: one that is ended may just have started another."""


def new_mark() -> str:
    """Return a mark that no other program has."""
    return token_hex(16)


def end_marked(mark: str) -> None:
    """End every process of that mark at once: also one that left its session and its parent.

    On systems that show no environments of others it does nothing.
    """
    for _ in range(ROUNDS):
        found = list(_marked(mark))
        if not found:
            return
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(process, signal.SIGKILL)
            os.close(process)


def _marked(mark: str) -> Iterator[int]:
    """Yield handles of the processes of that mark that run: a number may be another's by then."""
    line = f"{MARK}={mark}".encode()
    for folder in PROCESSES.glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            if line not in _environment(folder):
                continue
            handle = os.pidfd_open(int(folder.name))
            if line in _environment(folder):
                yield handle
            else:
                os.close(handle)


def _environment(process: Path) -> list[bytes]:
    return (process / "environ").read_bytes().split(b"\0")
