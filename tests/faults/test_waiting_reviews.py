"""Thousands of reviews wait through a restart and an upgrade, and people answer as they should not.

Late, twice, at once, early, for another draft, with a made-up digest: each review ends with one
decision or with its declared end, never with an approval that nobody gave in time, and each run
goes on where it began.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doubles.given import DRAFT, Given, want
from faults.conftest import FULL
from proveout.domain.desk import ToEdit
from proveout.domain.journal import Returned
from proveout.domain.review import Answer, OnExpiry, Review, ReviewState
from proveout.domain.run import RunState
from proveout.domain.unit import Decided, Done, Undecidable
from proveout.ports.reviews import ReviewFilter
from proveout.ports.store import Tended
from proveout.ready.sandbox import Protection
from proveout.ready.unprotected import without

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from doubles.stores import Open
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.store import Claimed, Store

pytestmark = pytest.mark.faults

REVIEWS = 5000 if FULL else 1000
AT_ONCE = 3
"""Answers to one review at the same moment."""

OLD, NEW = "release-1", "release-2"
HOUR = timedelta(hours=1)
HOLD = timedelta(seconds=10)


async def each(store: Store, units: Iterable[Unit]) -> list[Answered]:
    """Write units at once."""
    return await asyncio.gather(*(store.write(unit) for unit in units))


async def claim_all(store: Store, release: str) -> list[Claimed]:
    """Return every run that a worker of that release is given."""
    found: list[Claimed] = []
    while claimed := await store.claim(want(release=release)):
        found += claimed
    return found


async def park(given: Given, count: int) -> list[Review]:
    """Return the reviews of so many runs that wait; half of them expire in an hour."""
    await asyncio.gather(*(given.queued(release=OLD) for _ in range(count)))
    claimed = await claim_all(given.store, OLD)
    asked = [
        given.question(
            one,
            deadline=given.clock.now() + HOUR if place % 2 else None,
            on_expiry=OnExpiry.REJECT,
        )
        for place, one in enumerate(claimed)
    ]
    assert set(await each(given.store, asked)) == {Done()}
    settled = [given.settle(one, RunState.WAITING) for one in claimed]
    assert set(await each(given.store, settled)) == {Done()}
    return [unit.review for unit in asked if unit.review is not None]


def wrong(given: Given, reviews: Sequence[Review]) -> list[Unit]:
    """Return answers with a made-up digest, and with that of another draft."""
    digests = ("0" * 64, reviews[0].digest[::-1])
    return [given.decide(one, digest=digests[n % 2]) for n, one in enumerate(reviews)]


def crowd(given: Given, reviews: Sequence[Review]) -> list[Unit]:
    """Return several answers to each review that contradict each other."""
    answers = (
        Answer(approved=bool(n % 2), content=DRAFT, by=f"person-{n}") for n in range(AT_ONCE)
    )
    return [
        given.decide(one, answer=answer, hold=HOLD * (place % 2))
        for answer in answers
        for place, one in enumerate(reviews)
    ]


async def test_thousands_of_reviews_are_each_decided_once(
    store: Store, reopen: Open, clock: WatchedClock, ids: CountedIds
) -> None:
    """Whatever is tried, whoever restarts and whatever is released meanwhile."""
    reviews = await park(Given(store, clock, ids), REVIEWS)
    other = await reopen()  # a restart: nothing of the first is needed any more
    given = Given(other, clock, ids)

    refused = await each(other, wrong(given, reviews))
    assert all(isinstance(one, Undecidable) for one in refused)
    assert await claim_all(other, NEW) == await claim_all(other, OLD) == []
    edited = reviews[: REVIEWS // 10]
    await each(other, (given.handle(one, ToEdit(one.digest, b'"new"'), "bo") for one in edited))
    stale = await each(other, map(given.decide, edited))
    assert all(isinstance(one, Undecidable) for one in stale)

    soon = reviews[: REVIEWS // 2]
    now = [one for one in [await other.review(one.id) for one in soon] if one is not None]
    told = await each(other, crowd(given, now))
    taken = Counter(one.review.id for one in told if isinstance(one, Decided))
    assert taken == dict.fromkeys([one.id for one in soon], 1)

    clock.advance(HOUR)
    late = await each(other, map(given.decide, reviews[REVIEWS // 2 :]))
    while await other.tend() != Tended():
        pass
    ends = [await other.review(one.id) for one in reviews]
    assert all(one is not None for one in ends)
    states = Counter(one.state for one in ends if one is not None)
    in_time = sum(isinstance(one, Decided) for one in late)
    assert states == {
        ReviewState.DECIDED: REVIEWS // 2 + in_time,
        ReviewState.EXPIRED: REVIEWS // 2 - in_time,
    }
    assert in_time == sum(one.deadline is None for one in reviews[REVIEWS // 2 :])
    expired = [one for one in ends if one is not None and one.state is ReviewState.EXPIRED]
    assert not any(one.answer is None or one.answer.approved for one in expired)

    assert await other.waiting(ReviewFilter()) == []
    assert await claim_all(other, NEW) == []
    resumed = await claim_all(other, OLD)
    assert sorted(one.run.id for one in resumed) == sorted(one.run for one in reviews)
    answers = {one.run: one.answer for one in ends if one is not None}
    for one in resumed:
        answer = answers[one.run.id]
        assert answer is not None
        assert one.entries[0].outcome == Returned(answer.to_json())


async def test_a_store_that_trusts_would_be_seen(
    store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """The negative control: without bound decisions the made-up digests are taken."""
    reviews = await park(Given(store, clock, ids), 4)
    trusting = without(store, Protection.BOUND_DECISIONS, ids)

    answers = await each(trusting, wrong(Given(store, clock, ids), reviews))

    assert all(isinstance(one, Decided) for one in answers)
