"""What trials recorded: answers of their steps and of models, to be replayed in drills."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from proveout.domain.experiment import OWN
from proveout.domain.journal import EntryKind, Returned
from proveout.domain.model_answer import ModelAnswer
from proveout.domain.model_call import counted
from proveout.domain.run import RunState
from proveout.ready.sandbox import Load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proveout.domain.experiment import ExperimentId
    from proveout.domain.journal import Entry
    from proveout.domain.run import RunId
    from proveout.ports.store import LockedExperiment, Store

MOST = 60
"""Inputs that a drill works on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """Inputs with everything that their steps answered.

    Attributes:
        answers: JSON of each answer, by "STEP:DIGEST OF ITS ARGUMENTS".
        models: what models answered, in the order of one trial, by digest of what was asked.
        calling: those of `answers` for which models were called.
    """

    loads: tuple[Load, ...]
    answers: dict[str, str]
    models: dict[str, list[ModelAnswer]]
    calling: set[str]


async def recordings(store: Store, workflow: str, code: str) -> Recordings:
    """Return what the trials of exactly this code recorded, the newest experiment first."""
    loads: dict[bytes, Load] = {}
    found = Recordings(loads=(), answers={}, models={}, calling=set())
    for experiment in reversed(await store.experiments(workflow)):
        if code_of(experiment) == code:
            await _add(store, experiment.id, loads, found)
        if len(loads) >= MOST:
            break
    return replace(found, loads=tuple(loads.values()))


def written_answers(models: Mapping[str, Sequence[ModelAnswer]]) -> str:
    """Return what models answered as JSON that `read_answers` reads."""
    return json.dumps(
        {
            digest: [
                [one.status, one.headers, base64.b64encode(one.body).decode()] for one in answers
            ]
            for digest, answers in models.items()
        }
    )


def read_answers(text: str) -> dict[str, list[ModelAnswer]]:
    """Return what models answered, as `written_answers` wrote it."""
    return {
        digest: [
            ModelAnswer(
                status=status,
                headers=tuple((name, value) for name, value in headers),
                body=base64.b64decode(body),
            )
            for status, headers, body in answers
        ]
        for digest, answers in json.loads(text).items()
    }


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
    store: Store, experiment: ExperimentId, loads: dict[bytes, Load], found: Recordings
) -> None:
    tried: dict[RunId, list[Entry]] = {}
    for run in await store.trials(experiment, OWN, 0, 4 * MOST):
        if run.state is not RunState.SUCCEEDED or len(loads) >= MOST:
            continue
        # of the call, where its answer is reused
        entries = tried[run.keyed_as] = await store.journal(run.keyed_as)
        for entry in entries:
            if entry.kind is EntryKind.STEP and isinstance(entry.outcome, Returned):
                found.answers[_key(entry)] = entry.outcome.value.decode()
        loads.setdefault(run.value, _load(run.value, entries))
    await _add_models(store, tried, found)


async def _add_models(store: Store, tried: dict[RunId, list[Entry]], found: Recordings) -> None:
    """Add what models answered; what several trials asked is taken from the first of them."""
    called = await store.model_calls(*tried)
    kept = {one.call: one for one in await store.model_answers(*called)}
    for run, calls in called.items():
        places = {call.caller.place for call in counted(calls)}
        found.calling.update(_key(entry) for entry in tried[run] if entry.place in places)
        answers: defaultdict[str, list[ModelAnswer]] = defaultdict(list)
        for one in (kept[call.id] for call in counted(calls) if call.id in kept):
            answers[one.digest].append(one.answer)
        for asked, each in answers.items():
            found.models.setdefault(asked, each)


def _key(entry: Entry) -> str:
    return f"{entry.place.name}:{entry.digest}"


def _load(value: bytes, entries: list[Entry]) -> Load:
    """Return an input with what its trial did; what a step did inside is part of the step."""
    outer = [entry for entry in entries if "/" not in entry.place.path]
    return Load(
        value=value,
        asks=any(entry.kind is EntryKind.REVIEW for entry in outer),
        effects=sum(entry.kind is EntryKind.CAPTURED for entry in outer),
    )
