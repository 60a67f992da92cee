"""What production did within a time, counted in the tables of a PostgreSQL store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.measured_rows import ENDED, to_judged, to_measured, to_minute, to_spent
from proveout.adapters.postgres.office import Reader
from proveout.ports.measure import ModelHealth

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from proveout.ports.measure import Judged, Measured, Minute, Spent

MEASURED = (
    "WITH ended AS MATERIALIZED (SELECT id, state, updated - created AS took FROM proveout.runs"  # noqa: S608
    f" WHERE workflow = $1 AND updated >= $2 AND {ENDED}), answered AS"
    " (SELECT reviews.state FROM proveout.reviews JOIN proveout.runs ON runs.id = reviews.run"
    " WHERE runs.workflow = $1 AND runs.release <> 'draft' AND reviews.decided >= $2"
    " AND reviews.state IN ('decided', 'expired'))"
    " SELECT count(*) AS ended, count(*) FILTER (WHERE state <> 'SUCCEEDED') AS failed,"
    " count(*) FILTER (WHERE state = 'DEAD') AS dead,"
    # Only a run that took long has to be asked how much of it people took.
    " count(*) FILTER (WHERE state = 'SUCCEEDED' AND took > $3 AND took - (SELECT"
    " coalesce(sum(decided - opened), interval '0') FROM proveout.reviews"
    " WHERE reviews.run = ended.id AND decided IS NOT NULL) > $3) AS late,"
    " (SELECT count(*) FROM answered) AS reviews,"
    " (SELECT count(*) FROM answered WHERE state = 'expired') AS expired FROM ended"
)

BY_MINUTE = (
    "SELECT date_trunc('minute', updated, 'UTC') AS minute, release, count(*) AS ended,"  # noqa: S608
    " count(*) FILTER (WHERE state <> 'SUCCEEDED') AS failed FROM proveout.runs"
    f" WHERE workflow = $1 AND updated >= $2 AND {ENDED}"
    " GROUP BY minute, release ORDER BY minute, release"
)

JUDGED = (
    "WITH ended AS (SELECT id, state FROM proveout.runs WHERE workflow = $1 AND updated >= $2"  # noqa: S608
    f" AND {ENDED}), answered AS"
    " (SELECT reviews.outcome FROM proveout.reviews JOIN proveout.runs ON runs.id = reviews.run"
    " WHERE runs.workflow = $1 AND runs.release <> 'draft' AND reviews.decided >= $2"
    " AND reviews.state = 'decided')"
    " SELECT count(*) AS ended, count(*) FILTER (WHERE state <> 'SUCCEEDED' AND NOT EXISTS"
    " (SELECT 1 FROM proveout.reviews WHERE reviews.run = ended.id"
    " AND reviews.outcome = 'rejected')) AS broken,"
    " (SELECT count(*) FROM answered) AS reviews,"
    " (SELECT count(*) FROM answered WHERE outcome = 'approved') AS accepted FROM ended"
)

SPENT = (
    "SELECT coalesce(sum(picodollars), 0) AS picodollars, count(DISTINCT run)"  # noqa: S608
    " FILTER (WHERE picodollars IS NOT NULL) AS priced FROM proveout.model_calls WHERE run IN"
    f" (SELECT id FROM proveout.runs WHERE workflow = $1 AND updated >= $2 AND {ENDED})"
)

HEALTH = (
    "SELECT count(*) AS calls, count(*) FILTER (WHERE status = 0 OR status = 429"
    " OR status >= 500) AS failed FROM proveout.model_calls WHERE started >= $1 AND NOT EXISTS"
    " (SELECT 1 FROM proveout.runs WHERE runs.id = model_calls.run AND experiment IS NOT NULL)"
)


class Measuring(Reader):
    """What production did; see `ports/measure.py` for what each call promises."""

    async def measured(self, workflow: str, since: datetime, within: timedelta) -> Measured:
        row = await self._one(MEASURED, workflow, since, within)
        assert row is not None  # noqa: S101 - an aggregate always has its row
        return to_measured(row)

    async def by_minute(self, workflow: str, since: datetime) -> list[Minute]:
        rows = await self._all(BY_MINUTE, workflow, since)
        return [to_minute(row, row["minute"]) for row in rows]

    async def judged(self, workflow: str, since: datetime) -> Judged:
        row = await self._one(JUDGED, workflow, since)
        assert row is not None  # noqa: S101 - an aggregate always has its row
        return to_judged(row)

    async def spent(self, workflow: str, since: datetime) -> Spent:
        row = await self._one(SPENT, workflow, since)
        assert row is not None  # noqa: S101 - an aggregate always has its row
        return to_spent(row)

    async def newest_outcomes(self, workflow: str, since: datetime, limit: int) -> list[bool]:
        rows = await self._all(
            "SELECT state FROM proveout.runs WHERE workflow = $1 AND updated >= $2"  # noqa: S608
            f" AND {ENDED} ORDER BY updated DESC, seq DESC LIMIT $3",
            workflow,
            since,
            limit,
        )
        return [row["state"] == "SUCCEEDED" for row in rows]

    async def newest_arrival(self, workflow: str, apart: str) -> datetime | None:
        row = await self._one(
            "SELECT created FROM proveout.runs WHERE workflow = $1 AND experiment IS NULL AND"
            " (key IS NULL OR $2::text = '' OR NOT starts_with(key, $2::text))"
            " ORDER BY seq DESC LIMIT 1",
            workflow,
            apart,
        )
        return None if row is None else row["created"]

    async def model_health(self, since: datetime) -> ModelHealth:
        row = await self._one(HEALTH, since)
        assert row is not None  # noqa: S101 - an aggregate always has its row
        return ModelHealth(calls=row["calls"], failed=row["failed"])
