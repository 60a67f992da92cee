"""Is the canary worse than the stable release?"""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import TOLERANCE, Vector, name_of, vectors

from proveout.errors import Mistake
from proveout.statistics.canary import LOG_STAKES, RATIOS, FailureLabels


@pytest.mark.parametrize("vector", vectors("canary"), ids=name_of)
def test_labels_reproduce_their_vector(vector: Vector) -> None:
    """Evidence after a sequence of failures."""
    watch = FailureLabels(share=vector["share"])

    for label in vector["labels"]:
        watch = watch.observe(label)

    assert watch.log_e == pytest.approx(vector["log_e_rollback"], abs=TOLERANCE)
    assert watch.decision == ("worse" if watch.log_e >= math.log(100) else None)


def test_half_of_the_stake_bets_on_a_doubling() -> None:
    """Six ratios, stakes that sum to one."""
    assert RATIOS[0] == 2
    assert LOG_STAKES[0] == math.log(0.5)
    assert math.fsum(math.exp(stake) for stake in LOG_STAKES) == pytest.approx(1)


@given(share=st.floats(0.001, 0.999), labels=st.lists(st.sampled_from([0, 1]), max_size=50))
def test_an_equal_canary_is_a_fair_game(share: float, labels: list[int]) -> None:
    """At equal rates the next failure is expected to leave the evidence as it is."""
    watch = FailureLabels(share=share)
    for label in labels:
        watch = watch.observe(label)

    its, theirs = watch.observe(1).log_e - watch.log_e, watch.observe(0).log_e - watch.log_e

    assert share * math.exp(its) + (1 - share) * math.exp(theirs) == pytest.approx(1)


def test_worse_is_latched() -> None:
    """Good behaviour afterwards does not take the alarm back."""
    watch = FailureLabels(share=0.05)
    for label in [1, 1, 1] + [0] * 50:
        watch = watch.observe(label)

    assert (watch.decision, watch.decided_at) == ("worse", 3)
    assert watch.log_e < math.log(100)
    assert watch.count == 53


def test_a_share_that_was_widened_is_told_with_the_label() -> None:
    """Each failure is judged by the share its request was assigned at."""
    narrow = FailureLabels(share=0.05).observe(1)
    widened = FailureLabels(share=0.5).observe(1, share=0.05)

    assert widened.log_e == narrow.log_e
    assert FailureLabels(share=0.5).observe(1).log_e < narrow.log_e


@pytest.mark.parametrize("label", [2, -1, 0.5, math.nan, "1", None])
def test_a_label_is_0_or_1(label: Any) -> None:
    """Whose failure it was, and nothing else."""
    with pytest.raises(Mistake, match="label"):
        FailureLabels(share=0.05).observe(label)


@pytest.mark.parametrize("share", [0, 1, -0.1, math.nan, True])
def test_a_share_lies_between_nothing_and_everything(share: float) -> None:
    """There is a stable release to compare with, and a canary."""
    with pytest.raises(Mistake, match="share"):
        FailureLabels(share=share)
    with pytest.raises(Mistake, match="share"):
        FailureLabels(share=0.5).observe(1, share=share)
    with pytest.raises(Mistake, match="alpha"):
        FailureLabels(share=0.5, alpha=share)
