"""Random legal and illegal moves: no store leaves the table, and both stores agree."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doubles.deeds import FIRST, Deeds, canary, halted
from doubles.given import LEASE, Given, digest_of, entry, want
from proveout.domain.delivery import Delivery
from proveout.domain.journal import EntryKind, Pending, Place, Raised, Returned
from proveout.domain.release import (
    DRAFT,
    WORKFLOW_SCOPE,
    Pointer,
    ReleaseDigest,
    Treatment,
    effect_scope,
    release_scope,
)
from proveout.domain.review import Answer, Review, ReviewId
from proveout.domain.run import MOVES, Failure, IllegalMove, Run, RunId, RunState
from proveout.domain.unit import (
    Change,
    Close,
    Decide,
    EndHalt,
    Enqueue,
    Erase,
    MovePointer,
    Receive,
    Record,
    Requeue,
    Resolve,
    Send,
    Settle,
    Tick,
    Treat,
    Unit,
)
from proveout.ports.store import Claimed, Held, RunFilter, Want

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.domain.journal import Entry
    from proveout.domain.ledger import LedgerEntry
    from proveout.ports.store import Store

RUNS = 3
"""How many runs a play is about; few, so that moves meet."""


class Move(NamedTuple):
    """One thing that someone tries, as drawn: numbers that `Table` gives a meaning."""

    kind: str
    run: int
    choice: int
    fence: int


UNITS = (
    *("enqueue", "record", "ask", "ask", "settle", "settle", "settle"),
    *("decide", "decide", "cancel", "requeue", "requeue", "resend"),
    *("receive", "receive", "point", "treat", "halt", "resume", "resume"),
    *("listen", "send", "send", "close", "give up", "doubt", "resolve", "resolve"),
    *("tick", "tick", "erase"),
)
OTHERS = ("claim", "claim", "claim", "claim", "tend", "wait", "renew", "blame")

ENTER = tuple(Move("enqueue", run, run, 0) for run in range(RUNS))
CLAIM = Move("claim", 0, 5, 0)
PROLOGUE = (*ENTER, CLAIM)
"""Every play begins with runs that someone works on."""

ENDS = (
    *(RunState.WAITING, RunState.WAITING, RunState.QUEUED, RunState.PARKED),
    *(RunState.SUCCEEDED, RunState.FAILED, RunState.DEAD, RunState.RUNNING),
)
"""How an attempt ends; the last way is illegal."""

DECISIONS = ("point", "treat", "halt", "resume", "erase")
RELEASES = (DRAFT, FIRST)
SCOPES = (WORKFLOW_SCOPE, release_scope(FIRST), effect_scope("send"))

PAID = "signal paid"
LATE = Raised(Failure(type="NoSignal", message="nobody sent it"))
ORDERINGS = (None, None, "ana", "ben")

number = st.integers(0, 7)


def moves(kinds: Sequence[str]) -> st.SearchStrategy[Move]:
    """Draw one move; most are made under the fence that is right."""
    fences = st.sampled_from((0, 0, 0, 0, -1, 1))
    return st.builds(Move, st.sampled_from(kinds), number, number, fences)


PLAYS = st.lists(moves((*UNITS, *OTHERS)), min_size=15, max_size=50)

CROWDS = st.lists(
    st.tuples(st.lists(moves(UNITS), min_size=2, max_size=6), moves(OTHERS)),
    min_size=2,
    max_size=6,
)

PROFILE = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass
class Table:
    """What the players know: the runs, their fences and reviews, and what was sent before."""

    given: Given
    workflow: str
    runs: list[Run] = field(default_factory=list[Run])
    fences: dict[RunId, int] = field(default_factory=dict[RunId, int])
    reviews: list[Review] = field(default_factory=list[Review])
    sent: list[Unit] = field(default_factory=list[Unit])
    head: LedgerEntry | None = None
    version: int = 0
    ticked: datetime | None = None

    async def look(self, store: Store) -> None:
        """Learn what the next decision must follow."""
        self.head = await store.head()
        self.version = (await store.pointer(self.workflow)).version

    def unit(self, move: Move) -> Unit:
        """Return the unit that a move stands for."""
        unit = self._unit(move)
        self.sent.append(unit)
        return unit

    def _unit(self, move: Move) -> Unit:
        if move.kind == "resend" and self.sent:
            return self.sent[move.choice % len(self.sent)]
        if move.kind == "enqueue" or not self.runs:
            return self._enqueue(move)
        if move.kind in DECISIONS:
            return Deeds(self.given).unit(self.head, self._change(move), move=str(move))
        if move.kind == "decide" and self.reviews:
            return self._decide(move)
        if move.kind in {"receive", "tick"}:
            return self._receive(move) if move.kind == "receive" else self._tick(move)
        return self._about(self.runs[move.run % len(self.runs)], move)

    def _about(self, run: Run, move: Move) -> Unit:
        """Return what an attempt or a person does with one run."""
        make: dict[str, Callable[[Run, Move], Unit]] = {
            "ask": self._ask,
            "settle": self._settle,
            "listen": self._listen,
            "give up": self._give_up,
            "doubt": self._doubt,
            "send": self._send,
            "close": self._close,
            "resolve": self._resolve,
            "cancel": self._cancel,
            "requeue": self._requeue,
        }
        return make.get(move.kind, self._record)(run, move)

    def _cancel(self, run: Run, move: Move) -> Unit:  # noqa: ARG002 - as the others are made
        return self.given.cancel(run.id)

    def _requeue(self, run: Run, move: Move) -> Unit:  # noqa: ARG002 - as the others are made
        return Requeue(id=self.given.unit_id(), run=run.id)

    def _listen(self, run: Run, move: Move) -> Unit:
        return self._record(run, move, _pending(PAID, EntryKind.SIGNAL, move))

    def _give_up(self, run: Run, move: Move) -> Unit:
        return replace(self._record(run, move), gives_up=(Place("", PAID, move.choice % 2),))

    def _doubt(self, run: Run, move: Move) -> Unit:
        return self._record(run, move, _pending("mail", EntryKind.EFFECT, move))

    def _send(self, run: Run, move: Move) -> Unit:
        return Send(id=self.given.unit_id(), run=run.id, name=PAID, value=b"%d" % move.choice)

    def _resolve(self, run: Run, move: Move) -> Unit:
        return Resolve(
            id=self.given.unit_id(),
            run=run.id,
            place=Place("", "mail", move.choice % 2),
            outcome=Returned(b"7") if move.choice > RUNS else None,
        )

    def _record(self, run: Run, move: Move, *entries: Entry) -> Record:
        return Record(
            id=self.given.unit_id(),
            run=run.id,
            fence=self._fence(run, move),
            entries=entries or (entry("read", occurrence=move.choice),),
        )

    def _close(self, run: Run, move: Move) -> Unit:
        closed = replace(_pending(PAID, EntryKind.SIGNAL, move), outcome=LATE, tries=2)
        fence = self._fence(run, move)
        return Close(id=self.given.unit_id(), run=run.id, fence=fence, entry=closed)

    def _enqueue(self, move: Move) -> Unit:
        run = self.given.run(
            workflow=self.workflow,
            key=f"{move.choice}" if move.choice < RUNS else None,
            value=b"1" if move.run else b"2",
            priority=move.fence,
            ordering=ORDERINGS[move.choice % 4],
        )
        if len(self.runs) < RUNS:
            self.runs.append(run)
        delay = timedelta(seconds=10 * (move.choice // 6))
        return Enqueue(
            id=self.given.unit_id(), run=run, delay=delay, intake=8 if move.choice == 5 else None
        )

    def _tick(self, move: Move) -> Unit:
        """Return a schedule's next tick; now and then from where it no longer stands."""
        since, now = self.ticked, self.given.clock.now()
        if move.fence == 0:
            self.ticked = now
        run = self.given.run(workflow=self.workflow, key=f"schedule:{now.isoformat()}")
        return Tick(
            id=self.given.unit_id(),
            workflow=self.workflow,
            name="morning",
            since=since,
            to=now,
            runs=(run,) if since is not None else (),
        )

    def _receive(self, move: Move) -> Unit:
        """Return the arrival of one of three events; its run's key may be another's."""
        run = self.given.run(
            workflow=self.workflow,
            key=f"{move.choice}" if move.choice < RUNS else None,
            value=b"1" if move.run else b"2",
        )
        delivery = Delivery(
            source=self.workflow,
            event=f"{move.choice % 3}",
            type="",
            received=self.given.clock.now(),
            headers=(),
            body=run.value,
        )
        return Receive(id=self.given.unit_id(), delivery=delivery, run=run if move.run else None)

    def _change(self, move: Move) -> Change:
        match move.kind:
            case "point":
                return MovePointer(pointer=self._pointer(move))
            case "treat":
                return Treat(
                    workflow=self.workflow,
                    release=ReleaseDigest(RELEASES[move.run % 2]),
                    treatment=list(Treatment)[move.choice % 3],
                )
            case "erase":
                return Erase(run=self.runs[move.run % len(self.runs)].id)
            case "halt":
                return halted(SCOPES[move.choice % 3], self.workflow)
            case _:
                return EndHalt(workflow=self.workflow, scope=SCOPES[move.choice % 3])

    def _pointer(self, move: Move) -> Pointer:
        beside = ReleaseDigest(RELEASES[1 - move.run % 2])
        return Pointer(
            workflow=self.workflow,
            version=self.version + 1 + move.fence,
            stable=FIRST if move.run % 2 else None,
            canary=canary(5000, beside) if move.choice % 4 == 0 else None,
        )

    def _ask(self, run: Run, move: Move) -> Unit:
        deadline = self.given.clock.now() + timedelta(minutes=1) if move.choice % 2 else None
        unit = self.given.question(
            Claimed(run=run, entries=(), now=run.created),
            id=ReviewId(f"review-{self.given.ids.new()}"),
            place=Place("", "ask", move.choice),
            deadline=deadline,
        )
        assert unit.review is not None
        self.reviews.append(unit.review)
        return Record(
            id=unit.id,
            run=unit.run,
            fence=self._fence(run, move),
            entries=unit.entries,
            review=unit.review,
        )

    def _settle(self, run: Run, move: Move) -> Unit:
        state = ENDS[move.choice]
        timer = self.given.clock.now() + timedelta(seconds=20) if move.fence == 0 else None
        return Settle(
            id=self.given.unit_id(),
            run=run.id,
            fence=self._fence(run, move),
            state=state,
            elapsed=1.0,
            result=b"1" if state is RunState.SUCCEEDED else None,
            due=timer if state is RunState.WAITING else None,
            note="why" if state is RunState.PARKED else "",
        )

    def _decide(self, move: Move) -> Unit:
        review = self.reviews[move.choice % len(self.reviews)]
        return Decide(
            id=self.given.unit_id(),
            review=review.id,
            digest=digest_of(b"other") if move.fence else review.digest,
            answer=Answer(approved=bool(move.run % 2), content=review.content, by="ada"),
        )

    def _fence(self, run: Run, move: Move) -> int:
        return self.fences.get(run.id, 0) + move.fence

    def want(self, move: Move) -> Want:
        suspects = (None, None, False, True)[move.choice % 4]
        release = RELEASES[move.run % 2]
        limit = 1 + move.choice % 3
        return want(workflows=(self.workflow,), limit=limit, release=release, suspects=suspects)

    def note(self, claimed: Sequence[Claimed]) -> None:
        self.fences.update((one.run.id, one.run.fence) for one in claimed)

    async def seen(self, store: Store) -> dict[RunId, Run]:
        """Return every run of this play as the store has it."""
        runs = await store.runs(RunFilter(workflow=self.workflow, limit=1000))
        return {run.id: run for run in runs}


