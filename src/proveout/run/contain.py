"""Keeping what user code does within its own run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Exited(Exception):
    """User code asked the interpreter to exit; it may not take the worker along."""


class contained:  # noqa: N801 - it reads as what it does: with contained(…)
    """Keep what user code does within its own run.

    An exit becomes an error; a process that it forked ends here instead of going on as a
    second worker that holds the same connections.

    Raises:
        Exited: it raised SystemExit or KeyboardInterrupt.
    """

    __slots__ = ("_name", "_process")

    def __init__(self, name: str) -> None:
        """Contain the code of the step or task called `name`."""
        self._name = name

    def __enter__(self) -> None:
        self._process = os.getpid()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if os.getpid() != self._process:
            os._exit(0)
        if isinstance(error, SystemExit | KeyboardInterrupt):
            raise Exited(f"{self._name} raised {type(error).__name__}({error})") from error
