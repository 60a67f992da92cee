"""Durations as people write them: "4 h", "10 days", "250 ms".

The pattern is also published in the JSON Schema of `proveout.toml`, so it keeps to what
Python and ECMAScript read alike.
"""

from __future__ import annotations

import difflib
import json
import re
from datetime import timedelta
from decimal import Decimal

from proveout.errors import Mistake

LONGEST = timedelta(days=36_525)
"""A century; anything longer is a slip of the pen, and would leave the calendar."""

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "days": timedelta(days=1),
    "weeks": timedelta(weeks=1),
}
_SPELLINGS = {
    "millisecond": "ms",
    "milliseconds": "ms",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "minute": "min",
    "minutes": "min",
    "hour": "h",
    "hours": "h",
    "d": "days",
    "day": "days",
    "w": "weeks",
    "week": "weeks",
} | {unit: unit for unit in _UNITS}

NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,9})?"
DURATION_PATTERN = rf"^ *{NUMBER} *(?:{'|'.join(_SPELLINGS)}) *$"
_NUMBER_AND_UNIT = re.compile(rf" *({NUMBER}) *(.*?) *", re.DOTALL)
_SHOWN = 60


def duration(text: str) -> timedelta:
    """Return the time that `text` names: one number and one unit.

    Raises:
        Mistake: no number, no unit, a unit that does not exist, or over a century.

    >>> duration("10 days") == duration("240h")
    True
    """
    found = _NUMBER_AND_UNIT.fullmatch(text)
    if found is None:
        raise Mistake(
            f"{shown(text)} is not a duration",
            why=f"a duration is one number and one unit; units are {', '.join(_UNITS)}",
            fix=('"10 days"', '"4 h"', '"1.5 s"'),
        )
    number, unit = found.groups()
    if unit not in _SPELLINGS:
        raise _no_such_unit(text, number, unit)
    return _within_a_century(text, Decimal(number) * in_microseconds(_UNITS[_SPELLINGS[unit]]))


def _no_such_unit(text: str, number: str, unit: str) -> Mistake:
    problem = f"no unit of time is called {shown(unit)}" if unit else "its unit is missing"
    near = difflib.get_close_matches(unit.lower(), _SPELLINGS, n=1)
    likely = _SPELLINGS[near[0]] if near else "h"
    return Mistake(
        f"{shown(text)} is not a duration: {problem}",
        why=f"units are {', '.join(_UNITS)}",
        fix=(f'"{number} {likely}"',),
    )


def _within_a_century(text: str, microseconds: Decimal) -> timedelta:
    if microseconds > in_microseconds(LONGEST):
        raise Mistake(
            f"{shown(text)} is longer than a century",
            why="nobody waits that long; it may be the wrong unit",
            fix=('"10 days"',),
        )
    return timedelta(microseconds=int(microseconds.to_integral_value()))


def say_duration(time: timedelta) -> str:
    """Return the time in the largest unit that says it exactly; `duration` reads it back.

    >>> say_duration(timedelta(hours=36)), say_duration(timedelta(seconds=3.2))
    ('36 h', '3.2 s')
    """
    if time < timedelta(0):
        return f"-{say_duration(-time)}"
    for unit in ("weeks", "days", "h", "min"):
        if time and not time % _UNITS[unit]:
            count = time // _UNITS[unit]
            return f"{count} {unit.removesuffix('s') if count == 1 else unit}"
    unit = "ms" if timedelta(0) < time < _UNITS["s"] else "s"
    return f"{plain(ratio(time, _UNITS[unit]))} {unit}"


def say_roughly(time: timedelta) -> str:
    """Return about how long that is: whole minutes, or seconds where it is under one.

    >>> say_roughly(timedelta(seconds=40)), say_roughly(timedelta(seconds=80))
    ('40 s', '2 min')
    """
    unit = timedelta(seconds=1) if time < _UNITS["min"] else _UNITS["min"]
    return say_duration(-(-time // unit) * unit)


def shown(text: str) -> str:
    """Return `text` in quotes, cut to a line and free of what a terminal would obey."""
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return json.dumps(short, ensure_ascii=not short.isprintable())


def in_microseconds(time: timedelta) -> Decimal:
    """Return a time as whole microseconds."""
    return Decimal(time // timedelta(microseconds=1))


def ratio(one: timedelta, other: timedelta) -> Decimal:
    """Return how often `other` fits into `one`."""
    return in_microseconds(one) / in_microseconds(other)


def plain(number: Decimal) -> str:
    """Return a number without an exponent and without trailing zeros."""
    return f"{number.normalize():f}"
