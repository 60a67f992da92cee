"""Rows of what production did, as both stores count them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from proveout.domain.money import Usd
from proveout.ports.measure import Judged, Measured, Minute, Spent

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.adapters.rows import Row


ENDED = (
    "state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED') AND state <> 'CANCELLED'"
    " AND release IS NOT NULL AND release <> 'draft'"
)
"""What a release ended in production, as the index `runs_ended` has it.

SQLite takes an index of some rows only where a query repeats the index's own words.
"""


def to_measured(row: Row) -> Measured:
    """Return what a row of counts says."""
    return Measured(
        ended=row["ended"],
        failed=row["failed"],
        late=row["late"],
        dead=row["dead"],
        reviews=row["reviews"],
        expired=row["expired"],
    )


def to_judged(row: Row) -> Judged:
    """Return what a row of counts says of people's decisions."""
    return Judged(
        ended=row["ended"],
        broken=row["broken"],
        reviews=row["reviews"],
        accepted=row["accepted"],
    )


def to_minute(row: Row, start: datetime) -> Minute:
    """Return what a row of counts says of the minute that began then."""
    return Minute(start=start, release=row["release"], ended=row["ended"], failed=row["failed"])


def to_spent(row: Row) -> Spent:
    """Return what a row of sums says; its money is in whole picodollars."""
    cost = Usd(Decimal(int(row["picodollars"])).scaleb(-12))
    return Spent(cost=cost, priced=row["priced"])
