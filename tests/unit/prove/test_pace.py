"""How many trials go at once: bounds for any history, and what comes of it at a vendor's."""
# ruff: noqa: TID251 - the vendor is simulated, from written seeds

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles.vendors import Fixed, Simulation, Vendor
from proveout.prove.pace import FIRST, Pace, Sign

if TYPE_CHECKING:
    import random

    from doubles.vendors import Day, Takes

MOST = 64
"""Trials that may be in flight at once, as declared."""


def always(dice: random.Random) -> float:
    del dice
    return 1.0


def as_models_do(dice: random.Random) -> float:
    """Return a latency around 1, half as long or twice as long as often as not."""
    return dice.lognormvariate(-0.125, 0.5)


LATENCIES = pytest.mark.parametrize("takes", [always, as_models_do])
VENDORS = pytest.mark.parametrize("at_once", [2, 4, 10, 30, MOST])
SEEDS = range(4)


def answers(at_once: int) -> int:
    """Return answers enough for a search to have paid."""
    return 200 * at_once


def days(vendor: Vendor) -> list[Day]:
    """Return some days at a vendor's."""
    count = answers(vendor.at_once)
    return [Simulation(vendor, Pace(MOST), count, seed).run() for seed in SEEDS]


def best_days(vendor: Vendor) -> list[Day]:
    """Return the same days with always as many at once as it bears."""
    count = answers(vendor.at_once)
    return [Simulation(vendor, Fixed(vendor.at_once), count, seed).run() for seed in SEEDS]


