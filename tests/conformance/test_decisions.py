"""Decisions: releases, and what becomes of the runs of one that is rolled back."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doubles.deeds import FIRST, SECOND, Deeds, canary, halted, release
from doubles.given import LEASE, START, want
from doubles.stores import SQLITE, open_url
from proveout.adapters import migrations
from proveout.adapters.postgres import schema
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.sqlite import schema as sqlite_schema
from proveout.adapters.system import SystemClock
from proveout.domain.experiment import ExperimentId
from proveout.domain.journal import Returned
from proveout.domain.release import DRAFT, InFlight, Pointer, ReleaseDigest, Stage, Treatment
from proveout.domain.review import ReviewState
from proveout.domain.run import RunId, RunState
from proveout.domain.unit import Decided, Done, MovePointer, Requeue, Stale, Treat, Undecidable

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.given import Given
    from doubles.postgres import Databases
    from doubles.stores import Open
    from proveout.ports.store import Claimed, Store


@pytest.fixture
def deeds(given: Given) -> Deeds:
    """Return what takes decisions in the store."""
    return Deeds(given)


async def test_a_release_comes_back_as_it_was_made(deeds: Deeds, store: Store) -> None:
    """With its archive and the settings of its moment; a digest nobody made is None."""
    one, two = release(), release(SECOND, number=2, manifest=b'{"other": 1}')
    for known in (two, one):
        await deeds.know(known)
    await deeds.know(release(SECOND, number=2, by="bea"))

    assert await store.release(FIRST) == one
    assert await store.releases("triage") == await store.releases() == [one, two]
    assert await store.releases("refunds") == []
    assert (await store.archive(FIRST), await store.settings(FIRST)) == (b"archive", b"settings")
    nobody = ReleaseDigest("00" * 32)
    assert (await store.archive(nobody), await store.settings(nobody)) == (None, None)
    assert await store.release(nobody) is None


async def test_a_pointer_comes_back_as_it_was_moved(deeds: Deeds, reopen: Open) -> None:
    """Its stage, its releases and the canary with share and salt, in every store at once."""
    before = await deeds.given.store.pointer("triage")
    beside = replace(canary(250), hold=START + timedelta(days=7))

    moved = await deeds.move(FIRST, canary=beside, stage=Stage.PRODUCTION)
    ended = await deeds.move(FIRST)

    assert before == Pointer(workflow="triage")
    assert (moved.version, moved.stage, moved.canary) == (1, Stage.PRODUCTION, beside)
    assert (moved.changed, moved.live) == (deeds.given.clock.now(), (FIRST, SECOND))
    assert (ended.version, ended.canary, ended.stable) == (2, None, FIRST)
    assert await (await reopen()).pointer("triage") == ended


async def of_release(given: Given, state: RunState) -> Claimed:
    """Return a run that began on the first release and was brought to `state`."""
    run = await given.queued()
    found = await given.store.claim(want(release=FIRST))
    [claimed] = [one for one in found if one.run.id == run.id]
    if state is not RunState.RUNNING:
        await given.store.write(given.settle(claimed, state, note="its own"))
    return claimed


IN_FLIGHT = (RunState.RUNNING, RunState.WAITING, RunState.PARKED, RunState.QUEUED)


@pytest.mark.parametrize(
    ("treatment", "ends"),
    [
        (Treatment.FINISH, IN_FLIGHT),
        (Treatment.PARK, (RunState.PARKED,) * 4),
        (Treatment.CANCEL, (RunState.CANCELLED,) * 4),
    ],
)
async def test_the_runs_in_flight_are_treated_as_decided(
    given: Given, deeds: Deeds, treatment: Treatment, ends: tuple[RunState, ...]
) -> None:
    """Left to finish, parked or cancelled, wherever they stand, and nobody else's."""
    await deeds.move(FIRST)
    over = await of_release(given, RunState.SUCCEEDED)
    flying = [await of_release(given, state) for state in IN_FLIGHT]
    fresh = await given.queued()
    await deeds.move(SECOND)
    other = await given.queued()
    await given.store.claim(want(release=SECOND, limit=1))

    await deeds.treat(FIRST, treatment)

    assert await given.states([one.run.id for one in flying]) == list(ends)
    assert await given.state(over.run.id) == RunState.SUCCEEDED
    assert await given.states([fresh.id, other.id]) == [RunState.RUNNING, RunState.QUEUED]


async def test_a_run_that_was_parked_before_keeps_its_reason(given: Given, deeds: Deeds) -> None:
    """Whoever looks after it must still learn why it was parked."""
    await deeds.move(FIRST)
    before = await of_release(given, RunState.PARKED)
    now = await of_release(given, RunState.WAITING)

    await deeds.treat(FIRST, Treatment.PARK)

    notes = [(await given.known(one.run.id)).note for one in (before, now)]
    assert notes == ["its own", "park by rollback"]


