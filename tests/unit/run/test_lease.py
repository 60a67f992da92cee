"""Keeping leases alive, from a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from doubles.shop import until
from proveout.adapters.troubles import StoreUnavailable
from proveout.domain.run import RunId
from proveout.ports.store import Held
from proveout.run.lease import BEATS, Heartbeat

if TYPE_CHECKING:
    from collections.abc import Sequence

LEASE, LONG = timedelta(seconds=0.03), timedelta(seconds=3)
ONE, TWO = Held(RunId("one"), 1), Held(RunId("two"), 3)


class Ledger:
    """A keeper that notes what it was asked, and answers as it was told."""

    def __init__(self, *answers: set[RunId] | Exception) -> None:
        self.asked: list[set[Held]] = []
        self.threads: set[str] = set()
        self.closed = False
        self._answers = deque(answers)

    def renew(self, held: Sequence[Held], lease: timedelta) -> set[RunId]:
        assert lease == LEASE
        self.asked.append(set(held))
        self.threads.add(threading.current_thread().name)
        answer = self._answers.popleft() if self._answers else set[RunId]()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


def beating(ledger: Ledger, lost: list[RunId]) -> Heartbeat:
    return Heartbeat(ledger, LEASE, lost.extend, structlog.get_logger())


async def test_all_runs_are_renewed_together() -> None:
    """In one call from a thread that no workflow can block."""
    ledger = Ledger()
    heartbeat = beating(ledger, [])
    heartbeat.hold(ONE)
    heartbeat.hold(TWO)
    await until(lambda: len(ledger.asked) > 2)
    heartbeat.stop()

    assert ledger.asked[-1] == {ONE, TWO}
    assert ledger.threads == {"heartbeat"}
    assert ledger.closed


async def test_a_run_let_go_is_renewed_no_longer() -> None:
    """And letting go of an old hold does not drop a newer one of the same run."""
    ledger = Ledger()
    heartbeat = beating(ledger, [])
    newer = Held(ONE.run, 2)
    heartbeat.hold(ONE)
    heartbeat.hold(newer)
    heartbeat.hold(TWO)
    heartbeat.let_go(ONE)
    heartbeat.let_go(TWO)
    await until(lambda: {newer} in ledger.asked)
    heartbeat.stop()

    assert all(TWO not in asked for asked in ledger.asked[-1:])


async def test_a_lost_run_is_reported() -> None:
    ledger = Ledger(set(), {TWO.run})
    lost: list[RunId] = []
    heartbeat = beating(ledger, lost)
    heartbeat.hold(ONE)
    heartbeat.hold(TWO)
    await until(lambda: bool(lost))
    heartbeat.stop()

    assert lost == [TWO.run]


async def test_an_outage_is_outlived() -> None:
    """A renewal that fails is tried again at the next beat; nothing is given up for lost."""
    ledger = Ledger(StoreUnavailable("gone"), StoreUnavailable("gone"))
    lost: list[RunId] = []
    heartbeat = beating(ledger, lost)
    heartbeat.hold(ONE)
    await until(lambda: len(ledger.asked) > 3)
    heartbeat.stop()

    assert lost == []


async def test_an_error_of_the_keepers_does_not_end_the_heartbeat() -> None:
    """A fault in one renewal must not cost the runs of the whole worker."""
    ledger = Ledger(RuntimeError("a bug"), OSError("a bug"))
    heartbeat = beating(ledger, [])
    heartbeat.hold(ONE)
    await until(lambda: len(ledger.asked) > 3)
    heartbeat.stop()

    assert ledger.closed


class SlowLedger(Ledger):
    """A keeper whose first renewal takes as long as the time between two."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[float] = []
        self.ended: list[float] = []

    def renew(self, held: Sequence[Held], lease: timedelta) -> set[RunId]:
        self.asked.append(set(held))
        self.began.append(time.monotonic())
        if len(self.began) == 1:
            threading.Event().wait(lease.total_seconds() / BEATS)
        self.ended.append(time.monotonic())
        return set()


async def test_a_slow_renewal_does_not_put_off_the_next() -> None:
    """Leases count from the beginning of a renewal, and so do the times between two."""
    ledger = SlowLedger()
    heartbeat = Heartbeat(ledger, LONG, lambda _: None, structlog.get_logger())
    heartbeat.hold(ONE)
    await until(lambda: len(ledger.began) > 1)
    heartbeat.stop()

    assert ledger.began[1] - ledger.ended[0] < LONG.total_seconds() / BEATS


async def test_nothing_held_asks_for_nothing() -> None:
    ledger = Ledger()
    heartbeat = beating(ledger, [])
    heartbeat.stop()

    assert ledger.asked == []
