"""Breakers: a resource that keeps failing is left alone, probed, and taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.domain.breaker import (
    LOOK_EVERY,
    Breaker,
    Closed,
    Condition,
    Kept,
    Open,
    Outcome,
    Probing,
    Through,
    ask,
    tell,
)
from proveout.errors import Mistake

BREAKER = Breaker(3, within="30 s", cool="20 s")
FAILED, SUCCEEDED, UNKNOWN = Outcome.FAILED, Outcome.SUCCEEDED, Outcome.UNKNOWN


def after(*told: tuple[float, Outcome]) -> Condition:
    """Return the condition after tries that ended so, none of them a probe."""
    now: Condition = Closed()
    for moment, outcome in told:
        now = tell(now, BREAKER, moment, outcome, was_probe=False)
    return now


def test_so_many_failures_in_a_row_open_it() -> None:
    assert after((1, FAILED), (2, FAILED)) == Closed((1, 2))
    assert after((1, FAILED), (2, FAILED), (3, FAILED)) == Open(23)


def test_a_success_between_them_does_not_count_them() -> None:
    assert after((1, FAILED), (2, FAILED), (3, SUCCEEDED), (4, FAILED)) == Closed((4,))


def test_failures_too_far_apart_do_not_open_it() -> None:
    assert after((0, FAILED), (20, FAILED), (40, FAILED)) == Closed((20, 40))


def test_what_tells_nothing_changes_nothing() -> None:
    assert after((1, FAILED), (2, UNKNOWN)) == Closed((1,))


def test_one_probe_goes_through_once_it_is_cool() -> None:
    """Whoever else asks waits for what comes of it."""
    assert ask(Open(23), 22.0) == (Open(23), Kept(1.0))
    probing, answer = ask(Open(23), 23.0)
    assert (probing, answer) == (Probing(), Through(is_probe=True))
    assert ask(probing, 24.0) == (Probing(), Kept(LOOK_EVERY))


@pytest.mark.parametrize(
    ("outcome", "then"), [(SUCCEEDED, Closed()), (FAILED, Open(45)), (UNKNOWN, Open(25))]
)
def test_the_probe_decides(outcome: Outcome, then: Condition) -> None:
    """One of which nothing is known makes room for the next at once."""
    assert tell(Probing(), BREAKER, 25, outcome, was_probe=True) == then


@pytest.mark.parametrize("now", [Open(23), Probing()])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_while_it_is_open_older_tries_tell_nothing(now: Condition, outcome: Outcome) -> None:
    assert tell(now, BREAKER, 22, outcome, was_probe=False) == now


@given(
    st.lists(
        st.tuples(st.floats(0, 15), st.sampled_from(["ask", *Outcome]), st.integers(0, 5)),
        max_size=60,
    )
)
def test_in_any_play_it_opens_only_after_failures_and_probes_alone(
    play: list[tuple[float, Any, int]],
) -> None:
    """Open means three failures in a row; then nothing goes through but one probe at a time."""
    now: Condition = Closed()
    moment, under_way = 0.0, list[bool]()
    row, opened = 0, False
    for pause, move, which in play:
        moment += pause
        if move == "ask":
            before = now
            now, answer = ask(now, moment)
            if isinstance(answer, Through):
                assert not (answer.is_probe and True in under_way), "two probes at once"
                assert answer.is_probe != isinstance(before, Closed)
                under_way.append(answer.is_probe)
            else:
                assert answer.seconds > 0
        elif under_way:
            was_probe = under_way.pop(which % len(under_way))
            was_closed = isinstance(now, Closed)
            now = tell(now, BREAKER, moment, move, was_probe=was_probe)
            if was_closed:
                row = row + 1 if move is FAILED else (0 if move is SUCCEEDED else row)
                opened = isinstance(now, Open)
                assert not opened or row >= BREAKER.failures
            if was_probe and move is SUCCEEDED:
                assert now == Closed()
                row = 0
        assert isinstance(now, Probing) == (True in under_way)


@pytest.mark.parametrize(
    "given_", [{"failures": 0}, {"within": "0 s"}, {"cool": timedelta(0)}, {"cool": "soon"}]
)
def test_a_breaker_that_makes_no_sense_is_a_mistake(given_: dict[str, Any]) -> None:
    with pytest.raises(Mistake):
        Breaker(**given_)
