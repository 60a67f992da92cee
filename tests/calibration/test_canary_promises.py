"""What is promised about the canary watch, computed exactly over 1,500 failures."""

from __future__ import annotations

import pytest
from exact_walk import coin, walk

from proveout.statistics.canary import FailureLabels

pytestmark = pytest.mark.calibration

FAILURES = 1500


def share_of_failures(share: float, ratio: float) -> float:
    """Return how often a failure is the canary's when it fails `ratio` times as often."""
    return share * ratio / (share * ratio + 1 - share)


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_an_equal_or_better_canary_is_called_worse_at_most_alpha(share: float) -> None:
    """However often it is read, whatever both arms share."""
    watch = FailureLabels(share=share, alpha=0.01)
    truths = [coin(share_of_failures(share, ratio)) for ratio in (1, 0.5)]

    equal, better = walk(watch, truths, FAILURES)

    assert 0.003 < equal.chance_of("worse") <= 0.01
    assert better.chance_of("worse") < equal.chance_of("worse")


@pytest.mark.parametrize(("ratio", "failures"), [(2, 310), (3.5, 78), (10, 16)])
def test_a_worse_canary_is_found_in_the_failures_promised(ratio: float, failures: int) -> None:
    """At a 5 % share: a doubling in about 305 failures, a tenfold rate in 15."""
    watch = FailureLabels(share=0.05, alpha=0.01)

    found = walk(watch, [coin(share_of_failures(0.05, ratio))], FAILURES)[0]

    assert found.chance_of("worse") > 0.99
    assert found.expected <= failures
