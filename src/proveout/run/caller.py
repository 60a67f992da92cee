"""Who makes a call of a model: the step that runs now, or the workflow between its steps."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from proveout.domain.caller import CALLER_HEADER, written
from proveout.domain.model_call import JUDGES, Caller
from proveout.domain.workflow import CURRENT
from proveout.run.branch import Branch
from proveout.run.step import Inside

if TYPE_CHECKING:
    from collections.abc import Generator


_JUDGES: ContextVar[bool] = ContextVar("judges", default=False)


@contextmanager
def judging() -> Generator[None]:
    """Let what is called within the block call models for a judge, and not for a run."""
    token = _JUDGES.set(True)
    try:
        yield
    finally:
        _JUDGES.reset(token)


def current_caller() -> Caller | None:
    """Return who would make a call of a model here; None outside a run."""
    if _JUDGES.get():
        return JUDGES
    match CURRENT.get():
        case Inside() as inside:
            run, place = inside.attempt.run, inside.place
        case Branch() as branch:
            run, place = branch.attempt.run, None
        case _:
            return None
    return Caller(run=run.id, fence=run.fence, place=place)


def caller_headers() -> dict[str, str]:
    """Return the headers that a call of a model from here needs to be counted.

    Clients built on httpx send them by themselves. Others, and code in a thread that was
    started without the step's context, are given them by hand. Empty outside a run.
    """
    caller = current_caller()
    return {} if caller is None else {CALLER_HEADER: written(caller)}
