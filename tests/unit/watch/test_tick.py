"""Watching over a workflow: alerts come, reach people in turn, and go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import FIRST, Deeds
from doubles.given import START, Given
from doubles.stores import SQLITE
from doubles.watching import MANNER, MINUTE, RULES, Watched
from proveout.adapters.keyfile import KeyFile
from proveout.domain.alert import AlertState, Rule, Severity
from proveout.domain.desk import ToEscalate
from proveout.domain.record import Kind
from proveout.domain.review import OnExpiry
from proveout.domain.run import RunState
from proveout.domain.schedule import Schedule
from proveout.release.decide import Office
from proveout.watch.answer import (
    BadSilence,
    NoSuchAlert,
    NothingToTake,
    acknowledge,
    end_silence,
    silence,
)
from proveout.watch.stale import Arrivals
from proveout.watch.tick import notices_of

if TYPE_CHECKING:
    from pathlib import Path

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store

HOUR = timedelta(hours=1)
EVERYBODY = ("ana", "ben", "cleo")


@pytest.fixture
def manual_url(tmp_path: Path) -> str:
    """Return where one store is; what must hold on each is in tests/conformance."""
    return f"{SQLITE}{tmp_path / 'store.db'}"


@pytest.fixture
def given(store: Store, clock: WatchedClock, ids: CountedIds) -> Given:
    return Given(store, clock, ids)


@pytest.fixture
async def watched(given: Given) -> Watched:
    """Return triage in production, watched."""
    return await Watched(given).promoted()


@pytest.fixture
def office(given: Given, tmp_path: Path) -> Office:
    signer = KeyFile(tmp_path / "key")
    return Office(store=given.store, clock=given.clock, ids=given.ids, signer=signer)


# An alert's life


async def test_an_alert_reaches_each_tier_in_time_and_says_when_it_is_over(
    watched: Watched,
) -> None:
    """First those who are told first, then those above them, then everybody that it is over."""
    await watched.ends(RunState.FAILED, 3)
    await watched.look()
    await watched.minutes(31)
    await watched.ends(RunState.SUCCEEDED, 10)
    await watched.minutes(4)

    assert watched.notebook.told[:3] == [(to, "alert") for to in EVERYBODY]
    assert sorted(watched.notebook.told[3:]) == [(to, "resolved") for to in EVERYBODY]
    first, second, *_ = watched.notebook.notices
    assert first.title == "[page] triage: 3 of the last 3 runs failed"
    assert second.created - first.created == 15 * MINUTE
    [alert] = await watched.alerts()
    assert alert.state is AlertState.RESOLVED


async def test_every_server_may_die_between_any_two_looks(watched: Watched) -> None:
    """Each look above was a fresh server's; a pause delays a tier, and loses none."""
    await watched.ends(RunState.FAILED, 3)
    await watched.look()
    await watched.minutes(1)
    watched.given.clock.advance(3 * HOUR)
    await watched.look()

    assert sorted(watched.notebook.told) == [(to, "alert") for to in EVERYBODY]


async def test_a_ticket_wakes_nobody_above_the_first_tier(watched: Watched) -> None:
    """It is told again after a day."""
    await watched.ends(RunState.DEAD)
    await watched.ends(RunState.SUCCEEDED, 5)
    await watched.minutes(50)

    assert watched.notebook.told == [("ana", "alert")]
    assert watched.notebook.notices[0].severity is Severity.TICKET


async def test_what_breaks_together_is_told_together(watched: Watched) -> None:
    """The first of a group waits half a minute for the others."""
    await watched.ends(RunState.FAILED, 3)
    await watched.look()
    watched.given.clock.advance(timedelta(seconds=20))
    await watched.ends(RunState.DEAD)
    await watched.minutes(1, 0.25)

    [notice] = watched.notebook.notices
    assert len(notice.subjects) == 2
    assert "the last 4 runs failed" in notice.body
    assert "1 run is dead" in notice.body


async def test_without_the_first_wait_they_come_one_by_one(given: Given) -> None:
    """Negative control: told at once, the same two are two notices."""
    hasty = replace(MANNER, first_wait=timedelta(0), between=timedelta(0))
    watched = await Watched(given, manner=hasty).promoted()
    await watched.ends(RunState.FAILED, 3)
    await watched.look()
    given.clock.advance(timedelta(seconds=20))
    await watched.ends(RunState.DEAD)
    await watched.minutes(1, 0.25)

    assert len(watched.notebook.notices) == 2


async def test_before_production_no_rule_is_judged(given: Given) -> None:
    """A proof of concept has no objective to hold."""
    watched = Watched(given)
    await Deeds(given).move(FIRST)
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(5)

    assert await watched.alerts() == []


