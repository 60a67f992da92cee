"""The event loop that workers and servers run on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


def run(main: Coroutine[None, None, T]) -> T:
    """Return what `main` returned, on uvloop where it is installed, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=_quickest()) as runner:
        return runner.run(main)


def _quickest() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - takes time that only those who stay on a loop get back
    except ImportError:  # it is made for CPython, and not for Windows
        return None
    return uvloop.new_event_loop