def _pending(name: str, kind: EntryKind, move: Move) -> Entry:
    return replace(entry(name, Pending(), move.choice % 2), kind=kind)


async def write(store: Store, unit: Unit) -> object:
    """Return the answer to `unit`, or that it could not be asked."""
    try:
        return await store.write(unit)
    except IllegalMove as error:
        return error.message


async def do(store: Store, table: Table, move: Move) -> object:
    """Do what no unit does, and return what came of it."""
    match move.kind:
        case "claim":
            return await store.claim(table.want(move))
        case "blame":
            return sorted(await store.blame("one", 2))
        case "renew":
            keeper = store.keeper()
            held = [Held(run, fence) for run, fence in table.fences.items()]
            lost = await asyncio.to_thread(keeper.renew, held, LEASE)
            await asyncio.to_thread(keeper.close)
            return sorted(lost)
        case _:
            return await store.tend()


def let_pass(clock: WatchedClock, move: Move) -> None:
    """Let time pass where a move waits."""
    if move.kind == "wait":
        clock.advance(timedelta(seconds=5 * (1 + move.choice)))


def reachable() -> dict[RunState, frozenset[RunState]]:
    """Return where several moves in a row may lead."""
    ways = dict(MOVES)
    for _ in RunState:
        ways = {
            state: there.union(*(ways[step] for step in there)) for state, there in ways.items()
        }
    return ways


