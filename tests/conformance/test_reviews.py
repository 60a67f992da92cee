"""Questions to people: decided once, on what was seen, or expired."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from doubles.given import DRAFT, EXPIRING, LEASE, START, digest_of, want
from proveout.domain.desk import (
    Objection,
    ToAssign,
    ToClaim,
    ToEdit,
    ToEscalate,
    ToSnooze,
    ToUndo,
)
from proveout.domain.guardrail import Finding
from proveout.domain.journal import Pending, Place, Returned
from proveout.domain.review import Answer, ReviewId, ReviewState, SelfApproval, Terms
from proveout.domain.run import RunState
from proveout.domain.unit import Decided, Done, Handled, Stale, Undecidable
from proveout.ports.reviews import ReviewFilter
from proveout.ports.store import Tended

if TYPE_CHECKING:
    from doubles.given import Given
    from doubles.stores import Open
    from proveout.ports.store import Store

SECOND = timedelta(seconds=1)


async def test_a_question_is_there_with_its_wait(given: Given, store: Store) -> None:
    """A question and the entry that waits for it are written together."""
    claimed, review = await given.asked(**EXPIRING)

    assert await store.review(review.id) == review
    [waits] = await store.journal(claimed.run.id)
    assert (waits.place, waits.outcome) == (review.place, Pending())
    assert await store.review(ReviewId("never")) is None


async def test_a_stale_attempt_asks_nobody(given: Given, store: Store) -> None:
    """A question under an old fence is not put."""
    claimed = await given.claimed()
    unit = replace(given.question(claimed), fence=7)

    assert await store.write(unit) == Stale()
    assert await store.reviews() == []


async def test_a_decision_reaches_its_run(given: Given, store: Store) -> None:
    """The answer stands in the journal, and the run that waited goes on."""
    review = await given.waiting()
    given.clock.advance(SECOND)
    unit = given.decide(review)

    answer = await store.write(unit)

    decided = replace(
        review, state=ReviewState.DECIDED, answer=unit.answer, decided=given.clock.now()
    )
    assert answer == Decided(decided)
    assert await store.review(review.id) == decided
    [claimed] = await store.claim(want())
    assert claimed.run.id == review.run
    assert [one.outcome for one in claimed.entries] == [Returned(unit.answer.to_json())]


async def test_a_decision_names_what_the_person_saw(given: Given, store: Store) -> None:
    """A digest of another content decides nothing."""
    review = await given.waiting()

    answer = await store.write(given.decide(review, digest=digest_of(b"other")))

    assert answer == Undecidable(review, Objection.OTHER_CONTENT)
    assert await given.state(review.run) == RunState.WAITING


async def test_a_review_that_is_not_there_cannot_be_decided(given: Given, store: Store) -> None:
    """Deciding an unknown review says that there is none."""
    review = await given.waiting()

    answer = await store.write(replace(given.decide(review), review=ReviewId("never")))

    assert answer == Undecidable(None)


async def test_the_second_decision_is_told_the_first(given: Given, store: Store) -> None:
    """A review is decided once; whoever comes later sees by whom."""
    review = await given.waiting()
    first = given.decide(review)
    await store.write(first)

    second = await store.write(
        given.decide(review, answer=Answer(approved=False, content=DRAFT, by="bob"))
    )

    assert isinstance(second, Undecidable)
    assert second.review is not None
    assert second.review.answer == first.answer


async def test_of_twenty_decisions_at_once_one_counts(given: Given, reopen: Open) -> None:
    """However many people decide together, exactly one is told that it was they."""
    stores = [given.store, await reopen()]
    review = await given.waiting()
    units = [
        given.decide(review, answer=Answer(approved=bool(n % 2), content=DRAFT, by=f"{n}"))
        for n in range(20)
    ]

    answers = await asyncio.gather(*(stores[n % 2].write(unit) for n, unit in enumerate(units)))

    [winner] = [n for n, answer in enumerate(answers) if isinstance(answer, Decided)]
    known = await given.store.review(review.id)
    assert known is not None
    assert known.answer == units[winner].answer
    told = [answer.review for answer in answers if isinstance(answer, Undecidable)]
    assert told == [known] * 19


async def test_an_answer_may_come_before_the_wait(given: Given, store: Store) -> None:
    """An answer that comes while the attempt still runs is not slept through."""
    claimed, review = await given.asked()
    await store.write(given.decide(review))
    assert await given.state(claimed.run.id) == RunState.RUNNING

    await store.write(given.settle(claimed, RunState.WAITING, due=START + timedelta(days=9)))

    run = await given.known(claimed.run.id)
    assert (run.state, run.due) == (RunState.QUEUED, given.clock.now())


async def test_a_new_attempt_has_seen_earlier_answers(given: Given, store: Store) -> None:
    """A claim hands over the answers that came before it; they do not wake the run again."""
    _, review = await given.asked()
    await store.write(given.decide(review))
    given.clock.advance(LEASE + SECOND)
    await store.tend()
    [again] = await store.claim(want())

    await store.write(given.settle(again, RunState.WAITING))

    assert await given.state(again.run.id) == RunState.WAITING


async def test_an_expired_review_is_never_an_approval(given: Given, store: Store) -> None:
    """When nobody answers in time the run is told so, and goes on."""
    review = await given.waiting(**EXPIRING)
    given.clock.advance(timedelta(hours=4))

    tended = await store.tend()

    assert tended == Tended(expired=1)
    known = await store.review(review.id)
    assert known is not None
    assert (known.state, known.decided) == (ReviewState.EXPIRED, given.clock.now())
    assert known.answer is not None
    assert known.answer == Answer(approved=False, content=DRAFT, by="", expired=True)
    [claimed] = await store.claim(want())
    assert [one.outcome for one in claimed.entries] == [Returned(known.answer.to_json())]


async def test_a_review_before_its_deadline_stays_open(given: Given, store: Store) -> None:
    """Nothing expires early, and nothing without a deadline expires at all."""
    timed = await given.waiting(**EXPIRING)
    for_ever = await given.waiting()
    given.clock.advance(timedelta(hours=4) - SECOND)

    assert await store.tend() == Tended()
    given.clock.advance(timedelta(days=900))
    assert await store.tend() == Tended(expired=1)
    assert await given.states([timed.run, for_ever.run]) == [RunState.QUEUED, RunState.WAITING]


async def test_an_expired_review_cannot_be_decided(given: Given, store: Store) -> None:
    """Who comes after the deadline is told that it has passed."""
    review = await given.waiting(**EXPIRING)
    given.clock.advance(timedelta(hours=4))
    await store.tend()

    answer = await store.write(given.decide(review))

    assert isinstance(answer, Undecidable)
    assert answer.review is not None
    assert answer.review.state == ReviewState.EXPIRED


async def test_expiry_and_decision_agree(given: Given, reopen: Open) -> None:
    """A decision that races the deadline counts or is refused; the journal agrees."""
    other = await reopen()
    reviews = [await given.waiting(**EXPIRING) for _ in range(20)]
    given.clock.advance(timedelta(hours=4))
    units = [given.decide(review) for review in reviews]

    *answers, _ = await asyncio.gather(*map(given.store.write, units), other.tend())
    await given.store.tend()

    for review, unit, answer in zip(reviews, units, answers, strict=True):
        known = await given.store.review(review.id)
        assert known is not None
        assert known.answer is not None
        assert known.answer.approved == isinstance(answer, Decided)
        assert (known.answer == unit.answer) == isinstance(answer, Decided)
        [entry] = await given.store.journal(review.run)
        assert entry.outcome == Returned(known.answer.to_json())


async def test_cancelling_a_run_takes_its_questions_back(given: Given, store: Store) -> None:
    """Nobody is asked about a run that was cancelled; what was decided stays decided."""
    review = await given.waiting()
    given.clock.advance(SECOND)

    assert await store.write(given.cancel(review.run)) == Done()

    superseded = replace(review, state=ReviewState.SUPERSEDED, decided=given.clock.now())
    assert await store.review(review.id) == superseded
    assert await store.write(given.decide(review)) == Undecidable(superseded, Objection.CLOSED)


async def test_the_nearest_deadline_is_listed_first(given: Given, store: Store) -> None:
    """Reviews come by deadline, those without one last; filters and limit hold."""
    claimed = await given.claimed()
    deadlines = (None, START + timedelta(hours=3), START + timedelta(hours=1))
    for place, deadline in enumerate(deadlines):
        unit = given.question(
            claimed,
            id=ReviewId(f"review-{place}"),
            place=Place("", "ask", place),
            queue="legal" if place == 1 else "support",
            deadline=deadline,
        )
        assert await store.write(unit) == Done()
    first = await store.review(ReviewId("review-2"))
    assert first is not None
    await store.write(given.decide(first))

    async def listed(*only: ReviewState | str | None) -> list[str]:
        state, queue = (*only, None, None)[:2]
        return [
            one.id
            for one in await store.reviews(None if state is None else ReviewState(state), queue)
        ]

    assert await listed() == ["review-2", "review-1", "review-0"]
    assert await listed(ReviewState.OPEN) == ["review-1", "review-0"]
    assert await listed(ReviewState.OPEN, "support") == ["review-0"]
    assert [one.id for one in await store.reviews(limit=1)] == ["review-2"]


async def test_reviews_go_on_after_the_one_that_is_named(given: Given, store: Store) -> None:
    """Whatever it has become; same deadlines and none at all are told apart by the id."""
    claimed = await given.claimed()
    at = START + timedelta(hours=1)
    for place, deadline in enumerate((None, at, None, at, at)):
        unit = given.question(
            claimed,
            id=ReviewId(f"review-{place}"),
            place=Place("", "ask", place),
            deadline=deadline,
        )
        assert await store.write(unit) == Done()

    async def after(which: str) -> list[str]:
        return [one.id for one in await store.reviews(after=ReviewId(which))]

    order = ["review-1", "review-3", "review-4", "review-0", "review-2"]
    assert [one.id for one in await store.reviews()] == order
    assert [await after(one) for one in order] == [order[n:] for n in range(1, 6)]
    assert await after("never") == []


async def test_a_run_that_ends_closes_its_open_reviews(given: Given, store: Store) -> None:
    """Nobody is asked what nothing would follow from: another branch has ended the run."""
    claimed, review = await given.asked()

    await store.write(given.settle(claimed, RunState.FAILED))

    now = await store.review(review.id)
    assert now is not None
    assert now.state is ReviewState.SUPERSEDED
    assert await store.write(given.decide(review)) == Undecidable(now, Objection.CLOSED)


async def test_a_claim_is_kept_by_the_stores_clock(given: Given, store: Store) -> None:
    """While one person works on it nobody else decides; when the lease is over anybody may."""
    review = await given.waiting()
    claimed = await store.write(given.handle(review, ToClaim(LEASE), "ana"))

    assert isinstance(claimed, Handled)
    assert (claimed.review.claimed_by, claimed.review.state) == ("ana", ReviewState.CLAIMED)
    assert await store.review(review.id) == claimed.review
    assert await store.claimed("ana") == [review.id]
    refused = await store.write(given.decide(review))
    assert refused == Undecidable(claimed.review, Objection.HELD)

    given.clock.advance(LEASE)

    assert await store.claimed("ana") == []
    assert isinstance(await store.write(given.decide(review)), Decided)


async def test_a_decision_that_can_be_undone_wakes_nobody_before(
    given: Given, store: Store
) -> None:
    """Its run goes on when the time is over, and not a moment sooner."""
    review = await given.waiting()
    await store.write(given.decide(review, hold=10 * SECOND))
    given.clock.advance(9 * SECOND)

    assert await store.tend() == Tended()
    assert await given.state(review.run) == RunState.WAITING
    given.clock.advance(SECOND)

    assert await store.tend() == Tended(decided=1)
    assert await given.state(review.run) == RunState.QUEUED
    known = await store.review(review.id)
    assert known is not None
    assert (known.state, known.takes_effect) == (ReviewState.DECIDED, None)


async def test_an_undone_decision_leaves_no_trace(given: Given, store: Store) -> None:
    """The review waits again, and can be decided as if nothing had been."""
    review = await given.waiting()
    await store.write(given.decide(review, hold=10 * SECOND))

    undone = await store.write(given.handle(review, ToUndo(), "ada"))

    assert undone == Handled(review)
    given.clock.advance(20 * SECOND)
    assert await store.tend() == Tended()
    assert isinstance(await store.write(given.decide(review)), Decided)


async def test_a_second_decision_is_refused_while_the_first_can_be_undone(
    given: Given, store: Store
) -> None:
    """One decision counts from the moment it is made."""
    review = await given.waiting(**EXPIRING)
    await store.write(given.decide(review, hold=10 * SECOND))

    second = await store.write(given.decide(review))

    assert isinstance(second, Undecidable)
    assert second.why is Objection.CLOSED
    assert await store.waiting(ReviewFilter()) == []


async def test_the_deadline_does_not_overtake_a_decision(given: Given, store: Store) -> None:
    """What was decided in time stands, though it takes effect after the deadline."""
    review = await given.waiting(deadline=given.clock.now() + SECOND)
    await store.write(given.decide(review, hold=10 * SECOND))
    given.clock.advance(10 * SECOND)

    assert await store.tend() == Tended(decided=1)


async def test_a_cancelled_run_takes_its_decision_along(given: Given, store: Store) -> None:
    """A decision that has not taken effect is closed with its run, and nothing comes of it."""
    review = await given.waiting()
    await store.write(given.decide(review, hold=10 * SECOND))
    await store.write(given.cancel(review.run))
    given.clock.advance(20 * SECOND)

    assert await store.tend() == Tended()
    known = await store.review(review.id)
    assert known is not None
    assert known.state is ReviewState.SUPERSEDED


async def test_everything_said_of_a_review_is_kept(given: Given, store: Store) -> None:
    """Terms, findings, edit, escalation: read back as they were written."""
    finding = Finding(title="promise", field="reply", start=0, end=4, blocking=True, fix="Hi")
    terms = Terms(
        groups=("leads", "ana"),
        four_eyes=True,
        self_approval=SelfApproval.NONE,
        requester="jo",
        confidence=0.58,
        share=0.05,
    )
    review = await given.waiting(terms=terms, findings=(finding,))
    assert await store.review(review.id) == review

    for act in (ToEdit(review.digest, b'{"reply": "Hi"}'), ToAssign("eva"), ToEscalate("big")):
        handled = await store.write(given.handle(review, act, "ana"))
        assert isinstance(handled, Handled)
        assert await store.review(review.id) == handled.review

    known = await store.review(review.id)
    assert known is not None
    assert (known.original, known.edited_by, known.assigned_to) == (DRAFT, "ana", "eva")
    assert known.escalated == given.clock.now()


async def test_the_queue_is_read_a_page_at_a_time(given: Given, store: Store) -> None:
    """The nearest deadline first, those without one last; no page repeats or leaves out one."""
    soon = [
        await given.waiting(deadline=START + timedelta(hours=n % 3 + 1), queue=f"q{n % 2}")
        for n in range(5)
    ]
    last = await given.waiting(queue="q1")
    everything = [one.id for one in await store.waiting(ReviewFilter())]

    found: list[ReviewId] = []
    after: ReviewId | None = None
    while page := await store.waiting(ReviewFilter(after=after, limit=2)):
        found += [one.id for one in page]
        after = page[-1].id

    assert found == everything
    assert found[-1] == last.id
    assert set(found[:2]) == {soon[0].id, soon[3].id}
    assert await store.queues() == ["q0", "q1"]
    assert len(await store.waiting(ReviewFilter(queue="q0"))) == 3


async def test_what_is_snoozed_is_left_out_until_then(given: Given, store: Store) -> None:
    """It comes back by itself; what is escalated can be asked for alone."""
    review, other = await given.waiting(), await given.waiting()
    await store.write(given.handle(review, ToSnooze(timedelta(hours=1)), "ana"))
    await store.write(given.handle(other, ToEscalate("above my limit"), "ana"))

    assert [one.id for one in await store.waiting(ReviewFilter())] == [other.id]
    assert [one.id for one in await store.waiting(ReviewFilter(snoozed=True))] == [review.id]
    assert [one.id for one in await store.waiting(ReviewFilter(escalated=True))] == [other.id]
    given.clock.advance(timedelta(hours=1))
    assert len(await store.waiting(ReviewFilter())) == 2


async def test_past_decisions_are_told_without_their_content(given: Given, store: Store) -> None:
    """Who decided what and when, the newest first; nothing that nobody decided."""
    for n, content in enumerate((DRAFT, b'{"reply": "Hi"}')):
        review = await given.waiting(queue=f"q{n}")
        given.clock.advance(SECOND)
        answer = Answer(approved=True, content=content, by="ada")
        await store.write(given.decide(review, answer=answer))
    expiring = await given.waiting(deadline=given.clock.now() + SECOND)
    given.clock.advance(SECOND)
    await store.tend()

    past = await store.past_reviews()

    assert [(one.outcome, one.by) for one in past] == [("edited", "ada"), ("approved", "ada")]
    assert (past[0].decided - past[0].opened) == SECOND
    assert [one.queue for one in await store.past_reviews("q0")] == ["q0"]
    assert expiring.id not in {one.id for one in past}


async def test_the_reviews_of_runs_come_by_who_asked(given: Given, store: Store) -> None:
    """Each run's own, in the order of asking; a run that asked nobody is left out."""
    first, review = await given.asked()
    second = await given.claimed()
    given.clock.advance(SECOND)
    later = given.question(first, id=ReviewId("review-2"), place=Place("", "ask", 1))
    assert await store.write(later) == Done()

    found = await store.reviews_of(first.run.id, second.run.id)

    assert {run: [one.id for one in asked] for run, asked in found.items()} == {
        first.run.id: [review.id, "review-2"]
    }
