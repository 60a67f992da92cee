"""The last hour: every run in its minute, in its release's colour, and nothing of before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from doubles.clock import ManualClock
from doubles.deeds import FIRST, SECOND, release
from doubles.given import Given, want
from proveout.adapters.troubles import StoreUnavailable
from proveout.domain.ledger import Deed
from proveout.domain.release import Canary, Pointer, Share
from proveout.domain.run import RunState
from proveout.domain.unit import NewRelease
from proveout.faces import settings
from proveout.faces.web import gather, gather_overview
from proveout.faces.web.lately import PAYS, Lately
from proveout.faces.web.traffic import HEIGHT, MINUTE, Hour, spark, traffic_of
from proveout.ports.measure import Minute
from proveout.release.decide import amend
from proveout.release.move import Order, promote, roll_back, start_canary
from proveout.release.route import CanaryPlan
from proveout.run.query import parse
from proveout.watch.worth import LEAST_REVIEWED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from proveout.faces.web.overview import Overview
    from proveout.faces.web.traffic import Traffic

NOW = datetime(2026, 11, 22, 12, 42, 5, tzinfo=UTC)
LAST = NOW.replace(second=0)
STABLE, CANARY = release(FIRST), release(SECOND, number=2)
POINTER = Pointer(
    workflow="triage",
    stable=STABLE.digest,
    canary=Canary(release=CANARY.digest, share=Share(points=500), salt="", since=NOW),
)


def minute(ago: int, ended: int, failed: int = 0, of: str = STABLE.digest) -> Minute:
    return Minute(start=LAST - ago * MINUTE, release=of, ended=ended, failed=failed)


def drawn(minutes: Sequence[Minute], moves: Sequence[tuple[datetime, str]] = ()) -> Traffic:
    names: dict[str, str] = {STABLE.digest: "r1", CANARY.digest: "r2"}
    return traffic_of(Hour(NOW, tuple(minutes)), POINTER, names, moves)


def test_an_hour_has_sixty_minutes_and_this_is_the_last() -> None:
    """What ended before the first is not shown; quiet minutes keep their places."""
    seen = drawn([minute(60, 1_000), minute(59, 3), minute(0, 5, failed=1)])

    assert (seen.ended, seen.failed) == (8, 1)
    assert [one.ended for one in seen.bars] == [3, *[0] * 58, 5]
    assert seen.bars[-1].at == LAST


def test_a_bar_is_as_high_as_its_runs_and_failures_stand_at_its_foot() -> None:
    """Failed ones first, then the stable release's, then the canary's, none twice."""
    seen = drawn([minute(0, 30, failed=10), minute(0, 10, of=CANARY.digest), minute(1, 20)])

    pieces = seen.bars[-1].pieces
    assert [one.look for one in pieces] == ["f-no", "f-acc2", "f-acc"]
    assert [one.height for one in pieces] == pytest.approx([HEIGHT / 4, HEIGHT / 2, HEIGHT / 4])
    assert pieces[0].y + pieces[0].height == pytest.approx(HEIGHT)
    assert pieces[-1].y == pytest.approx(0)
    assert seen.bars[-2].pieces[0].height == pytest.approx(HEIGHT / 2)


def test_one_failure_among_thousands_can_be_seen() -> None:
    """A line of a fraction of a pixel would be none."""
    [failed, _] = drawn([minute(0, 50_000, failed=1)]).bars[-1].pieces

    assert failed.height > 1


def test_releases_are_told_apart_by_what_serves() -> None:
    """What neither is stable nor the canary is the rest."""
    seen = drawn([minute(3, 1, of="f" * 64), minute(2, 1), minute(1, 1, of=CANARY.digest)])

    assert [(one.look, one.name) for one in seen.keys] == [
        ("f-acc2", "r1"),
        ("f-plain", "f" * 10),
        ("f-acc", "r2"),
    ]


def test_moves_of_the_pointer_stand_where_they_happened() -> None:
    """Those of the hour alone; of moves close together the last has room for its words."""
    moves = [
        (LAST - 5 * MINUTE, "back to r1"),
        (LAST - 29 * MINUTE, "r2 canary, 5%"),
        (LAST - 30 * MINUTE, "r1 serves"),
        (NOW - timedelta(hours=2), "long ago"),
    ]

    last, middle, first = drawn([], moves).marks

    assert middle == (0.5, "r2 canary, 5%", True)
    assert (last.text, last.has_room) == ("back to r1", True)
    assert (first.text, first.has_room) == ("r1 serves", False)


def test_a_quiet_hour_is_drawn_too() -> None:
    """Nothing is divided by nothing."""
    seen = drawn([])

    assert (seen.ended, [one.runs for one in seen.ticks]) == (0, [0, 1])
    assert spark([0.0] * 60) == ""


# Of late


async def test_a_figure_is_not_found_out_again_while_it_pays() -> None:
    """What took a second is shown for twenty."""
    clock, asked = ManualClock(), 0
    figure: Lately[int] = Lately(clock)

    async def find() -> int:
        nonlocal asked
        asked += 1
        clock.advance(timedelta(seconds=1))
        return asked

    first = [await figure.look(find), await figure.look(find)]
    clock.advance(timedelta(seconds=PAYS))

    assert (first, await figure.look(find)) == ([1, 1], 2)


async def test_a_page_does_not_wait_for_what_takes_long() -> None:
    """It shows nothing, then what was known, and one look at a time is under way."""
    figure: Lately[int] = Lately(ManualClock())
    goes_on, asked = asyncio.Event(), 0

    async def find() -> int:
        nonlocal asked
        asked += 1
        await goes_on.wait()
        return 7

    before = [await figure.look(find), await figure.look(find)]
    goes_on.set()

    assert (before, await figure.look(find), asked) == ([None, None], 7, 1)


async def test_a_figure_stays_as_it_was_while_the_store_is_away() -> None:
    """And the next look tries again."""
    figure: Lately[int] = Lately(ManualClock())

    async def fail() -> int:
        raise StoreUnavailable("gone")

    async def find() -> int:
        return 7

    seen = [await figure.look(fail), await figure.look(find), await figure.look(fail)]

    assert seen == [None, 7, 7]


async def test_a_bug_in_what_is_counted_is_the_pages() -> None:
    """It is not taken for a figure that is on its way."""
    figure: Lately[int] = Lately(ManualClock())

    async def fail() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await figure.look(fail)


# From the store


@pytest.fixture
async def served(desk: Desk) -> Desk:
    """Return a desk whose workflow is in production on r1, with r2 in canary."""
    office = desk.house.office
    for one in (R1, R2):
        deed = Deed(actor="ana", act="create release", subject=one.name, facts={})
        await amend(office, deed, (NewRelease(release=one, archive=b"", settings=b""),))
    await promote(office, R1, "ana", {})
    plan = CanaryPlan(share=Share(points=500), salt="", now=office.clock.now())
    await start_canary(office, R2, plan, "ana", {})
    known = desk.console.known
    for one in (known.hour, known.spent, known.judged):
        one.patience = 30.0  # the test is about what is counted, however slow the store
    return desk


WORTH = """
[prove.worth]
value_per_success = "1.20 USD"
loss_per_error = "6 USD"
baseline = { minutes = 6, person_hour = "38 USD" }
"""
R1 = release(FIRST, workflow="answers")
R2 = release(SECOND, workflow="answers", number=2)


async def ended(desk: Desk, given: Given, state: RunState = RunState.SUCCEEDED) -> None:
    await given.queued(workflow="answers", release=R1.digest)
    [one] = await desk.store.claim(want(workflows=("answers",), release=R1.digest))
    await desk.store.write(given.settle(one, state))


async def seen(desk: Desk) -> Overview:
    return await gather_overview.overview(desk.console, await gather.standing(desk.console.project))


async def test_the_overview_counts_the_hour_as_it_goes_on(
    served: Desk, clock: WatchedClock, ids: CountedIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute that is over is not counted again, and none is counted twice or left out."""
    given = Given(served.store, clock, ids)
    count, asked = served.store.by_minute, list[timedelta]()

    async def noted(workflow: str, since: datetime) -> list[Minute]:
        asked.append(clock.now() - since)
        return await count(workflow, since)

    monkeypatch.setattr(served.store, "by_minute", noted)
    counts: list[tuple[int, int]] = []
    for state in (RunState.SUCCEEDED, RunState.FAILED, RunState.DEAD, RunState.SUCCEEDED):
        await ended(served, given, state)
        hour = (await seen(served)).traffic
        assert hour is not None
        counts.append((hour.ended, hour.failed))
        clock.advance(5 * MINUTE)
    clock.advance(43 * MINUTE)
    later = (await seen(served)).traffic

    assert counts == [(1, 0), (2, 1), (3, 2), (4, 2)]
    assert later is not None
    assert (later.ended, later.failed) == (3, 2)
    assert [round(one / MINUTE) for one in asked] == [59, 7, 7, 7, 50]


