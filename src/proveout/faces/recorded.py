"""What trials recorded: the answers of their steps, to be replayed in drills."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proveout.domain.experiment import OWN
from proveout.domain.journal import EntryKind, Returned
from proveout.domain.run import RunState
from proveout.ready.sandbox import Load

if TYPE_CHECKING:
    from proveout.domain.experiment import ExperimentId
    from proveout.domain.journal import Entry
    from proveout.ports.store import LockedExperiment, Store

MOST = 60
"""Inputs that a drill works on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """Inputs with everything that their steps answered.

    Attributes:
        answers: JSON of each answer, by "STEP:DIGEST OF ITS ARGUMENTS".
    """

    loads: tuple[Load, ...]
    answers: dict[str, str]


async def recordings(store: Store, workflow: str, code: str) -> Recordings:
    """Return what the trials of exactly this code recorded, the newest experiment first."""
    loads: dict[bytes, Load] = {}
    answers: dict[str, str] = {}
    for experiment in reversed(await store.experiments(workflow)):
        if code_of(experiment) == code:
            await _add(store, experiment.id, loads, answers)
        if len(loads) >= MOST:
            break
    return Recordings(loads=tuple(loads.values()), answers=answers)


def code_of(experiment: LockedExperiment) -> str | None:
    """Return the digest of the workflow's own code that an experiment locked."""
    locked: dict[str, Any] = json.loads(experiment.plan)["locked"]
    own = (one["code"] for one in locked["candidates"] if one["name"] == OWN)
    return next(own, None)


def is_unchecked(experiment: LockedExperiment) -> bool:
    """Whether a criterion that an experiment locked is measured by a judge nobody checks."""
    locked: dict[str, Any] = json.loads(experiment.plan)["locked"]
    judges = (one["measure"].get("judge") for one in locked["criteria"])
    return any(judge is not None and judge["labels"] is None for judge in judges)


async def _add(
    store: Store, experiment: ExperimentId, loads: dict[bytes, Load], answers: dict[str, str]
) -> None:
    for run in await store.trials(experiment, OWN, 0, 4 * MOST):
        if run.state is not RunState.SUCCEEDED or len(loads) >= MOST:
            continue
        entries = await store.journal(run.id)
        for entry in entries:
            if entry.kind is EntryKind.STEP and isinstance(entry.outcome, Returned):
                answers[f"{entry.place.name}:{entry.digest}"] = entry.outcome.value.decode()
        loads.setdefault(run.value, _load(run.value, entries))


def _load(value: bytes, entries: list[Entry]) -> Load:
    """Return an input with what its trial did; what a step did inside is part of the step."""
    outer = [entry for entry in entries if "/" not in entry.place.path]
    return Load(
        value=value,
        asks=any(entry.kind is EntryKind.REVIEW for entry in outer),
        effects=sum(entry.kind is EntryKind.CAPTURED for entry in outer),
    )
