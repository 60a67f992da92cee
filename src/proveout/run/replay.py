"""Replaying: a new run on the input of one that ended without a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.run import RunState
from proveout.errors import Refusal
from proveout.run.enqueue import Request, enqueue

if TYPE_CHECKING:
    from proveout.domain.run import Run
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.store import Writes

REPLAYABLE = frozenset({RunState.FAILED, RunState.DEAD, RunState.CANCELLED})
"""What ended without a result; a run that succeeded would only do everything twice."""


class NotReplayable(Refusal):
    """The run is in a state, or of a kind, that is not run again."""

    code = "not-replayable"


async def replay(store: Writes, clock: Clock, ids: Ids, run: Run) -> Run:
    """Make a new run durable on the input of `run`; it goes where the pointer sends it.

    Nothing of the old journal is taken over: every step is called again, and effects that
    the old run carried out are carried out once more.

    Raises:
        NotReplayable: the run goes on, has succeeded, or is a trial of an experiment.
    """
    if run.trial is not None:
        raise NotReplayable(
            f"run {run.id} is a trial",
            why="an experiment alone says what it runs, and counts it",
            fix=("proveout prove",),
        )
    if run.state not in REPLAYABLE:
        raise NotReplayable(
            f"run {run.id} is {run.state}",
            why="only a run that ended without a result is run again",
            fix=(f"proveout runs show {run.id}",),
        )
    request = Request(workflow=run.workflow, value=run.value)
    return (await enqueue(store, clock, ids, request)).run
