"""Intake limits: how many runs of a workflow may wait for their first claim.

Judged before anything of a group is written. One group at a time judges a workflow, until
its commit: the limit is never exceeded.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

from proveout.domain.unit import Enqueue, Full, Receive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.adapters.postgres.wire import Link
    from proveout.domain.run import Run

CLASS = 0x696E7461
"""The class of the advisory locks under which a workflow's intake is judged."""

HOLD = "SELECT pg_advisory_xact_lock($1::int, $2::int)"

UNBEGUN = (
    "SELECT count(*) AS runs FROM (SELECT FROM proveout.runs WHERE workflow = $1 AND fence = 0"
    " AND state IN ('QUEUED', 'WAITING') AND experiment IS NULL LIMIT $2) AS unbegun"
)

KNOWN = (
    "SELECT given.place FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],"
    " $6::text[]) AS given (place, id, workflow, key, source, event) WHERE"
    " EXISTS (SELECT FROM proveout.runs WHERE id = given.id)"
    " OR EXISTS (SELECT FROM proveout.runs WHERE workflow = given.workflow AND key = given.key)"
    " OR EXISTS (SELECT FROM proveout.deliveries"
    " WHERE source = given.source AND event = given.event)"
)

Asking: TypeAlias = "tuple[int, Enqueue | Receive]"
"""A unit that asks for a run under a limit, with its place in the group."""


async def refused(link: Link, units: Sequence[Asking]) -> dict[int, Full]:
    """Return the answers to the units for whose runs there is no room, by place."""
    of: dict[str, list[Asking]] = {}
    for place, unit in units:
        if unit.intake is not None and unit.run is not None:
            of.setdefault(unit.run.workflow, []).append((place, unit))
    refusals: dict[int, Full] = {}
    for workflow in sorted(of):
        refusals |= await _refused(link, workflow, of[workflow])
    return refusals


async def _refused(link: Link, workflow: str, units: list[Asking]) -> dict[int, Full]:
    limits = [unit.intake or 0 for _, unit in units]
    await link.execute(HOLD, CLASS, _number(workflow))
    row = await link.fetchrow(UNBEGUN, workflow, max(limits))
    waiting: int = 0 if row is None else row["runs"]
    if waiting + len(units) <= min(limits):
        return {}
    known = {row["place"] for row in await link.fetch(KNOWN, *zip(*map(_row, units), strict=True))}
    let_in: set[str] = set()
    refusals: dict[int, Full] = {}
    for place, unit in units:
        run, limit = _run(unit), unit.intake or 0
        if place in known or run.key in let_in:
            continue
        if waiting >= limit:
            refusals[place] = Full(limit)
            continue
        waiting += 1
        if run.key is not None:
            let_in.add(run.key)
    return refusals


def _row(asking: Asking) -> tuple[object, ...]:
    place, unit = asking
    run = _run(unit)
    event = (
        (unit.delivery.source, unit.delivery.event) if isinstance(unit, Receive) else (None, None)
    )
    return (place, run.id, run.workflow, run.key, *event)


def _run(unit: Enqueue | Receive) -> Run:
    assert unit.run is not None  # noqa: S101 - the others were left out
    return unit.run


def _number(workflow: str) -> int:
    whole = hashlib.sha256(workflow.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(whole[:4], signed=True)
