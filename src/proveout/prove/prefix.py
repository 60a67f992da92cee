"""Completed prefixes: the trials that an order has behind it without a gap."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from proveout.domain.run import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.domain.experiment import ExperimentId
    from proveout.domain.run import Run
    from proveout.ports.store import Experiments

PAGE = 100
"""Trials read at once."""


async def completed(store: Experiments, experiment: ExperimentId, candidate: str) -> list[Run]:
    """Return the finished trials of a candidate that continue each other from the first on.

    One that was cancelled ends them: so does a verdict what it made unnecessary.
    """
    found: list[Run] = []
    while page := await store.trials(experiment, candidate, len(found), PAGE, finished=True):
        going = takewhile(
            lambda run: run.state is not RunState.CANCELLED, in_a_row(page, len(found))
        )
        found += going
        if not found or found[-1] is not page[-1]:
            break
    return found


def in_a_row(trials: list[Run], position: int) -> Iterator[Run]:
    """Yield the trials that stand at `position` and after it without a gap."""
    for place, run in enumerate(trials, position):
        if run.trial is None or run.trial.position != place:
            return
        yield run
