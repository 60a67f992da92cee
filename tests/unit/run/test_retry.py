"""How long to wait before another try."""

from __future__ import annotations

import pytest

from doubles.clock import FixedDice
from proveout.run.retry import FIRST, LONGEST, backoff


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