@pytest.mark.parametrize("treatment", [Treatment.PARK, Treatment.CANCEL])
async def test_an_attempt_is_stale_once_its_run_was_treated(
    given: Given, deeds: Deeds, treatment: Treatment
) -> None:
    """What a worker still has in hand of it is refused, and its lease does not bring it back."""
    await deeds.move(FIRST)
    claimed = await of_release(given, RunState.RUNNING)

    await deeds.treat(FIRST, treatment)
    answers = [
        await given.store.write(given.record(claimed)),
        await given.store.write(given.settle(claimed, RunState.SUCCEEDED)),
    ]
    given.clock.advance(LEASE * 2)
    tended = await given.store.tend()

    assert answers == [Stale(), Stale()]
    assert tended.lapsed == 0
    assert await given.store.claim(want(release=FIRST)) == []


async def test_an_attempt_that_may_finish_settles(given: Given, deeds: Deeds) -> None:
    """Negative control: the same attempt, left to finish, is written."""
    await deeds.move(FIRST)
    claimed = await of_release(given, RunState.RUNNING)

    await deeds.treat(FIRST, Treatment.FINISH)

    assert await given.store.write(given.settle(claimed, RunState.SUCCEEDED)) == Done()


async def test_the_open_reviews_of_cancelled_runs_are_closed(given: Given, deeds: Deeds) -> None:
    """Those of parked runs stay open: an answer is still of use when the run goes on."""
    review = await given.waiting()
    other = await given.waiting()
    await given.store.write(given.decide(other))
    digest = ReleaseDigest(DRAFT)

    await deeds.treat(digest, Treatment.PARK)
    parked = await given.store.review(review.id)
    await deeds.treat(digest, Treatment.CANCEL)
    cancelled = await given.store.review(review.id)
    decided = await given.store.review(other.id)

    assert parked is not None
    assert parked.state == ReviewState.OPEN
    assert cancelled is not None
    assert cancelled.state == ReviewState.SUPERSEDED
    assert decided is not None
    assert decided.state == ReviewState.DECIDED
    assert isinstance(await given.store.write(given.decide(review)), Undecidable)


async def test_a_parked_run_goes_on_with_its_release_and_journal(
    given: Given, deeds: Deeds
) -> None:
    """Requeued, it continues where it was; an answer that came meanwhile is there."""
    await deeds.move(FIRST)
    claimed = await of_release(given, RunState.RUNNING)
    asks = given.question(claimed)
    assert asks.review is not None
    await given.store.write(asks)
    await given.store.write(given.settle(claimed, RunState.WAITING))
    await deeds.move(SECOND)
    await deeds.treat(FIRST, Treatment.PARK)
    answered = await given.store.write(given.decide(asks.review))
    still = await given.state(claimed.run.id)

    requeued = await given.store.write(Requeue(id=given.unit_id(), run=claimed.run.id))

    assert isinstance(answered, Decided)
    assert (still, requeued) == (RunState.PARKED, Done())
    assert await given.store.claim(want(release=SECOND)) == []
    [again] = await given.store.claim(want(release=FIRST))
    assert (again.run.id, again.run.release, again.run.note) == (claimed.run.id, FIRST, "")
    [asked] = again.entries
    assert isinstance(asked.outcome, Returned)


async def test_a_stale_rollback_treats_nobody(given: Given, deeds: Deeds) -> None:
    """The flip and what becomes of the runs in flight are one decision."""
    await deeds.move(FIRST)
    claimed = await of_release(given, RunState.RUNNING)
    late = MovePointer(pointer=Pointer(workflow="triage", version=1, stable=SECOND))
    treat = Treat(workflow="triage", release=FIRST, treatment=Treatment.CANCEL)

    answer = await deeds.amend(treat, late)

    assert answer == Stale()
    assert await given.state(claimed.run.id) == RunState.RUNNING


async def test_treating_and_settling_at_once_agree(given: Given, deeds: Deeds) -> None:
    """Each run of twenty is either settled or cancelled, and its attempt learns which."""
    await deeds.move(FIRST)
    claimed = [await of_release(given, RunState.RUNNING) for _ in range(20)]
    treat = Treat(workflow="triage", release=FIRST, treatment=Treatment.CANCEL)
    unit = deeds.unit(await given.store.head(), treat)

    *answers, treated = await asyncio.gather(
        *(given.store.write(given.settle(one, RunState.SUCCEEDED)) for one in claimed),
        given.store.write(unit),
    )

    assert treated == Done()
    states = await given.states([one.run.id for one in claimed])
    assert [answer == Done() for answer in answers] == [
        state is RunState.SUCCEEDED for state in states
    ]


