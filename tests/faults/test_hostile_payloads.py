"""Fault 14: hostile values in a busy worker are refused alone; their neighbours finish."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from doubles.given import Given, entry
from faults.conftest import FULL, SETTINGS
from proveout.domain.unit import Done
from proveout.errors import Mistake

if TYPE_CHECKING:
    import random  # noqa: TID251 - drawn from a seed that is told

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from faults.conftest import Site
    from proveout.ports.store import Store

pytestmark = pytest.mark.faults

APP = """
from typing import Any
from proveout import step, workflow

def nested() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value

HOSTILE = [
    lambda: float("nan"),
    lambda: float("-inf"),
    lambda: "\\ud800",
    lambda: "x" * (1 << 21),
    nested,
    lambda: object(),
    lambda: {"\\ud83d": 1},
    lambda: 10 ** 5000,
]

@step
async def give(n: int) -> Any:
    if n < 0:
        return HOSTILE[-n % len(HOSTILE)]()
    return "a\\0b" if n % 2 else {"fine": n}

@workflow
async def answer(n: int) -> Any:
    return await give(n)
"""
HOSTILE = 160 if FULL else 8
RUNS = 3_000 if FULL else 120


@pytest.fixture
def site(site: Site, luck: random.Random) -> Site:
    """Return a project whose step returns, here and there, what no store can keep."""
    (site.folder / "app.py").write_text(APP, "utf-8")
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    inputs = [*range(RUNS - HOSTILE), *range(-HOSTILE, 0)]
    luck.shuffle(inputs)
    lines = "".join(f"{n}\n" for n in inputs)
    (site.folder / "inputs.jsonl").write_text(lines, "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")
    return site


def test_a_hostile_value_ends_its_own_run_only(site: Site) -> None:
    """Each culprit is told why; every neighbour in the same groups succeeds, NUL included."""
    site.run("work", "--until-idle", "--concurrency", "120")

    runs = site.runs()
    assert Counter(run["state"] for run in runs) == {"DEAD": HOSTILE, "SUCCEEDED": RUNS - HOSTILE}
    for run in runs:
        if run["state"] == "DEAD":
            assert run["error"]["type"] in {"Unjournalable", "PayloadTooLarge"}, run
    kept = json.dumps([run["result"] for run in runs])
    assert "a\\u0000b" in kept


async def together(lane: Any, group: list[Any]) -> list[Any]:
    """Commit a group of a SQLite lane as a whole: one bad piece fails them all."""
    connection = lane._connection  # noqa: SLF001 - the protection is switched off from outside
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [work(connection) for work in group]
    except Exception as error:  # noqa: BLE001 - what it is does not matter here
        connection.execute("ROLLBACK")
        return [Mistake(str(error))] * len(group)
    connection.execute("COMMIT")
    return results


@pytest.mark.parametrize("isolated", [True, False])
async def test_without_isolation_one_hostile_unit_fails_its_group(
    store: Store,
    clock: WatchedClock,
    ids: CountedIds,
    monkeypatch: pytest.MonkeyPatch,
    isolated: bool,
) -> None:
    """Negative control: with groups that fail as a whole, neighbours are lost to a culprit."""
    if not isolated:
        monkeypatch.setattr("proveout.adapters.sqlite.lane.Lane._commit", together)
        monkeypatch.setattr("proveout.adapters.postgres.lane.CULPRITS", frozenset[Any]())
    given = Given(store, clock, ids)
    claimed = [await given.claimed() for _ in range(21)]
    units = [given.record(one) for one in claimed[:20]]
    units.insert(10, given.record(claimed[20], entry(occurrence=2**63)))

    answers = await asyncio.gather(*map(store.write, units), return_exceptions=True)

    neighbours = answers[:10] + answers[11:]
    assert isinstance(answers[10], Exception)
    assert all(isinstance(one, Done) for one in neighbours) == isolated
