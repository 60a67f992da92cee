"""A world in small, played from a seed: workers, runs, people, and all that goes wrong.

Every choice is drawn from the seed and from what the store answered, so the same seed
against a store that keeps its promises gives the same history, move for move.
"""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - the seed is the whole point
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from doubles.given import LEASE, Given, entry, want
from proveout.domain.journal import Pending, Place, Returned
from proveout.domain.review import Answer, Review, ReviewId
from proveout.domain.run import Run, RunId, RunState
from proveout.domain.unit import Done, Enqueue, Enqueued, Record, Requeue, Settle
from proveout.ports.store import Claimed, Held, RunFilter

if TYPE_CHECKING:
    from doubles.postgres import WatchedClock
    from proveout.domain.journal import Entry
    from proveout.domain.unit import Answered, Unit
    from proveout.ports.store import Store

Ask: TypeAlias = Callable[[Callable[["Store"], Awaitable[object]]], Awaitable[object]]
"""Asks one store, or several that must answer the same."""

PLAN = 5
"""Most things that a run does before it ends."""

MOST_RUNS = 60

ENDS = (*[RunState.SUCCEEDED] * 5, RunState.FAILED, RunState.DEAD, RunState.PARKED)
DEEDS = ("step", "step", "step", "sleep", "review")


@dataclass
class Hand:
    """A run in the hands of a worker that may have lost it without knowing.

    Attributes:
        place: how many things the journal held when it was claimed, and that it added since.
    """

    claimed: Claimed
    place: int