@pytest.fixture(params=["sqlite", "postgres"])
def old_url(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[str]:
    """Return where a store can be made that knows the first migration only."""
    first = [one for one in migrations.migrations("proveout.adapters.sqlite") if one.number == 1]
    of_postgres = [
        one for one in migrations.migrations("proveout.adapters.postgres") if one.number == 1
    ]

    def first_of_sqlite(_: str) -> list[migrations.Migration]:
        return first

    def first_of_postgres(_: str) -> list[migrations.Migration]:
        return of_postgres

    monkeypatch.setattr(sqlite_schema, "migrations", first_of_sqlite)
    monkeypatch.setattr(schema, "migrations", first_of_postgres)
    if request.param == "sqlite":
        yield f"{SQLITE}{tmp_path / 'old.db'}"
        return
    postgres: Databases = request.getfixturevalue("postgres")
    url = postgres.empty()
    yield url
    postgres.drop(url)


OLD_RUN = (
    "INSERT INTO {runs} (seq, id, workflow, state, value, created, updated, due, fence, experiment,"
    " candidate, position) VALUES ({seq}, '{id}', 'triage', '{state}', '[1]', {now}, {now}, {now},"
    " {fence}, {experiment})"
)

OLD_RUNS = (
    ("fresh", "QUEUED", 0, "NULL, NULL, NULL"),
    ("retried", "QUEUED", 2, "NULL, NULL, NULL"),
    ("waiting", "WAITING", 1, "NULL, NULL, NULL"),
    ("over", "SUCCEEDED", 1, "NULL, NULL, NULL"),
    ("trial", "QUEUED", 1, "'experiment-1', 'workflow', 0"),
)


async def fill(url: str) -> None:
    """Write runs as the version before us did."""
    sqlite = url.startswith(SQLITE)
    table, now = ("runs", "1000000") if sqlite else ("proveout.runs", "to_timestamp(1)")
    orders = [
        OLD_RUN.format(
            runs=table, seq=n, id=name, state=state, fence=fence, experiment=trial, now=now
        )
        for n, (name, state, fence, trial) in enumerate(OLD_RUNS, 1)
    ]
    if sqlite:
        with closing(sqlite3.connect(url.removeprefix(SQLITE))) as connection:
            connection.executescript("; ".join(orders))
            connection.commit()
        return
    link = await Server.at(url).connect("old")
    for order in orders:
        await link.execute(order)
    await part(link)


async def test_a_store_of_the_version_before_is_brought_along(
    old_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had begun goes on as draft, what had not follows the pointer, trials are of neither."""
    await _make_old(old_url)
    await fill(old_url)
    monkeypatch.undo()

    store = await open_url(old_url, SystemClock())

    known = {name: await store.run(RunId(name)) for name, *_ in OLD_RUNS}
    releases = {name: run.release for name, run in known.items() if run is not None}
    assert releases == {
        "fresh": None,
        "retried": DRAFT,
        "waiting": DRAFT,
        "over": DRAFT,
        "trial": None,
    }
    assert await store.in_flight("triage", DRAFT) == InFlight(
        runs=2, oldest=START.fromtimestamp(1, START.tzinfo)
    )
    claimed = await store.claim(want())
    assert [one.run.id for one in claimed] == ["fresh", "retried"]
    assert {one.run.release for one in claimed} == {DRAFT}
    [trial] = await store.claim(want(experiment=ExperimentId("experiment-1")))
    assert (trial.run.id, trial.run.release) == ("trial", None)
    assert json.loads(trial.run.value) == [1]
    assert (await store.pointer("triage")).version == 0
    assert await store.whole_ledger() == []
    await store.close()


async def _make_old(url: str) -> None:
    """Make the tables of the first migration, and only those."""
    if url.startswith(SQLITE):
        with closing(sqlite_schema.connect(Path(url.removeprefix(SQLITE)))) as connection:
            sqlite_schema.migrate(connection)
        return
    link = await Server.at(url).connect("old")
    await schema.prepare(link)
    await part(link)


async def test_an_old_store_lacks_what_is_new(old_url: str) -> None:
    """Negative control: before the migration there is nowhere to keep a release."""
    await _make_old(old_url)

    with pytest.raises(Exception, match="release"):
        await _ask_for_a_release(old_url)


async def _ask_for_a_release(url: str) -> None:
    if url.startswith(SQLITE):
        with closing(sqlite3.connect(url.removeprefix(SQLITE))) as connection:
            connection.execute("SELECT release FROM runs")
        return
    link = await Server.at(url).connect("old")
    try:
        await link.execute("SELECT release FROM proveout.runs")
    finally:
        await part(link)


async def test_a_halt_is_a_decision_like_others(deeds: Deeds, store: Store) -> None:
    """It has its entry in the ledger, and what was halted tells who, since when and why."""
    await deeds.do(halted("effect:send"), why="wrong recipient")

    [halt] = await store.halts("triage")
    [entry] = await store.whole_ledger()
    assert (halt.scope, halt.since, halt.by) == ("effect:send", START, "ana")
    assert json.loads(entry.facts) == {"why": "wrong recipient"}
    assert await store.halts("refunds") == []
