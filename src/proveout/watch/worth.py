"""Worth: what a run gains or loses against today's way, reckoned again from live runs.

What is right nobody knows of a live run but whoever reviewed it: a draft that was approved as it
was counts as a success, one that was edited or turned down as an error, and so does a run that
broke. Reviewed runs stand for all; where only doubtful drafts are reviewed, this errs low.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.alert import Breach, Rule, Severity
from proveout.prove.observe import saved

if TYPE_CHECKING:
    from proveout.domain.criterion import Worth
    from proveout.ports.measure import Judged, Spent

LEAST_REVIEWED = 30
"""Decided drafts below which nothing is said of the others.

A convention: at 30, a share of nine in ten is known to about a tenth either way.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWorth:
    """What live runs are worth.

    Attributes:
        net: dollars that a run gains on average; None while too few drafts were decided.
        reviews: drafts that people decided.
        success: the share of runs taken to be right, 0 to 1.
        cost: dollars of models, of a run.
    """

    net: float | None
    reviews: int
    success: float = 0.0
    cost: float = 0.0


def live_worth(worth: Worth, judged: Judged, spent: Spent) -> LiveWorth:
    """Return what a run is worth on average.

    Args:
        worth: what a success earns, what an error costs, and today's way.
        judged: what people said of late.
        spent: what the runs of the last day cost.
    """
    if judged.reviews < LEAST_REVIEWED or not judged.ended:
        return LiveWorth(net=None, reviews=judged.reviews)
    success = (1 - judged.broken / judged.ended) * judged.accepted / judged.reviews
    cost = float(spent.cost) / spent.priced if spent.priced else 0.0
    earned = success * float(worth.value_per_success)
    lost = (1 - success) * float(worth.loss_per_error)
    return LiveWorth(
        net=earned - lost - cost + float(saved(worth)),
        reviews=judged.reviews,
        success=success,
        cost=cost,
    )


def losing(live: LiveWorth) -> Breach | None:
    """Return that runs lose money against today's way; None where they do not, or nobody knows."""
    if live.net is None or live.net >= 0:
        return None
    return Breach(
        rule=Rule.WORTH,
        severity=Severity.TICKET,
        summary=f"a run loses {_dollars(-live.net)} on average against today's way",
        detail=f"{live.success:.1%} taken to be right by {live.reviews:,} decided drafts of 30"
        f" days; models cost {_dollars(live.cost)} a run",
    )


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.3g}"