@dataclass
class Chaos:
    """The players and what they know.

    Attributes:
        history: every move and what came of it, in words.
        fences: the highest fence that any claim gave each run.
        hands: what each worker believes to hold; dead workers write no more, frozen ones do.
        plans: what each run does, in order.
    """

    ask: Ask
    given: Given
    clock: WatchedClock
    seed: int
    history: list[str] = field(default_factory=list[str])
    fences: dict[RunId, int] = field(default_factory=dict[RunId, int])
    hands: list[Hand] = field(default_factory=list[Hand])
    plans: dict[RunId, tuple[str, ...]] = field(default_factory=dict[RunId, tuple[str, ...]])
    reviews: dict[ReviewId, Review] = field(default_factory=dict[ReviewId, Review])
    sent: list[Unit] = field(default_factory=list["Unit"])

    def __post_init__(self) -> None:
        self.luck = random.Random(self.seed)  # noqa: S311 - no secret

    async def move(self) -> None:
        """Make one move, whatever comes."""
        moves = {
            self.enqueue: 8 if len(self.plans) < MOST_RUNS else 0,
            self.claim: 10,
            self.go_on: 22,
            self.crash: 1,
            self.tend: 6,
            self.renew: 2,
            self.wait: 5,
            self.decide: 4,
            self.cancel: 0.8,
            self.requeue: 2,
            self.send_again: 2,
            self.blame: 0.5,
        }
        [move] = self.luck.choices(list(moves), list(moves.values()))
        self.tell(move.__name__, await move())

    def tell(self, what: str, came: object) -> None:
        """Write a move into the history."""
        self.history.append(f"{what}: {came}")

    async def write(self, unit: Unit) -> Answered:
        """Send a unit, and see that what is stale is refused."""
        self.sent.append(unit)
        answer = await self.ask(lambda store: store.write(unit))
        if isinstance(unit, Record | Settle) and answer == Done():
            assert unit.fence == self.fences[unit.run], f"a stale write was taken: {unit}"
        return answer  # pyright: ignore[reportReturnType] - what a store answers to a unit

    async def enqueue(self) -> object:
        """A run enters."""
        run = self.given.run(
            due=self.clock.now() + timedelta(seconds=self.luck.choice((0, 0, 0, 40))),
            priority=self.luck.choice((0, 0, 0, 5)),
        )
        answer = await self.write(Enqueue(id=self.given.unit_id(), run=run))
        assert isinstance(answer, Enqueued)
        self.plans[run.id] = tuple(self.luck.choices(DEEDS, k=self.luck.randrange(1, PLAN)))
        return run.id

    async def claim(self) -> object:
        """A worker asks for runs."""
        worker, limit = f"worker {self.luck.randrange(4)}", self.luck.randrange(1, 5)
        suspects = self.luck.choice((None, None, False, True))
        wish = want(worker=worker, limit=limit, suspects=suspects)
        claimed = await self.ask(lambda store: store.claim(wish))
        assert isinstance(claimed, list)
        for one in claimed:  # pyright: ignore[reportUnknownVariableType]
            assert isinstance(one, Claimed)
            assert one.run.fence == self.fences.get(one.run.id, 0) + 1
            self.fences[one.run.id] = one.run.fence
            self.hands.append(Hand(one, len(one.entries)))
        return claimed  # pyright: ignore[reportUnknownVariableType]

    async def go_on(self) -> object:
        """A worker, perhaps one that was frozen for long, does the next thing of a run."""
        if not self.hands:
            return None
        hand = self.luck.choice(self.hands)
        run = hand.claimed.run
        plan = self.plans[run.id]
        waits = hand.place > 0 and self._waits_for(hand)
        if waits is not None and waits is not False:
            return await self._end(hand, RunState.WAITING, waits)
        if hand.place >= len(plan):
            return await self._end(hand, self.luck.choice(ENDS), None)
        unit = self._next(hand, plan[hand.place])
        answer = await self.write(unit)
        if answer == Done():
            hand.claimed = replace(hand.claimed, entries=(*hand.claimed.entries, *unit.entries))
            hand.place += 1
        else:
            self.hands.remove(hand)
        return unit, answer

    def _waits_for(self, hand: Hand) -> Pending | None:
        """Return what the last thing in a journal still waits for."""
        outcome = hand.claimed.entries[-1].outcome
        if not isinstance(outcome, Pending):
            return None
        is_over = outcome.due is not None and outcome.due <= self.clock.now()
        return None if is_over else outcome

    def _next(self, hand: Hand, deed: str) -> Record:
        place = Place("", deed, hand.place)
        match deed:
            case "review":
                deadline = self.luck.choice((None, self.clock.now() + timedelta(minutes=3)))
                unit = self.given.question(hand.claimed, place=place, deadline=deadline)
                assert unit.review is not None
                self.reviews[unit.review.id] = unit.review
                return unit
            case "sleep":
                length = timedelta(seconds=self.luck.randrange(5, 60))
                waiting = entry("sleep", Pending(self.clock.now() + length), hand.place)
                return self.given.record(hand.claimed, waiting)
            case _:
                value = f"{self.luck.random()}".encode()
                return self.given.record(hand.claimed, entry("step", Returned(value), hand.place))

    async def _end(self, hand: Hand, state: RunState, waits: Pending | None) -> object:
        self.hands.remove(hand)
        unit = self.given.settle(
            hand.claimed,
            state,
            result=b"1" if state is RunState.SUCCEEDED else None,
            due=waits and waits.due,
            note="look" if state is RunState.PARKED else "",
        )
        return unit, await self.write(unit)

    async def crash(self) -> object:
        """A worker dies, and all that it had in hand is forgotten."""
        gone = {f"worker {self.luck.randrange(4)}"}
        self.hands = [hand for hand in self.hands if self.luck.random() < 0.5]
        return gone

    async def tend(self) -> object:
        """Somebody returns to the queue what has lapsed or is due."""
        return await self.ask(lambda store: store.tend())

    async def renew(self) -> object:
        """Some renew what they believe to hold; a deaf worker goes on with what it lost."""
        hands = [hand for hand in self.hands if self.luck.random() < 0.5]
        held = [Held(one.claimed.run.id, one.claimed.run.fence) for one in hands]

        async def beat(store: Store) -> object:
            keeper = store.keeper()
            try:
                return sorted(await asyncio.to_thread(keeper.renew, held, LEASE))
            finally:
                keeper.close()

        return await self.ask(beat)

    async def wait(self) -> object:
        """Time passes."""
        length = timedelta(seconds=self.luck.choice((1, 10, 25, 40)))
        self.clock.advance(length)
        return length

    async def decide(self) -> object:
        """A person answers a question, open or not."""
        if not self.reviews:
            return None
        review = self.luck.choice(list(self.reviews.values()))
        answer = Answer(approved=self.luck.random() < 0.8, content=review.content, by="ada")
        return await self.write(self.given.decide(review, answer=answer))

    async def cancel(self) -> object:
        """A person stops a run, whatever it is doing."""
        return self.plans and await self.write(self.given.cancel(self._any()))

    async def requeue(self) -> object:
        """A person lets a run go on, parked or not."""
        if not self.plans:
            return None
        return await self.write(Requeue(id=self.given.unit_id(), run=self._any()))

    async def send_again(self) -> object:
        """A unit is sent again, as after a commit that nobody heard of."""
        if not self.sent:
            return None
        unit = self.luck.choice(self.sent[-5:])
        return await self.ask(lambda store: store.write(unit))

    async def blame(self) -> object:
        """A child that tried suspects alone has died."""
        worker = f"worker {self.luck.randrange(4)}"

        async def count(store: Store) -> object:
            return sorted(await store.blame(worker, 3))

        return await self.ask(count)

    def _any(self) -> RunId:
        return self.luck.choice(list(self.plans))

    async def settle_down(self) -> None:
        """Let nothing more go wrong, and everything that can end, end."""
        self.hands.clear()
        for _ in range(60 * PLAN):
            self.clock.advance(LEASE + timedelta(seconds=1))
            self.tell("tend", await self.tend())
            runs = await self.seen()
            for review in self.reviews.values():
                if runs[review.run].state is RunState.WAITING:
                    self.tell("decide", await self.write(self.given.decide(review)))
            for run in runs.values():
                if run.state is RunState.PARKED:
                    requeue = Requeue(id=self.given.unit_id(), run=run.id)
                    self.tell("requeue", await self.write(requeue))
            self.tell("claim", await self.claim())
            while self.hands:
                self.tell("go on", await self.go_on())
            if all(run.state.is_final for run in (await self.seen()).values()):
                return

    async def seen(self) -> dict[RunId, Run]:
        """Return every run as the store has it."""

        async def look(store: Store) -> object:
            return {run.id: run for run in await store.runs(RunFilter(limit=1000))}

        return await self.ask(look)  # pyright: ignore[reportReturnType] - what `look` returns

    async def journals(self) -> dict[RunId, list[Entry]]:
        """Return every journal as the store has it."""

        async def look(store: Store) -> object:
            return {run: await store.journal(run) for run in self.plans}

        return await self.ask(look)  # pyright: ignore[reportReturnType] - what `look` returns
