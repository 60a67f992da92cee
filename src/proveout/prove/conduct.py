"""Conducting an experiment: trials in the recorded order, until the verdict falls.

Trials are ordinary runs. The verdict reads the longest completed prefix of the
recorded order, so neither the number of workers nor the order they finish in can
move it. Killed at any point and started again, it goes on where it was.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import filterfalse
from typing import TYPE_CHECKING, Any

from proveout.domain.verdict import StoppedBy, Verdict
from proveout.errors import Refusal
from proveout.prove.account import Account, verdict_v1, why_it_stood
from proveout.prove.allowance import Allowance
from proveout.prove.begin import changed_since
from proveout.prove.elsewhere import ready
from proveout.prove.judge import courses_of
from proveout.prove.lock import canonical
from proveout.prove.observe import observe
from proveout.prove.panel import Panel, Question
from proveout.prove.price import spent, unseen
from proveout.prove.reuse import nowhere
from proveout.prove.shuffle import Control, judge_shuffled
from proveout.prove.tally import Tally, judgement_of
from proveout.prove.trials import Trials
from proveout.run.work import Manner, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from proveout.domain.case import Dataset
    from proveout.domain.experiment import Plan
    from proveout.domain.workflow import Workflow
    from proveout.ports.elsewhere import Respondent
    from proveout.ports.store import LockedExperiment
    from proveout.prove.layout import Layout
    from proveout.prove.score import Scorer
    from proveout.run.work import Bench

AHEAD = 2
"""Workers run ahead of the completed prefix by at most this many times their number."""

TELL_EVERY = 0.25
"""Seconds between two tellings of how it stands."""


class ExperimentTaken(Refusal):
    """Another process is conducting this experiment."""

    code = "experiment-taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """An experiment that was locked, with all that its trials need.

    Attributes:
        layout: which case each trial tries, and which trials make an observation.
        workflows: what each candidate executes, by candidate name.
        scorers: score functions, by the name of the criterion that they measure.
        respondents: what candidates ask that answer elsewhere.
        surroundings: names what trials are called under beside what is locked, by a digest.
    """

    experiment: LockedExperiment
    plan: Plan
    dataset: Dataset
    layout: Layout
    workflows: Mapping[str, Workflow[..., Any]]
    scorers: Mapping[str, Scorer]
    lease: timedelta
    respondents: tuple[Respondent, ...] = ()
    surroundings: Callable[[], str] = nowhere


class Conductor:
    """Conducts one locked experiment in this process."""

    def __init__(
        self, bench: Bench, setup: Setup, on_progress: Callable[[Account], None] | None = None
    ) -> None:
        self._bench = bench
        self._setup = setup
        self._on_progress = on_progress
        self._interrupted = asyncio.Event()
        self._tallies = [
            Tally(one, courses_of(setup.plan, setup.layout, one.name), setup.layout)
            for one in setup.plan.candidates
        ]
        self._told = -TELL_EVERY
        self._allowance = Allowance(setup.plan, setup.experiment, bench.clock)
        self._trials = Trials(bench, setup)
        self.panel = Panel(bench, setup)

    @property
    def setup(self) -> Setup:
        """The experiment, with all that its trials need."""
        return self._setup

    @property
    def plan(self) -> Plan:
        """What was locked."""
        return self._setup.plan

    async def changed(self) -> tuple[str, ...] | None:
        """Return what changed since the look before, or None where this is the first."""
        return await changed_since(self._bench.store, self._setup.experiment)

    @property
    def layout(self) -> Layout:
        """Which case each trial tries, and which trials make an observation."""
        return self._setup.layout

    def interrupt(self) -> None:
        """Stop after the calls in flight; everything found is kept."""
        self._interrupted.set()

    async def conduct(self) -> Account:
        """Run trials until the verdict, the budget, the time box or the cases end it.

        Raises:
            ExperimentTaken: another living process conducts it.
            BadScore: a score gave something that its criterion cannot read.
            NotAskable: a candidate cannot be asked; nothing was called.
            PrivateAddress: a candidate stands where nobody allowed it to; nothing was called.
            NoAnswer: a candidate cannot be found now; nothing was called.
        """
        store = self._bench.store
        hold = await store.hold(f"experiment-{self._setup.experiment.id}")
        if hold is None:
            raise ExperimentTaken(
                f"another process is conducting {self._setup.plan.name}",
                why="two would spend the budget twice",
                fix=(
                    "wait for it, or stop it with Ctrl-C",
                    f"proveout verdict {self._setup.plan.name}",
                ),
            )
        try:
            await store.reclaim(self._setup.experiment.id)
            await self.recall()
            account = await self._try_cases()
            await store.conclude(self._setup.experiment.id, canonical(verdict_v1(account)))
            return account
        finally:
            await hold.release()

    async def recall(self) -> None:
        """Read what was finished before; calls nothing."""
        for tally in self._tallies:
            while await self._read(tally):
                pass
            used = await self._trials.count(tally.candidate)
            tally.enqueued = used.trials

    async def control(self, seed: int) -> Control:
        """Return what the workflow's own trials are worth against other cases' right answers."""
        own = self._tallies[0]
        trials = await self._trials.finished(own.candidate, 0, own.read)
        return await judge_shuffled(self._setup, trials, self.panel.opinions, seed)

    async def questions(self, *, read: bool = False) -> list[Question]:
        """Return what people are asked of answers, each once; those `read` already, or the rest."""
        found: dict[str, Question] = {}
        for tally in self._tallies if read else filterfalse(self._is_over, self._tallies):
            span = (0, tally.read) if read else (tally.read, tally.enqueued - tally.read)
            for one in await self._trials.finished(tally.candidate, *span):
                found |= {asked.name: asked for asked in await self.panel.questions(one)}
        return list(found.values())

    async def _try_cases(self) -> Account:
        if (reason := self.why_stopped()) is not None:
            return await self.account(reason)
        await self._trials.prepare()
        async with ready(self._setup.respondents):
            stopped_by = await self._work()
        for tally in self._tallies:
            while await self._read(tally, asks=not self._interrupted.is_set()):
                pass
            if self._is_done(tally):
                await self._trials.call_off(tally.candidate, tally.read)
        return await self.account(self.why_stopped(stopped_by))

    async def _work(self) -> StoppedBy | None:
        """Work on trials until something ends the experiment; return what."""
        names = {
            self._trials.workflow_of(one.candidate): one.candidate.name for one in self._tallies
        }
        manner = Manner(
            concurrency=self._setup.plan.concurrency,
            lease=self._setup.lease,
            experiment=self._setup.experiment.id,
        )
        workflows = {name: self._setup.workflows[candidate] for name, candidate in names.items()}
        worker = Worker(self._bench, workflows, manner)
        worker.turns = {name: self._allowance.turns[one] for name, one in names.items()}
        used = await self._bench.store.used(self._setup.experiment.id)
        work = asyncio.create_task(
            worker.work(allowance=lambda: self._allowance.left(used.calls + worker.claimed))
        )
        try:
            stopped_by = await self._until_stopped(worker, work, used.calls)
        finally:
            worker.stop()
            await asyncio.wait({work})
        await work
        return stopped_by

    def why_stopped(self, stopped_by: StoppedBy | None = None) -> StoppedBy | None:
        """Return why it ended as far as the cases tell, or else `stopped_by`."""
        if all(tally.verdict is not Verdict.UNDECIDED for tally in self._tallies):
            return StoppedBy.VERDICT
        if all(self._is_over(tally) for tally in self._tallies):
            return StoppedBy.CASES
        return stopped_by

    def why_it_stood(self) -> StoppedBy | None:
        """Return what ended it when it was last conducted."""
        stored = self._setup.experiment.verdict
        return self.why_stopped(None if stored is None else why_it_stood(stored))

    async def _until_stopped(
        self, worker: Worker, work: asyncio.Task[None], used: int
    ) -> StoppedBy | None:
        """Feed the worker until something ends the experiment; return what."""
        while not self._interrupted.is_set() and not work.done():
            worker.news.clear()
            reused = [await self._advance(tally, worker) for tally in self._tallies]
            await self._pay(used, worker)
            await self._tell()
            if all(self._is_over(tally) for tally in self._tallies):
                return StoppedBy.VERDICT
            if self._allowance.is_late:
                return StoppedBy.TIME_BOX
            if any(reused):
                continue  # it is there to be read, and cost nothing
            if not worker.busy:
                await self._pay(used, worker)  # the last call may have ended since
                if await self._waits(used + worker.claimed):
                    return StoppedBy.LABELS
                if self._allowance.left(used + worker.claimed) < 1 and not worker.busy:
                    return StoppedBy.BUDGET
            await self._wait(worker, work)
        return None

    async def _tell(self) -> None:
        """Tell how it stands, not more often than a person can read."""
        now = self._bench.clock.monotonic()
        if self._on_progress is not None and now >= self._told + TELL_EVERY:
            self._told = now
            self._on_progress(await self.account(None))

    async def _wait(self, worker: Worker, work: asyncio.Task[None]) -> None:
        """Return when a trial was settled, the work ended, or half a second passed."""
        news = asyncio.create_task(worker.news.wait())
        stop = asyncio.create_task(self._interrupted.wait())
        await asyncio.wait({news, stop, work}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
        for task in (news, stop):
            task.cancel()
        await asyncio.gather(news, stop, return_exceptions=True)

    async def _advance(self, tally: Tally, worker: Worker) -> bool:
        """Read what has finished, and keep the workers busy ahead; whether answers were reused."""
        while await self._read(tally, asks=not self._interrupted.is_set()):
            pass
        if self._is_done(tally):
            worker.retire(self._trials.workflow_of(tally.candidate))
            return False
        read = max((tally.read, *(one.read for one in self._led_by(tally))))
        last = min(self._setup.layout.trials, read + AHEAD * self._setup.plan.concurrency)
        last = self.panel.ahead(tally.read, last)
        positions = range(tally.enqueued, last)
        reused = await asyncio.gather(
            *(self._trials.enter(tally.candidate, position) for position in positions)
        )
        tally.enqueued = max(tally.enqueued, last)
        return any(reused)

    async def _read(self, tally: Tally, *, asks: bool = False) -> bool:
        """Read the finished trials that continue the prefix; whether there were any.

        Judges are called only where `asks`.
        """
        if tally.verdict is not Verdict.UNDECIDED:
            return False
        before = tally.read
        criteria = self.plan.criteria_of(tally.candidate.name)
        trials = await self._trials.finished(
            tally.candidate, before, self.panel.at_once(100, asks=asks)
        )
        heard = await self.panel.hear(trials, asks=asks)
        tally.waits = len(heard) < len(trials)
        others = {
            one.name: await self._trials.finished(one, before, len(heard))
            for one in self.plan.candidates
            if one.name in tally.leads
        }
        for place, (trialled, said) in enumerate(heard):
            beside = {name: found[place] for name, found in others.items() if place < len(found)}
            if tally.verdict is not Verdict.UNDECIDED or tally.leads - beside.keys():
                break
            values = observe(criteria, trialled, self._setup.scorers, said, beside)
            tally.add(trialled, tally.read, values, said)
        return tally.read > before

    async def _waits(self, calls: int) -> bool:
        """Whether nothing goes on until people have labelled answers."""
        waiting = [tally for tally in self._tallies if not self._is_over(tally)]
        if not all(tally.waits for tally in waiting):
            return False
        if self._allowance.left(calls) < 1:
            return True
        left = [(one, one.enqueued - one.read) for one in waiting]
        return all(
            [
                len(await self._trials.finished(t.candidate, t.read, count)) == count
                for t, count in left
            ]
        )

    def _is_done(self, tally: Tally) -> bool:
        """Whether nobody reads further trials: the verdict fell, and no lead over it is open."""
        return tally.verdict is not Verdict.UNDECIDED and not self._led_by(tally)

    def _led_by(self, tally: Tally) -> list[Tally]:
        """Return the tallies that a lead over this one is read for."""
        return [one for one in self._tallies if tally.candidate.name in one.leads]

    def _is_over(self, tally: Tally) -> bool:
        return tally.verdict is not Verdict.UNDECIDED or tally.read == self._setup.layout.trials

    async def _pay(self, began: int, worker: Worker) -> None:
        """Take from the budget what ended calls cost, where that is metered.

        Args:
            began: calls that were begun before this process.
            worker: whose calls under way stay reserved.
        """
        if self._allowance.is_metered:
            ended = began + worker.claimed - worker.in_flight  # before the store is asked
            self._allowance.pay(
                [await self._trials.count(tally.candidate) for tally in self._tallies], ended
            )

    async def account(self, stopped_by: StoppedBy | None, *, whole: bool = False) -> Account:
        """Return what is known now; `whole` draws up courses and slices too."""
        setup = self._setup
        counts = [await self._trials.count(tally.candidate) for tally in self._tallies]
        asked = await self.questions() if stopped_by else []
        return Account(
            plan=setup.plan,
            dataset=setup.dataset.name,
            dataset_digest=setup.dataset.digest,
            look=setup.experiment.look,
            lock=setup.experiment.lock,
            order_seed=setup.experiment.order_seed,
            order=setup.layout.order,
            locked=setup.experiment.locked,
            at=self._bench.clock.now(),
            spent=spent(setup.plan, counts),
            stopped_by=stopped_by,
            waiting=tuple(one.trialled.case.id for one in asked if one.label is None),
            slowed=() if stopped_by else self._allowance.slowed,
            unseen=unseen(setup.plan, counts) if stopped_by else (),
            judgements=tuple(
                judgement_of(tally, count, whole=whole)
                for tally, count in zip(self._tallies, counts, strict=True)
            ),
        )
