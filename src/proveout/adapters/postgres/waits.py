"""What a run waits for, and what is in doubt, in the tables of a PostgreSQL store.

Everything here is about runs whose rows the group has locked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proveout.adapters.rows import GIVEN_UP, from_outcome, to_outcome
from proveout.domain.journal import EntryKind, Pending
from proveout.domain.run import RunState
from proveout.domain.unit import Closed, Done, Stale

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.adapters.postgres.units import Group
    from proveout.adapters.postgres.wire import Link
    from proveout.domain.unit import Record, Resolve

PLACE = (
    "journal.run = given.run AND journal.path = given.path AND journal.name = given.name"
    " AND journal.occurrence = given.occurrence"
)

GIVE_BACK = (
    "UPDATE proveout.signals SET path = NULL, occurrence = NULL FROM unnest($1::text[],"
    " $2::text[], $3::text[], $4::bigint[]) AS given (run, path, name, occurrence)"
    " WHERE signals.run = given.run AND signals.path = given.path"
    " AND signals.name = given.name AND signals.occurrence = given.occurrence"
)

GIVE_UP = (
    "UPDATE proveout.journal SET outcome = 'raised', value = $5::bytea FROM unnest($1::text[],"  # noqa: S608 - our own words
    " $2::text[], $3::text[], $4::bigint[]) AS given (run, path, name, occurrence)"
    f" WHERE {PLACE} AND (journal.kind = 'signal' OR journal.outcome = 'pending')"
)

TAKE_BACK = (
    "UPDATE proveout.reviews SET state = 'superseded', decided = (SELECT proveout.moment()),"
    " unit = given.unit FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])"
    " AS given (run, path, name, occurrence, unit) WHERE reviews.run = given.run"
    " AND reviews.path = given.path AND reviews.name = given.name"
    " AND reviews.occurrence = given.occurrence AND reviews.state = 'open'"
)


async def give_up(link: Link, units: list[Record]) -> None:
    """Ask nobody any more what a run waits for no longer; keep its signals for the next wait."""
    rows = [(unit.run, *place, unit.id) for unit in units for place in unit.gives_up]
    if rows:
        *places, ids = zip(*rows, strict=True)
        await link.execute(GIVE_BACK, *places)
        await link.execute(GIVE_UP, *places, GIVEN_UP)
        await link.execute(TAKE_BACK, *places, ids)


def listens(unit: Record) -> bool:
    """Whether a record waits for a signal, or gives one back."""
    return bool(unit.gives_up) or any(
        entry.kind is EntryKind.SIGNAL and isinstance(entry.outcome, Pending)
        for entry in unit.entries
    )


DEAL = (
    "WITH waits AS MATERIALIZED (SELECT run, path, name, occurrence,"
    " row_number() OVER (PARTITION BY run, name ORDER BY seq) AS nth FROM proveout.journal"
    " WHERE run = ANY ($1::text[]) AND kind = 'signal' AND outcome = 'pending'),"
    " kept AS MATERIALIZED (SELECT seq, run, name, value,"
    " row_number() OVER (PARTITION BY run, name ORDER BY seq) AS nth FROM proveout.signals"
    " WHERE run = ANY ($1::text[]) AND path IS NULL),"
    " dealt AS MATERIALIZED (SELECT * FROM waits JOIN kept USING (run, name, nth)),"
    " taken AS (UPDATE proveout.signals SET path = dealt.path, occurrence = dealt.occurrence"
    " FROM dealt WHERE signals.seq = dealt.seq),"
    " answered AS (UPDATE proveout.journal SET outcome = 'returned', value = dealt.value"
    " FROM dealt WHERE journal.run = dealt.run AND journal.path = dealt.path"
    " AND journal.name = dealt.name AND journal.occurrence = dealt.occurrence)"
    " SELECT DISTINCT run FROM dealt"
)
"""Of each name the oldest wait and the oldest signal that is kept, the second and the second."""

WAKE = (
    "WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now) UPDATE proveout.runs"
    " SET wake = true,"
    " state = CASE WHEN state = 'WAITING' AND fence > 0 THEN 'QUEUED' ELSE state END,"
    " due = CASE WHEN state = 'WAITING' AND fence > 0 THEN (SELECT now FROM clock) ELSE due END,"
    " updated = (SELECT now FROM clock) WHERE id = ANY ($1::text[])"
    " AND state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED')"
)
"""Let runs go on whose waits were answered, now or as soon as they come to wait.

