"""Replaying: a new run on the input of one that ended without a result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from proveout.domain.run import REPLAY, RunState
from proveout.domain.unit import Enqueued
from proveout.errors import Refusal
from proveout.ports.store import Runs, Writes
from proveout.run.enqueue import Request, enqueue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.run import Run, RunId
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.store import RunFilter

REPLAYABLE = frozenset({RunState.FAILED, RunState.DEAD, RunState.CANCELLED})
"""What ended without a result; a run that succeeded would only do everything twice."""


class NotReplayable(Refusal):
    """The run is in a state, or of a kind, that is not run again."""

    code = "not-replayable"


class AlreadyReplayed(Refusal):
    """A replay of the run goes on, or has succeeded."""

    code = "already-replayed"


class Replays(Writes, Runs, Protocol):
    """What replaying needs of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How a run is run again.

    Attributes:
        value: another input, as bytes of canonical JSON; None for the same.
        release: digest of the release that the new run is pinned to, or "draft"; None to go
            where the pointer sends it.
        again: although a replay of the run has succeeded.
        by: who asks for it; "" for who asked for the run.
    """

    value: bytes | None = None
    release: str | None = None
    again: bool = False
    by: str = ""


SAME = Replay()
"""On the same input, where the pointer sends it."""


async def replay(store: Replays, clock: Clock, ids: Ids, run: Run, how: Replay = SAME) -> Enqueued:
    """Make a new run durable on the input of `run`, or tell which one replays it already.

    Nothing of the old journal is taken over: every step is called again, and effects that
    the old run carried out are carried out once more. On the same input they carry the
    same keys as then, so a receiver that honours keys does nothing twice; another input
    makes new keys.

    Raises:
        NotReplayable: the run goes on, has succeeded, is pruned, or is a trial.
        AlreadyReplayed: a replay has succeeded, or one with another input goes on.
    """
    asked = await foresee(store, run, how)
    return asked if isinstance(asked, Enqueued) else await enqueue(store, clock, ids, asked)


async def foresee(store: Runs, run: Run, how: Replay = SAME) -> Request | Enqueued:
    """Return what `replay` would ask for, or the replay that goes on; writes nothing.

    Raises:
        NotReplayable: the run goes on, has succeeded, is pruned, or is a trial.
        AlreadyReplayed: a replay has succeeded, or one with another input goes on.
    """
    _check(run)
    value = run.value if how.value is None else how.value
    count, last = await last_replay(store, run)
    if last is not None and not last.state.is_final:
        if last.has_input(value) and how.release in {None, last.release}:
            return Enqueued(last, created=False)
        raise AlreadyReplayed(
            f"run {run.id} is replayed by {last.id}, which is {last.state}",
            why="that replay has another input or release, and one at a time goes on",
            fix=(f"proveout runs show {last.id}", f"proveout runs cancel {last.id}"),
        )
    if last is not None and last.state is RunState.SUCCEEDED and not how.again:
        raise AlreadyReplayed(
            f"run {run.id} was replayed by {last.id}, which SUCCEEDED",
            why="one more would only do everything twice",
            fix=(f"proveout runs show {last.id}", f"proveout runs replay {run.id} --again"),
        )
    return Request(
        workflow=run.workflow,
        value=value,
        key=replay_key(run, count + 1),
        priority=run.priority,
        ordering=run.ordering,
        origin=run.keyed_as if value == run.value else None,
        release=how.release,
        asked_by=how.by or run.asked_by,
    )


def _check(run: Run) -> None:
    """Leave quietly when `run` may be run again."""
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
    if run.pruned is not None:
        raise NotReplayable(
            f"run {run.id} was pruned on {run.pruned:%Y-%m-%d}",
            why="its input is gone, and with it what could be run again",
            fix=(f"proveout enqueue {run.workflow} --input JSON",),
        )


def replay_key(run: Run, number: int) -> str:
    """Return the key of a replay, from 1: that of its first run, whichever of its replays asks.

    One key stands for one request, so two who replay at once get the same run.
    """
    return f"{REPLAY}{run.keyed_as}:{number}"


async def last_replay(store: Runs, run: Run) -> tuple[int, Run | None]:
    """Return how often a run, or the first run that it replays, was replayed, and the last."""
    count, last = 0, None
    while found := await store.run_by_key(run.workflow, replay_key(run, count + 1)):
        count, last = count + 1, found
    return count, last


async def last_replays(store: Runs, runs: Sequence[Run]) -> dict[RunId, Run]:
    """Return the last replay of each run of one workflow that was replayed; see `last_replay`."""
    last: dict[RunId, Run] = {}
    number, rest = 1, list(runs)
    while rest:
        keys = {one.id: replay_key(one, number) for one in rest}
        found = await store.runs_by_keys(rest[0].workflow, list(keys.values()))
        rest = [one for one in rest if keys[one.id] in found]
        last |= {one.id: found[keys[one.id]] for one in rest}
        number += 1
    return last


async def matching(store: Runs, which: RunFilter, error: str, most: int) -> list[Run]:
    """Return up to `most` runs of a list whose error holds the text `error`, the oldest first.

    Args:
        store: where they are.
        which: its limit is the length of a page.
        error: in the error's type or message, in any case of letters; "" for all.
        most: count from 1; the newest are taken.
    """
    found: list[Run] = []
    before: RunId | None = which.before
    while len(found) < most:
        page = await store.runs(replace(which, before=before))
        found += [run for run in page if _tells(run, error)]
        if len(page) < which.limit:
            break
        before = page[-1].id
    return found[:most][::-1]


def _tells(run: Run, error: str) -> bool:
    if not error:
        return True
    failure = run.failure
    return failure is not None and error.casefold() in (
        f"{failure.type}: {failure.message}".casefold()
    )
