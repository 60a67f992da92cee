"""Moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from proveout.faces.web import moments

NOW = datetime(2026, 11, 22, 12, 42, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def test_a_moment_across_a_change_of_the_clocks_names_its_zone() -> None:
    """In a list under "UTC+1" a time of summer says that it is one."""
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)

    assert moments.short_time(summer, BERLIN, NOW) == "1 Jul, 14:00 CEST"
    assert moments.short_time(NOW, BERLIN, NOW) == "13:42"
    assert moments.short_time(NOW, BERLIN, NOW, exact=True) == "13:42:05"


def test_another_day_or_year_is_told() -> None:
    yesterday, last_year = NOW - timedelta(days=1), NOW - timedelta(days=365)

    assert moments.short_time(yesterday, BERLIN, NOW) == "21 Nov, 13:42"
    assert moments.short_time(last_year, BERLIN, NOW) == "22 Nov 2025, 13:42"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        (BERLIN, "Europe/Berlin, UTC+1"),
        (UTC, "UTC"),
        (ZoneInfo("Asia/Kolkata"), "Asia/Kolkata, UTC+5:30"),
        (ZoneInfo("America/New_York"), "America/New_York, UTC\N{MINUS SIGN}5"),
        (timezone(timedelta(hours=2)), "UTC+2"),
    ],
)
def test_a_zone_says_how_far_it_is_from_utc(zone: timezone, words: str) -> None:
    assert moments.zone_words(zone, NOW) == words


def test_machines_read_utc() -> None:
    local = NOW.astimezone(BERLIN)

    assert moments.machine_time(local) == "2026-11-22T12:42:05Z"
    assert moments.utc_time(local) == "2026-11-22 12:42:05 UTC"


def test_time_left_turns_into_time_late() -> None:
    assert moments.time_left(NOW + timedelta(minutes=8, seconds=42), NOW) == "8 min 42 s left"
    assert moments.time_left(NOW - timedelta(minutes=6), NOW) == "6 min late"
