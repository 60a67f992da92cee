"""Schedules: runs that are asked for by the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Missed(StrEnum):
    """What becomes of ticks at which nobody was there."""

    SKIP = "skip"
    LAST = "last"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A run asked for again and again.

    Attributes:
        cron: five fields: minute, hour, day of the month, month, day of the week.
        zone: whose wall clock they are about, by its IANA name.
        value: the input of each run, as bytes of canonical JSON.
    """

    name: str
    cron: str
    zone: str = "UTC"
    missed: Missed = Missed.LAST
    value: bytes = field(default=b"{}", repr=False)
