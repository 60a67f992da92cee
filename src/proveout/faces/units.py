"""Units: durations, money and rates, as people write them.

Every pattern here is also published in the JSON Schema of `proveout.toml`, so it keeps
to what Python and ECMAScript read alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from proveout.domain.duration import NUMBER, ratio, shown
from proveout.domain.money import Usd
from proveout.errors import Mistake

MONTH = timedelta(days=30.4)
"""A month, wherever a rate is carried from one period to another."""

_PERIODS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": MONTH,
}

_AMOUNT = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(?:\.[0-9]{1,9})?"
_MONEY = rf"(?:-?{_AMOUNT} *USD|(?:-\$|\$ *-?) *{_AMOUNT})"
_PER = rf"(?: +per +| */ *)({'|'.join(_PERIODS)})"

MONEY_PATTERN = rf"^ *{_MONEY} *$"
RATE_PATTERN = rf"^ *({NUMBER}){_PER} *$"
MONEY_RATE_PATTERN = rf"^ *({_MONEY}){_PER} *$"

_OTHER_CURRENCY = re.compile(r"\b[A-Z]{3}\b|[¢£¤¥\u20a0-\u20bf]")
_MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often something happens: `count` times in every `period`."""

    count: Decimal
    period: timedelta

    @property
    def per_month(self) -> float:
        """The count in a month of 30.4 days."""
        return float(self.count * ratio(MONTH, self.period))


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyRate:
    """Money that is spent again in every `period`."""

    amount: Usd
    period: timedelta

    @property
    def per_month(self) -> Usd:
        """The money in a month of 30.4 days, to a millionth of a dollar."""
        return Usd((self.amount.amount * ratio(MONTH, self.period)).quantize(_MICRO))


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
