"""Is the canary worse than the stable release, whatever both of them meet?

Only failures are read, each with the label of the release it belongs to. When both
fail at the same rate, a failure is the canary's with the probability of its share
of the traffic, however the common rate drifts. So an incident that strikes both
never counts against the canary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from proveout.statistics import arguments
from proveout.statistics.bets import log_sum

RATIOS = tuple(1 + 1.8**step for step in range(6))
"""Failure ratios of canary over stable that are bet on, side by side."""

LOG_STAKES = tuple(math.log(stake) for stake in (0.5, 0.1, 0.1, 0.1, 0.1, 0.1))
"""What each ratio is staked with: half on a doubling."""


@dataclass(frozen=True, kw_only=True)
class FailureLabels:
    """Watch the labels of failures, in the order of time.

    If the canary fails no more often than the stable release, it is ever called
    "worse" with probability at most `alpha`.

    Args:
        share: share of the traffic that the canary gets, strictly between 0 and 1,
            each request (or each sticky user) assigned at random.
        alpha: largest probability of a false alarm.

    Raises:
        Mistake: an argument is out of its range.

    Source:
        Lindon & Malek (2022), Poisson counts seen as coin flips; Robbins (1970)
        for the mixture; Ville (1939).

    >>> watch = FailureLabels(share=0.05)
    >>> for _ in range(3):
    ...     watch = watch.observe(1)
    >>> watch.decision, watch.decided_at, round(watch.log_e, 6)
    ('worse', 3, 5.163319)
    """

    share: float
    alpha: float = 0.01
    count: int = field(init=False, default=0)
    decision: Literal["worse"] | None = field(init=False, default=None)
    decided_at: int | None = field(init=False, default=None)
    _capitals: tuple[float, ...] = field(init=False, default=LOG_STAKES, repr=False)

    def __post_init__(self) -> None:
        arguments.chance("share", self.share)
        arguments.chance("alpha", self.alpha)

    @property
    def log_e(self) -> float:
        """Natural log of the evidence; "worse" falls at log(1/alpha)."""
        return log_sum(self._capitals)

    @property
    def needed(self) -> float:
        """Natural log of the evidence at which "worse" falls."""
        return -math.log(self.alpha)

    def observe(self, label: float, *, share: float | None = None) -> FailureLabels:
        """Return the watch after one more failure.

        Args:
            label: 1 when the failure is the canary's, 0 when it is the stable one's.
            share: the canary's share when that failure's request was assigned, if
                it is no longer the one the watch began with.

        Raises:
            Mistake: `label` is neither 0 nor 1, or `share` is out of its range.
        """
        is_canary = arguments.outcome("label", label)
        now = self.share if share is None else arguments.chance("share", share)
        capitals = tuple(
            capital + log_odds(ratio, now, is_canary=is_canary)
            for capital, ratio in zip(self._capitals, RATIOS, strict=True)
        )
        count, decision, decided_at = self.count + 1, self.decision, self.decided_at
        if decision is None and log_sum(capitals) >= self.needed:
            decision, decided_at = "worse", count
        successor = replace(self)
        vars(successor).update(
            count=count, decision=decision, decided_at=decided_at, _capitals=capitals
        )
        return successor


def log_odds(ratio: float, share: float, *, is_canary: bool) -> float:
    """Return how much likelier this label is under `ratio` than under equality.

    Args:
        ratio: failure rate of the canary over that of the stable release.
        share: the canary's share of the traffic.
        is_canary: whose failure it was.

    Returns:
        The natural log of the likelihood ratio of one label.
    """
    total = share * ratio + 1 - share
    return math.log(ratio / total) if is_canary else -math.log(total)


def failures_to_find(ratio: float, share: float, alpha: float = 0.01) -> float:
    """Return about how many failures it takes to find a canary that fails `ratio` times as often.

    Args:
        ratio: failure rate of the canary over that of the stable release, above 1.
        share: the canary's share of the traffic, strictly between 0 and 1.
        alpha: chance of a false alarm.

    Returns:
        A count of failures of both releases, on average; infinite where no bet gains.

    Source:
        Wald (1945): the evidence needed over its mean growth with each failure.

    >>> round(failures_to_find(2, share=0.1), 1)
    172.5
    """
    mine = share * ratio / (share * ratio + 1 - share)
    needed = math.inf
    for bet, stake in zip(RATIOS, LOG_STAKES, strict=True):
        growth = mine * log_odds(bet, share, is_canary=True)
        growth += (1 - mine) * log_odds(bet, share, is_canary=False)
        if growth > 0:
            needed = min(needed, (-math.log(alpha) - stake) / growth)
    return needed


def requests_to_find(ratio: float, share: float, rate: float, alpha: float = 0.01) -> float:
    """Return about how many requests it takes to find a canary that fails `ratio` times as often.

    Args:
        ratio: failure rate of the canary over that of the stable release, above 1.
        share: the canary's share of the traffic, strictly between 0 and 1.
        rate: failure rate of the stable release, above 0.
        alpha: chance of a false alarm.

    Returns:
        A count of requests to both releases, on average.
    """
    overall = rate * (1 - share) + min(1.0, rate * ratio) * share
    return failures_to_find(ratio, share, alpha) / overall
