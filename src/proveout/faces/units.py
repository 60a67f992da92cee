"""Units: durations, money and rates, as people write them.

Every pattern here is also published in the JSON Schema of `proveout.toml`, so it keeps
to what Python and ECMAScript read alike.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from proveout.domain.money import Usd
from proveout.errors import Mistake

MONTH = timedelta(days=30.4)
"""A month, wherever a rate is carried from one period to another."""

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
_PERIODS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": MONTH,
}

_NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,9})?"
_AMOUNT = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(?:\.[0-9]{1,9})?"
_MONEY = rf"(?:-?{_AMOUNT} *USD|(?:-\$|\$ *-?) *{_AMOUNT})"
_PER = rf"(?: +per +| */ *)({'|'.join(_PERIODS)})"

DURATION_PATTERN = rf"^ *{_NUMBER} *(?:{'|'.join(_SPELLINGS)}) *$"
MONEY_PATTERN = rf"^ *{_MONEY} *$"
RATE_PATTERN = rf"^ *({_NUMBER}){_PER} *$"
MONEY_RATE_PATTERN = rf"^ *({_MONEY}){_PER} *$"

_NUMBER_AND_UNIT = re.compile(rf" *({_NUMBER}) *(.*?) *", re.DOTALL)
_OTHER_CURRENCY = re.compile(r"\b[A-Z]{3}\b|[¢£¤¥\u20a0-\u20bf]")
_SHOWN = 60
_MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often something happens: `count` times in every `period`."""

    count: Decimal
    period: timedelta

    @property
    def per_month(self) -> float:
        """The count in a month of 30.4 days."""
        return float(self.count * _ratio(MONTH, self.period))


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyRate:
    """Money that is spent again in every `period`."""

    amount: Usd
    period: timedelta

    @property
    def per_month(self) -> Usd:
        """The money in a month of 30.4 days, to a millionth of a dollar."""
        return Usd((self.amount.amount * _ratio(MONTH, self.period)).quantize(_MICRO))


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
    return _within_a_century(text, Decimal(number) * _microseconds(_UNITS[_SPELLINGS[unit]]))


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
    if microseconds > _microseconds(LONGEST):
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
    return f"{_plain(_ratio(time, _UNITS[unit]))} {unit}"


def money(text: str) -> Usd:
    """Return the amount that `text` names, in United States dollars.

    Raises:
        Mistake: no amount, no currency, or another currency.

    >>> money("20 USD") == money("$20.00")
    True
    """
    if not re.fullmatch(MONEY_PATTERN, text):
        raise _not_money(text)
    return Usd(re.sub(r"[$, USD]", "", text))


def _not_money(text: str) -> Mistake:
    other = _OTHER_CURRENCY.search(text.replace("USD", ""))
    if other:
        return Mistake(
            f"{shown(text)} is in another currency: {other.group()}",
            why="this version counts in USD only; convert it at a rate you are content with",
            fix=('"20 USD"',),
        )
    if re.fullmatch(rf" *-?{_AMOUNT} *", text):
        return Mistake(
            f"{shown(text)} names no currency",
            why="an amount of money carries its currency",
            fix=(f'"{text.strip()} USD"',),
        )
    return Mistake(
        f"{shown(text)} is not an amount of money",
        why="money is one number and USD, with a point before the cents",
        fix=('"20 USD"', '"0.05 USD"'),
    )


def rate(text: str) -> Rate:
    """Return how often `text` says that something happens.

    Raises:
        Mistake: no count, or no period that we know.

    >>> rate("300 per day").per_month
    9120.0
    """
    found = re.fullmatch(RATE_PATTERN, text)
    if found is None:
        raise _not_a_rate(text, "rate", "a count", '"300 per day"')
    count, period = found.groups()
    return Rate(count=Decimal(count), period=_PERIODS[period])


def money_rate(text: str) -> MoneyRate:
    """Return how much money `text` says is spent in every period.

    Raises:
        Mistake: no amount, another currency, or no period that we know.

    >>> str(money_rate("900 USD per month").per_month)
    '$900.00'
    """
    found = re.fullmatch(MONEY_RATE_PATTERN, text)
    if found is None:
        amount = re.split(r" +per +|/", text, maxsplit=1)[0]
        if not re.fullmatch(MONEY_PATTERN, amount):
            raise _not_money(amount)
        raise _not_a_rate(text, "rate of money", "an amount", '"900 USD per month"')
    amount, period = found.groups()
    return MoneyRate(amount=money(amount), period=_PERIODS[period])


def _not_a_rate(text: str, what: str, count: str, example: str) -> Mistake:
    return Mistake(
        f"{shown(text)} is not a {what}",
        why=f'a {what} is {count}, the word "per" and one of {", ".join(_PERIODS)}',
        fix=(example,),
    )


def shown(text: str) -> str:
    """Return `text` in quotes, cut to a line and free of what a terminal would obey."""
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return json.dumps(short, ensure_ascii=not short.isprintable())


def _microseconds(time: timedelta) -> Decimal:
    return Decimal(time // timedelta(microseconds=1))


def _ratio(one: timedelta, other: timedelta) -> Decimal:
    return _microseconds(one) / _microseconds(other)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
