"""Durations as people write them: "4 h", "10 days", "250 ms"."""

from __future__ import annotations

import re
from datetime import timedelta

from proveout.errors import Mistake

UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "day": timedelta(days=1),
    "days": timedelta(days=1),
    "week": timedelta(weeks=1),
    "weeks": timedelta(weeks=1),
}
"""Every unit that a duration may carry."""

_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*")


def duration(text: str) -> timedelta:
    """Return the duration that `text` says, such as "4 h" or "10 days".

    Raises:
        Mistake: it is no number above zero with one of `UNITS`.

    >>> duration("1.5 h")
    datetime.timedelta(seconds=5400)
    """
    match = _FORM.fullmatch(text)
    if match is None or match[2] not in UNITS:
        raise Mistake(
            f'"{text}" is not a duration',
            why=f"it takes a number and one of {', '.join(UNITS)}",
            fix=('write it like "4 h" or "10 days"',),
        )
    try:
        length = float(match[1]) * UNITS[match[2]]
    except OverflowError:
        length = timedelta(0)
    if not length:
        raise Mistake(f'"{text}" is not a duration', why="it is zero, or too long to count")
    return length
