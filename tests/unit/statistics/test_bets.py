"""The one-sided machines."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.statistics.bets import (
    REACH,
    SCALES,
    STAKES,
    CoinBets,
    MeanBets,
    UrnBets,
    ladder,
    log_sum,
    next_level,
)

levels = st.floats(0.01, 0.98)
unit = st.floats(0, 1)


@given(level=levels, margin=st.floats(1e-6, 1))
def test_every_pass_fail_bet_stays_under_its_limit(level: float, margin: float) -> None:
    """No single fail can ruin the evidence for good, and the stakes are one."""
    bets = ladder(level, margin)

    assert math.isclose(sum(stake for stake, _ in bets), 1)
    assert all(0 < bet <= REACH / level < 1 / level for _, bet in bets)


def test_a_ladder_of_one_bet_stakes_everything_on_it() -> None:
    """A margin beyond the largest bet leaves just that bet."""
    assert ladder(0.5, 0.49) == ((1.0, 1.96),)


def test_the_first_bet_is_walds_likelihood_ratio() -> None:
    """A pass multiplies by P1/T and a fail by (1 - P1)/(1 - T)."""
    _, bet = ladder(0.85, 0.05)[0]

    assert 1 + bet * (1 - 0.85) == pytest.approx(0.9 / 0.85)
    assert 1 - bet * 0.85 == pytest.approx(0.1 / 0.15)


@given(level=levels, passes=st.integers(0, 200), fails=st.integers(0, 200))
def test_the_next_case_is_a_fair_game_for_a_coin(level: float, passes: int, fails: int) -> None:
    """At the level itself the evidence is expected to stay where it is."""
    bets = CoinBets(level, 0.01)

    now, after_pass, after_fail = (
        bets.log_e(passes, fails),
        bets.log_e(passes + 1, fails),
        bets.log_e(passes, fails + 1),
    )

    expected = level * math.exp(after_pass - now) + (1 - level) * math.exp(after_fail - now)
    assert expected == pytest.approx(1)


@given(st.data())
def test_the_next_case_is_no_favourable_game_for_an_urn(data: st.DataObject) -> None:
    """With `most` passing cases in it, fair while a pass is left and losing after."""
    bets = UrnBets(50, 30, ((0.7, 35), (0.2, 40), (0.1, 50)))
    passes = data.draw(st.integers(0, 30))
    fails = data.draw(st.integers(0, 19))
    likely = (30 - passes) / (50 - passes - fails)

    now = bets.log_e(passes, fails)

    if now == -math.inf:
        return
    after_pass = math.exp(bets.log_e(passes + 1, fails) - now) if likely else 0
    after_fail = math.exp(bets.log_e(passes, fails + 1) - now)
    expected = likely * after_pass + (1 - likely) * after_fail
    assert expected == pytest.approx(1) if likely else expected < 1


def test_an_urn_knows_when_its_null_is_impossible_and_when_it_is_safe() -> None:
    """Infinite only past `most` passes; nothing once no rival can be true."""
    bets = UrnBets(10, 7, ((1.0, 8),))

    assert bets.log_e(7, 0) < math.inf
    assert bets.log_e(8, 0) == math.inf
    assert bets.log_e(0, 2) > -math.inf
    assert bets.log_e(0, 3) == -math.inf


@given(
    level=levels,
    margin=st.floats(1e-6, 0.5),
    guess=st.floats(1e-6, 1),
    size=st.none() | st.integers(6, 40),
    past=st.lists(unit, max_size=5),
)
def test_the_next_value_is_a_fair_game_for_a_mean(
    level: float, margin: float, guess: float, size: int | None, past: list[float]
) -> None:
    """A value of 0 or 1 whose chance keeps the mean at the level changes nothing."""
    bets = MeanBets(level, margin, guess, size)
    for x in past:
        bets = bets.after(x)
    likely = next_level(level, size, bets.count, bets.total)
    if not 0 <= likely <= 1:
        return

    after = [likely * math.exp(won) for won in bets.after(1).capitals]
    others = [(1 - likely) * math.exp(lost) for lost in bets.after(0).capitals]

    assert sum(after) + sum(others) == pytest.approx(math.exp(log_sum(bets.capitals)))


def test_a_mean_that_cannot_be_reached_any_more_is_certain() -> None:
    """Once all cases were seen nothing is left to bet on."""
    bets = MeanBets(0.5, 0.1, 0.25, size=4)
    for x in (1, 0, 1, 0):
        bets = bets.after(x)

    assert bets.log_e < math.inf
    assert MeanBets(0.5, 0.1, 0.25, size=2).after(1).after(0.1).log_e == math.inf


def test_the_stakes_are_one() -> None:
    """Evidence starts at 1."""
    assert math.isclose(sum(STAKES), 1)
    assert len(STAKES) == len(SCALES)
    assert MeanBets(0.5, 0.1, 0.25).log_e == pytest.approx(0)


def test_log_sum_survives_extremes() -> None:
    """Neither nothing nor infinity turns into NaN."""
    assert log_sum((-math.inf, -math.inf)) == -math.inf
    assert log_sum((math.inf, -math.inf)) == math.inf
    assert log_sum((-2000.0, -2000.0)) == pytest.approx(-2000 + math.log(2))
