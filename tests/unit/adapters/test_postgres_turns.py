"""Whose turn it is, found by the one index that finds it at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from doubles.given import Given
from doubles.stores import open_url
from proveout.adapters.postgres.lane import BEGIN
from proveout.adapters.postgres.turns import PASS, TAKE
from proveout.adapters.postgres.wire import Server, part

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.postgres import Databases, WatchedClock


@pytest.mark.parametrize("knows", [False, True])
async def test_a_common_key_does_not_send_the_planner_through_the_table(
    postgres: Databases, clock: WatchedClock, ids: CountedIds, knows: bool
) -> None:
    """Whether or not the server has counted how common it is."""
    url = postgres.fresh()
    store = await open_url(url, clock)
    given = Given(store, clock, ids)
    await asyncio.gather(*(given.enqueue(given.run(ordering="common")) for _ in range(2000)))
    link = await Server.at(url).connect("plans")
    if knows:
        await link.execute("ANALYZE proveout.runs")

    await link.execute(BEGIN)
    took = await link.fetch(f"EXPLAIN {TAKE}", ["a run", "another"])
    passed = await link.fetch(f"EXPLAIN {PASS}", ["triage"], ["rare"], [1])
    await link.execute("ROLLBACK")

    for plan in (took, passed):
        said = "\n".join(row["QUERY PLAN"] for row in plan)
        assert "using runs_ordering" in said
        assert "runs_pkey" not in said
        assert "Sort" not in said
    await part(link)
    await store.close()
    postgres.drop(url)
