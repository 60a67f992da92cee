"""What failed, in words that survive the process that saw it."""

from __future__ import annotations

import traceback
from typing import cast

from proveout.domain.run import Failure
from proveout.errors import ProveoutError

TRACE = 8_000
"""Characters of a traceback that are kept, from its end."""


class StepFailed(ProveoutError):
    """A step failed for good: its last try raised.

    Attributes:
        step: name of the step.
        failure: what it raised, as the journal keeps it.
    """

    code = "step-failed"

    def __init__(self, step: str, failure: Failure) -> None:
        super().__init__(f"{step} failed: {failure.type}: {failure.message}")
        self.step = step
        self.failure = failure


def failure_of(error: BaseException, step: str = "") -> Failure:
    """Return what `error` tells, in words that survive this process."""
    if isinstance(error, StepFailed):
        return error.failure
    trace = "".join(traceback.format_exception(error))
    return Failure(
        type=type(error).__name__,
        message=words(error)[:TRACE],
        traceback=printable(trace[-TRACE:]),
        step=step,
    )


def words(error: BaseException) -> str:
    """Return what an error says about itself, in text that can be kept and shown."""
    try:
        return printable(str(error))
    except Exception:  # noqa: BLE001 - user code may fail even at this
        return f"{type(error).__name__} cannot say what it is"


def printable(text: str) -> str:
    """Return `text` as every store and terminal takes it: half characters and NUL written out."""
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()


def step_failure(error: BaseException) -> StepFailed | None:
    """Return the step's failure that an error is or groups, or None."""
    if isinstance(error, StepFailed):
        return error
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return next((found for e in group.exceptions if (found := step_failure(e))), None)
    return None
