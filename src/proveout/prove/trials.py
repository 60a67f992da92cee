"""The trials of an experiment, as runs: entered, read back and called off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.experiment import OWN
from proveout.domain.run import RunState, Trial
from proveout.domain.unit import Cancel, UnitId
from proveout.prove.elsewhere import put_to
from proveout.prove.lock import case_digest
from proveout.prove.observe import Trialled
from proveout.prove.prefix import in_a_row
from proveout.prove.price import price_of
from proveout.prove.reuse import Reuse
from proveout.run.enqueue import Request, enqueue
from proveout.run.payload import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proveout.domain.case import Case
    from proveout.domain.experiment import Candidate
    from proveout.domain.model_call import ModelCall
    from proveout.domain.run import RunId
    from proveout.ports.store import TrialCount
    from proveout.prove.conduct import Setup
    from proveout.run.work import Bench

PAGE = 1_000
"""Trials that are read at once to be called off."""


class Trials:
    """The trials of one locked experiment, whichever process has made them."""

    def __init__(self, bench: Bench, setup: Setup) -> None:
        self._bench = bench
        self._setup = setup
        self._reuse = Reuse(bench, setup)

    async def prepare(self) -> None:
        """Find what need not be called; it comes before the first trial is entered."""
        await self._reuse.prepare()

    def workflow_of(self, candidate: Candidate) -> str:
        """Return the name of the workflow that a candidate's trials are runs of."""
        own = self._setup.plan.workflow
        return own if candidate.name == OWN else f"{own}:{candidate.name}"

    async def enter(self, candidate: Candidate, position: int) -> bool:
        """Enter a trial; whether it reuses an answer and need not be called."""
        case = self._case(position)
        asked = put_to(candidate, case)
        request = Request(
            workflow=self.workflow_of(candidate),
            value=to_json(asked, f"the input of case {case.id}", canonical=True),
            trial=Trial(
                experiment=self._setup.experiment.id,
                candidate=candidate.name,
                position=position,
                case=case_digest(case),
            ),
        )
        if await self._reuse.enter(request):
            return True
        await enqueue(self._bench.store, self._bench.clock, self._bench.ids, request)
        return False

    async def finished(self, candidate: Candidate, first: int, most: int) -> list[Trialled]:
        """Return the finished trials from a position on, as far as there is no gap."""
        store = self._bench.store
        trials = await store.trials(
            self._setup.experiment.id, candidate.name, first, most, finished=True
        )
        runs = list(in_a_row(trials, first))
        calls: Mapping[RunId, Sequence[ModelCall]] = {}
        if candidate.is_metered:
            calls = await store.model_calls(*(run.keyed_as for run in runs))
        cap = self._setup.plan.budget.cap_per_call
        return [
            Trialled(
                run=run,
                case=self._case(position),
                price=price_of(candidate, cap, calls.get(run.keyed_as, ())),
            )
            for position, run in enumerate(runs, first)
        ]

    async def call_off(self, candidate: Candidate, first: int) -> None:
        """Cancel the trials from a position on that nobody has begun and nobody needs."""
        store = self._bench.store
        while trials := await store.trials(self._setup.experiment.id, candidate.name, first, PAGE):
            for run in trials:
                if run.state is RunState.QUEUED:
                    await store.write(Cancel(id=UnitId(self._bench.ids.new()), run=run.id))
            first += PAGE

    async def count(self, candidate: Candidate) -> TrialCount:
        """Return what a candidate's trials have used."""
        return await self._bench.store.used(self._setup.experiment.id, candidate.name)

    def _case(self, position: int) -> Case:
        return self._setup.dataset.cases[self._setup.layout.case_at(position)]
