"""Turns: who may begin, who must wait, and who comes first."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from doubles.clock import ManualClock
from doubles.shop import until
from proveout.prove.pace import Pace, Sign
from proveout.prove.turns import PacedTurns

MOST = 32
RUNNING = 8


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def turns(clock: ManualClock) -> PacedTurns:
    """Return the turns of a candidate of whom eight trials run, as many as may for now."""
    pace = Pace(MOST)
    while pace.at_once < RUNNING:
        pace.finished(0.0, 0.0, pace.at_once)
    turns = PacedTurns(pace, clock)
    for _ in range(RUNNING):
        turns.begin()
    return turns


def test_no_more_begin_than_the_pace_allows(turns: PacedTurns) -> None:
    assert turns.room() == 0

    turns.end(None, answered=False)

    assert turns.room() == 1


def test_nobody_begins_while_somebody_was_asked_to_wait(
    turns: PacedTurns, clock: ManualClock
) -> None:
    """However many have ended meanwhile."""
    clock.advance(timedelta(seconds=1))
    turns.turned_away(0.5, 7.0)
    for _ in range(RUNNING):
        turns.end(None, answered=False)
    clock.advance(timedelta(seconds=6.9))
    assert turns.room() == 0

    clock.advance(timedelta(seconds=0.1))

    assert turns.room() == RUNNING // 2
    assert turns.slowed == (RUNNING // 2, Sign.TURNED_AWAY)


async def test_who_was_turned_away_comes_before_anybody_new(
    turns: PacedTurns, clock: ManualClock
) -> None:
    """One by one as others end, first come first served, and nobody begins in between."""
    went: list[int] = []

    async def again(number: int) -> None:
        await turns.come_again(clock.sleep, 1.0 + number / 1000)
        went.append(number)

    async def passes() -> list[int]:
        """Let time pass, a look at a time."""
        for _ in range(40):
            clock.advance(timedelta(seconds=0.05))
            await asyncio.sleep(0)  # noqa: TID251 - lets those who sleep look
        return list(went)

    turns.turned_away(clock.monotonic(), None)  # four may go on, of eight
    resting = [asyncio.create_task(again(number)) for number in range(3)]
    assert await passes() == []  # five are under way

    found: list[tuple[list[int], int]] = []
    for _ in range(4):
        turns.end(None, answered=False)
        found.append((await passes(), turns.room()))
    await until(lambda: all(task.done() for task in resting))

    assert found == [([], 0), ([0], 0), ([0, 1], 0), ([0, 1, 2], 0)]


async def test_a_trial_that_ends_while_it_rests_leaves_the_line(
    turns: PacedTurns, clock: ManualClock
) -> None:
    """A place that nobody stands at holds nobody up."""

    async def over(seconds: float) -> None:
        del seconds
        raise KeyError

    with pytest.raises(KeyError):
        await turns.come_again(over, 1.0)
    turns.turned_away(clock.monotonic(), None)
    for _ in range(5):
        turns.end(None, answered=False)

    await asyncio.wait_for(turns.come_again(clock.sleep, 0.0), 1.0)


def test_it_knows_for_how_long_nobody_was_answered(turns: PacedTurns, clock: ManualClock) -> None:
    """From the first who was turned away to the first answer."""
    assert turns.refused_for() == 0.0
    turns.turned_away(clock.monotonic(), None)
    clock.advance(timedelta(seconds=3))
    turns.turned_away(clock.monotonic(), None)
    assert turns.refused_for() == 3.0

    turns.end(2.0, answered=True)

    assert turns.refused_for() == 0.0
