"""Tallies: what ended since somebody began to ask for figures, counted run by run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram

from proveout.domain.journal import EntryKind, Raised, Returned
from proveout.domain.release import DRAFT
from proveout.faces.following import Follower

if TYPE_CHECKING:
    from proveout.domain.journal import Entry
    from proveout.domain.model_call import ModelCall
    from proveout.domain.release import Pointer
    from proveout.domain.run import Run
    from proveout.ports.clock import Clock
    from proveout.ports.store import Store

FORGET = 600.0
"""Seconds after which nothing is counted any more, because nobody asks for figures."""

BUCKETS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86_400)
CALLED = frozenset({EntryKind.STEP, EntryKind.EFFECT, EntryKind.CAPTURED})


class Tallies:
    """Counts of runs that ended, as counters of Prometheus."""

    def __init__(self, store: Store, clock: Clock, workflow: str) -> None:
        """Count runs of `workflow`, once the figures are asked for."""
        self.registry = CollectorRegistry()
        self._store = store
        self._clock = clock
        self._workflow = workflow
        self._asked: float | None = None
        self._follower: Follower | None = None
        self._names: dict[str, str] = {DRAFT: DRAFT}
        self._runs = Counter(
            "proveout_runs",
            "Runs that ended, trials left out.",
            ("workflow", "release", "arm", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "proveout_run_seconds",
            "From asking for a run to its end, waiting for people included.",
            ("workflow", "outcome"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._attempts = Counter(
            "proveout_step_attempts",
            "Calls of steps and effects of runs that ended, by how the last one went.",
            ("step", "outcome"),
            registry=self.registry,
        )
        self._cost = Counter(
            "proveout_cost_usd",
            "What calls of models of runs that ended cost, as far as their price is known.",
            ("model",),
            registry=self.registry,
        )
        self._decisions = Counter(
            "proveout_review_decisions",
            "Answers of people that runs that ended went on with.",
            ("verdict",),
            registry=self.registry,
        )

    def ask(self) -> None:
        """Count from now on, for somebody asks for the figures."""
        self._asked = self._clock.monotonic()

    async def round(self) -> bool:
        """Count what ended since the last round; whether there may be more."""
        if self._asked is None or self._clock.monotonic() - self._asked > FORGET:
            self._follower = None
            return False
        if self._follower is None:
            self._follower = Follower(self._store, self._workflow, self._clock.now())
        runs = await self._follower.next()
        if not runs:
            return False
        pointer = await self._store.pointer(self._workflow)
        calls = await self._store.model_calls(*(run.id for run in runs))
        for run in runs:
            await self._count(run, pointer, calls.get(run.id, []))
        self._follower.confirm(runs)
        return True

    async def _count(self, run: Run, pointer: Pointer, calls: list[ModelCall]) -> None:
        entries = await self._store.journal(run.id)
        release = await self._name(run.release or DRAFT)
        outcome = run.state.value
        self._runs.labels(run.workflow, release, arm_of(run, pointer), outcome).inc()
        if run.updated is not None:
            took = (run.updated - run.created).total_seconds()
            self._seconds.labels(run.workflow, outcome).observe(max(0.0, took))
        for entry in entries:
            self._count_entry(entry)
        for call in calls:
            if call.cost is not None:
                self._cost.labels(call.answered or call.asked).inc(max(0.0, float(call.cost)))

    def _count_entry(self, entry: Entry) -> None:
        if entry.kind in CALLED and entry.tries:
            outcome = "failed" if isinstance(entry.outcome, Raised) else "done"
            self._attempts.labels(entry.place.name, outcome).inc(entry.tries)
        if entry.kind is EntryKind.REVIEW and isinstance(entry.outcome, Returned):
            self._decisions.labels(verdict_of(entry.outcome.value)).inc()

    async def _name(self, digest: str) -> str:
        if digest not in self._names:
            known = await self._store.releases(self._workflow)
            self._names |= {one.digest: one.name for one in known}
        return self._names.get(digest, "unknown")


def arm_of(run: Run, pointer: Pointer) -> str:
    """Return which arm the release of a run is, as the pointer stands now."""
    if pointer.canary is not None and run.release == pointer.canary.release:
        return "canary"
    return "stable" if run.release == pointer.stable else "other"


def verdict_of(answer: bytes) -> str:
    """Return what a person decided, or that nobody did in time."""
    words = json.loads(answer)
    if words.get("expired"):
        return "expired"
    return "approved" if words.get("approved") else "rejected"
