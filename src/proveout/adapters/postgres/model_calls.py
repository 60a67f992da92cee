"""Calls of models in the tables of a PostgreSQL store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.answer_rows import from_recording
from proveout.adapters.rows import USAGE, from_model_call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.adapters.postgres.wire import Link
    from proveout.domain.model_answer import Recording
    from proveout.domain.unit import Charge

COLUMNS = (
    "id, run, fence, path, name, occurrence, provider, asked, answered, status, read, cached,"
    " written, stored, stored_hour, picodollars, started, elapsed"
)

CHARGE = (
    f"INSERT INTO proveout.model_calls ({COLUMNS}) SELECT * FROM unnest($1::text[], $2::text[],"  # noqa: S608 - our own words
    " $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],"
    " $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],"
    " $16::bigint[], $17::timestamptz[], $18::float8[]) ON CONFLICT (id) DO NOTHING"
)

RECORD = (
    "INSERT INTO proveout.model_answers (call, run, digest, status, headers, body)"
    " SELECT given.* FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[],"
    " $6::bytea[]) AS given (call, run, digest, status, headers, body) WHERE NOT EXISTS"
    " (SELECT FROM proveout.runs WHERE id = given.run AND pruned IS NOT NULL)"
    " ON CONFLICT (call) DO NOTHING"
)

ANSWERS = "SELECT * FROM proveout.model_answers WHERE run = ANY ($1::text[]) ORDER BY call"

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
    " coalesce(sum(greatest(fence - 1, 0)), 0)::bigint AS repeated,"
    " count(*) FILTER (WHERE origin IS NOT NULL AND fence = 0) AS reused FROM proveout.runs"
    " WHERE experiment = $1 AND ($2::text IS NULL OR candidate = $2)) AS claimed,"
    f" (SELECT {USAGE}, count(DISTINCT whose.id) FILTER (WHERE picodollars IS NULL)"
    f" AS unpriced_trials FROM proveout.runs AS whose, {MADE}"
    " WHERE experiment = $1 AND ($2::text IS NULL OR candidate = $2)) AS called"
)


async def charge(link: Link, units: Iterable[Charge]) -> None:
    """Keep calls that are not kept yet, and what was answered to them.

    Each in the order of the calls' ids: no two groups wait in turn.
    """
    given = list(units)
    calls = sorted((call for unit in given for call in unit.calls), key=lambda call: call.id)
    if calls:
        await link.execute(CHARGE, *zip(*map(from_model_call, calls), strict=True))
    recordings: dict[str, Recording] = {}
    for one in (one for unit in given for one in unit.recordings):
        recordings.setdefault(one.call, one)  # which of two is inserted, the server would choose
    if recordings:
        rows = [from_recording(recordings[call]) for call in sorted(recordings)]
        await link.execute(RECORD, *zip(*rows, strict=True))