async def test_without_an_objective_many_runs_that_fail_are_told_of_too(given: Given) -> None:
    """Where nobody said what must hold, the last runs are judged one by one, however many."""
    watched = await Watched(given, rules=replace(RULES, objectives=())).promoted()
    await watched.ends(RunState.SUCCEEDED, 15)
    await watched.ends(RunState.FAILED, 10)
    await watched.minutes(2)

    assert [one.rule for one in await watched.alerts()] == [Rule.FAILURES]


async def test_with_an_objective_many_runs_are_judged_by_their_share(watched: Watched) -> None:
    """Ten failures of twenty-five burn the budget of a month forty times too fast."""
    await watched.ends(RunState.SUCCEEDED, 15)
    await watched.ends(RunState.FAILED, 10)
    await watched.minutes(2)

    told = {(one.rule, one.severity) for one in await watched.alerts()}
    assert told == {(Rule.RUNS, Severity.PAGE)}


async def test_an_alert_that_comes_back_at_once_is_the_same_alert(watched: Watched) -> None:
    """A rule must hold for two minutes before its alert is over."""
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(2)
    await watched.ends(RunState.SUCCEEDED, 10)
    await watched.minutes(1)
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(5)

    open_ones = [one for one in await watched.alerts() if one.severity is Severity.PAGE]
    assert len(open_ones) == 1


async def test_nothing_that_arrives_is_told_of(given: Given) -> None:
    """At ten something should have come within the hour before."""
    expected = Arrivals(at=Schedule(name="arrivals", cron="0 10 * * *"), within=HOUR)
    watched = await Watched(given, rules=replace(RULES, arrivals=expected)).promoted()
    await watched.minutes(59)
    before = await watched.alerts()
    await watched.minutes(3)

    [alert] = await watched.alerts()
    assert before == []
    assert (alert.rule, alert.summary) == (Rule.ARRIVALS, "nothing has arrived ever")


async def test_a_halted_workflow_is_not_told_to_be_idle(given: Given) -> None:
    """Whoever halted it knows that nobody works."""
    watched = await Watched(given).promoted()
    await given.queued()
    await Deeds(given).halt()
    await watched.minutes(10)
    halted = await watched.alerts()
    await Deeds(given).resume()
    await watched.minutes(2)

    [alert] = await watched.alerts()
    assert halted == []
    assert alert.rule is Rule.QUEUE


# What is not told


async def test_of_what_follows_from_a_models_outage_nobody_is_told(watched: Watched) -> None:
    """The runs that fail for it are the same trouble; they are told of once it is not the cause."""
    given = watched.given
    run = (await given.queued()).id
    calls = [given.model_call(run, status=503) for _ in range(6)]
    await watched.store.write(given.charge(*calls))
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(4)
    during = [one.title for one in watched.notebook.notices]
    await watched.minutes(5)
    after = [one.title for one in watched.notebook.notices[1:]]

    assert during == ["[page] triage: 6 of 6 calls of models failed within 5 min"]
    assert "[resolved] triage: 6 of 6 calls of models failed within 5 min" in after
    assert "[page] triage: 3 of the last 3 runs failed" in after


async def test_a_silence_tells_nobody_until_it_ends(watched: Watched, office: Office) -> None:
    """It has an author, a reason and an end, and the ledger knows it."""
    made = await silence(office, Rule.FAILURES, "ana", "we are moving the queue", HOUR)
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(59)
    during = list(watched.notebook.told)
    await watched.minutes(3)

    head = await watched.store.head()
    assert head is not None
    assert (head.actor, head.act, head.subject) == ("ana", "silence", "failures")
    assert made.ends == START + HOUR
    assert (during, watched.notebook.told) == ([], [("ana", "alert")])


async def test_a_silence_of_another_rule_silences_nothing(watched: Watched, office: Office) -> None:
    """Negative control: the alert above would have been told."""
    await silence(office, Rule.COST, "ana", "the price list is old", HOUR)
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(2)

    assert watched.notebook.told == [("ana", "alert")]


async def test_a_silence_can_be_ended(watched: Watched, office: Office) -> None:
    """From the next look on people are told."""
    made = await silence(office, None, "ana", "we are moving the queue", HOUR)
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(2)
    await end_silence(office, made.id, "ben")
    await watched.minutes(1)

    assert watched.notebook.told == [("ana", "alert")]


@pytest.mark.parametrize(
    ("reason", "lasts"),
    [("", HOUR), ("  ", HOUR), ("why", timedelta(0)), ("why", timedelta(days=31))],
)
async def test_a_silence_needs_a_reason_and_an_end(
    office: Office, reason: str, lasts: timedelta
) -> None:
    """Nothing is silenced for ever, or for nothing."""
    with pytest.raises(BadSilence):
        await silence(office, None, "ana", reason, lasts)


# Who takes it


