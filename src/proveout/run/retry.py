"""How long to wait before another try."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from proveout.ports.elsewhere import TurnedAway

if TYPE_CHECKING:
    from proveout.ports.clock import Dice

FIRST = 0.2
"""Seconds of the longest wait before the second try."""

LONGEST = 30.0
"""Seconds that no wait of our own exceeds, and that a wait may hold a worker's slot."""

LONGEST_ASKED = 3600.0
"""Seconds that no wait exceeds that an error asks for."""

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
TOO_MANY = 429
"""The status of an answer that there were too many calls."""

_STATUS = ("status_code", "status", "code")
_DATE = 64
"""Characters that no date of HTTP exceeds."""


def backoff(tries: int, dice: Dice) -> float:
    """Return the seconds to wait after `tries` failed tries, from 1.

    The longest wait doubles with each try; the wait is drawn evenly from nothing up to
    it, so that callers that failed together do not come back together.

    Source:
        Brooker (2015), exponential backoff with full jitter.
    """
    return dice.uniform(0.0, min(LONGEST, FIRST * 2 ** min(tries - 1, 30)))


def wait_after(error: Exception, tries: int, now: datetime, dice: Dice) -> float:
    """Return the seconds to wait after `error` ended try number `tries`.

    What the error asks for is the least; the backoff comes on top of it, so that callers
    that were sent away together do not come back together.
    """
    asked = asked_wait(error, now)
    return (asked or 0.0) + backoff(tries, dice)


def asked_wait(error: BaseException, now: datetime) -> float | None:
    """Return the seconds that an error asks to wait, at most `LONGEST_ASKED`; None if it does not.

    It asks by an attribute `retry_after` (seconds, or a timedelta), or by a `Retry-After`
    header (seconds, or a date) in `response.headers` or `headers`, as errors of httpx,
    requests, urllib, openai and anthropic have. What makes no sense is no wish.

    Source:
        RFC 9110, section 10.2.3.
    """
    try:
        wish = _wish(error, now)
    except Exception:  # noqa: BLE001 - an error of the user's may raise at anything
        return None
    if wish is None or not math.isfinite(wish) or wish < 0:
        return None
    return min(wish, LONGEST_ASKED)


def is_turned_away(error: BaseException, now: datetime) -> bool:
    """Whether an error says that there were too many calls, or asks to come later.

    The first is a status 429 where errors of httpx, requests, urllib, openai and anthropic
    have theirs.

    Source:
        RFC 6585, section 4.
    """
    return isinstance(error, TurnedAway) or _has_status(error) or asked_wait(error, now) is not None


def _has_status(error: Any) -> bool:
    try:
        bearers = (error, getattr(error, "response", None))
        found = [getattr(one, name, None) for one in bearers for name in _STATUS]
    except Exception:  # noqa: BLE001 - an error of the user's may raise at anything
        return False
    return any(type(one) is int and one == TOO_MANY for one in found)


def _wish(error: Any, now: datetime) -> float | None:
    match getattr(error, "retry_after", None):
        case bool():
            pass
        case int() | float() as seconds:
            return float(seconds)
        case timedelta() as length:
            return length.total_seconds()
        case _:
            pass
    header = _header(getattr(error, "response", None)) or _header(error)
    return None if header is None else _read(header.strip(), now)


def _header(bearer: Any) -> str | None:
    headers = getattr(bearer, "headers", None)
    if headers is None:
        return None
    found = headers.get("retry-after") or headers.get("Retry-After")
    return found if isinstance(found, str) else None


def _read(header: str, now: datetime) -> float | None:
    """Return the seconds that a header asks for; a moment that has passed asks for none."""
    if _SECONDS.fullmatch(header):
        return float(header)
    if len(header) > _DATE:
        return None
    moment = parsedate_to_datetime(header)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
