"""Reusing answers: what an earlier look asked is not asked again, unless somebody wants that.

Which call an answer is taken from is fixed by the recorded orders alone, never by what it
came to: of each case and repeat the first call since everything was last asked anew, right,
wrong or failed. So the answers of a look that reuses some are drawn as if it had called.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from proveout.domain.experiment import Claim
from proveout.domain.record import Kind, decode, encode
from proveout.domain.run import Run, RunId
from proveout.domain.unit import Enqueue, Keep, Put, UnitId
from proveout.prove.begin import is_anew, layout_of
from proveout.prove.lock import case_digest, words
from proveout.prove.prefix import completed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proveout.domain.case import Dataset
    from proveout.domain.experiment import Candidate, ExperimentId, Plan
    from proveout.ports.store import LockedExperiment, Store
    from proveout.prove.conduct import Setup
    from proveout.prove.layout import Layout
    from proveout.run.enqueue import Request
    from proveout.run.work import Bench

UNKNOWN = ""
"""Stands for surroundings that nobody can name; no answer from them is reused."""


def nowhere() -> str:
    """Return that nobody can name what trials are called under."""
    return UNKNOWN


Asked: TypeAlias = tuple[str, int]
"""What a trial asks: the digest of its case, and which repeat of it, from 0."""

Answers: TypeAlias = "Mapping[Asked, list[Run]]"
"""The trials that answer it, each an original call, the first made first."""

NOTHING: Answers = {}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Under what the trials of an experiment were called, beside what its lock covers.

    Attributes:
        digests: of the packages, the Python and the metering, one for each that there was.
    """

    digests: tuple[str, ...] = ()


