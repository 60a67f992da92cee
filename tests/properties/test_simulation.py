"""A seeded world of workers, runs and people: same seed, same history, on every store."""

from __future__ import annotations

import os
import random  # noqa: TID251 - in the full form every world is a new one, told when it fails
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doubles.chaos import Chaos
from doubles.clock import CountedIds
from doubles.given import Given
from doubles.postgres import WatchedClock
from proveout.adapters.sqlite.store import SqliteStore
from proveout.domain.journal import Pending
from proveout.domain.run import MOVES
from proveout.domain.unit import Record, Settle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from proveout.domain.journal import Entry
    from proveout.domain.run import Run, RunId
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.store import Store

FULL = os.environ.get("PROVEOUT_FAULTS") == "full"
WORLDS = 100 if FULL else 4
MOVES_EACH = 600 if FULL else 200
LOOK_EVERY = 8
"""After so many moves every journal is read; the runs are looked at after each."""


@pytest.fixture(params=range(WORLDS))
def seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of one world; the short form plays the same ones every time."""
    given = os.environ.get("PROVEOUT_SEED")
    drawn = random.randrange(1_000_000) if FULL else request.param  # noqa: S311 - no secret
    seed = drawn if given is None else int(given)
    print(f"PROVEOUT_SEED={seed}")  # noqa: T201 - shown when the test fails
    return seed


def asking(*stores: Store) -> Callable[[Callable[[Store], Awaitable[object]]], Awaitable[object]]:
    """Return what asks every store, and sees that they answer the same."""

    async def ask(what: Callable[[Store], Awaitable[object]]) -> object:
        first, *others = [await what(store) for store in stores]
        assert all(other == first for other in others)
        return first

    return ask


async def play(chaos: Chaos) -> list[str]:
    """Play a world to its end, looking at every promise after each move."""
    runs: dict[RunId, Run] = {}
    journals: dict[RunId, list[Entry]] = {}
    for number in range(MOVES_EACH):
        await chaos.move()
        runs = check_runs(chaos, runs, await chaos.seen())
        if number % LOOK_EVERY == 0:
            journals = check_journals(journals, await chaos.journals())
    await chaos.settle_down()
    check_journals(journals, await chaos.journals())
    last = await chaos.seen()
    assert last.keys() == chaos.plans.keys(), "a run was lost"
    assert all(run.state.is_final for run in last.values()), "a run is stranded"
    chaos.tell("at last", last)
    return chaos.history


def check_runs(chaos: Chaos, before: dict[RunId, Run], after: dict[RunId, Run]) -> dict[RunId, Run]:
    """Return `after`: no run is lost, fences only rise, and what is over stays as it is."""
    assert after.keys() == chaos.plans.keys(), "a run was lost"
    for run, was in before.items():
        now = after[run]
        assert now.state == was.state or now.state in MOVES[was.state]
        assert now.fence >= was.fence
        assert now.fence == chaos.fences.get(run, 0), "a fence rose without a claim"
        assert not was.state.is_final or now == was
    return after


def check_journals(
    before: dict[RunId, list[Entry]], after: dict[RunId, list[Entry]]
) -> dict[RunId, list[Entry]]:
    """Return `after`: what a journal held it holds, and only a wait gets its answer."""
    for run, was in before.items():
        assert len(after[run]) >= len(was)
        for old, new in zip(was, after[run], strict=False):
            waits = isinstance(old.outcome, Pending)
            assert new == (replace(old, outcome=new.outcome) if waits else old)
    return after


def world(seed: int, clock: WatchedClock, *stores: Store) -> Chaos:
    """Return a world before its first move."""
    return Chaos(asking(*stores), Given(stores[0], clock, CountedIds()), clock, seed)


async def test_one_seed_is_one_history_on_every_store(
    both: tuple[Store, Store], clock: WatchedClock, seed: int, tmp_path: Path
) -> None:
    """Both stores give every answer alike, and a second play of the seed is the same."""
    history = await play(world(seed, clock, *both))

    own = WatchedClock()
    third = SqliteStore(tmp_path / "again.db", own)
    again = await play(world(seed, own, third))
    await third.close()

    assert again == history


async def test_other_seeds_are_other_histories(tmp_path: Path) -> None:
    """The counterpart: the seed is what decides."""
    histories: list[list[str]] = []
    for seed in (1, 2):
        clock = WatchedClock()
        store = SqliteStore(tmp_path / f"{seed}.db", clock)
        histories.append(await play(world(seed, clock, store)))
        await store.close()

    assert histories[0] != histories[1]


UNFENCED_WORLDS = 6
"""So many hold a stale writer that comes in time to do harm."""


def unfenced(store: Store, write: Any = SqliteStore.write) -> Any:
    """Return a write that carries whatever fence is current."""

    async def write_anyway(unit: Unit) -> Answered:
        if isinstance(unit, Record | Settle):
            run = await store.run(unit.run)
            assert run is not None
            unit = replace(unit, fence=run.fence)
        return await write(store, unit)

    return write_anyway


async def test_a_store_without_fences_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the same worlds against a store that takes stale writes."""
    found: list[str] = []
    for seed in range(UNFENCED_WORLDS):
        clock = WatchedClock()
        store = SqliteStore(tmp_path / f"{seed}.db", clock)
        monkeypatch.setattr(store, "write", unfenced(store))
        try:
            await play(world(seed, clock, store))
        except AssertionError as error:
            found.append(str(error))
        await store.close()

    assert any("a stale write was taken" in one for one in found)
