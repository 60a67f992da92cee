"""Durations, money and rates, as people write them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.domain.duration import DURATION_PATTERN, LONGEST, duration, say_duration, shown
from proveout.domain.money import Usd
from proveout.errors import Mistake
from proveout.faces import units

if TYPE_CHECKING:
    from collections.abc import Callable

times = st.timedeltas(min_value=timedelta(0), max_value=LONGEST)
amounts = st.decimals(-999_999_999, 999_999_999, places=6).map(Usd)
texts = st.text(max_size=30) | st.from_regex(r"\A-?[$0-9.,]{1,9} ?[a-zA-Z/ ]{0,20}\Z")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("10 days", timedelta(days=10)),
        ("1 day", timedelta(days=1)),
        ("4h", timedelta(hours=4)),
        ("4 h", timedelta(hours=4)),
        (" 4 hours ", timedelta(hours=4)),
        ("15 min", timedelta(minutes=15)),
        ("12 weeks", timedelta(weeks=12)),
        ("1.5 s", timedelta(seconds=1.5)),
        ("30 seconds", timedelta(seconds=30)),
        ("250 ms", timedelta(milliseconds=250)),
        ("0 min", timedelta(0)),
    ],
)
def test_a_duration_is_one_number_and_one_unit(text: str, time: timedelta) -> None:
    assert duration(text) == time


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("4 parsecs", 'no unit of time is called "parsecs"'),
        ("4", "its unit is missing"),
        ("four hours", "is not a duration"),
        ("-4 h", "is not a duration"),
        ("1h 30min", 'no unit of time is called "h 30min"'),
        ("1e3 s", 'no unit of time is called "e3 s"'),
        ("", "is not a duration"),
        ("9999999 weeks", "longer than a century"),
        ("٤ h", "is not a duration"),
    ],
)
def test_what_is_no_duration_is_told_apart(text: str, problem: str) -> None:
    """A missing unit, an unknown one and no number at all are three different messages."""
    with pytest.raises(Mistake) as caught:
        duration(text)

    assert problem in caught.value.message


def test_an_unknown_unit_lists_the_units() -> None:
    with pytest.raises(Mistake) as caught:
        duration("4 parsecs")

    assert caught.value.why == "units are ms, s, min, h, days, weeks"


def test_a_misspelt_unit_is_mended() -> None:
    with pytest.raises(Mistake) as caught:
        duration("10 dayz")

    assert caught.value.fix == ('"10 days"',)


@given(times)
def test_every_duration_that_is_said_is_read_back(time: timedelta) -> None:
    """`duration` undoes `say_duration`, to the microsecond."""
    assert duration(say_duration(time)) == time


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(days=10), "10 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(weeks=1), "1 week"),
        (timedelta(hours=36), "36 h"),
        (timedelta(seconds=90), "90 s"),
        (timedelta(seconds=3.2), "3.2 s"),
        (timedelta(seconds=0.25), "250 ms"),
        (timedelta(0), "0 s"),
        (timedelta(seconds=-60), "-1 min"),
    ],
)
def test_a_duration_is_said_in_the_largest_unit_that_is_exact(time: timedelta, said: str) -> None:
    assert say_duration(time) == said


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("20 USD", "20"),
        ("0.004USD", "0.004"),
        ("$20", "20"),
        ("$ 1,234.50", "1234.5"),
        ("-6 USD", "-6"),
        ("-$6", "-6"),
        ("$-6", "-6"),
    ],
)
def test_money_is_an_amount_of_dollars(text: str, amount: str) -> None:
    assert units.money(text) == Usd(amount)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("20 EUR", "is in another currency: EUR"),
        ("€20", "is in another currency: €"),
        ("20", "names no currency"),
        ("1,5 USD", "is not an amount of money"),
        ("a lot", "is not an amount of money"),
        ("-$-6", "is not an amount of money"),
        ("nan USD", "is not an amount of money"),
        ("1e5 USD", "is not an amount of money"),
    ],
)
def test_what_is_no_money_is_told_apart(text: str, problem: str) -> None:
    """Another currency, none and no amount are three different messages."""
    with pytest.raises(Mistake) as caught:
        units.money(text)

    assert problem in caught.value.message


@given(amounts)
def test_every_amount_that_prints_is_read_back(amount: Usd) -> None:
    """`money` undoes `str`, to the last digit."""
    assert units.money(str(amount)) == amount


@pytest.mark.parametrize(
    ("text", "per_month"),
    [("300 per day", 9120), ("300/day", 9120), ("70 per week", 304), ("5 per month", 5)],
)
def test_a_rate_is_carried_to_a_month_of_30_4_days(text: str, per_month: float) -> None:
    assert units.rate(text).per_month == pytest.approx(per_month)


def test_a_rate_of_money_is_carried_to_a_month() -> None:
    assert units.money_rate("900 USD per month").per_month == Usd(900)
    assert units.money_rate("$10 per day").per_month == Usd(304)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("900 EUR per month", "is in another currency: EUR"),
        ("900 per month", "names no currency"),
        ("900 USD", "is not a rate of money"),
        ("900 USD per fortnight", "is not a rate of money"),
    ],
)
def test_what_is_no_rate_of_money_is_told_apart(text: str, problem: str) -> None:
    with pytest.raises(Mistake) as caught:
        units.money_rate(text)

    assert problem in caught.value.message


def test_a_rate_names_its_periods() -> None:
    with pytest.raises(Mistake) as caught:
        units.rate("300 per fortnight")

    assert "second, minute, hour, day, week, month" in caught.value.why


@pytest.mark.parametrize("parse", [duration, units.money, units.rate, units.money_rate])
@given(text=texts)
def test_any_text_is_a_value_or_a_mistake(parse: Callable[[str], object], text: str) -> None:
    """No text, however odd, raises anything but a mistake with a fix."""
    mistake = refusal(parse, text)

    assert mistake is None or (mistake.message and mistake.fix)


@given(
    st.from_regex(DURATION_PATTERN.replace("^", r"\A").replace("$", r"\Z")),
)
def test_what_the_schema_takes_for_a_duration_is_one(text: str) -> None:
    """The published pattern promises no more than the parser keeps, but for a century."""
    mistake = refusal(duration, text)

    assert mistake is None or "century" in mistake.message


def refusal(parse: Callable[[str], object], text: str) -> Mistake | None:
    """Return what `parse` has against `text`; any other error is raised."""
    try:
        parse(text)
    except Mistake as mistake:
        return mistake
    return None


def test_what_is_shown_neither_runs_on_nor_reaches_the_terminal() -> None:
    """Escape codes and endless texts of the user stay out of messages."""
    assert shown("a\x1b[31m\u202e") == '"a\\u001b[31m\\u202e"'
    assert len(shown("x" * 1000)) == 63
    assert shown("grün") == '"grün"'


def test_a_count_of_a_rate_is_exact() -> None:
    assert units.rate("0.1 per second").count == Decimal("0.1")
