"""How long to wait before another try."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import ClassVar

import pytest

from doubles.clock import FixedDice
from proveout.ports.elsewhere import NoAnswer, TurnedAway
from proveout.run.retry import (
    FIRST,
    LONGEST,
    LONGEST_ASKED,
    asked_wait,
    backoff,
    is_turned_away,
    wait_after,
)


def test_the_longest_wait_doubles_up_to_a_limit() -> None:
    waits = [backoff(tries, FixedDice(1.0)) for tries in range(1, 12)]

    assert waits[:4] == pytest.approx([FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST])
    assert waits[-1] == LONGEST
    assert waits == sorted(waits)


def test_the_wait_is_drawn_from_nothing_up() -> None:
    """Full jitter: callers that failed together do not come back together."""
    assert backoff(5, FixedDice(0.0)) == 0.0
    assert backoff(5, FixedDice(0.5)) == pytest.approx(8 * FIRST)


def test_no_count_of_tries_is_too_many() -> None:
    assert backoff(10**9, FixedDice(1.0)) == LONGEST


NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Answered(Exception):
    """An error with a response, as the clients of vendors raise them."""

    def __init__(self, **headers: object) -> None:
        super().__init__("429")
        self.response = SimpleNamespace(
            headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


class Asking(Exception):
    """An error that asks by an attribute of its own."""

    def __init__(self, retry_after: object) -> None:
        super().__init__("later")
        self.retry_after = retry_after


class Headed(Exception):
    """An error that bears the headers itself."""

    headers: ClassVar = {"Retry-After": "4"}


class Hostile(Exception):
    """An error that cannot be asked anything."""

    @property
    def retry_after(self) -> float:
        raise AssertionError

    @property
    def response(self) -> object:
        raise AssertionError


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Asking(7), 7.0),
        (Asking(0.5), 0.5),
        (Asking(timedelta(minutes=2)), 120.0),
        (Asking(10**9), LONGEST_ASKED),
        (Answered(retry_after="20"), 20.0),
        (Answered(Retry_After=" 2.5 "), 2.5),
        (Answered(retry_after="Sun, 22 Nov 2026 09:01:30 GMT"), 90.0),
        (Answered(retry_after="Sun, 22 Nov 2026 08:00:00 GMT"), 0.0),
        (Answered(retry_after="Sun, 22 Nov 2036 08:00:00 GMT"), LONGEST_ASKED),
        (Headed(), 4.0),
    ],
)
def test_an_error_may_ask_for_a_wait(error: Exception, seconds: float) -> None:
    """By an attribute or a header, in seconds or as a date; up to an hour."""
    assert asked_wait(error, NOW) == seconds


@pytest.mark.parametrize(
    "error",
    [
        LookupError("no wish"),
        Hostile(),
        Asking(None),
        Asking(True),
        Asking("7"),
        Asking(-1),
        Asking(float("nan")),
        Asking(float("inf")),
        Asking(10**400),
        Asking(timedelta(seconds=-1)),
        Answered(),
        Answered(retry_after=""),
        Answered(retry_after=20),
        Answered(retry_after=b"20"),
        Answered(retry_after="-5"),
        Answered(retry_after="1e9"),
        Answered(retry_after="nan"),
        Answered(retry_after="٣"),
        Answered(retry_after="9" * 1_000_000),
        Answered(retry_after="Sun, 99 Nov 2026 09:01:30 GMT"),
        Answered(retry_after="soon" * 100_000),
    ],
)
def test_a_wish_that_makes_no_sense_is_none(error: Exception) -> None:
    assert asked_wait(error, NOW) is None


def test_what_an_error_asks_for_is_the_least_wait() -> None:
    """The backoff comes on top: who was sent away together does not come back together."""
    assert wait_after(Asking(20), 1, NOW, FixedDice(0.0)) == 20.0
    assert wait_after(Asking(20), 1, NOW, FixedDice(1.0)) == 20.0 + FIRST
    assert wait_after(LookupError(), 1, NOW, FixedDice(1.0)) == FIRST


class Status(Exception):
    """An error that tells a status, in one of the ways in which clients do."""

    def __init__(self, **facts: object) -> None:
        super().__init__("no")
        self.__dict__.update(facts)


class Harsh(Exception):
    """An error that raises at a look."""

    @property
    def status_code(self) -> int:
        raise KeyError


@pytest.mark.parametrize(
    "error",
    [
        Status(status_code=429),
        Status(status=429),
        Status(code=429),
        Status(response=SimpleNamespace(status_code=429)),
        Answered(retry_after="20"),
        Asking(0),
        TurnedAway("later", {}),
    ],
)
def test_an_error_that_tells_of_too_many_calls_is_known(error: Exception) -> None:
    """However its client tells it."""
    assert is_turned_away(error, NOW)


@pytest.mark.parametrize(
    "error",
    [
        LookupError(),
        Status(status_code=500),
        Status(status_code="429"),
        Status(code=None, response=None),
        NoAnswer("status 502"),
        Harsh(),
    ],
)
def test_other_errors_say_nothing_of_too_many_calls(error: Exception) -> None:
    assert not is_turned_away(error, NOW)
