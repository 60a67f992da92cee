"""Worth is reckoned again from what people say of live runs, and never from too few of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doubles.given import Given
from doubles.watching import Watched
from proveout.domain.alert import Rule, Severity
from proveout.domain.criterion import Baseline, Worth
from proveout.domain.money import Usd
from proveout.ports.measure import Judged, Spent
from proveout.watch.measure import Gauges, Rules
from proveout.watch.worth import LEAST_REVIEWED, live_worth, losing

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from proveout.ports.store import Store

WORTH = Worth(
    value_per_success=Usd("1.20"),
    loss_per_error=Usd(6),
    worst=Usd(-10),
    best=Usd(10),
    baseline=Baseline(minutes=3, person_hour=Usd(38)),
)
"""A person's three minutes cost 1.90 dollars."""

SPENT = Spent(cost=Usd(2), priced=100)
JUDGED = Judged(ended=200, broken=20, reviews=40, accepted=36)
"""Nine of ten runs came through, and nine of ten drafts were taken as they were."""


def test_a_run_is_worth_what_the_experiment_reckons_with() -> None:
    """Earned by successes, lost by errors and to models, and saved from today's way."""
    live = live_worth(WORTH, JUDGED, SPENT)

    assert live.success == pytest.approx(0.81)
    assert live.net == pytest.approx(0.81 * 1.20 - 0.19 * 6 - 0.02 + 1.90)
    assert losing(live) is None


def test_runs_that_lose_money_are_a_ticket() -> None:
    """With the share that people took, and what it rests on."""
    live = live_worth(replace(WORTH, baseline=None), JUDGED, SPENT)

    breach = losing(live)

    assert breach is not None
    assert (breach.rule, breach.severity) == (Rule.WORTH, Severity.TICKET)
    assert breach.summary == "a run loses $0.188 on average against today's way"
    assert breach.detail.startswith("81.0% taken to be right by 40 decided drafts")


def test_too_few_decisions_say_nothing() -> None:
    """However bad they are."""
    few = Judged(ended=200, reviews=LEAST_REVIEWED - 1)

    live = live_worth(WORTH, few, SPENT)

    assert (live.net, losing(live)) == (None, None)


def test_calls_without_a_price_cost_nothing_that_is_known() -> None:
    """Worth is then without them; the claim on prices tells that they are missing."""
    assert live_worth(WORTH, JUDGED, Spent()).cost == 0


async def test_watch_tells_once_live_runs_lose(
    store: Store, clock: ManualClock, ids: CountedIds
) -> None:
    """As long as people take the drafts nothing is wrong; then they turn half of them down."""
    watched = await Watched(Given(store, clock, ids)).promoted()
    rules = Rules(workflow="triage", worth=replace(WORTH, baseline=None))

    for _ in range(LEAST_REVIEWED):
        await watched.answered(await watched.asks())
    good = await Gauges(store, rules).breaches(clock.now())
    for _ in range(LEAST_REVIEWED):
        await watched.answered(await watched.asks(), approved=False)
    bad = await Gauges(store, rules).breaches(clock.now())

    assert Rule.WORTH not in {one.rule for one in good}
    [breach] = [one for one in bad if one.rule is Rule.WORTH]
    assert breach.detail.startswith("50.0% taken to be right by 60 decided drafts")
