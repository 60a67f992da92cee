"""Following runs as they end: for the figures that count them, and for their traces.

Whoever serves reads what workers have written; nothing is told by a worker itself, which costs
a run nothing, and loses nothing with it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from proveout.domain.record import Kind, decode, encode
from proveout.domain.trace import spans_of, trace_id
from proveout.domain.unit import Keep, Put, UnitId
from proveout.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from structlog.typing import FilteringBoundLogger

    from proveout.domain.run import Run, RunId
    from proveout.domain.trace import Span
    from proveout.ports.clock import Ids
    from proveout.ports.store import Store

OVERLAP = timedelta(seconds=5)
"""A run may show this much after the moment that it carries: its commit was slow."""

AT_ONCE = 200
"""Runs of one round."""

TRIES = 30
"""Rounds after which traces that nobody takes are given up, so that later ones are sent."""

PLACE = "traces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Up to which moment traces were sent."""

    upto: datetime


class Follower:
    """Hands over each run that ends, once, in the order in which they end."""

    def __init__(self, store: Store, workflow: str, since: datetime) -> None:
        self._store = store
        self._workflow = workflow
        self._known: dict[RunId, datetime] = {}
        self._limit = AT_ONCE
        self.upto = since
        self._first = since

    async def next(self) -> list[Run]:
        """Return runs that ended and were not confirmed yet; the same again until they are."""
        since = max(self._first, self.upto - OVERLAP)
        found = await self._store.ended(self._workflow, since, self._limit)
        new = [run for run in found if run.id not in self._known]
        # So many ended at once that those that are known fill the whole round.
        self._limit = AT_ONCE if new or len(found) < self._limit else self._limit * 2
        return new[:AT_ONCE]

    def confirm(self, runs: Sequence[Run]) -> None:
        """Hand `runs` over no more."""
        for run in runs:
            self._known[run.id] = run.updated or self.upto
            self.upto = max(self.upto, run.updated or self.upto)
        oldest = self.upto - 2 * OVERLAP
        self._known = {run: at for run, at in self._known.items() if at >= oldest}


class Receiver(Protocol):
    """Takes traces; see `adapters/telemetry.py`."""

    def takes(self, trace: str) -> bool:
        """Whether a trace is among those that are sent."""
        ...

    async def send(self, spans: Sequence[Span]) -> None:
        """Hand spans over.

        Raises:
            Outage: they are not taken now.
        """
        ...

    def close(self) -> None:
        """Let go of its connections."""
        ...


class Tracing:
    """Sends the trace of each run that ends, at least once, wherever the server stops."""

    def __init__(
        self, store: Store, ids: Ids, log: FilteringBoundLogger, receiver: Receiver, *, bodies: bool
    ) -> None:
        self._store = store
        self._ids = ids
        self._log = log
        self._receiver = receiver
        self._bodies = bodies
        self._failed = 0

    async def begin(self, workflow: str, now: datetime) -> Follower:
        """Return what follows the runs of a workflow from where it was left, or from now on."""
        body = await self._store.record(Kind.FOLLOWED, PLACE)
        return Follower(self._store, workflow, now if body is None else decode(Followed, body).upto)

    async def round(self, follower: Follower) -> bool:
        """Send what ended since the last round; whether there may be more."""
        runs = await follower.next()
        chosen = [run for run in runs if self._receiver.takes(trace_id(run.id))]
        try:
            if chosen:
                await self._receiver.send(await self._spans(chosen))
        except Outage as outage:
            self._failed += 1
            if self._failed == 1:
                self._log.warning("traces.not_sent", error=str(outage), runs=len(chosen))
            if self._failed < TRIES:
                return False
            self._log.error("traces.given_up", runs=len(chosen))
        self._failed = 0
        if runs:
            follower.confirm(runs)
            await self._keep(follower.upto)
        return bool(runs)

    async def _spans(self, runs: Sequence[Run]) -> list[Span]:
        calls = await self._store.model_calls(*(run.id for run in runs))
        spans: list[Span] = []
        for run in runs:
            entries = await self._store.journal(run.id)
            spans += spans_of(run, entries, calls.get(run.id, ()), bodies=self._bodies)
        return spans

    async def _keep(self, upto: datetime) -> None:
        keep = Keep(kind=Kind.FOLLOWED, name=PLACE, body=encode(Followed(upto=upto)))
        with suppress(Outage):
            await self._store.write(Put(id=UnitId(self._ids.new()), keeps=(keep,)))

    def close(self) -> None:
        """Let go of the receiver."""
        self._receiver.close()


async def follow(rounds: Callable[[], Awaitable[bool]], log: FilteringBoundLogger) -> bool:
    """Do rounds until one finds nothing; whether the store answered."""
    try:
        while await rounds():
            pass
    except Outage as outage:
        log.warning("store.unreachable", error=str(outage))
        return False
    return True
