"""A file that cannot be opened as a store says why."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from doubles.clock import ManualClock
from proveout.adapters.sqlite import measures, schema
from proveout.adapters.sqlite.store import SqliteStore
from proveout.adapters.troubles import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_file_whose_lock_is_held_is_no_broken_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody stopped in the middle of a write; the way out is to find out who."""
    monkeypatch.setattr(schema, "WAITS", 0.01)
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")

        with pytest.raises(StoreUnavailable) as found:
            SqliteStore(path, ManualClock())

    assert "another process held its lock" in found.value.why
    assert found.value.fix[0] == f"lsof {path}"


async def test_a_file_of_another_kind_is_none_of_ours(tmp_path: Path) -> None:
    """Nothing of it is touched."""
    path = tmp_path / "store.db"
    path.write_text("a shopping list\n" * 100, "utf-8")

    with pytest.raises(StoreUnavailable) as found:
        SqliteStore(path, ManualClock())

    assert "no SQLite file" in found.value.why
    assert path.read_text("utf-8").startswith("a shopping list")


@pytest.mark.parametrize("counts", ["MEASURED", "BY_MINUTE", "JUDGED", "SPENT"])
def test_what_is_counted_often_is_found_by_the_index_of_what_ended(
    counts: str, tmp_path: Path
) -> None:
    """SQLite takes a partial index only where the query repeats its words."""
    query: str = getattr(measures, counts)
    with closing(schema.connect(tmp_path / "store.db")) as connection:
        schema.migrate(connection)
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", (1, 1, 1)[: 2 + ("?3" in query)])
        steps = [row["detail"] for row in plan]

    assert "SEARCH runs USING INDEX runs_ended (workflow=? AND updated>?)" in steps
    assert "SCAN runs" not in steps
