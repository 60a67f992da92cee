"""Fault 12: workers of two versions share a store, and the schema moves on under the older."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import proveout
from doubles.shop import until
from doubles.stores import SQLITE
from faults.conftest import FULL, PATIENCE, TESTS
from proveout.adapters.migrations import migrations
from proveout.adapters.postgres.wire import Server, part

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.conftest import Service, Site

pytestmark = pytest.mark.faults

RUNS = 10_000 if FULL else 2_000
WORK = ("work", "--effects", "live", "--concurrency", "32")
STORES = ("sqlite", "postgres")
TABLES = (
    *("runs", "journal", "reviews", "experiments", "releases", "pointers", "halts"),
    *("ledger", "records", "deliveries", "signals", "limits", "schedules"),
)
ALLOWS = "-- Engines that know schema {0} or newer may go on: every new column has a default.\n"
"""What a version that expands first says of its migration."""

NOBODY = "-- It contracts what older engines still read.\n"


def newer_version(site: Site, folder: Path, header: str) -> Site:
    """Return the same site as a newer version sees it: one more migration, in another folder."""
    here = Path(proveout.__file__).parent
    shutil.copytree(here, folder / "proveout", ignore=shutil.ignore_patterns("__pycache__"))
    newest = migrations("proveout.adapters.sqlite")[-1].number
    for store in STORES:
        schema, column = ("", "INTEGER") if store == "sqlite" else ("proveout.", "bigint")
        added = "".join(
            f"ALTER TABLE {schema}{table} ADD COLUMN later {column} NOT NULL DEFAULT 7;\n"
            for table in TABLES
        )
        file = (
            folder / "proveout" / "adapters" / store / "migrations" / f"{newest + 1:04}_later.sql"
        )
        file.write_text(header.format(newest) + added, "utf-8")
    path = f"{folder}:{TESTS}"
    return replace(site, environment={**site.environment, "PYTHONPATH": path})


async def schema(url: str) -> int:
    """Return the newest migration that the store remembers."""
    if url.startswith(SQLITE):
        connection = sqlite3.connect(url.removeprefix(SQLITE))
        [[newest]] = connection.execute("SELECT max(number) FROM migrations")
        connection.close()
        return newest
    link = await Server.at(url).connect("test")
    row = await link.fetchrow("SELECT max(number) AS newest FROM proveout.migrations")
    await part(link)
    assert row is not None
    return row["newest"]


def at_work(site: Site) -> int:
    """Return how many workers have said that they work, and so listen to signals."""
    return (site.folder / "workers.log").read_text("utf-8").count("working on answers")


def enqueue(site: Site, first: int, count: int) -> None:
    """Make runs on the numbers from `first` on durable."""
    lines = "".join(f"{number}\n" for number in range(first, first + count))
    (site.folder / "inputs.jsonl").write_text(lines, "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")


async def test_a_rolling_restart_strands_and_discards_nothing(
    site: Site,
    service: Service,
    store_url: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Old workers go on when the schema does, are drained one by one, and new ones finish."""
    site.environment["PROVEOUT_LEASE"] = "10 min"  # what is stranded stays stranded, and shows
    newer = newer_version(site, tmp_path / "newer", ALLOWS)
    before = migrations("proveout.adapters.sqlite")[-1].number
    half = RUNS // 2
    enqueue(site, 0, half)
    old = [site.start(*WORK), site.start(*WORK)]
    await until(lambda: len(service.keys) > half // 10, PATIENCE)

    with service.holding():  # else a fast machine is through before the schema moves on
        newer.run("runs", "list", "--limit", "1")
        assert await schema(store_url) == before + 1
        migrated = len(service.keys)
    assert migrated < half, "the load was over before the schema moved on"
    enqueue(site, half, half)
    await until(lambda: len(service.keys) > half + half // 10, PATIENCE)
    new = [newer.start(*WORK)]
    old.append(site.start(*WORK))  # an old one that is restarted meanwhile
    await until(lambda: at_work(site) == len(old) + len(new), PATIENCE)
    for worker in old:
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=PATIENCE) == 0
        new.append(newer.start(*WORK))
    await until(lambda: len(service.keys) == RUNS, PATIENCE)
    await until(lambda: at_work(site) == len(old) + len(new), PATIENCE)
    for worker in new:
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=PATIENCE) == 0

    calls = sum(service.keys.values())
    record_property(
        "figures", f"{migrated} of {RUNS} runs were done at the migration, {calls} calls"
    )
    assert dict(newer.states()) == {"SUCCEEDED": RUNS}
    assert {len(keys) for keys in service.of.values()} == {1}
    assert calls == RUNS


async def test_without_its_header_a_migration_turns_old_workers_away(
    site: Site, store_url: str, tmp_path: Path
) -> None:
    """Negative control: the same, allowed to nobody, strands what only old workers could do."""
    newer = newer_version(site, tmp_path / "newer", NOBODY)
    enqueue(site, 0, 20)
    newer.run("runs", "list", "--limit", "1")

    refused = site.start(*WORK, "--until-idle")

    assert refused.wait(timeout=PATIENCE) == 3
    assert "pip install --upgrade" in (site.folder / "workers.log").read_text("utf-8")
    assert dict(newer.states()) == {"QUEUED": 20}
    assert await schema(store_url) == migrations("proveout.adapters.sqlite")[-1].number + 1
