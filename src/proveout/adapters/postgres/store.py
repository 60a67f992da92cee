"""A store in a PostgreSQL database: any number of machines, one truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.answer_rows import to_recording
from proveout.adapters.postgres import keep, model_calls, queue, schedules
from proveout.adapters.postgres.bell import Bell
from proveout.adapters.postgres.desk import Desk
from proveout.adapters.postgres.floor import ALL, Floor
from proveout.adapters.postgres.keeper import LockHold, PostgresKeeper, take_hold
from proveout.adapters.postgres.lane import Lane
from proveout.adapters.postgres.limits import take
from proveout.adapters.postgres.listing import listing
from proveout.adapters.postgres.measures import Measuring
from proveout.adapters.postgres.office import Office
from proveout.adapters.postgres.schema import prepare
from proveout.adapters.postgres.units import RUN, moment
from proveout.adapters.postgres.wire import Pool, Server, part
from proveout.adapters.rows import (
    by_run,
    to_entry,
    to_experiment,
    to_model_call,
    to_run,
    to_trial_count,
)
from proveout.domain.run import RunState, check_move
from proveout.domain.unit import Settle
from proveout.ports.store import Ticked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from proveout.adapters.rows import Row
    from proveout.domain.experiment import ExperimentId
    from proveout.domain.journal import Entry
    from proveout.domain.limit import Draw, Grant
    from proveout.domain.model_answer import Recording
    from proveout.domain.model_call import ModelCall
    from proveout.domain.run import Run, RunId
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.clock import Clock
    from proveout.ports.housekeeping import Aged
    from proveout.ports.store import (
        Claimed,
        LockedExperiment,
        RunFilter,
        Tended,
        TrialCount,
        Want,
    )

TRIALS = (
    f"SELECT {RUN} FROM proveout.runs WHERE experiment = $1 AND candidate = $2"  # noqa: S608
    " AND position >= $3 AND (NOT $5::boolean OR position < coalesce((SELECT min(position)"
    " FROM proveout.runs WHERE experiment = $1 AND candidate = $2 AND position >= $3"
    " AND state IN ('QUEUED', 'RUNNING', 'WAITING')), position + 1)) ORDER BY position LIMIT $4"
)
"""What experiment, candidate, position and limit ask for; the last keeps to what is finished."""


async def open_postgres(url: str, clock: Clock) -> PostgresStore:
    """Open the database at `url`, bringing it to our schema where it is not.

    Everything lives in the schema `proveout`. Behind a pooler that gives each
    transaction another session, add `statement_cache_size=0` to the URL's parameters.

    Args:
        url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`; it is never shown.
        clock: for waiting only; the database's own clock decides leases and due times.

    Raises:
        Mistake: the URL, the user or the database cannot hold a store.
        Outage: the server does not answer.
        StoreFromTheFuture: a newer Proveout made the schema.
    """
    server = Server.at(url)
    with server.in_words():
        link = await server.connect("lane")
        try:
            await prepare(link)
        except BaseException:
            await part(link)
            raise
    bell = Bell(server, clock)
    await bell.ready()
    return PostgresStore(server, Lane(server, clock, bell, link), bell, clock)


class PostgresStore(Office, Measuring, Desk):
    """Keeps everything in one schema; see `ports/store.py` for what each call promises."""

    def __init__(self, server: Server, lane: Lane, bell: Bell, clock: Clock) -> None:
        """Join the parts that `open_postgres` opened."""
        self._clock = clock
        self._floors: dict[object, Floor] = {}
        self._server = server
        self._lane = lane
        self._bell = bell
        self._pool = Pool(server)
        self._holds: set[LockHold] = set()

    async def write(self, unit: Unit) -> Answered:
        if isinstance(unit, Settle):
            check_move(RunState.RUNNING, unit.state)
        return await self._lane.do(unit)

    async def claim(self, want: Want) -> list[Claimed]:
        kind = (want.workflows, want.experiment, want.release, want.suspects)
        floor = self._floors.setdefault(kind, Floor())
        claimed = await self._claim(want, floor)
        if not claimed and floor.may_hide():
            claimed = await self._claim(want, floor)
        return claimed

    async def _claim(self, want: Want, floor: Floor) -> list[Claimed]:
        began = self._clock.monotonic()
        since = floor.at(began)
        async with self._pool.link() as link:
            claimed = await queue.claim(link, want, since)
        if since == ALL:
            floor.learn(claimed, want.limit, began, self._clock.monotonic())
        else:
            floor.raise_to(claimed, want.limit)
        return claimed

    async def ticked(self, workflow: str) -> Ticked:
        rows = await self._pool.fetch(schedules.TICKED, workflow)
        upto = {row["name"]: row["ticked"] for row in rows if row["name"] is not None}
        return Ticked(now=rows[0]["now"], upto=upto)

    async def tend(self) -> Tended:
        async with self._pool.link() as link:
            tended = await queue.tend(link)
        if tended.lapsed or tended.woken or tended.expired:
            self._bell.ring()
        return tended

    async def reclaim(self, experiment: ExperimentId) -> int:
        async with self._pool.link() as link:
            count = await queue.reclaim(link, experiment)
        self._bell.ring()
        return count

    async def is_idle(self, want: Want, within: timedelta) -> bool:
        names = list(want.workflows)
        row = await self._one(queue.IDLE, names, want.experiment, within, want.release)
        return row is None

    async def has_suspects(self, want: Want) -> bool:
        row = await self._one(queue.SUSPECTS, list(want.workflows), want.release)
        return row is not None

    async def blame(self, worker: str, at_most: int) -> list[RunId]:
        async with self._pool.link() as link:
            blamed = await queue.blame(link, worker, at_most)
        self._bell.ring()
        return blamed

    async def prune(self, aged: Aged) -> int:
        async with self._pool.link() as link, queue.transaction(link):
            return await keep.prune(link, aged)

    async def forget(self, aged: Aged) -> int:
        async with self._pool.link() as link, queue.transaction(link):
            return await keep.forget(link, aged)

    async def changed(self, at_most: float) -> None:
        await self._bell.wait(at_most)

    def mark(self) -> int:
        return self._bell.changes

    def keeper(self) -> PostgresKeeper:
        return PostgresKeeper(self._server)

    async def run(self, run: RunId) -> Run | None:
        row = await self._one(f"SELECT {RUN} FROM proveout.runs WHERE id = $1", run)  # noqa: S608
        return None if row is None else to_run(row, moment)

    async def run_by_key(self, workflow: str, key: str) -> Run | None:
        row = await self._one(
            f"SELECT {RUN} FROM proveout.runs WHERE workflow = $1 AND key = $2",  # noqa: S608
            workflow,
            key,
        )
        return None if row is None else to_run(row, moment)

    async def runs_by_keys(self, workflow: str, keys: Sequence[str]) -> dict[str, Run]:
        rows = await self._pool.fetch(
            f"SELECT {RUN} FROM proveout.runs WHERE workflow = $1 AND key = ANY($2::text[])",  # noqa: S608
            workflow,
            list(keys),
        )
        return {row["key"]: to_run(row, moment) for row in rows}

    async def runs(self, which: RunFilter) -> list[Run]:
        sql, values = listing(which)
        return [to_run(row, moment) for row in await self._pool.fetch(sql, *values)]

    async def ended(self, workflow: str, since: datetime, limit: int = 100) -> list[Run]:
        rows = await self._pool.fetch(
            f"SELECT {RUN} FROM proveout.runs WHERE workflow = $1 AND experiment IS NULL"  # noqa: S608
            " AND updated >= $2 AND state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED')"
            " AND release IS NOT NULL ORDER BY updated, id LIMIT $3",
            workflow,
            since,
            limit,
        )
        return [to_run(row, moment) for row in rows]

    async def count(self, experiment: ExperimentId | None = None) -> dict[RunState, int]:
        whose = "experiment = $1" if experiment is not None else "experiment IS NULL"
        rows = await self._pool.fetch(
            f"SELECT state, count(*) AS runs FROM proveout.runs WHERE {whose} GROUP BY state",  # noqa: S608
            *(() if experiment is None else (experiment,)),
        )
        return {RunState(row["state"]): row["runs"] for row in rows}

    async def journal(self, run: RunId) -> list[Entry]:
        rows = await self._pool.fetch(
            "SELECT * FROM proveout.journal WHERE run = $1 ORDER BY seq", run
        )
        return [to_entry(row, moment) for row in rows]

    async def model_calls(self, *runs: RunId) -> dict[RunId, list[ModelCall]]:
        rows = await self._pool.fetch(model_calls.CALLS, runs)
        return by_run((to_model_call(row, moment) for row in rows), lambda one: one.caller.run)

    async def model_answers(self, *runs: RunId) -> list[Recording]:
        rows = await self._pool.fetch(model_calls.ANSWERS, runs)
        return [to_recording(row) for row in rows]

    async def lock(self, experiment: LockedExperiment) -> LockedExperiment:
        async with self._pool.link() as link:
            await link.execute(
                "INSERT INTO proveout.experiments (id, name, workflow, lock, look, order_seed,"
                " dataset, plan, locked, verdict)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
                experiment.id,
                experiment.name,
                experiment.workflow,
                experiment.lock,
                experiment.look,
                experiment.order_seed,
                experiment.dataset,
                experiment.plan,
                experiment.locked,
                experiment.verdict,
            )
            [row] = await link.fetch(
                "SELECT * FROM proveout.experiments WHERE workflow = $1 AND name = $2"
                " AND lock = $3 AND look = $4",
                experiment.workflow,
                experiment.name,
                experiment.lock,
                experiment.look,
            )
        self._bell.ring()
        return to_experiment(row, moment)

    async def experiments(self, workflow: str) -> list[LockedExperiment]:
        rows = await self._pool.fetch(
            "SELECT * FROM proveout.experiments WHERE workflow = $1 ORDER BY locked, id", workflow
        )
        return [to_experiment(row, moment) for row in rows]

    async def conclude(self, experiment: ExperimentId, verdict: bytes) -> None:
        async with self._pool.link() as link:
            await link.execute(
                "UPDATE proveout.experiments SET verdict = $2 WHERE id = $1", experiment, verdict
            )
        self._bell.ring()

    async def trials(
        self,
        experiment: ExperimentId,
        candidate: str,
        first: int,
        limit: int,
        *,
        finished: bool = False,
    ) -> list[Run]:
        rows = await self._pool.fetch(
            TRIALS,
            experiment,
            candidate,
            first,
            limit,
            finished,
        )
        return [to_run(row, moment) for row in rows]

    async def used(self, experiment: ExperimentId, candidate: str | None = None) -> TrialCount:
        row = await self._one(model_calls.USED, experiment, candidate)
        assert row is not None  # noqa: S101 - an aggregate always has its row
        return to_trial_count(row)

    async def seen(self, workflow: str) -> set[str]:
        rows = await self._pool.fetch(
            "SELECT DISTINCT case_digest FROM proveout.runs WHERE fence > 0 AND experiment IN"
            " (SELECT id FROM proveout.experiments WHERE workflow = $1)",
            workflow,
        )
        return {row["case_digest"] for row in rows}

    async def take(self, draw: Draw) -> Grant:
        async with self._pool.link() as link:
            return await take(link, draw)

    async def hold(self, name: str) -> LockHold | None:
        with self._server.in_words():
            link = await self._server.connect("hold")
            taken = False
            try:
                taken = await take_hold(link, name)
            finally:
                if not taken:
                    await part(link)
        if not taken:
            return None
        hold = LockHold(link, self._holds.discard)
        self._holds.add(hold)
        return hold

    async def close(self) -> None:
        await self._lane.close()
        for hold in tuple(self._holds):
            await hold.release()
        await self._bell.close()
        await self._pool.close()

    async def _one(self, query: str, *values: object) -> Row | None:
        rows = await self._pool.fetch(query, *values)
        return rows[0] if rows else None

    async def _all(self, query: str, *values: object) -> Sequence[Row]:
        return await self._pool.fetch(query, *values)
