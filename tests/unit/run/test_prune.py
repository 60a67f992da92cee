"""What has outlived its time goes, in small commits, until nothing is left or we must stop."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.run.prune import BATCH, Gone, Keeping, tidy

if TYPE_CHECKING:
    from proveout.ports.housekeeping import Aged

KEEPING = Keeping(workflow="triage", sources=("shop",), payloads=timedelta(days=90))


class Piles:
    """Payloads to prune and rows to forget, as counts.

    Attributes:
        asked: what was asked for, in order.
    """

    def __init__(self, payloads: int, rows: int) -> None:
        self.payloads = payloads
        self.rows = rows
        self.asked: list[Aged] = []

    async def prune(self, aged: Aged) -> int:
        self.asked.append(aged)
        gone = min(aged.limit, self.payloads)
        self.payloads -= gone
        return gone

    async def forget(self, aged: Aged) -> int:
        self.asked.append(aged)
        gone = min(aged.limit, self.rows)
        self.rows -= gone
        return gone


async def test_everything_that_is_old_goes_batch_by_batch() -> None:
    """No commit takes more than a hundred, and payloads go before rows."""
    piles = Piles(payloads=250, rows=20)

    gone = await tidy(piles, KEEPING)

    assert gone == Gone(pruned=250, forgotten=20)
    assert {one.limit for one in piles.asked} == {BATCH}
    assert [one.age.days for one in piles.asked] == [90, 90, 90, 90, 400, 400]
    assert {(one.workflow, one.sources) for one in piles.asked} == {("triage", ("shop",))}


async def test_it_stops_between_two_commits() -> None:
    """Who is told to stop does not wait for a million rows."""
    piles = Piles(payloads=1_000, rows=1_000)

    gone = await tidy(piles, KEEPING, lambda: len(piles.asked) == 3)

    assert gone == Gone(pruned=3 * BATCH, forgotten=0)