class Reuse:
    """The earlier answers that the trials of one experiment take over."""

    def __init__(self, bench: Bench, setup: Setup) -> None:
        self._bench = bench
        self._setup = setup
        self._found: dict[str, dict[int, Run]] = {}

    async def prepare(self) -> None:
        """Note under what this process calls, and find what need not be called.

        It comes before the first call: an answer whose surroundings nobody noted is not reused.
        """
        setup, store = self._setup, self._bench.store
        now = await asyncio.to_thread(setup.surroundings)
        await _note(self._bench, setup.experiment.id, now)
        for one in setup.plan.candidates:
            answers = await answers_to(store, setup.plan, one, now, before=setup.experiment)
            if answers:
                own = await _trials(store, setup.experiment.id, one.name)
                self._found[one.name] = placed(setup.layout, setup.dataset, answers, own)

    async def enter(self, request: Request) -> bool:
        """Enter a trial as what an earlier call came to, where there is one; whether there was.

        It is durable then, names its origin, and is no call.
        """
        trial = request.trial
        assert trial is not None  # noqa: S101 - an experiment asks for trials only
        known = self._found.get(trial.candidate, {}).get(trial.position)
        if known is None or not known.has_input(request.value):
            return False
        run = Run(
            id=RunId(self._bench.ids.new()),
            workflow=request.workflow,
            value=request.value,
            created=known.created,
            due=None,
            trial=trial,
            state=known.state,
            result=known.result,
            failure=known.failure,
            elapsed=known.elapsed,
            note=known.note,
            updated=known.updated,
            origin=known.keyed_as,
        )
        await self._bench.store.write(Enqueue(id=UnitId(self._bench.ids.new()), run=run))
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What of a plan's trials need not be called.

    Attributes:
        answers: count of trials that earlier answers stand for.
        trials: count of all trials there are at most, of all candidates.
    """

    answers: int
    trials: int


async def foresee_reuse(
    store: Store, plan: Plan, dataset: Dataset, layout: Layout, now: str
) -> Foreseen:
    """Return how many trials of a plan that is not begun need no call.

    Args:
        store: where the earlier looks are.
        plan: with the digests of its code.
        dataset: its cases.
        layout: of all of them.
        now: the digest of the surroundings.
    """
    counts = [
        len(placed(layout, dataset, await answers_to(store, plan, one, now), ()))
        for one in plan.candidates
    ]
    return Foreseen(answers=sum(counts), trials=layout.trials * len(counts))


async def answers_to(
    store: Store,
    plan: Plan,
    candidate: Candidate,
    now: str,
    before: LockedExperiment | None = None,
) -> Answers:
    """Return what earlier looks know of a candidate, as it is now and where it is now.

    Future traffic has no answers yet: its cases were never tried. A look that asks everything
    anew reuses nothing, and neither do later ones what is older.

    Args:
        store: where the earlier looks are.
        plan: of the look that is to reuse them.
        candidate: one of its own, with the digest of its code.
        now: the digest of the surroundings.
        before: that look; None where it is not begun.
    """
    is_open = plan.claim is Claim.FUTURE_TRAFFIC or (before is not None and is_anew(before))
    if is_open or now == UNKNOWN or not candidate.is_reusable:
        return NOTHING
    found: dict[Asked, list[Run]] = {}
    for one in _since_anew(await _same(store, plan, candidate, before)):
        if await _surroundings(store, one.id) == Surroundings((now,)):
            _add(found, await completed(store, one.id, candidate.name), layout_of(one).repeats)
    return found


def placed(
    layout: Layout, dataset: Dataset, answers: Answers, own: Iterable[Run]
) -> dict[int, Run]:
    """Return the answers by the position whose trial takes them over, no original twice.

    Args:
        layout: of the look that is to reuse them.
        dataset: its cases.
        answers: of one candidate.
        own: the candidate's trials that are entered already.
    """
    entered = {run.trial.position for run in own if run.trial is not None}
    used = {run.keyed_as for run in own}
    free = {
        asked: iter([one for one in runs if one.keyed_as not in used])
        for asked, runs in answers.items()
    }
    digests = [case_digest(case) for case in dataset.cases]
    found: dict[int, Run] = {}
    for position in range(layout.trials):
        asked = (digests[layout.case_at(position)], position % layout.repeats)
        if position not in entered and (run := next(free.get(asked, iter(())), None)):
            found[position] = run
    return found


def _add(found: dict[Asked, list[Run]], runs: Iterable[Run], repeats: int) -> None:
    """Add original calls that are not there yet; what was pruned is lost, right or wrong."""
    for run in runs:
        trial = run.trial
        if trial is None or run.pruned is not None:
            continue
        known = found.setdefault((trial.case, trial.position % repeats), [])
        if run.keyed_as not in {one.keyed_as for one in known}:
            known.append(run)


async def _same(
    store: Store, plan: Plan, candidate: Candidate, before: LockedExperiment | None
) -> list[LockedExperiment]:
    """Return the earlier looks at exactly this candidate, the oldest first."""
    wanted = _identity(words(candidate))
    return [
        one
        for one in await store.experiments(plan.workflow)
        if (before is None or (one.locked, one.id) < (before.locked, before.id))
        and wanted in map(_identity, json.loads(one.plan)["locked"]["candidates"])
    ]


def _identity(candidate: dict[str, Any]) -> dict[str, Any]:
    """Return what makes a candidate answer as it does: a declared price does not."""
    return {name: value for name, value in candidate.items() if name != "price_per_call"}


def _since_anew(looks: list[LockedExperiment]) -> list[LockedExperiment]:
    """Return the looks from the last one on that asked everything anew."""
    starts = [place for place, one in enumerate(looks) if is_anew(one)]
    return looks[starts[-1] if starts else 0 :]


async def _trials(store: Store, experiment: ExperimentId, candidate: str) -> list[Run]:
    """Return the trials that are entered, whatever became of them."""
    count = (await store.used(experiment, candidate)).trials
    return await store.trials(experiment, candidate, 0, count) if count else []


async def _surroundings(store: Store, experiment: ExperimentId) -> Surroundings:
    body = await store.record(Kind.SURROUNDINGS, experiment)
    return Surroundings() if body is None else decode(Surroundings, body)


async def _note(bench: Bench, experiment: ExperimentId, now: str) -> None:
    """Keep that trials of an experiment are called under these surroundings, too."""
    known = await _surroundings(bench.store, experiment)
    if now not in known.digests:
        body = encode(Surroundings((*known.digests, now)))
        keep = Keep(kind=Kind.SURROUNDINGS, name=experiment, body=body)
        await bench.store.write(Put(id=UnitId(bench.ids.new()), keeps=(keep,)))
