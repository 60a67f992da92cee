"""Whose turn it is: what lets the runs of one workflow through, a few at a time."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from proveout.domain.run import RunState
from proveout.run.retry import TOO_MANY, asked_wait, is_turned_away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping

    from proveout.domain.run import RunId
    from proveout.domain.unit import Settle
    from proveout.run.attempt import Attempt
    from proveout.run.meter import ModelMeter
    from proveout.run.span import Mark

    Rest = Callable[[float], Awaitable[None]]


PATIENCE = 120.0
"""Seconds for which a trial asks again where it is turned away, whatever its step's retries."""


class Turns(Protocol):
    """Is told what becomes of the runs of a workflow, and says how many more may go on.

    Moments and lengths are in seconds of the worker's clock, by its `monotonic`.
    """

    def room(self) -> int:
        """Return how many more may begin now."""
        ...

    def begin(self) -> None:
        """Count one that begins."""
        ...

    def end(self, seconds: float | None, *, answered: bool) -> None:
        """Count one that has ended, and how long its call took; None where it has not ended."""
        ...

    def turned_away(self, began: float, wait: float | None) -> None:
        """Take in that a call which began then was asked to come later, after `wait` if it says."""
        ...

    def answered(self) -> None:
        """Take in that a call within a run was answered."""
        ...

    async def come_again(self, rest: Rest, wait: float) -> None:
        """Return after `wait`, and once it is the turn of a run whose call was turned away."""
        ...

    def refused_for(self) -> float:
        """Return for how long calls were turned away and none was answered."""
        ...


def turned_away(attempt: Attempt, mark: Mark, error: Exception) -> Turns | None:
    """Return who says when to come again, where others' load is why a try has failed.

    Nothing of that try is the workflow's own time.
    """
    if attempt.turns is None or not is_turned_away(error, attempt.now()):
        return None
    attempt.span.leave_out(mark)
    attempt.turns.turned_away(mark.at, asked_wait(error, attempt.now()))
    return attempt.turns


def refused_for(attempt: Attempt, began: float) -> float:
    """Return for how long a step, or everybody, was turned away."""
    refused = 0.0 if attempt.turns is None else attempt.turns.refused_for()
    return max(refused, attempt.clock.monotonic() - began)


def end_turn(turns: Turns, unit: Settle | None) -> None:
    """Count a run as ended that `unit` settles; None where it was lost."""
    is_final = unit is not None and unit.state.is_final
    answered = unit is not None and unit.state is RunState.SUCCEEDED
    turns.end(unit.elapsed if unit is not None and is_final else None, answered=answered)


@contextmanager
def heeding(
    meter: ModelMeter | None,
    turns: Mapping[str, Turns],
    attempt_of: Callable[[RunId], Attempt | None],
) -> Generator[None]:
    """Let turns hear how calls of models end, in whichever thread, while the block lasts.

    Args:
        meter: what sees the calls; None where nobody does.
        turns: those of the worker's workflows.
        attempt_of: finds the attempt under way at a run.
    """
    if meter is None or not turns:
        yield
        return
    loop = asyncio.get_running_loop()

    def hear(run: RunId, began: float, status: int) -> None:
        attempt = attempt_of(run)
        if attempt is None or attempt.turns is None:
            return
        if status == TOO_MANY:
            attempt.turns.turned_away(began, None)
        elif 0 < status < TOO_MANY:
            attempt.turns.answered()

    def tell(run: RunId, began: float, status: int) -> None:
        with suppress(RuntimeError):  # the loop has closed: the worker is gone
            loop.call_soon_threadsafe(hear, run, began, status)

    with meter.telling(tell):
        yield