What waits and was never claimed waits for its time or its turn, not for an answer.
"""

SEND = (
    "INSERT INTO proveout.signals (run, name, value, unit) SELECT run, name, value, unit"
    " FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[]) WITH ORDINALITY"
    " AS given (run, name, value, unit, nth) ORDER BY nth ON CONFLICT DO NOTHING"
)

SENT = "SELECT unit FROM proveout.signals WHERE unit = ANY ($1::text[])"


async def send(link: Link, group: Group) -> None:
    """Keep the signals of runs that are not over; what was sent before is answered as then."""
    rows: list[tuple[Any, ...]] = []
    late: list[str] = []
    for _, unit in group.sends:
        standing = group.standing.get(unit.run)
        if standing is None or RunState(standing.state).is_final:
            late.append(unit.id)
        else:
            rows.append((unit.run, unit.name, unit.value, unit.id))
            group.listening.add(unit.run)
    if rows:
        await link.execute(SEND, *zip(*rows, strict=True))
    sent = {row["unit"] for row in (await link.fetch(SENT, late) if late else ())}
    for place, unit in group.sends:
        is_lost = unit.id in late and unit.id not in sent
        group.answers[place] = Stale() if is_lost else Done()


async def deal(link: Link, group: Group) -> None:
    """Give the signals that are kept for the group's runs to their waits, and wake those."""
    rows = await link.fetch(DEAL, list(group.listening))
    runs = [row["run"] for row in rows]
    if runs:
        await link.execute(WAKE, runs)
    for run in runs:
        standing = group.standing[run]
        standing.wake = True
        if standing.state == "WAITING":
            standing.state = "QUEUED"


CLOSE = (
    "UPDATE proveout.journal SET outcome = given.outcome, value = given.value,"  # noqa: S608 - our own words
    " tries = given.tries, elapsed = given.elapsed, unit = given.unit FROM unnest($1::text[],"
    " $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::bigint[],"
    " $8::float8[], $9::text[])"
    " AS given (run, path, name, occurrence, outcome, value, tries, elapsed, unit)"
    f" WHERE {PLACE} AND journal.outcome = 'pending'"
)

CLOSED = (
    "SELECT given.nth, journal.outcome, journal.value, journal.due, journal.unit"  # noqa: S608 - our own words
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY"
    f" AS given (run, path, name, occurrence, nth) JOIN proveout.journal ON {PLACE}"
)


async def close(link: Link, group: Group) -> None:
    """Write the outcomes of pending entries, except where an answer came first."""
    rows = [
        (
            unit.run,
            *unit.entry.place,
            *from_outcome(unit.entry.outcome)[:2],
            unit.entry.tries,
            unit.entry.elapsed,
            unit.id,
        )
        for _, unit in group.closes
        if group.is_current(unit)
    ]
    if rows:
        await link.execute(CLOSE, *zip(*rows, strict=True))
    places = [(unit.run, *unit.entry.place) for _, unit in group.closes]
    found = {row["nth"]: row for row in await link.fetch(CLOSED, *zip(*places, strict=True))}
    for nth, (place, unit) in enumerate(group.closes, 1):
        row = found.get(nth)
        if row is not None and (group.is_current(unit) or row["unit"] == unit.id):
            group.answers[place] = Closed(to_outcome(row, _moment))
        else:
            group.answers[place] = Stale()


def _moment(value: datetime) -> datetime:
    return value


IN_DOUBT = (
    " WHERE run = $1 AND path = $2 AND name = $3 AND occurrence = $4"
    " AND kind = 'effect' AND outcome = 'pending' RETURNING run"
)

HAPPENED = f"UPDATE proveout.journal SET outcome = 'returned', value = $5, unit = $6{IN_DOUBT}"  # noqa: S608 - our own words
DID_NOT_HAPPEN = f"DELETE FROM proveout.journal{IN_DOUBT}"  # noqa: S608 - our own words


async def resolve(link: Link, unit: Resolve) -> bool:
    """Say what became of an effect in doubt; return whether there was one."""
    place = (unit.run, *unit.place)
    if unit.outcome is None:
        return bool(await link.fetch(DID_NOT_HAPPEN, *place))
    return bool(await link.fetch(HAPPENED, *place, unit.outcome.value, unit.id))
