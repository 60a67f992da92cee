"""Limits: buckets that fill evenly, and what makes no sense as one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.domain.limit import Draw, Grant, Rate, fill, give, rate
from proveout.errors import Mistake
from proveout.run.limit import limit

RATE = Rate(name="openai/calls", per_second=2.0, capacity=10.0)


def draw(want: float, least: float) -> Draw:
    return Draw(rate=RATE, want=want, least=least)


def test_it_gives_what_is_wanted_or_what_is_there() -> None:
    assert give(10.0, draw(4, 1)) == (6.0, Grant(4))
    assert give(3.0, draw(4, 1)) == (0.0, Grant(3.0))


def test_where_too_little_is_there_it_says_how_long_to_wait() -> None:
    assert give(0.5, draw(4, 1)) == (0.5, Grant(0.0, 0.25))


def test_more_than_it_holds_is_given_when_it_is_full_and_leaves_a_debt() -> None:
    assert give(9.0, draw(30, 30)) == (9.0, Grant(0.0, 0.5))
    assert give(10.0, draw(30, 30)) == (-20.0, Grant(30.0))


def test_it_fills_evenly_up_to_what_it_holds_and_never_backwards() -> None:
    assert fill(1.0, 2.0, RATE) == 5.0
    assert fill(1.0, 99.0, RATE) == 10.0
    assert fill(1.0, -99.0, RATE) == 1.0


@given(
    st.lists(
        st.tuples(st.floats(0, 5), st.floats(0.1, 40), st.floats(0.1, 40)), min_size=1, max_size=40
    )
)
def test_no_play_gives_more_than_it_held_and_what_filled_it(
    play: list[tuple[float, float, float]],
) -> None:
    """Whatever is asked and when: rate times time, the capacity, and one draw's debt."""
    level, given_, passed, largest = RATE.capacity, 0.0, 0.0, 0.0
    for pause, one, other in play:
        passed += pause
        level = fill(level, pause, RATE)
        least, want = sorted((one, other))
        level, grant = give(level, draw(want, least))
        assert grant.amount == 0 or least <= grant.amount <= want
        given_ += grant.amount
        largest = max(largest, least)
        assert given_ <= RATE.capacity + RATE.per_second * passed + largest + 1e-6


def test_a_tenth_of_a_minute_may_be_used_at_once() -> None:
    assert rate("openai", "calls", 600, None) == Rate(
        name="openai/calls", per_second=10.0, capacity=60.0
    )
    assert rate("openai", "calls", 6, None).capacity == 1.0
    assert rate("openai", "calls", 6, 3).capacity == 3.0


@pytest.mark.parametrize(
    "given_",
    [
        {"name": "openai"},
        {"name": "", "per_minute": 1},
        {"name": "a\0b", "per_minute": 1},
        {"name": "half \ud800", "per_minute": 1},
        {"name": "x" * 101, "per_minute": 1},
        {"name": "openai", "per_minute": 0},
        {"name": "openai", "per_minute": float("inf")},
        {"name": "openai", "per_minute": float("nan")},
        {"name": "openai", "per_minute": 10, "burst": 0},
        {"name": "openai", "tokens_per_minute": -1},
    ],
)
def test_a_limit_that_makes_no_sense_is_a_mistake(given_: dict[str, Any]) -> None:
    with pytest.raises(Mistake):
        limit(**given_)


@pytest.mark.parametrize("tokens", [-1, 91_000])
def test_tokens_that_no_minute_holds_cannot_be_reserved(tokens: int) -> None:
    openai = limit("openai", tokens_per_minute=90_000)

    with pytest.raises(Mistake):
        openai.use(tokens=tokens)
