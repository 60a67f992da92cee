"""What an earlier version wrote is read, and gone on with."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from doubles.clock import CountedIds
from doubles.given import START
from doubles.postgres import WatchedClock
from doubles.shop import Shop
from doubles.stores import SQLITE, open_url
from proveout import effect, review, sleep, step, workflow
from proveout.adapters.migrations import migrations
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.sqlite.schema import statements
from proveout.domain.journal import JOURNAL_FORMAT, EntryKind, Pending, Raised, Returned
from proveout.domain.review import Answer
from proveout.domain.run import Failure, RunId, RunState
from proveout.domain.unit import Decide, UnitId
from proveout.run.failure import StepFailed

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.postgres import Databases
    from proveout.domain.run import Run

DATA = Path(__file__).parents[1] / "data"
RUN = RunId("00000001")
OLD = 2
"""The schema that version 0.1 knew."""

CALLED: list[str] = []


@step
async def read(mail: str) -> dict[str, Any]:
    CALLED.append("read")
    return {"text": mail, "words": len(mail.split())}


@step
async def look_up(customer: int) -> None:
    CALLED.append("look_up")
    raise LookupError(f"no customer {customer}")


@effect
async def note(text: str) -> None:
    CALLED.append(text)


@workflow
async def recall(mail: str) -> dict[str, Any]:
    """Do one of everything that a journal of version 0.1 can hold."""
    read_mail, other = await asyncio.gather(read(mail), read("another parcel"))
    found = ""
    try:
        await look_up(7)
    except StepFailed as error:
        found = error.failure.message
    await sleep("1 h")
    await note(found)
    draft = await review({"reply": read_mail["text"]}, queue="support")
    signed = await review({"signed": cast("Any", draft.value)}, queue="leads")
    return {"reply": signed.value, "words": other["words"], "found": found}


@pytest.fixture(params=["sqlite", "postgres"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """Return a store as version 0.1 left it, with one run that waits."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY)")
        for migration in migrations("proveout.adapters.sqlite")[:OLD]:
            for statement in statements(migration.sql):
                connection.execute(statement)
            connection.execute("INSERT INTO migrations VALUES (?)", (migration.number,))
        connection.executescript((DATA / "journal-0.1-sqlite.sql").read_text("utf-8"))
        connection.close()
        yield f"{SQLITE}{path}"
        return
    postgres: Databases = request.getfixturevalue("postgres")
    url = postgres.empty()
    asyncio.run(_as_version_0_1(url))
    yield url
    postgres.drop(url)


async def _as_version_0_1(url: str) -> None:
    link = await Server.at(url).connect("test")
    await link.execute(
        "CREATE SCHEMA proveout; CREATE TABLE proveout.migrations (number bigint PRIMARY KEY)"
    )
    for migration in migrations("proveout.adapters.postgres")[:OLD]:
        await link.execute(migration.sql)
        await link.execute("INSERT INTO proveout.migrations VALUES ($1)", migration.number)
    await link.execute((DATA / "journal-0.1-postgres.sql").read_text("utf-8"))
    await part(link)


async def test_the_journal_of_an_earlier_version_is_read(old_url: str) -> None:
    """Each kind of entry and of outcome, as it was meant; the run, too."""
    assert JOURNAL_FORMAT == 1, (
        "rows of another format need rows of format 1 beside them, and a reader"
    )
    store = await open_url(old_url, WatchedClock())

    entries = await store.journal(RUN)
    run = await store.run(RUN)
    await store.close()

    assert run is not None
    assert (run.state, run.value, run.release) == (RunState.WAITING, b'"late parcel"', "draft")
    assert (run.priority, run.origin, run.pruned) == (0, None, None)
    told = [(str(one.place), one.kind, one.tries) for one in entries]
    assert told == [
        ("read #1 in branch 0", EntryKind.STEP, 1),
        ("read #1 in branch 1", EntryKind.STEP, 1),
        ("look_up #1", EntryKind.STEP, 1),
        ("sleep #1", EntryKind.SLEEP, 0),
        ("note #1", EntryKind.CAPTURED, 0),
        ("review #1", EntryKind.REVIEW, 0),
        ("review #2", EntryKind.REVIEW, 0),
    ]
    failure = Failure(
        type="LookupError",
        message="no customer 7",
        traceback="LookupError: no customer 7\n",
        step="look_up",
    )
    assert entries[0].outcome == Returned(b'{"text":"late parcel","words":2}')
    assert entries[2].outcome == Raised(failure)
    assert entries[3].outcome == Pending(START + timedelta(hours=1))
    assert isinstance(entries[5].outcome, Returned)
    assert entries[6].outcome == Pending()


async def test_a_run_of_an_earlier_version_goes_on(old_url: str) -> None:
    """Nothing that is journaled is called again, and its last answer ends it well."""
    CALLED.clear()
    clock = WatchedClock()
    clock.advance(timedelta(hours=3))
    store = await open_url(old_url, clock)
    shop = Shop(store, clock, CountedIds())
    [asked] = [one for one in await store.reviews() if one.queue == "leads"]

    await store.write(
        Decide(
            id=UnitId("answer-2"),
            review=asked.id,
            digest=asked.digest,
            answer=Answer(approved=True, content=b'{"signed": "Ada"}', by="ada"),
        )
    )
    run = await _ended(shop)
    await store.close()

    assert run.state is RunState.SUCCEEDED, run.note
    assert run.result is not None
    assert json.loads(run.result) == {
        "reply": {"signed": "Ada"},
        "words": 2,
        "found": "no customer 7",
    }
    assert CALLED == []


async def _ended(shop: Shop) -> Run:
    await shop.work(recall, captures=True)
    run = await shop.store.run(RUN)
    assert run is not None
    return run
