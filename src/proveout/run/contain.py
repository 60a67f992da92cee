"""Keeping what user code does within its own run."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class Exited(Exception):
    """User code asked the interpreter to exit; it may not take the worker along."""


@contextmanager
def contained(name: str) -> Generator[None]:
    """Keep what user code does within its own run.

    An exit becomes an error; a process that it forked ends here instead of going on as a
    second worker that holds the same connections.

    Raises:
        Exited: it raised SystemExit or KeyboardInterrupt.
    """
    process = os.getpid()
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as error:
        raise Exited(f"{name} raised {type(error).__name__}({error})") from error
    finally:
        if os.getpid() != process:
            os._exit(0)
