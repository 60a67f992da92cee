"""Which runs a list holds, as one query."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.adapters.postgres.units import RUN
from proveout.adapters.rows import as_kept
from proveout.domain.run import RunState

if TYPE_CHECKING:
    from proveout.ports.store import RunFilter

SKEW = timedelta(minutes=1)
"""How far the clocks of those who enqueue may lie apart."""

MIDDLE = (
    "(SELECT created FROM proveout.runs WHERE seq >= low + (high - low) / 2 ORDER BY seq LIMIT 1)"
)

FIRST_SINCE = (
    "WITH RECURSIVE cut (low, high) AS ("  # noqa: S608 - our own words only
    " SELECT (SELECT min(seq) FROM proveout.runs), (SELECT max(seq) + 1 FROM proveout.runs)"
    f" UNION ALL SELECT CASE WHEN {MIDDLE} < {{0}} THEN low + (high - low) / 2 + 1 ELSE low END,"
    f" CASE WHEN {MIDDLE} < {{0}} THEN high ELSE low + (high - low) / 2 END"
    " FROM cut WHERE low < high) SELECT low FROM cut WHERE low >= high"
)
"""The place of the first run created since a moment, found by halving: no index holds moments,
but runs stand in the order of their creation, as far as the clocks agree."""

TOLD = (
    "position({0} in lower(replace(substr(split_part(convert_from(failure, 'UTF8'),"
    ' \'", "traceback": "\', 1), 11), \'", "message": "\', \': \'))) > 0'
)
"""Whether "type: message" of the error, as `from_failure` lays it out, holds a text."""


def listing(which: RunFilter) -> tuple[str, list[object]]:
    """Return the query for a page of runs, and its values.

    Each state is asked for by itself and in words of its own, so that the few runs in a
    rare state are found by their index and not among a million others.
    """
    where, values = _narrowed(which)
    states = which.states or ((RunState.FAILED, RunState.DEAD) if which.error else ())
    pages = [
        f"(SELECT seq, {RUN} FROM proveout.runs WHERE {' AND '.join((state, *where))}"  # noqa: S608
        " ORDER BY seq DESC LIMIT $1)"
        for state in [f"state = '{RunState(state)}'" for state in states] or ["true"]
    ]
    sql = f"SELECT {RUN} FROM ({' UNION ALL '.join(pages)}) AS page"  # noqa: S608
    return f"{sql} ORDER BY seq DESC LIMIT $1", values


def _narrowed(which: RunFilter) -> tuple[list[str], list[object]]:
    values: list[object] = [which.limit]
    where = ["experiment IS NULL"] if which.experiment is None else []
    created = which.created
    for condition, value in (
        ("experiment = {0}", which.experiment),
        ("workflow = {0}", which.workflow),
        ("release = {0}", which.release),
        ("updated >= {0}", which.since),
        ("seq < (SELECT seq FROM proveout.runs WHERE id = {0})", which.before),
        (f"seq >= ({FIRST_SINCE})", None if created is None else created - SKEW),
        ("created >= {0}", created),
        (f"failure IS NOT NULL AND {TOLD}", as_kept(which.error) or None),
        ("id = {0}", which.id),
        ("key = {0}", which.key),
    ):
        if value is not None:
            values.append(value)
            where.append(condition.format(f"${len(values)}"))
    return where, values
