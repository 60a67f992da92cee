"""Calls of models in the tables of a PostgreSQL store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.rows import USAGE, from_model_call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.adapters.postgres.wire import Link
    from proveout.domain.unit import Charge

COLUMNS = (
    "id, run, fence, path, name, occurrence, provider, asked, answered, status, read, cached,"
    " written, picodollars, started, elapsed"
)

CHARGE = (
    f"INSERT INTO proveout.model_calls ({COLUMNS}) SELECT * FROM unnest($1::text[], $2::text[],"  # noqa: S608 - our own words
    " $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],"
    " $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],"
    " $15::timestamptz[], $16::float8[]) ON CONFLICT (id) DO NOTHING"
)

MADE = (
    f"LATERAL (SELECT {COLUMNS} FROM proveout.model_calls"  # noqa: S608 - our own words
    " WHERE run = whose.id OFFSET 0) AS made"
)
"""The offset keeps the planner to the index, run by run, however many calls others made."""

CALLS = (
    "SELECT made.* FROM (SELECT DISTINCT id FROM unnest($1::text[]) AS given (id)) AS whose,"  # noqa: S608
    f" {MADE} ORDER BY made.started, made.id"
)

USED = (
    "SELECT * FROM (SELECT coalesce(sum(fence), 0)::bigint AS claims, count(*) AS trials,"  # noqa: S608
    " coalesce(sum(greatest(fence - 1, 0)), 0)::bigint AS repeated FROM proveout.runs"
    " WHERE experiment = $1 AND ($2::text IS NULL OR candidate = $2)) AS claimed,"
    f" (SELECT {USAGE}, count(DISTINCT whose.id) FILTER (WHERE picodollars IS NULL)"
    f" AS unpriced_trials FROM proveout.runs AS whose, {MADE}"
    " WHERE experiment = $1 AND ($2::text IS NULL OR candidate = $2)) AS called"
)


async def charge(link: Link, units: Iterable[Charge]) -> None:
    """Keep calls that are not kept yet, in the order of their ids: no two groups wait in turn."""
    calls = sorted((call for unit in units for call in unit.calls), key=lambda call: call.id)
    if calls:
        await link.execute(CHARGE, *zip(*map(from_model_call, calls), strict=True))
