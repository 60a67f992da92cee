"""The log of a process: named events with their facts, on standard error."""

from __future__ import annotations

import logging
import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from proveout.faces.sentry import reporters

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


def logger(level: int = logging.WARNING) -> FilteringBoundLogger:
    """Return a logger for people on a terminal, and for programs elsewhere: a line of JSON each.

    What it writes with is loaded when there is something to write: most commands say nothing
    here, and loading takes a seventh of their time.
    """
    return cast("FilteringBoundLogger", _Later(level))


class _Later:
    """A logger that is made by its first use."""

    def __init__(self, level: int) -> None:
        self._level = level

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    @cached_property
    def _made(self) -> Any:
        import structlog  # noqa: PLC0415 - see `logger`

        renderer = (
            structlog.dev.ConsoleRenderer()
            if sys.stderr.isatty()
            else structlog.processors.JSONRenderer()
        )
        return structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                *reporters(os.environ),
                renderer,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(self._level),
        )
