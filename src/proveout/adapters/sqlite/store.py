"""A store in one SQLite file: no server, one machine."""

from __future__ import annotations

import asyncio
import fcntl
import json
import sqlite3
from typing import TYPE_CHECKING, TypeVar

from proveout.adapters.answer_rows import to_recording
from proveout.adapters.rows import (
    by_run,
    to_entry,
    to_experiment,
    to_model_call,
    to_run,
    to_trial_count,
)
from proveout.adapters.sqlite import model_calls
from proveout.adapters.sqlite.desk import Desk
from proveout.adapters.sqlite.intake import Intake
from proveout.adapters.sqlite.keep import forget, prune
from proveout.adapters.sqlite.keeper import SqliteKeeper
from proveout.adapters.sqlite.lane import Lane, is_busy
from proveout.adapters.sqlite.limits import take
from proveout.adapters.sqlite.listing import listing
from proveout.adapters.sqlite.measures import Measuring
from proveout.adapters.sqlite.moments import micros, moment
from proveout.adapters.sqlite.office import Office
from proveout.adapters.sqlite.queue import (
    FileHold,
    blame,
    claim,
    is_idle,
    needs_tending,
    tend,
)
from proveout.adapters.sqlite.reading import Reading
from proveout.adapters.sqlite.schema import WAITS, connect, migrate
from proveout.adapters.sqlite.units import apply, rank
from proveout.adapters.troubles import StoreUnavailable
from proveout.domain.run import RunState, check_move
from proveout.domain.unit import Settle
from proveout.errors import Mistake
from proveout.ports.store import Claimed, Tended, Ticked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from proveout.domain.experiment import ExperimentId
    from proveout.domain.journal import Entry
    from proveout.domain.limit import Draw, Grant
    from proveout.domain.model_answer import Recording
    from proveout.domain.model_call import ModelCall
    from proveout.domain.run import Run, RunId
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.clock import Clock
    from proveout.ports.housekeeping import Aged
    from proveout.ports.store import LockedExperiment, RunFilter, TrialCount, Want

T = TypeVar("T")

TRIALS = (
    "SELECT * FROM runs WHERE experiment = ?1 AND candidate = ?2 AND position >= ?3"
    " AND (NOT ?5 OR position < coalesce((SELECT min(position) FROM runs WHERE experiment = ?1"
    " AND candidate = ?2 AND position >= ?3 AND state IN ('QUEUED', 'RUNNING', 'WAITING')),"
    " position + 1)) ORDER BY position LIMIT ?4"
)
"""What experiment, candidate, position and limit ask for; the last keeps to what is finished."""

LOOK_EVERY = 0.004
"""Seconds between two looks for another process's commit, while idle."""