def careless_day(vendor: Vendor) -> Day:
    """Return the first seventh of a day with always as many at once as are declared."""
    return Simulation(vendor, Fixed(MOST), answers(vendor.at_once) // 7).run()


def seconds_of(days: list[Day]) -> float:
    return mean(day.seconds for day in days)


def latency_of(days: list[Day]) -> float:
    return mean(one for day in days for one in day.latencies)


Told: TypeAlias = "tuple[str, float, float, float]"

seconds = st.floats(0.0, 1e4)
history = st.lists(
    st.tuples(st.sampled_from(["answered", "failed", "turned away"]), seconds, seconds, seconds),
    max_size=300,
)


@given(most=st.integers(1, 200), history=history)
def test_there_is_always_one_and_never_more_than_declared(most: int, history: list[Told]) -> None:
    """Whatever the vendor does."""
    pace, now = Pace(most), 0.0

    for what, passed, took, wait in history:
        now += passed
        if what == "turned away":
            pace.turned_away(now, now - took, wait or None)
        else:
            pace.finished(now, took, pace.at_once, answered=what == "answered")

        assert 1 <= pace.at_once <= most


@given(most=st.integers(1, 200), history=history)
def test_who_asks_to_wait_is_waited_for(most: int, history: list[Told]) -> None:
    """Nothing that comes later shortens what was asked for."""
    pace, now, asked = Pace(most), 0.0, -1.0

    for what, passed, took, wait in history:
        now += passed
        if what == "turned away":
            pace.turned_away(now, now - took, wait)
            asked = max(asked, now + wait)
        else:
            pace.finished(now, took, pace.at_once)

        assert pace.held_until >= asked


def test_it_doubles_until_the_first_sign() -> None:
    """A round of answers each, until all that is declared is used."""
    pace, levels, now = Pace(50), list[int](), 0.0

    for _ in range(200):
        now += 0.02
        pace.finished(now, 0.02, pace.at_once)
        levels.append(pace.at_once)

    assert list(dict.fromkeys([FIRST, *levels])) == [2, 4, 8, 16, 32, 50]
    assert pace.sign is None


def grown(most: int = MOST) -> Pace:
    """Return a pace after answers of a second each that have let it grow to 8 at once."""
    pace, now = Pace(most), 0.0
    while pace.at_once < 8:
        now += 1.0
        pace.finished(now, 1.0, pace.at_once)
    return pace


def test_a_flight_that_is_turned_away_halves_it_once() -> None:
    """The others of the flight began before anybody knew."""
    pace = grown()

    for n in range(8):
        pace.turned_away(100 + n / 100, 99.5, None)

    assert (pace.at_once, pace.sign) == (4, Sign.TURNED_AWAY)


def test_when_everybody_is_turned_away_one_tries_now_and_then() -> None:
    """Twice as long after each, up to five seconds; the first answer ends it."""
    pace, now, holds = grown(), 100.0, list[float]()

    for _ in range(12):
        now = max(now + 0.01, pace.held_until)
        pace.turned_away(now + 0.01, now, None)
        holds.append(round(max(0.0, pace.held_until - now - 0.01), 6))
    assert (pace.at_once, holds) == (1, [0, 0, 0, 0.4 * 2, 1.6, 3.2, *[5.0] * 6])

    pace.finished(200.0, 1.0, 1)
    pace.turned_away(201.0, 200.5, None)

    assert pace.held_until < 201.0


def test_it_does_not_grow_while_there_is_nothing_to_do() -> None:
    """What was not tried was not borne."""
    pace, now = Pace(MOST), 0.0

    for _ in range(100):
        now += 1.0
        pace.finished(now, 0.5, 1)

    assert pace.at_once == FIRST


def test_a_failure_that_comes_sooner_than_answers_says_nothing() -> None:
    """A refused connection is no sign of a vendor that has become fast."""
    pace = grown()

    for n in range(200):
        pace.finished(100 + n / 1000, 0.001, 8, answered=False)
    assert pace.at_once == 8

    for n in range(8):
        pace.finished(200.0 + n, 9.0, 8, answered=False)
    assert pace.at_once < 8


@LATENCIES
@VENDORS
def test_a_vendor_with_a_line_is_kept_busy_and_nobody_stands_in_it_for_long(
    takes: Takes, at_once: int
) -> None:
    """Within 10 % of the best fixed number; 64 at once wait for each other there."""
    vendor = Vendor(at_once=at_once, turns_away=False, takes=takes)

    found = days(vendor)

    best = best_days(vendor)
    assert seconds_of(best) >= 0.9 * seconds_of(found)
    assert latency_of(found) <= (2.0 if at_once > 2 else 2.8) * latency_of(best)
    if at_once <= 10:
        assert latency_of([careless_day(vendor)]) > 2 * latency_of(found)


@LATENCIES
@VENDORS
@pytest.mark.parametrize("wait", [None, 2.0])
def test_a_vendor_that_turns_away_is_kept_busy_and_seldom_turns_away(
    takes: Takes, at_once: int, wait: float | None
) -> None:
    """Within 10 % of the best fixed number, with few 429; 64 at once get far more in less time."""
    vendor = Vendor(at_once=at_once, turns_away=True, takes=takes, wait=wait)

    found = days(vendor)

    assert seconds_of(best_days(vendor)) >= 0.9 * seconds_of(found)
    most = max(day.turned_away for day in found)
    assert most <= 40
    if at_once < MOST:
        assert careless_day(vendor).turned_away > 3 * most


def test_what_is_borne_is_found_and_kept() -> None:
    """The level at the end is what the vendor bears, though nobody said it."""
    vendor = Vendor(at_once=13, turns_away=True, takes=as_models_do)

    assert {day.levels[-1] for day in days(vendor)} == {13}


def test_after_a_minute_without_answers_it_soon_goes_as_before() -> None:
    """Few calls find out when it is over; then it doubles again."""
    vendor = Vendor(at_once=MOST, turns_away=True, takes=always, down_until=60.0)

    [day, *_] = days(vendor)

    [careless, *_] = best_days(vendor)
    assert day.turned_away < 40
    assert careless.turned_away > 1000
    assert day.seconds - 60.0 <= 1.1 * (careless.seconds - 60.0)


def test_a_vendor_that_has_become_slow_by_itself_is_not_slowed_down_for() -> None:
    """Three times the latency from one moment on, whoever asks however little."""
    pace, now, levels = Pace(MOST), 0.0, list[int]()

    for _ in range(3000):
        takes = 1.0 if now < 20.0 else 3.0
        now += takes / pace.at_once
        pace.finished(now, takes, pace.at_once)
        levels.append(pace.at_once)

    assert min(levels[1000:]) == MOST
