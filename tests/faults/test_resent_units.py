"""Fault 3, for every kind of unit: sent again after a cut, each gets its first answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from doubles.clock import CountedIds, ManualClock
from doubles.cutter import Cut, Cutter
from doubles.given import Given, entry, want
from faults.conftest import FULL
from proveout.adapters.postgres.store import open_postgres
from proveout.adapters.postgres.units import Group
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.system import SystemClock
from proveout.domain.run import RunState
from proveout.domain.unit import Enqueued, Requeue, Stale

if TYPE_CHECKING:
    import random  # noqa: TID251 - drawn from a seed that is told
    from collections.abc import AsyncGenerator, Generator

    from doubles.postgres import Databases
    from proveout.adapters.postgres.wire import Link
    from proveout.domain.unit import Record, Settle, Unit
    from proveout.ports.store import Claimed, Store

pytestmark = pytest.mark.faults

CUTS = 1_000 if FULL else 30
AT_ONCE = 8

ENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
OF_THE_LANE = " AND application_name = 'proveout lane'"


@pytest.fixture
def url(postgres: Databases) -> Generator[str]:
    """Return a fresh database that runs by the real clock."""
    fresh = postgres.fresh()
    yield fresh
    postgres.drop(fresh)


@pytest.fixture
async def link(url: str) -> AsyncGenerator[Link]:
    """Return a connection of the test's own."""
    link = await Server.at(url).connect("test")
    yield link
    await part(link)


@dataclass
class Lives:
    """Lives of runs, each unit of them written through a wire that is cut.

    Attributes:
        cut: the store behind the wire.
        whole: the same store by a whole wire, for claims.
        answers: every answer by the kind of its unit.
    """

    cut: Store
    whole: Store
    answers: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        self.given = Given(self.cut, ManualClock(), CountedIds())

    async def write(self, unit: Unit) -> object:
        answer = await self.cut.write(unit)
        self.answers[f"{type(unit).__name__} {type(answer).__name__}"] += 1
        return answer

    async def live(self) -> None:
        """Live one run through every kind of unit, to its end."""
        claimed = await self.claimed()
        await self.write(self.given.record(claimed, entry("read"), entry("write")))
        asked = self.given.question(claimed)
        assert asked.review is not None
        await self.write(asked)
        await self.write(self.given.settle(claimed, RunState.WAITING))
        await self.write(self.given.decide(asked.review))
        claimed = await self._claim(claimed.run.workflow)
        await self.write(self.given.settle(claimed, RunState.PARKED, note="look"))
        await self.write(Requeue(id=self.given.unit_id(), run=claimed.run.id))
        claimed = await self._claim(claimed.run.workflow)
        await self.write(self.given.record(claimed, entry("send")))
        await self.write(self.given.settle(claimed, RunState.SUCCEEDED, result=b"1"))

    async def cancelled(self) -> None:
        """Live one run that a person stops."""
        claimed = await self.claimed()
        await self.write(self.given.cancel(claimed.run.id))

    async def claimed(self) -> Claimed:
        """Return a run of a workflow of its own, so that nobody else claims it."""
        run = self.given.run(workflow=f"workflow {self.given.ids.new()}")
        answer = await self.given.enqueue(run)
        assert isinstance(answer, Enqueued)
        self.answers[f"Enqueue {answer.created}"] += 1
        return await self._claim(run.workflow)

    async def _claim(self, workflow: str) -> Claimed:
        [claimed] = await self.whole.claim(want(workflows=(workflow,)))
        return claimed


WAYS: list[Cut] = ["before", "after", "after", None, None, None]
"""What happens to a commit, one as likely as the other."""


async def test_every_unit_gets_its_first_answer(url: str, link: Link, luck: random.Random) -> None:
    """Wires are cut before, in and after commits, and sessions ended in between."""
    async with Cutter(url, lambda _: luck.choice(WAYS)) as cutter:
        lives = Lives(
            await open_postgres(cutter.url, SystemClock()), await open_postgres(url, SystemClock())
        )
        ended = answered = 0
        rounds = 0
        while cutter.cuts + ended < CUTS:
            living = asyncio.gather(*(lives.live() for _ in range(AT_ONCE)), lives.cancelled())
            while not living.done():
                await SystemClock().sleep(luck.uniform(0.02, 0.2))
                if lives.answers.total() == answered:
                    continue  # a busy machine is given the time to write at all
                answered = lives.answers.total()
                ended += len(await link.fetch(ENDS + OF_THE_LANE + " ORDER BY pid LIMIT 1"))
            await living
            rounds += 1
        journal = await link.fetch("SELECT FROM proveout.journal")
        reviews = await link.fetch("SELECT FROM proveout.reviews WHERE state = 'decided'")
        states = await lives.whole.count()
        for store in (lives.cut, lives.whole):
            await store.close()

    runs = rounds * AT_ONCE
    assert lives.answers == {
        "Enqueue True": runs + rounds,
        "Record Done": 3 * runs,
        "Settle Done": 3 * runs,
        "Decide Decided": runs,
        "Requeue Done": runs,
        "Cancel Done": rounds,
    }
    assert states == {RunState.SUCCEEDED: runs, RunState.CANCELLED: rounds}
    assert (len(journal), len(reviews)) == (4 * runs, runs)


def forgetful(group: Group, place: int, unit: Settle) -> None:
    """Answer as a store does that does not look whether a unit was written before."""
    del unit
    group.answers[place] = Stale()


async def no_memory(link: Link, group: Group, late: list[tuple[int, Record]]) -> None:
    """Do the same for records."""
    del link
    for place, _ in late:
        group.answers[place] = Stale()


async def test_without_a_memory_of_units_an_answer_is_wrong(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: what was written before the cut is taken for another attempt's."""
    monkeypatch.setattr(Group, "answer_again", forgetful)
    monkeypatch.setattr("proveout.adapters.postgres.units._find_recorded", no_memory)
    async with Cutter(url, lambda number: "after" if number % 2 else None) as cutter:
        lives = Lives(
            await open_postgres(cutter.url, SystemClock()), await open_postgres(url, SystemClock())
        )
        given = lives.given
        claimed = [await lives.claimed() for _ in range(6)]
        for one in claimed:
            await lives.write(given.settle(one, RunState.SUCCEEDED, result=b"1"))
        states = await lives.whole.count()
        for store in (lives.cut, lives.whole):
            await store.close()

    assert states == {RunState.SUCCEEDED: 6}
    assert lives.answers["Settle Stale"] > 0
