"""A budget that burns too fast is told of; a quiet workflow's odd failure is not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from proveout.domain.alert import Objective, Rule, Severity
from proveout.domain.money import Usd
from proveout.ports.measure import Measured, ModelHealth, Spent
from proveout.watch.burn import BURNS, LEAST, LEAST_BAD, WINDOWS, Counted, burning
from proveout.watch.count import dying, failing, models_down, spending

if TYPE_CHECKING:
    from proveout.watch.burn import Burn

RUNS = Objective(rule=Rule.RUNS, target=0.99)
MINUTES = timedelta(minutes=5)


def windows(every: Counted = Counted(0, 0)) -> dict[timedelta, Counted]:  # noqa: B008 - a value
    """Return the same counts for every window."""
    return dict.fromkeys(WINDOWS, every)


@pytest.mark.parametrize("burn", BURNS, ids=lambda one: f"{one.rate:g}")
def test_both_windows_must_be_above(burn: Burn) -> None:
    """A burn in the long window alone is over, one in the short window alone is chance."""
    above = Counted(1000, int(1000 * 0.01 * burn.rate) + 1)
    at = Counted(1000, int(1000 * 0.01 * burn.rate))
    quiet = windows()

    both = burning(RUNS, quiet | {burn.long: above, burn.short: above})
    long = burning(RUNS, quiet | {burn.long: above, burn.short: at})
    short = burning(RUNS, quiet | {burn.long: at, burn.short: above})

    assert both is not None
    assert both.severity is burn.severity
    assert (long, short) == (None, None)


def test_the_table_is_googles() -> None:
    """Workbook, table 5-8: the short window is a twelfth of the long one."""
    shares = [burn.rate * burn.long / timedelta(days=30) for burn in BURNS]

    assert [round(share, 3) for share in shares] == [0.02, 0.05, 0.1]
    assert all(burn.long == 12 * burn.short for burn in BURNS)


def test_four_failures_on_a_quiet_queue_page_nobody() -> None:
    """Below the least count a share says nothing, however strict the objective is."""
    strict = Objective(rule=Rule.RUNS, target=0.999)

    found = burning(strict, windows(every=Counted(LEAST - 1, 4)))

    assert found is None


def test_without_the_least_count_they_would() -> None:
    """Negative control: as many failures among enough runs do."""
    strict = Objective(rule=Rule.RUNS, target=0.999)

    found = burning(strict, windows(every=Counted(LEAST, 4)))

    assert found is not None
    assert found.severity is Severity.PAGE


def test_one_failure_pages_nobody_however_strict_the_objective() -> None:
    """A few events must be bad before their share is believed."""
    strict = Objective(rule=Rule.RUNS, target=0.9999)

    few = burning(strict, windows(every=Counted(LEAST, LEAST_BAD - 1)))
    more = burning(strict, windows(every=Counted(LEAST, LEAST_BAD)))

    assert few is None
    assert more is not None


@pytest.mark.parametrize(
    ("newest", "severity"),
    [
        ("xxx", Severity.PAGE),
        ("xxxooooooo", Severity.PAGE),
        ("oxxoxooooo", Severity.TICKET),
        ("oxxooooooox", None),
        ("xx", None),
        ("", None),
    ],
)
def test_few_runs_are_judged_one_by_one(newest: str, severity: Severity | None) -> None:
    """Three of the last ten can wait, three in a row cannot, two are chance."""
    found = failing([one == "o" for one in newest])

    assert (found and found.severity) == severity


def test_dead_runs_are_told_of() -> None:
    """One is enough."""
    found = dying(Measured(ended=9, failed=1, dead=1))

    assert found is not None
    assert found.summary == "1 run is dead"
    assert dying(Measured(ended=9, failed=1)) is None


def test_what_a_run_costs_is_a_mean_of_enough() -> None:
    """Nine runs say nothing; ten over the bound do; ten at it do not."""
    most = Usd("0.02")

    few = spending(Spent(cost=Usd("9"), priced=9), most)
    over = spending(Spent(cost=Usd("0.21"), priced=10), most)
    at = spending(Spent(cost=Usd("0.20"), priced=10), most)

    assert (few, at) == (None, None)
    assert over is not None
    assert over.summary == "a run costs $0.021 on average, over $0.02"


def test_models_are_down_when_half_of_the_calls_fail() -> None:
    """A few calls say nothing."""
    few = models_down(ModelHealth(calls=4, failed=4), MINUTES)
    some = models_down(ModelHealth(calls=100, failed=49), MINUTES)
    half = models_down(ModelHealth(calls=100, failed=50), MINUTES)

    assert (few, some) == (None, None)
    assert half is not None
    assert half.rule is Rule.MODELS
