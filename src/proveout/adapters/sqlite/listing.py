"""Which runs a list holds, as one query."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from proveout.adapters.rows import as_kept
from proveout.adapters.sqlite.moments import micros
from proveout.domain.run import RunState

if TYPE_CHECKING:
    from proveout.ports.store import RunFilter

SKEW = timedelta(minutes=1)
"""How far the clocks of those who enqueue may lie apart."""

MIDDLE = "(SELECT created FROM runs WHERE seq >= low + (high - low) / 2 ORDER BY seq LIMIT 1)"

FIRST_SINCE = (
    "WITH RECURSIVE cut (low, high) AS ("  # noqa: S608 - our own words only
    " SELECT (SELECT min(seq) FROM runs), (SELECT max(seq) + 1 FROM runs)"
    f" UNION ALL SELECT CASE WHEN {MIDDLE} < ? THEN low + (high - low) / 2 + 1 ELSE low END,"
    f" CASE WHEN {MIDDLE} < ? THEN high ELSE low + (high - low) / 2 END"
    " FROM cut WHERE low < high) SELECT low FROM cut WHERE low >= high"
)
"""The place of the first run created since a moment, found by halving: no index holds moments,
but runs stand in the order of their creation, as far as the clocks agree."""

TOLD = (
    "instr(lower(replace(substr(CAST(failure AS TEXT), 11,"
    ' instr(CAST(failure AS TEXT), \'", "traceback": "\') - 11),'
    " '\", \"message\": \"', ': ')), ?) > 0"
)
"""Whether "type: message" of the error, as `from_failure` lays it out, holds a text."""

FEW = "state IN ('WAITING', 'PARKED', 'FAILED', 'DEAD', 'CANCELLED')"
"""The states of the index `runs_told`, in its own words: SQLite does not see by itself that one
of them implies it, nor that a release which is asked for is not null."""

BRIEF = frozenset({RunState.QUEUED, RunState.RUNNING})
"""States that few runs are in, and that only their own small index finds among millions."""


def listing(which: RunFilter) -> tuple[str, list[Any]]:
    """Return the query for a page of runs, and its values.

    Each state is asked for by itself and in words of its own, so that the few runs in a
    rare state are found by their index and not among a million others.
    """
    where, values = _narrowed(which)
    states = which.states or ((RunState.FAILED, RunState.DEAD) if which.error else ())
    if not states:
        return f"SELECT * FROM runs WHERE {where} ORDER BY seq DESC LIMIT ?", [*values, which.limit]  # noqa: S608 - our own words only
    pages = [
        f"SELECT * FROM (SELECT * FROM runs WHERE {_is(state)} AND {where}"  # noqa: S608
        f" ORDER BY {'+' if state in BRIEF else ''}seq DESC LIMIT ?)"
        for state in states
    ]
    sql = f"{' UNION ALL '.join(pages)} ORDER BY seq DESC LIMIT ?"
    return sql, [*([*values, which.limit] * len(pages)), which.limit]


def _is(state: RunState) -> str:
    few = f" AND {FEW}" if f"'{RunState(state)}'" in FEW else ""
    return f"state = '{RunState(state)}'{few}"


def _narrowed(which: RunFilter) -> tuple[str, list[Any]]:
    where = ["experiment IS NULL"] if which.experiment is None else []
    values: list[Any] = []
    created = None if which.created is None else micros(which.created)
    early = None if which.created is None else micros(which.created - SKEW)
    for condition, *given in (
        ("experiment = ?", which.experiment),
        ("workflow = ?", which.workflow),
        ("release = ? AND release IS NOT NULL", which.release),
        ("updated >= ?", None if which.since is None else micros(which.since)),
        ("seq < (SELECT seq FROM runs WHERE id = ?)", which.before),
        (f"seq >= ({FIRST_SINCE})", early, early),
        ("created >= ?", created),
        (f"failure IS NOT NULL AND {TOLD}", as_kept(which.error) or None),
        ("id = ?", which.id),
        ("key = ?", which.key),
    ):
        if given[0] is not None:
            where.append(condition)
            values += given
    return " AND ".join(where), values
