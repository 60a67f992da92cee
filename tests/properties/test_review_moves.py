"""Random things done with reviews: no store leaves the table, and both stores agree."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doubles.given import DRAFT, Given
from proveout.domain.desk import (
    ToAssign,
    ToClaim,
    ToEdit,
    ToEscalate,
    ToRelease,
    ToSnooze,
    ToUndo,
)
from proveout.domain.guardrail import Finding
from proveout.domain.journal import Returned
from proveout.domain.review import REVIEW_MOVES, Answer, Review, ReviewState, Terms
from proveout.domain.unit import Decided
from proveout.ports.reviews import ReviewFilter

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.domain.desk import Act
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.store import Claimed, Store, Want

PEOPLE = ("ana", "jo", "eva")
CONTENTS = (DRAFT, b'{"reply": "Dear Ana"}', b'{"reply": "Dear customer, tomorrow"}')
STEP = timedelta(seconds=5)
HOLD = timedelta(seconds=10)


class Move(NamedTuple):
    """What one person tries with one review, as drawn."""

    kind: str
    review: int
    person: int
    content: int


KINDS = (
    *("approve", "approve", "reject", "edit", "claim", "claim", "release"),
    *("snooze", "assign", "escalate", "undo", "undo", "wait", "wait", "cancel", "resend"),
)

PLAYS = st.lists(
    st.builds(
        Move, st.sampled_from(KINDS), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)
    ),
    min_size=10,
    max_size=40,
)

PROFILE = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass
class Play:
    """Three reviews, and the people before them.

    Attributes:
        seen: the reviews as everybody saw them last.
    """

    given: Given
    seen: list[Review]
    sent: list[Unit] = field(default_factory=list["Unit"])

    @classmethod
    async def begin(cls, given: Given) -> Play:
        """Ask: without a deadline, with one and a finding that blocks, and of two people."""
        blocks = (Finding(title="promise", field="reply", start=0, end=4, blocking=True),)
        soon = given.clock.now() + 8 * STEP
        return cls(
            given,
            [
                await given.waiting(),
                await given.waiting(deadline=soon, findings=blocks),
                await given.waiting(deadline=2 * STEP + soon, terms=Terms(four_eyes=True)),
            ],
        )

    def unit(self, move: Move) -> Unit:
        """Return the unit that a move stands for."""
        unit = self._unit(move)
        self.sent.append(unit)
        return unit

    def _unit(self, move: Move) -> Unit:
        review, by = self.seen[move.review], PEOPLE[move.person]
        content = CONTENTS[move.content] if move.content else review.content
        if move.kind == "resend" and self.sent:
            return self.sent[move.content % len(self.sent)]
        if move.kind == "cancel" and move.content == 1:
            return self.given.cancel(review.run)
        if move.kind in {"approve", "reject"}:
            answer = Answer(approved=move.kind == "approve", content=content, by=by)
            return self.given.decide(review, answer=answer, hold=HOLD * (move.person % 2))
        acts: dict[str, Act] = {
            "claim": ToClaim(3 * STEP),
            "release": ToRelease(),
            "snooze": ToSnooze(STEP),
            "assign": ToAssign(PEOPLE[move.content]),
            "edit": ToEdit(review.digest, content),
            "undo": ToUndo(),
        }
        return self.given.handle(review, acts.get(move.kind, ToEscalate("why")), by)

    async def look(self, store: Store) -> list[Review]:
        """Return the reviews as the store has them."""
        found = [await store.review(one.id) for one in self.seen]
        return [one for one in found if one is not None]


def check(was: Review, now: Review) -> None:
    """A review moves as the table says, and keeps to its deadline, its people and its word."""
    assert now.state == was.state or now.state in REVIEW_MOVES[was.state], (was.state, now.state)
    assert now.draft == was.draft
    if was.state is ReviewState.DECIDED and was.takes_effect is None:
        assert now == was
    if now.state is ReviewState.DECIDED and was.state is not ReviewState.DECIDED:
        assert now.answer is not None
        assert now.decided is not None
        assert now.deadline is None or now.decided < now.deadline
        if now.answer.approved:
            assert now.answer.content == now.content
            assert not now.is_blocked
            assert not now.terms.four_eyes or now.answer.first not in {"", now.answer.by}
    if now.state is ReviewState.EXPIRED:
        assert now.answer is not None
        assert not now.answer.approved


async def check_journal(store: Store, review: Review) -> None:
    """Its run knows an answer exactly when one has taken effect, and that one."""
    [entry] = await store.journal(review.run)
    stands = review.state in {ReviewState.DECIDED, ReviewState.EXPIRED}
    if stands and review.takes_effect is None:
        assert review.answer is not None
        assert entry.outcome == Returned(review.answer.to_json())
    else:
        assert not isinstance(entry.outcome, Returned)


@PROFILE
@given(moves=PLAYS)
async def test_no_review_leaves_the_table(
    store: Store, clock: WatchedClock, ids: CountedIds, moves: list[Move]
) -> None:
    """Whatever people try, one after another: each review moves as the table says, or stays."""
    play = await Play.begin(Given(store, clock, ids))

    for move in moves:
        if move.kind == "wait":
            clock.advance(STEP * (1 + move.content))
            await store.tend()
        else:
            await store.write(play.unit(move))
        now = await play.look(store)
        for was, one in zip(play.seen, now, strict=True):
            check(was, one)
            await check_journal(store, one)
        play.seen = now


class Pair:
    """Two stores that are told the same, and must answer the same."""

    def __init__(self, one: Store, other: Store) -> None:
        self.one, self.other = one, other

    async def write(self, unit: Unit) -> Answered:
        """Return what both answer."""
        answer = await self.one.write(unit)
        assert answer == await self.other.write(unit)
        return answer

    async def claim(self, want: Want) -> list[Claimed]:
        """Return what both give."""
        claimed = await self.one.claim(want)
        assert claimed == await self.other.claim(want)
        return claimed


@PROFILE
@given(moves=PLAYS)
async def test_both_stores_tell_the_same_of_reviews(
    both: tuple[Store, Store], clock: WatchedClock, ids: CountedIds, moves: list[Move]
) -> None:
    """The same acts get the same answers from each store, and leave the same behind."""
    one, other = both
    pair = Pair(one, other)
    play = await Play.begin(Given(cast("Store", pair), clock, ids))

    for move in moves:
        if move.kind == "wait":
            clock.advance(STEP * (1 + move.content))
            assert await one.tend() == await other.tend()
        else:
            await pair.write(play.unit(move))
        play.seen = await play.look(one)
        assert play.seen == await play.look(other)
    for which in (ReviewFilter(), ReviewFilter(escalated=True), ReviewFilter(snoozed=True)):
        assert await one.waiting(which) == await other.waiting(which)
    assert await one.claimed("ana") == await other.claimed("ana")
    assert await one.past_reviews(limit=5) == await other.past_reviews(limit=5)


@PROFILE
@given(moves=PLAYS)
async def test_a_crowd_decides_each_review_once(
    store: Store, clock: WatchedClock, ids: CountedIds, moves: list[Move]
) -> None:
    """However many act at once, each run is told one answer, and it is the one that stands."""
    play = await Play.begin(Given(store, clock, ids))
    acts = [play.unit(move) for move in moves if move.kind not in {"wait", "cancel"}]

    answers = await asyncio.gather(*(store.write(unit) for unit in acts))

    for was, now in zip(play.seen, await play.look(store), strict=True):
        told = {
            answer.review.answer
            for answer in answers
            if isinstance(answer, Decided)
            and answer.review.id == was.id
            and answer.review.state is ReviewState.DECIDED
            and answer.review.takes_effect is None
        }
        assert len(told) <= 1
        assert told in (set(), {now.answer})
        await check_journal(store, now)
