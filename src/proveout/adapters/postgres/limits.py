"""What is left of shared limits, in a PostgreSQL store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.limit import ROUNDING, Grant

if TYPE_CHECKING:
    from proveout.adapters.postgres.wire import Link
    from proveout.domain.limit import Draw

FOUND = "INSERT INTO proveout.limits VALUES ($1, $2, proveout.moment()) ON CONFLICT DO NOTHING"

# The row is locked before it is judged, so that each sees what the one before it left. A
# moment that was read before the lock may lie before the last one: it fills nothing.
TAKE = (
    "WITH found AS MATERIALIZED (SELECT name, level, updated FROM proveout.limits"  # noqa: S608 - a number
    " WHERE name = $1 FOR NO KEY UPDATE), filled AS MATERIALIZED (SELECT found.name,"
    " least($3::float8, level + $2::float8"
    " * greatest(0, extract(epoch FROM proveout.moment() - updated)::float8)) AS level,"
    " greatest(updated, proveout.moment()) AS updated FROM found),"
    " given AS MATERIALIZED (SELECT name, level, updated,"
    f" CASE WHEN level + {ROUNDING} < least($5::float8, $3::float8) THEN 0"
    " ELSE least($4::float8, greatest(level, $5::float8)) END AS amount FROM filled)"
    " UPDATE proveout.limits SET level = given.level - given.amount, updated = given.updated"
    " FROM given WHERE limits.name = given.name RETURNING given.level, given.amount"
)


async def take(link: Link, draw: Draw) -> Grant:
    """Give from a bucket, by the same rule as `domain.limit.give`."""
    rate = draw.rate
    values = (rate.name, rate.per_second, rate.capacity, draw.want, draw.least)
    row = await link.fetchrow(TAKE, *values)
    if row is None:
        await link.execute(FOUND, rate.name, rate.capacity)
        row = await link.fetchrow(TAKE, *values)
        assert row is not None  # noqa: S101 - nothing removes a bucket
    if row["amount"]:
        return Grant(row["amount"])
    return Grant(0.0, (min(draw.least, rate.capacity) - row["level"]) / rate.per_second)
