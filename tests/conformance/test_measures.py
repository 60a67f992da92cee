"""Measures: what production did within a time, in the same numbers on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from doubles.given import DRAFT, START, Given, want
from proveout.domain.model_call import Caller
from proveout.domain.money import Usd
from proveout.domain.review import Answer, OnExpiry
from proveout.domain.run import RunState
from proveout.ports.measure import Judged, Measured, Minute, ModelHealth, Spent

if TYPE_CHECKING:
    from doubles.clock import ManualClock
    from proveout.domain.review import Review
    from proveout.ports.store import Claimed, Store

MINUTE = timedelta(minutes=1)
RELEASE = "r" * 64


async def claimed(given: Given) -> Claimed:
    """Return a run that a release has begun."""
    run = await given.queued(release=RELEASE)
    found = await given.store.claim(want(release=RELEASE))
    return next(one for one in found if one.run.id == run.id)


async def ended(given: Given, state: RunState = RunState.SUCCEEDED) -> Claimed:
    """Return a run that a release has ended."""
    one = await claimed(given)
    await given.store.write(given.settle(one, state))
    return one


async def measured(store: Store, since: timedelta = timedelta(0)) -> Measured:
    return await store.measured("triage", START + since, MINUTE)


async def test_runs_that_ended_are_counted_by_how(given: Given, store: Store) -> None:
    """Failed and dead ones are failures, cancelled ones are nobody's."""
    for state in (RunState.SUCCEEDED, RunState.SUCCEEDED, RunState.FAILED, RunState.DEAD):
        await ended(given, state)
    await given.store.write(given.cancel((await given.queued(release=RELEASE)).id))

    found = await measured(store)

    assert found == Measured(ended=4, failed=2, dead=1)


async def test_drafts_trials_and_other_workflows_are_left_out(given: Given, store: Store) -> None:
    """An objective is about what a release does in production."""
    draft = await given.claimed()
    await given.store.write(given.settle(draft, RunState.FAILED))
    await given.enqueue(given.trial(1))
    other = await given.queued(workflow="other", release=RELEASE)
    [one] = await given.store.claim(want(workflows=("other",), release=RELEASE))
    await given.store.write(given.settle(one, RunState.FAILED))

    found = await measured(store)

    assert other.id == one.run.id
    assert found == Measured()


async def test_only_what_ended_since_counts(given: Given, store: Store, clock: ManualClock) -> None:
    """A window has a beginning."""
    await ended(given, RunState.FAILED)
    clock.advance(10 * MINUTE)
    await ended(given)

    found = await measured(store, since=5 * MINUTE)

    assert (found.ended, found.failed) == (1, 0)


async def test_what_ended_is_told_by_minute_and_release(
    given: Given, store: Store, clock: ManualClock
) -> None:
    """Drafts and runs of before are left out, and so is a minute in which nothing ended."""
    clock.advance(30 * MINUTE)
    await ended(given)
    clock.advance(MINUTE)
    for state in (RunState.SUCCEEDED, RunState.FAILED, RunState.DEAD):
        await ended(given, state)
        clock.advance(MINUTE / 3.1)
    draft = await given.claimed()
    await given.store.write(given.settle(draft, RunState.FAILED))
    clock.advance(2 * MINUTE)
    await ended(given)

    found = await store.by_minute("triage", START + 31 * MINUTE)

    minute = (START + 31 * MINUTE).replace(second=0, microsecond=0)
    assert found == [
        Minute(start=minute, release=RELEASE, ended=3, failed=2),
        Minute(start=minute + 2 * MINUTE, release=RELEASE, ended=1, failed=0),
    ]


async def waited(given: Given, clock: ManualClock, for_people: timedelta) -> None:
    """Have a run take two minutes and the time in which a person decides."""
    one = await claimed(given)
    clock.advance(MINUTE)
    question = given.question(one, opened=clock.now())
    await given.store.write(question)
    await given.store.write(given.settle(one, RunState.WAITING))
    clock.advance(for_people)
    review: Review | None = question.review
    assert review is not None
    await given.store.write(given.decide(review))
    [again] = await given.store.claim(want(release=RELEASE, limit=1))
    clock.advance(MINUTE)
    await given.store.write(given.settle(again, RunState.SUCCEEDED))


async def test_the_time_of_people_is_not_the_workflows(
    given: Given, store: Store, clock: ManualClock
) -> None:
    """Two minutes of its own are not late for three, however long somebody thought."""
    await waited(given, clock, for_people=timedelta(hours=2))

    late = (await store.measured("triage", START, 1 * MINUTE)).late
    in_time = (await store.measured("triage", START, 3 * MINUTE)).late

    assert (late, in_time) == (1, 0)


