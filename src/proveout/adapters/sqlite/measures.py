"""What production did within a time, counted in the tables of a SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proveout.adapters.measured_rows import ENDED, to_judged, to_measured, to_minute, to_spent
from proveout.adapters.sqlite.moments import micros, moment
from proveout.ports.measure import ModelHealth

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from sqlite3 import Row

    from proveout.ports.measure import Judged, Measured, Minute, Spent

MEASURED = (
    "WITH ended AS MATERIALIZED (SELECT id, state, updated - created AS took FROM runs"  # noqa: S608
    f" WHERE workflow = ?1 AND updated >= ?2 AND {ENDED}), answered AS"
    " (SELECT reviews.state FROM reviews JOIN runs ON runs.id = reviews.run"
    " WHERE runs.workflow = ?1 AND runs.release <> 'draft' AND reviews.decided >= ?2"
    " AND reviews.state IN ('decided', 'expired'))"
    " SELECT count(*) AS ended, count(*) FILTER (WHERE state <> 'SUCCEEDED') AS failed,"
    " count(*) FILTER (WHERE state = 'DEAD') AS dead,"
    # Only a run that took long has to be asked how much of it people took.
    " count(*) FILTER (WHERE state = 'SUCCEEDED' AND took > ?3 AND took - (SELECT"
    " coalesce(sum(decided - opened), 0) FROM reviews WHERE reviews.run = ended.id"
    " AND decided IS NOT NULL) > ?3) AS late,"
    " (SELECT count(*) FROM answered) AS reviews,"
    " (SELECT count(*) FROM answered WHERE state = 'expired') AS expired FROM ended"
)

BY_MINUTE = (
    "SELECT updated / 60000000 * 60000000 AS minute, release, count(*) AS ended,"  # noqa: S608
    " count(*) FILTER (WHERE state <> 'SUCCEEDED') AS failed FROM runs"
    f" WHERE workflow = ?1 AND updated >= ?2 AND {ENDED}"
    " GROUP BY minute, release ORDER BY minute, release"
)

JUDGED = (
    "WITH ended AS (SELECT id, state FROM runs WHERE workflow = ?1 AND updated >= ?2"  # noqa: S608
    f" AND {ENDED}), answered AS"
    " (SELECT reviews.outcome FROM reviews JOIN runs ON runs.id = reviews.run"
    " WHERE runs.workflow = ?1 AND runs.release <> 'draft' AND reviews.decided >= ?2"
    " AND reviews.state = 'decided')"
    " SELECT count(*) AS ended, count(*) FILTER (WHERE state <> 'SUCCEEDED' AND NOT EXISTS"
    " (SELECT 1 FROM reviews WHERE reviews.run = ended.id"
    " AND reviews.outcome = 'rejected')) AS broken,"
    " (SELECT count(*) FROM answered) AS reviews,"
    " (SELECT count(*) FROM answered WHERE outcome = 'approved') AS accepted FROM ended"
)

SPENT = (
    "SELECT coalesce(sum(picodollars), 0) AS picodollars, count(DISTINCT run)"  # noqa: S608
    " FILTER (WHERE picodollars IS NOT NULL) AS priced FROM model_calls WHERE run IN"
    f" (SELECT id FROM runs WHERE workflow = ?1 AND updated >= ?2 AND {ENDED})"
)

HEALTH = (
    "SELECT count(*) AS calls, count(*) FILTER (WHERE status = 0 OR status = 429"
    " OR status >= 500) AS failed FROM model_calls WHERE started >= ? AND NOT EXISTS"
    " (SELECT 1 FROM runs WHERE runs.id = model_calls.run AND experiment IS NOT NULL)"
)


class Counter(Protocol):
    """Counts rows in a thread of its own, beside which others read on."""

    async def _counted(self, sql: str, *values: object) -> list[Row]: ...


class Measuring(Counter):
    """What production did; see `ports/measure.py` for what each call promises."""

    async def measured(self, workflow: str, since: datetime, within: timedelta) -> Measured:
        limit = round(within.total_seconds() * 1_000_000)
        [row] = await self._counted(MEASURED, workflow, micros(since), limit)
        return to_measured(row)

    async def by_minute(self, workflow: str, since: datetime) -> list[Minute]:
        rows = await self._counted(BY_MINUTE, workflow, micros(since))
        return [to_minute(row, moment(row["minute"])) for row in rows]

    async def judged(self, workflow: str, since: datetime) -> Judged:
        [row] = await self._counted(JUDGED, workflow, micros(since))
        return to_judged(row)

    async def spent(self, workflow: str, since: datetime) -> Spent:
        [row] = await self._counted(SPENT, workflow, micros(since))
        return to_spent(row)

    async def newest_outcomes(self, workflow: str, since: datetime, limit: int) -> list[bool]:
        rows = await self._counted(
            f"SELECT state FROM runs WHERE workflow = ? AND updated >= ? AND {ENDED}"  # noqa: S608
            " ORDER BY updated DESC, seq DESC LIMIT ?",
            workflow,
            micros(since),
            limit,
        )
        return [row["state"] == "SUCCEEDED" for row in rows]

    async def newest_arrival(self, workflow: str, apart: str) -> datetime | None:
        rows = await self._counted(
            "SELECT created FROM runs WHERE workflow = ?1 AND experiment IS NULL AND"
            " (key IS NULL OR ?2 = '' OR substr(key, 1, length(?2)) <> ?2)"
            " ORDER BY seq DESC LIMIT 1",
            workflow,
            apart,
        )
        return moment(rows[0]["created"]) if rows else None

    async def model_health(self, since: datetime) -> ModelHealth:
        [row] = await self._counted(HEALTH, micros(since))
        return ModelHealth(calls=row["calls"], failed=row["failed"])
