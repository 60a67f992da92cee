"""Calls of models in the tables of a SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.adapters.answer_rows import from_recording
from proveout.adapters.rows import USAGE, from_model_call
from proveout.adapters.sqlite.decisions import clean
from proveout.adapters.sqlite.moments import micros
from proveout.domain.unit import Done

if TYPE_CHECKING:
    import sqlite3

    from proveout.domain.model_call import ModelCall
    from proveout.domain.unit import Charge

CHARGE = (
    "INSERT INTO model_calls (id, run, fence, path, name, occurrence, provider, asked, answered,"
    " status, read, cached, written, stored, stored_hour, picodollars, started, elapsed)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)

RECORD = (
    "INSERT INTO model_answers (call, run, digest, status, headers, body)"
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS"
    " (SELECT 1 FROM runs WHERE id = ?2 AND pruned IS NOT NULL) ON CONFLICT (call) DO NOTHING"
)

ANSWERS = "SELECT * FROM model_answers WHERE run IN (SELECT value FROM json_each(?)) ORDER BY call"

CALLS = (
    "SELECT * FROM model_calls WHERE run IN (SELECT value FROM json_each(?)) ORDER BY started, id"
)

USED = (
    "SELECT * FROM (SELECT coalesce(sum(fence), 0) AS claims, count(*) AS trials,"  # noqa: S608 - our own words
    " coalesce(sum(max(fence - 1, 0)), 0) AS repeated,"
    " coalesce(sum(origin IS NOT NULL AND fence = 0), 0) AS reused FROM runs"
    " WHERE experiment = ?1 AND (?2 IS NULL OR candidate = ?2)),"
    f" (SELECT {USAGE}, count(DISTINCT CASE WHEN picodollars IS NULL THEN run END)"
    " AS unpriced_trials FROM model_calls WHERE run IN (SELECT id FROM runs"
    " WHERE experiment = ?1 AND (?2 IS NULL OR candidate = ?2)))"
)


def charge(connection: sqlite3.Connection, unit: Charge) -> Done:
    """Keep calls that are not kept yet, and what was answered to them."""
    connection.executemany(CHARGE, [_row(call) for call in unit.calls])
    connection.executemany(RECORD, [clean(*from_recording(one)) for one in unit.recordings])
    return Done()


def _row(call: ModelCall) -> tuple[object, ...]:
    *values, started, elapsed = from_model_call(call)
    return clean(*values, micros(started), elapsed)