async def test_reviews_that_nobody_answered_are_counted(
    given: Given, store: Store, clock: ManualClock
) -> None:
    """Of two reviews one was decided and one expired."""
    for n in range(2):
        one = await claimed(given)
        question = given.question(
            one, deadline=clock.now() + 10 * MINUTE, on_expiry=OnExpiry.REJECT
        )
        await given.store.write(question)
        await given.store.write(given.settle(one, RunState.WAITING))
        if n == 0:
            assert question.review is not None
            answer = Answer(approved=True, content=DRAFT, by="ada")
            await given.store.write(given.decide(question.review, answer=answer))
    clock.advance(11 * MINUTE)
    await store.tend()

    found = await measured(store)

    assert (found.reviews, found.expired) == (2, 1)


async def test_what_runs_cost_is_summed(given: Given, store: Store) -> None:
    """Runs without a call, or with one of unknown price, are not priced."""
    one, two, _ = await ended(given), await ended(given), await ended(given)
    calls = [given.model_call(one.run.id, cost=Usd("0.25")) for _ in range(2)]
    await store.write(given.charge(*calls, given.model_call(two.run.id, cost=None)))

    found = await store.spent("triage", START)
    later = await store.spent("triage", START + MINUTE)

    assert (found, later) == (Spent(cost=Usd("0.5"), priced=1), Spent())


async def test_the_newest_outcomes_come_first(
    given: Given, store: Store, clock: ManualClock
) -> None:
    """In the order in which runs ended, as many as are asked for."""
    for state in (RunState.FAILED, RunState.SUCCEEDED, RunState.DEAD, RunState.SUCCEEDED):
        await ended(given, state)
        clock.advance(MINUTE)

    newest = await store.newest_outcomes("triage", START, 3)
    since = await store.newest_outcomes("triage", START + 3 * MINUTE, 10)

    assert (newest, since) == ([True, False, True], [True])


async def test_what_arrived_last_is_known_apart_from_what_we_sent_ourselves(
    given: Given, store: Store, clock: ManualClock
) -> None:
    """A synthetic item is no sign that anybody else still sends any."""
    nothing = await store.newest_arrival("triage", "")
    await given.queued(key="order-1")
    clock.advance(MINUTE)
    await given.queued(key="schedule:probe:2026")
    await given.enqueue(given.trial(1))

    anything = await store.newest_arrival("triage", "")
    others = await store.newest_arrival("triage", "schedule:probe:")

    assert (nothing, anything, others) == (None, START + MINUTE, START)


async def test_calls_that_vendors_turned_away_are_failed(given: Given, store: Store) -> None:
    """No answer, too many calls and errors of the vendor's; not what we asked wrongly."""
    run = (await given.queued()).id
    trial = given.trial(1)
    await given.enqueue(trial)
    calls = [given.model_call(run, status=status) for status in (200, 400, 0, 429, 503)]
    tried = replace(
        given.model_call(run, status=500), caller=Caller(run=trial.id, fence=1, place=None)
    )
    await store.write(given.charge(*calls, tried))

    found = await store.model_health(START)
    later = await store.model_health(START + MINUTE)

    assert (found, later) == (ModelHealth(calls=5, failed=3), ModelHealth())


async def test_what_people_said_of_results_is_counted(
    given: Given, store: Store, clock: ManualClock
) -> None:
    """A run that a person turned down is no broken one; an edit is no acceptance."""
    edit = b'{"reply": "another"}'
    answers = (
        Answer(approved=True, content=DRAFT, by="ada"),
        Answer(approved=True, content=edit, by="ada"),
        Answer(approved=False, content=DRAFT, by="ada", reason="wrong"),
    )
    for answer in answers:
        one = await claimed(given)
        question = given.question(one, opened=clock.now())
        await given.store.write(question)
        await given.store.write(given.settle(one, RunState.WAITING))
        assert question.review is not None
        await given.store.write(given.decide(question.review, answer=answer))
        [again] = await given.store.claim(want(release=RELEASE, limit=1))
        state = RunState.SUCCEEDED if answer.approved else RunState.FAILED
        await given.store.write(given.settle(again, state))
    await ended(given, RunState.DEAD)
    draft = await given.claimed()
    await given.store.write(given.settle(draft, RunState.FAILED))

    found = await store.judged("triage", START)

    assert found == Judged(ended=4, broken=1, reviews=3, accepted=1)
    assert await store.judged("triage", START + MINUTE) == Judged()
