"""Moments and times as people read them; UTC stands in the markup beside each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from proveout.faces.report.page import rough_time

if TYPE_CHECKING:
    from datetime import tzinfo

SHORT = 10
"""Seconds below which a time is said with a digit after the point."""

MINUTE = 60


def machine_time(at: datetime) -> str:
    """Return a moment in UTC as machines read it.

    >>> machine_time(datetime(2026, 11, 22, 9, 0, 5, tzinfo=UTC))
    '2026-11-22T09:00:05Z'
    """
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def utc_time(at: datetime) -> str:
    """Return a moment in UTC as people read it.

    >>> utc_time(datetime(2026, 11, 22, 9, 0, 5, tzinfo=UTC))
    '2026-11-22 09:00:05 UTC'
    """
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def full_time(at: datetime, zone: tzinfo) -> str:
    """Return a moment with its zone.

    >>> full_time(datetime(2026, 11, 22, 9, 0, tzinfo=UTC), UTC)
    '22 Nov 2026, 09:00 UTC'
    """
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M} {local.tzname()}"


def short_time(at: datetime, zone: tzinfo, now: datetime, *, exact: bool = False) -> str:
    """Return a moment for a place that names the zone, as short as it is clear from `now`.

    A moment under another offset than now's, across a change of the clocks, names its own.

    Args:
        at: the moment.
        zone: in which it is said.
        now: what it is told apart from.
        exact: with the seconds, where it is of the same day.

    >>> now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    >>> short_time(now, UTC, now), short_time(datetime(2026, 11, 2, 9, 0, tzinfo=UTC), UTC, now)
    ('09:00', '2 Nov, 09:00')
    """
    local, here = at.astimezone(zone), now.astimezone(zone)
    other = "" if local.utcoffset() == here.utcoffset() else f" {local.tzname()}"
    if local.date() == here.date():
        return f"{local:{'%H:%M:%S' if exact else '%H:%M'}}{other}"
    year = "" if local.year == here.year else f" {local.year}"
    return f"{local.day} {local:%b}{year}, {local:%H:%M}{other}"


def day(at: datetime, zone: tzinfo) -> str:
    """Return the day of a moment.

    >>> day(datetime(2026, 11, 2, tzinfo=UTC), UTC)
    '2 Nov 2026'
    """
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def zone_short(zone: tzinfo, now: datetime) -> str:
    """Return how far a zone is from UTC at a moment.

    >>> zone_short(UTC, datetime(2026, 11, 22, tzinfo=UTC))
    'UTC'
    """
    offset = now.astimezone(zone).utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / MINUTE)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), MINUTE)
    sign = "+" if minutes > 0 else "\N{MINUS SIGN}"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")


def zone_words(zone: tzinfo, now: datetime) -> str:
    """Return a zone's name and how far it is from UTC.

    >>> zone_words(UTC, datetime(2026, 11, 22, tzinfo=UTC))
    'UTC'
    """
    name, short = str(zone), zone_short(zone, now)
    return short if "/" not in name else f"{name}, {short}"


def took(seconds: float) -> str:
    """Return how long something took.

    >>> took(0.34), took(6.12), took(72), took(7500)
    ('340 ms', '6.1 s', '1 min 12 s', '2 h 5 min')
    """
    if seconds < 1:
        return f"{round(max(0.0, seconds) * 1000)} ms"
    if seconds < SHORT:
        return f"{seconds:.1f} s"
    return rough_time(timedelta(seconds=seconds))


def time_left(deadline: datetime, now: datetime) -> str:
    """Return how long it is to a deadline, or for how long it has passed.

    >>> now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    >>> time_left(now + timedelta(minutes=8), now), time_left(now - timedelta(hours=2), now)
    ('8 min left', '2 h late')
    """
    left = deadline - now
    return f"{rough_time(abs(left))} {'left' if left > timedelta() else 'late'}"