REACHABLE = reachable()


def check(
    before: dict[RunId, Run],
    after: dict[RunId, Run],
    ways: dict[RunState, frozenset[RunState]],
) -> None:
    """Every change of a run is in the table, fences rise, and what is over stays as it is."""
    assert before.keys() <= after.keys()
    for run, was in before.items():
        now = after[run]
        assert now.state == was.state or now.state in ways[was.state]
        assert now.fence >= was.fence
        assert now.crashes >= was.crashes
        assert was.release in {None, now.release}
        assert (now.release is None) == (now.fence == 0)
        if was.state.is_final:
            assert now == (was if now.pruned is None else as_pruned(was, now))
    check_turns(after)


def as_pruned(was: Run, now: Run) -> Run:
    """Return what erasing leaves of a run that is over."""
    failure = None if was.failure is None else was.failure.without_words()
    return replace(
        was, value=b"", result=None, failure=failure, note="", pruned=now.pruned, input=now.input
    )


def check_turns(runs: dict[RunId, Run]) -> None:
    """Of the runs with one ordering key, no two are claimed, or may be."""
    begun = {RunState.QUEUED, RunState.RUNNING}
    turns = Counter(run.ordering for run in runs.values() if run.ordering and run.state in begun)
    assert not turns or max(turns.values()) == 1, turns