async def test_the_overview_tells_the_figures_of_now(
    served: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """Each with its course where it has one; moves of the pointer stand in the chart."""
    given = Given(served.store, clock, ids)
    await ended(served, given)
    await ended(served, given, RunState.FAILED)
    await given.queued(workflow="answers", release=R1.digest)
    await given.waiting()
    await roll_back(served.house.office, Order(workflow="answers", actor="ana"))

    page = await seen(served)

    assert {one.name: f"{one.figure}{one.unit}" for one in page.tiles} == {
        "Runs per minute": "0.033",
        "Failed": "50%",
        "Oldest in the queue": "0 s",
        "Models, last 24 h": "$0.00",
        "Waiting for review": "1",
        "Alerts": "0",
    }
    for one in page.tiles:
        parse(dict(parse_qsl(urlsplit(one.href).query)).get("q", ""))
    assert page.traffic is not None
    assert [one.text for one in page.traffic.marks] == [
        "back to r1",
        "r2 canary, 5%",
        "r1 serves",
    ]


async def test_worth_is_told_where_an_experiment_asks_for_it(
    served: Desk, clock: WatchedClock, ids: CountedIds
) -> None:
    """And only once people have decided enough drafts to reckon it."""
    project = served.console.project
    path = project.settings.path
    text = path.read_text("utf-8").replace("[prove]\n", '[prove]\nprice_per_call = "0.01 USD"\n')
    path.write_text(text.replace("[sources.shop]", f"{WORTH}\n[sources.shop]"), "utf-8")
    project.settings = settings.load(path)
    given = Given(served.store, clock, ids)
    await ended(served, given)

    few = (await seen(served)).tiles[-1]
    for _ in range(LEAST_REVIEWED):
        await decided(served, given)
    clock.advance(MINUTE)
    enough = (await seen(served)).tiles[-1]

    assert (few.name, few.note) == (
        "Worth of a run, 30 d",
        "0 of the 30 decisions needed",
    )
    # Right is worth $1.20, and six minutes of a person at $38 an hour are saved.
    assert (enough.figure, enough.note) == ("$5.00", "100% taken to be right; 30 decisions")


async def decided(desk: Desk, given: Given) -> None:
    """Have a person approve the draft of a run of r1."""
    await given.queued(workflow="answers", release=R1.digest)
    [one] = await desk.store.claim(want(workflows=("answers",), release=R1.digest))
    asked = given.question(one)
    await desk.store.write(asked)
    await desk.store.write(given.settle(one, RunState.WAITING))
    assert asked.review is not None
    await desk.store.write(given.decide(asked.review))
    [again] = await desk.store.claim(want(workflows=("answers",), release=R1.digest))
    await desk.store.write(given.settle(again, RunState.SUCCEEDED))


async def test_before_production_there_is_no_traffic(desk: Desk) -> None:
    """A proof of concept has no figures of production, and none is made up."""
    page = await seen(desk)

    assert (page.traffic, page.tiles) == (None, ())