async def test_an_alert_that_is_taken_goes_no_further_and_comes_back(
    watched: Watched, office: Office
) -> None:
    """An acknowledgement lapses; then the first tier hears again."""
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(2)
    [alert] = await watched.alerts()
    await acknowledge(office, "triage", alert.id, "ana", HOUR)
    await watched.minutes(59)
    taken = (await watched.alerts())[0].state
    during = list(watched.notebook.told)
    await watched.minutes(2)

    assert (taken, during) == (AlertState.ACKNOWLEDGED, [("ana", "alert")])
    assert watched.notebook.told == [("ana", "alert"), ("ana", "alert")]
    assert (await watched.alerts())[0].state is AlertState.OPEN


async def test_only_what_is_there_and_not_over_can_be_taken(
    watched: Watched, office: Office
) -> None:
    """An unknown name, an alert that is over, a review that was answered."""
    review = await watched.asks()
    await watched.answered(review)
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(2)
    await watched.ends(RunState.SUCCEEDED, 10)
    await watched.minutes(4)
    [alert] = await watched.alerts()

    for name, error in (
        ("nobody", NoSuchAlert),
        ("review:nobody", NoSuchAlert),
        (alert.id, NothingToTake),
        (f"review:{review.id}", NothingToTake),
    ):
        with pytest.raises(error):
            await acknowledge(office, "triage", name, "ana", HOUR)


# Reviews


FOUR_HOURS: dict[str, Any] = {
    "deadline": START + 4 * HOUR,
    "on_expiry": OnExpiry.REJECT,
}


async def test_an_unanswered_review_reaches_each_tier_before_its_deadline(
    watched: Watched,
) -> None:
    """From half of its time on; and who was told hears that it was answered."""
    review = await watched.asks(**FOUR_HOURS)
    await watched.minutes(119, 7)
    before = list(watched.notebook.told)
    await watched.minutes(40)
    await watched.answered(review)
    await watched.minutes(1)

    assert before == []
    assert watched.notebook.told[:3] == [(to, "review") for to in EVERYBODY]
    assert sorted(watched.notebook.told[3:]) == [(to, "resolved") for to in EVERYBODY]
    assert [one.created - START for one in watched.notebook.notices[:3]] == [
        timedelta(minutes=minutes) for minutes in (120, 135, 150)
    ]
    assert await watched.store.records(Kind.ESCALATION) == {}


async def test_a_review_with_little_time_tells_everybody_within_it(watched: Watched) -> None:
    """Half an hour of tiers is brought into the five minutes that are left."""
    await watched.asks(deadline=START + 10 * MINUTE, on_expiry=OnExpiry.REJECT)
    await watched.minutes(10, 0.5)

    assert watched.notebook.told == [(to, "review") for to in EVERYBODY]


async def test_a_review_that_somebody_hands_up_reaches_the_next_tier_at_once(
    watched: Watched,
) -> None:
    """Whoever cannot decide need not wait for half of the time to pass; one press, one tier."""
    review = await watched.asks(**FOUR_HOURS)
    await watched.minutes(1)
    before = list(watched.notebook.told)

    await watched.store.write(watched.given.handle(review, ToEscalate("above my limit"), "ana"))
    await watched.minutes(3)

    assert before == []
    assert watched.notebook.told == [("ana", "review")]


async def test_an_answered_review_troubles_nobody(watched: Watched) -> None:
    """Nor does its answer."""
    review = await watched.asks(**FOUR_HOURS)
    await watched.minutes(60, 10)
    await watched.answered(review)
    await watched.minutes(180, 10)

    assert watched.notebook.told == []


# Handing over


async def test_a_notice_that_no_channel_takes_is_handed_over_until_one_does(
    watched: Watched,
) -> None:
    """Its trouble is kept beside it, and its id stays the same."""
    await watched.ends(RunState.FAILED, 3)
    watched.notebook.refuses = True
    await watched.minutes(3, 0.25)
    [waiting] = await notices_of(watched.store)
    watched.notebook.refuses = False
    await watched.minutes(2, 0.25)
    [taken] = await notices_of(watched.store)

    assert (waiting.accepted, waiting.trouble) == (None, "the channel is down")
    assert waiting.tries > 2
    assert taken.accepted is not None
    assert [one.id for one in watched.notebook.notices] == [waiting.id]


async def test_a_look_that_finds_nothing_new_writes_nothing(watched: Watched) -> None:
    """Watching costs reads alone."""
    await watched.look()
    watched.given.clock.advance(timedelta(seconds=1))

    assert await watched.look() is False


async def test_what_was_over_long_ago_is_forgotten(watched: Watched, office: Office) -> None:
    """After a month nothing is left of it but the ledger."""
    await silence(office, Rule.COST, "ana", "the price list is old", HOUR)
    await watched.ends(RunState.FAILED, 3)
    await watched.minutes(3)
    await watched.ends(RunState.SUCCEEDED, 10)
    await watched.minutes(3)
    watched.given.clock.advance(timedelta(days=31))
    await watched.look()

    kinds = (Kind.ALERT, Kind.ESCALATION, Kind.SILENCE, Kind.NOTICE, Kind.OUTGOING)
    assert [await watched.store.records(kind) for kind in kinds] == [{}] * len(kinds)