class SqliteStore(Office, Measuring, Desk):
    """Keeps everything in one file; see `ports/store.py` for what each call promises."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Open the file at `path` on the running loop; it and its folder are made if need be.

        Raises:
            Mistake: the path cannot hold a store, or SQLite is too old.
            StoreFromTheFuture: a newer Proveout made it.
        """
        if sqlite3.sqlite_version_info < (3, 35):
            raise Mistake(f"SQLite {sqlite3.sqlite_version} is too old", why="3.35 is needed")
        self._path = path
        self._clock = clock
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = connect(path)
            migrate(writer)
            self._watcher = connect(path)
            self._reading = Reading(connect(path), "sqlite-reader")
            self._counting = Reading(connect(path), "sqlite-counter")
        except (sqlite3.Error, OSError) as error:
            raise _unopened(path, error) from error
        self._lane = Lane(writer)
        self._intake = Intake()
        self._holds: set[FileHold] = set()
        self._seen = self._version()

    async def write(self, unit: Unit) -> Answered:
        if isinstance(unit, Settle):
            check_move(RunState.RUNNING, unit.state)
        now = micros(self._clock.now())
        return await self._lane.do(
            lambda connection: apply(connection, unit, now, self._intake), rank(unit)
        )

    async def claim(self, want: Want) -> list[Claimed]:
        now = self._clock.now()
        rows = await self._lane.do(lambda connection: claim(connection, want, micros(now)))
        return [
            Claimed(
                run=to_run(row, moment),
                entries=tuple(to_entry(entry, moment) for entry in entries),
                now=now,
            )
            for row, entries in rows
        ]

    async def ticked(self, workflow: str) -> Ticked:
        rows = await self._all("SELECT name, ticked FROM schedules WHERE workflow = ?", workflow)
        upto = {row["name"]: moment(row["ticked"]) for row in rows}
        return Ticked(now=self._clock.now(), upto=upto)

    async def tend(self) -> Tended:
        now = micros(self._clock.now())
        if not await self._read(lambda connection: needs_tending(connection, now)):
            return Tended()
        return await self._lane.do(lambda connection: tend(connection, now))

    async def reclaim(self, experiment: ExperimentId) -> int:
        now = micros(self._clock.now())
        return await self._lane.do(
            lambda connection: (
                connection.execute(
                    "UPDATE runs SET state = 'QUEUED', updated = ?"
                    " WHERE experiment = ? AND state = 'RUNNING'",
                    (now, experiment),
                ).rowcount
            )
        )

    async def is_idle(self, want: Want, within: timedelta) -> bool:
        horizon = micros(self._clock.now() + within)
        return await self._read(lambda connection: is_idle(connection, want, horizon))

    async def has_suspects(self, want: Want) -> bool:
        names = ", ".join("?" * len(want.workflows))
        row = await self._one(
            "SELECT 1 FROM runs WHERE state = 'QUEUED' AND experiment IS NULL AND suspect = 1"  # noqa: S608 - question marks only
            f" AND release = ? AND workflow IN ({names}) LIMIT 1",
            want.release,
            *want.workflows,
        )
        return row is not None

    async def blame(self, worker: str, at_most: int) -> list[RunId]:
        now = micros(self._clock.now())
        return await self._lane.do(lambda connection: blame(connection, worker, at_most, now))

    async def prune(self, aged: Aged) -> int:
        now = micros(self._clock.now())
        return await self._lane.do(lambda connection: prune(connection, aged, now))

    async def forget(self, aged: Aged) -> int:
        now = micros(self._clock.now())
        return await self._lane.do(lambda connection: forget(connection, aged, now))

    async def changed(self, at_most: float) -> None:
        end = self._clock.monotonic() + at_most
        seen = self._seen
        while self._clock.monotonic() < end:
            version = self._version()
            if version != seen:
                self._seen = version
                return
            await asyncio.sleep(LOOK_EVERY)  # noqa: TID251 - looks at a file, not at time

    def mark(self) -> int:
        return self._version()

    def keeper(self) -> SqliteKeeper:
        return SqliteKeeper(self._lane, self._path, self._clock)

    async def run(self, run: RunId) -> Run | None:
        row = await self._one("SELECT * FROM runs WHERE id = ?", run)
        return None if row is None else to_run(row, moment)

    async def run_by_key(self, workflow: str, key: str) -> Run | None:
        row = await self._one("SELECT * FROM runs WHERE workflow = ? AND key = ?", workflow, key)
        return None if row is None else to_run(row, moment)

    async def runs_by_keys(self, workflow: str, keys: Sequence[str]) -> dict[str, Run]:
        rows = await self._all(
            "SELECT * FROM runs WHERE workflow = ? AND key IN (SELECT value FROM json_each(?))",
            workflow,
            json.dumps(keys),
        )
        return {row["key"]: to_run(row, moment) for row in rows}

    async def runs(self, which: RunFilter) -> list[Run]:
        sql, values = listing(which)
        return [to_run(row, moment) for row in await self._all(sql, *values)]

    async def ended(self, workflow: str, since: datetime, limit: int = 100) -> list[Run]:
        rows = await self._all(
            "SELECT * FROM runs WHERE workflow = ? AND experiment IS NULL AND updated >= ?"
            " AND state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED') AND release IS NOT NULL"
            " ORDER BY updated, id LIMIT ?",
            workflow,
            micros(since),
            limit,
        )
        return [to_run(row, moment) for row in rows]

    async def count(self, experiment: ExperimentId | None = None) -> dict[RunState, int]:
        rows = await self._all(
            "SELECT state, count(*) AS runs FROM runs WHERE experiment IS ? GROUP BY state",
            experiment,
        )
        return {RunState(row["state"]): row["runs"] for row in rows}

    async def journal(self, run: RunId) -> list[Entry]:
        rows = await self._all("SELECT * FROM journal WHERE run = ? ORDER BY seq", run)
        return [to_entry(row, moment) for row in rows]

    async def model_calls(self, *runs: RunId) -> dict[RunId, list[ModelCall]]:
        rows = await self._all(model_calls.CALLS, json.dumps(runs))
        return by_run((to_model_call(row, moment) for row in rows), lambda one: one.caller.run)

    async def model_answers(self, *runs: RunId) -> list[Recording]:
        rows = await self._all(model_calls.ANSWERS, json.dumps(runs))
        return [to_recording(row) for row in rows]

    async def lock(self, experiment: LockedExperiment) -> LockedExperiment:
        def keep(connection: sqlite3.Connection) -> sqlite3.Row:
            connection.execute(
                "INSERT INTO experiments (id, name, workflow, lock, look, order_seed, dataset,"
                " plan, locked, verdict) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (
                    experiment.id,
                    experiment.name,
                    experiment.workflow,
                    experiment.lock,
                    experiment.look,
                    experiment.order_seed,
                    experiment.dataset,
                    experiment.plan,
                    micros(experiment.locked),
                    experiment.verdict,
                ),
            )
            return connection.execute(
                "SELECT * FROM experiments WHERE workflow = ? AND name = ? AND lock = ?"
                " AND look = ?",
                (experiment.workflow, experiment.name, experiment.lock, experiment.look),
            ).fetchone()

        return to_experiment(await self._lane.do(keep), moment)

    async def experiments(self, workflow: str) -> list[LockedExperiment]:
        rows = await self._all(
            "SELECT * FROM experiments WHERE workflow = ? ORDER BY locked, id", workflow
        )
        return [to_experiment(row, moment) for row in rows]

    async def conclude(self, experiment: ExperimentId, verdict: bytes) -> None:
        await self._lane.do(
            lambda connection: (
                connection.execute(
                    "UPDATE experiments SET verdict = ? WHERE id = ?", (verdict, experiment)
                ).rowcount
            )
        )

    async def trials(
        self,
        experiment: ExperimentId,
        candidate: str,
        first: int,
        limit: int,
        *,
        finished: bool = False,
    ) -> list[Run]:
        rows = await self._all(
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
        rows = await self._all(
            "SELECT DISTINCT case_digest FROM runs WHERE fence > 0 AND experiment IN"
            " (SELECT id FROM experiments WHERE workflow = ?)",
            workflow,
        )
        return {row["case_digest"] for row in rows}

    async def take(self, draw: Draw) -> Grant:
        return await self._lane.do(
            lambda connection: take(connection, draw, micros(self._clock.now()))
        )

    async def hold(self, name: str) -> FileHold | None:
        path = self._path.with_name(f"{self._path.name}.{name}.lock")
        file = path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        hold = FileHold(file, self._holds.discard)
        self._holds.add(hold)
        return hold

    async def close(self) -> None:
        await self._lane.close()
        for hold in tuple(self._holds):
            await hold.release()
        self._reading.close()
        self._counting.close()
        self._watcher.close()

    def _version(self) -> int:
        return self._watcher.execute("PRAGMA data_version").fetchone()[0]

    async def _one(self, sql: str, *values: object) -> sqlite3.Row | None:
        return await self._read(lambda connection: connection.execute(sql, values).fetchone())

    async def _all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return await self._read(lambda connection: connection.execute(sql, values).fetchall())

    async def _counted(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return await self._counting.read(
            lambda connection: connection.execute(sql, values).fetchall()
        )

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        return await self._reading.read(read)


def _unopened(path: Path, error: Exception) -> StoreUnavailable:
    """Return what is to be said of a file that cannot be opened."""
    said = f"{path} cannot be opened as a store: {error}"
    if is_busy(error):
        return StoreUnavailable(
            said,
            why=f"another process held its lock for {WAITS:g} s; it may be stopped in a write",
            fix=(f"lsof {path}", "let that process go on, or end it"),
        )
    return StoreUnavailable(
        said,
        why="it is no SQLite file, or the folder cannot be written",
        fix=("set PROVEOUT_STORE=sqlite:///PATH to a path that can",),
    )