plays = itertools.count(1)


@PROFILE
@given(play=PLAYS)
async def test_no_move_leaves_the_table(
    store: Store, clock: WatchedClock, ids: CountedIds, play: list[Move]
) -> None:
    """Whatever is tried, one after another: each run moves as `MOVES` says, or stays."""
    table = Table(Given(store, clock, ids), f"play-{next(plays)}")
    before: dict[RunId, Run] = {}

    for move in (*PROLOGUE, *play):
        await table.look(store)
        if move.kind in UNITS:
            await write(store, table.unit(move))
        else:
            let_pass(clock, move)
            done = await do(store, table, move)
            if move.kind == "claim":
                table.note(await _claimed(done))
        after = await table.seen(store)
        check(before, after, dict(MOVES))
        before = after


async def _claimed(done: object) -> list[Claimed]:
    assert isinstance(done, list)
    return [one for one in done if isinstance(one, Claimed)]  # pyright: ignore[reportUnknownVariableType]


@PROFILE
@given(crowd=CROWDS)
async def test_no_crowd_leaves_the_table(
    store: Store, clock: WatchedClock, ids: CountedIds, crowd: list[tuple[list[Move], Move]]
) -> None:
    """Whatever is tried at once, in one group or several: each run ends where moves can lead."""
    table = Table(Given(store, clock, ids), f"crowd-{next(plays)}")
    before: dict[RunId, Run] = {}

    for together, move in ((ENTER, Move("tend", 0, 0, 0)), ((), CLAIM), *crowd):
        let_pass(clock, move)
        await table.look(store)
        units = [table.unit(one) for one in together]
        *_, done = await asyncio.gather(
            *(write(store, unit) for unit in units), do(store, table, move)
        )
        if move.kind == "claim":
            table.note(await _claimed(done))
        after = await table.seen(store)
        check(before, after, REACHABLE)
        before = after


@PROFILE
@given(play=PLAYS)
async def test_both_stores_tell_the_same(
    both: tuple[Store, Store], clock: WatchedClock, ids: CountedIds, play: list[Move]
) -> None:
    """The same moves get the same answers from each store, and leave the same behind."""
    one, other = both
    table = Table(Given(one, clock, ids), f"pair-{next(plays)}")

    for move in (*PROLOGUE, *play):
        await table.look(one)
        if move.kind in UNITS:
            unit = table.unit(move)
            assert await write(one, unit) == await write(other, unit)
        else:
            let_pass(clock, move)
            done = await do(one, table, move)
            assert done == await do(other, table, move)
            if move.kind == "claim":
                table.note(await _claimed(done))

    assert await table.seen(one) == await table.seen(other)
    for run in table.runs:
        assert await one.journal(run.id) == await other.journal(run.id)
    for review in table.reviews:
        assert await one.review(review.id) == await other.review(review.id)
    assert await one.deliveries(table.workflow) == await other.deliveries(table.workflow)
    assert await one.halts(table.workflow) == await other.halts(table.workflow)
    assert await one.pointer(table.workflow) == await other.pointer(table.workflow)
    assert await one.head() == await other.head()
