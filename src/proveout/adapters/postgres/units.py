"""How a group of units is applied to the tables of a PostgreSQL store.

The rows of all runs that a group touches are locked in the order of their ids, and
whoever writes about a run holds its row: that one lock makes the rest simple. What
each unit may do is judged here; what follows is written by a few statements for the
whole group: first new runs, then records, decisions, settlements, and last what
people asked for. Where runs have an ordering key, its lock comes before all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from proveout.adapters.postgres import intake, reviews, schedules, turns
from proveout.adapters.postgres.columns import columns, moment
from proveout.adapters.postgres.decisions import amend, put, receive
from proveout.adapters.postgres.model_calls import charge
from proveout.adapters.postgres.turns import Ended
from proveout.adapters.postgres.waits import (
    close,
    deal,
    give_up,
    listens,
    resolve,
    send,
)
from proveout.adapters.postgres.wire import Unsettled
from proveout.adapters.rows import from_failure, from_outcome, to_run
from proveout.domain.run import MOVES, RunState
from proveout.domain.unit import (
    Amend,
    Answered,
    Cancel,
    Charge,
    Close,
    Decide,
    Done,
    Enqueue,
    Enqueued,
    Handle,
    KeyTaken,
    Put,
    Receive,
    Received,
    Record,
    Requeue,
    Resolve,
    Send,
    Settle,
    Stale,
    Tick,
    Unit,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.adapters.postgres.wire import Link
    from proveout.domain.review import Review
    from proveout.domain.run import Run

T = TypeVar("T")

AboutRun: TypeAlias = Record | Close | Send | Settle | Cancel | Requeue | Resolve
"""What names the run that it is about."""

RUN = (
    "id, workflow, value, created, due, state, fence, key, experiment, candidate, position,"
    " case_digest, result, failure, elapsed, note, updated, release, crashes, priority,"
    " ordering, origin, pruned, input, asked_by"
)
"""The columns that make a run."""


@dataclass(slots=True)
class Standing:
    """How a locked run stands while the group is judged."""

    state: str
    fence: int
    wake: bool
    unit: str | None
    seq: int
    workflow: str
    ordering: str | None
    is_held: bool


@dataclass(slots=True)
class Group:
    """The units of one commit by kind, each with its place, and their answers.

    Attributes:
        answers: those to the units, then those to the runs that deliveries ask for.
        asked: the delivery that asks for a run, by the place of the run's answer.
        orderings: the ordering keys whose locks the group holds.
        ended: its runs that had their turn and have ended.
        listening: runs that may have both a signal and a wait for it.
    """

    answers: list[Answered | None]
    enqueues: list[tuple[int, Enqueue]] = field(default_factory=list[tuple[int, Enqueue]])
    records: list[tuple[int, Record]] = field(default_factory=list[tuple[int, Record]])
    handles: list[tuple[int, Decide | Handle]] = field(
        default_factory=list[tuple[int, Decide | Handle]]
    )
    closes: list[tuple[int, Close]] = field(default_factory=list[tuple[int, Close]])
    sends: list[tuple[int, Send]] = field(default_factory=list[tuple[int, Send]])
    settles: list[tuple[int, Settle]] = field(default_factory=list[tuple[int, Settle]])
    orders: list[tuple[int, Cancel | Requeue | Resolve]] = field(
        default_factory=list[tuple[int, Cancel | Requeue | Resolve]]
    )
    receives: list[tuple[int, Receive]] = field(default_factory=list[tuple[int, Receive]])
    ticks: list[tuple[int, Tick]] = field(default_factory=list[tuple[int, Tick]])
    charges: list[tuple[int, Charge]] = field(default_factory=list[tuple[int, Charge]])
    last: list[tuple[int, Put | Amend]] = field(default_factory=list[tuple[int, Put | Amend]])
    asked: dict[int, tuple[int, Receive]] = field(default_factory=dict[int, tuple[int, Receive]])
    standing: dict[str, Standing] = field(default_factory=dict[str, Standing])
    orderings: set[str] = field(default_factory=set[str])
    ended: list[Ended] = field(default_factory=list[Ended])
    listening: set[str] = field(default_factory=set[str])

    @classmethod
    def of(cls, units: Sequence[Unit]) -> Group:  # noqa: C901 - one for each kind
        """Sort `units` by kind; within a kind they keep their order."""
        group = cls([None] * len(units))
        for place, unit in enumerate(units):
            match unit:
                case Record():
                    group.records.append((place, unit))
                case Settle():
                    group.settles.append((place, unit))
                case Enqueue():
                    group.enqueues.append((place, unit))
                case Decide() | Handle():
                    group.handles.append((place, unit))
                case Close():
                    group.closes.append((place, unit))
                case Send():
                    group.sends.append((place, unit))
                case Cancel() | Requeue() | Resolve():
                    group.orders.append((place, unit))
                case Receive():
                    group.receives.append((place, unit))
                case Tick():
                    group.ticks.append((place, unit))
                case Charge():
                    group.charges.append((place, unit))
                case Put() | Amend():
                    group.last.append((place, unit))
        return group

    @property
    def touches_runs(self) -> bool:
        """Whether a unit is about a run that was there before."""
        return any((*self.about_runs, self.handles))

    @property
    def about_runs(self) -> tuple[Sequence[tuple[int, AboutRun]], ...]:
        """The units that name the run that they are about."""
        return self.records, self.closes, self.sends, self.settles, self.orders

    def is_current(self, unit: Record | Close | Settle) -> bool:
        """Whether the attempt that wrote `unit` still holds its run."""
        standing = self.standing.get(unit.run)
        return standing is not None and standing.state == "RUNNING" and standing.fence == unit.fence

    def end(self, run: str) -> None:
        """Note that a run has ended, where another waits for that."""
        one = self.standing[run]
        if one.ordering is not None and not one.is_held:
            self.ended.append(Ended(one.workflow, one.ordering, one.seq))

    def answer_again(self, place: int, unit: Settle | Cancel | Requeue | Resolve) -> None:
        """Answer for a unit that changes nothing: `Done` if it is the one that moved the run."""
        standing = self.standing.get(unit.run)
        was_us = standing is not None and standing.unit == unit.id
        self.answers[place] = Done() if was_us else Stale()


async def apply(link: Link, units: Sequence[Unit]) -> list[Answered]:
    """Apply `units` inside the open transaction; return their answers in the same order."""
    group = Group.of(units)
    await _refuse(link, group)
    await _hold_turns(link, group)
    await _enter(link, group)
    if group.touches_runs:
        await _apply_to_runs(link, group)
    if group.ended:
        await turns.hold(link, {one.ordering for one in group.ended} - group.orderings)
        await turns.pass_on(link, group.ended)
    if group.charges:
        await _charge(link, group)
    for place, unit in group.last:
        is_decision = isinstance(unit, Amend)
        group.answers[place] = await (amend(link, unit) if is_decision else put(link, unit))
    return cast("list[Answered]", group.answers[: len(units)])


async def _charge(link: Link, group: Group) -> None:
    await charge(link, [unit for _, unit in group.charges])
    for place, _ in group.charges:
        group.answers[place] = Done()


async def _enter(link: Link, group: Group) -> None:
    """Write what comes in: ticks, deliveries, and the new runs of all of them."""
    if group.ticks:
        await _tick(link, group)
    if group.receives:
        await _receive(link, group)
    if group.enqueues:
        await _enqueue(link, group)
    if group.asked:
        await _name_known(link, group)


async def _refuse(link: Link, group: Group) -> None:
    """Answer for new runs that a workflow's intake limit leaves no room for, and drop them."""
    asking = [*group.enqueues, *group.receives]
    if all(unit.intake is None for _, unit in asking):
        return
    refusals = await intake.refused(link, asking)
    if refusals:
        group.enqueues = [one for one in group.enqueues if one[0] not in refusals]
        group.receives = [one for one in group.receives if one[0] not in refusals]
    for place, full in refusals.items():
        group.answers[place] = full


CANCELS = (
    "SELECT DISTINCT ordering FROM proveout.runs WHERE id = ANY ($1::text[])"
    " AND ordering IS NOT NULL"
)


async def _hold_turns(link: Link, group: Group) -> None:
    """Hold the locks of the ordering keys that the group is about; most groups have none."""
    runs = [unit.run for _, unit in (*group.enqueues, *group.receives)]
    runs += [run for _, unit in group.ticks for run in unit.runs]
    named = {run.ordering for run in runs if run is not None}
    named |= {unit.ordering for _, unit in group.settles if unit.state.is_final}
    if cancels := [unit.run for _, unit in group.orders if isinstance(unit, Cancel)]:
        named |= {row["ordering"] for row in await link.fetch(CANCELS, cancels)}
    group.orderings = {one for one in named if one is not None}
    await turns.hold(link, group.orderings)


async def _tick(link: Link, group: Group) -> None:
    """Move schedules on; the runs of those that moved are entered with the group's others."""
    for place, unit in group.ticks:
        group.answers[place], is_new = await schedules.move(link, unit)
        for run in unit.runs if is_new else ():
            group.enqueues.append((len(group.answers), Enqueue(id=unit.id, run=run)))
            group.answers.append(None)


async def _apply_to_runs(link: Link, group: Group) -> None:
    """Apply what is about runs that were there before: records first, orders last."""
    decided = await _lock(link, group)
    if group.records:
        await _record(link, group)
    if group.closes:
        await close(link, group)
    if group.handles:
        await _judge(link, group, decided)
    if group.sends:
        await send(link, group)
    if group.listening:
        await deal(link, group)
    if group.settles:
        await _settle(link, group)
    if group.orders:
        await _order(link, group)


async def _receive(link: Link, group: Group) -> None:
    """Keep deliveries; the runs that new ones ask for are entered with the group's others."""
    answers = await receive(link, group.receives)
    for place, unit in group.receives:
        answer = answers.get(place)
        if answer is None:
            raise Unsettled
        group.answers[place] = answer
        if answer.created and unit.run is not None:
            own = len(group.answers)
            group.answers.append(None)
            group.asked[own] = (place, unit)
            group.enqueues.append((own, Enqueue(id=unit.id, run=unit.run)))


async def _name_known(link: Link, group: Group) -> None:
    """Have deliveries whose run's key was taken name the run that has it."""
    for own, (place, unit) in group.asked.items():
        answer = group.answers[own]
        assert isinstance(answer, Enqueued | KeyTaken)  # noqa: S101 - what `_enqueue` gives
        if unit.run is not None and answer.run.id != unit.run.id:
            await link.execute(
                "UPDATE proveout.deliveries SET run = $1 WHERE source = $2 AND event = $3",
                answer.run.id,
                unit.delivery.source,
                unit.delivery.event,
            )
            group.answers[place] = Received(answer.run.id, created=True)


ENQUEUE = (
    "WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now),"
    " given AS MATERIALIZED (SELECT nextval('proveout.run_order') AS seq, new.*,"
    " coalesce(new.asked, (SELECT now FROM clock)) + new.delay AS due FROM unnest("
    "$1::text[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[], $6::timestamptz[],"
    " $7::interval[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[],"
    " $13::bigint[], $14::text[], $15::text[], $16::text[], $17::text[]) AS new (id, workflow,"
    " value, key, created, asked, delay, unit, experiment, candidate, position, case_digest,"
    " priority, ordering, origin, release, asked_by))"
    " INSERT INTO proveout.runs (seq, id, workflow, state, value, key, created, updated, due,"
    " not_before, unit, experiment, candidate, position, case_digest, priority, ordering, origin,"
    " release, asked_by)"
    " SELECT seq, id, workflow, CASE WHEN ordering IS NOT NULL OR due > (SELECT now FROM clock)"
    " THEN 'WAITING' ELSE 'QUEUED' END, value, key, created, created,"
    " CASE WHEN ordering IS NULL THEN due END, CASE WHEN ordering IS NOT NULL THEN due END,"
    " unit, experiment, candidate, position, case_digest, priority, ordering, origin, release,"
    " asked_by FROM given"
    " ORDER BY workflow, key, experiment, candidate, position, id"
    " ON CONFLICT DO NOTHING RETURNING id"
)
"""Numbered as they came, written in the order of their keys: no two groups wait for each other.

What may not begin yet is not queued: claims look only at what is ready.
"""


async def _enqueue(link: Link, group: Group) -> None:
    rows = await link.fetch(ENQUEUE, *columns(_run_row(unit) for _, unit in group.enqueues))
    added = {row["id"] for row in rows}
    runs = [unit.run for _, unit in group.enqueues if unit.run.id in added]
    if ended := [run for run in runs if run.state is not RunState.QUEUED]:
        await link.execute(END, *columns(map(_end_row, ended)))
    if group.orderings:
        ordered = [unit.run for _, unit in group.enqueues if unit.run.ordering is not None]
        await turns.take(link, [run.id for run in ordered if run.id in added])
    known: list[tuple[int, Enqueue]] = []
    for place, unit in group.enqueues:
        if unit.run.id in added:
            group.answers[place] = Enqueued(unit.run, created=True)
        else:
            known.append((place, unit))
    if known:
        await _find_known(link, group, known)


END = (
    "UPDATE proveout.runs SET state = given.state, result = given.result,"
    " failure = given.failure, elapsed = given.elapsed, note = given.note, updated = given.updated"
    " FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::float8[], $6::text[],"
    " $7::timestamptz[]) AS given (id, state, result, failure, elapsed, note, updated)"
    " WHERE runs.id = given.id"
)
"""Have runs that were just entered stand as what they reuse."""


def _end_row(run: Run) -> tuple[Any, ...]:
    failure = None if run.failure is None else from_failure(run.failure)
    when = run.updated or run.created
    return run.id, run.state, run.result, failure, run.elapsed, run.note, when


def _run_row(unit: Enqueue) -> tuple[Any, ...]:
    run = unit.run
    trial = run.trial
    place = (
        (None, None, None, None)
        if trial is None
        else (trial.experiment, trial.candidate, trial.position, trial.case)
    )
    who = (run.id, run.workflow, run.value, run.key)
    when = (run.created, run.due, unit.delay)
    line = (run.priority, run.ordering, run.origin, run.release, run.asked_by)
    return (*who, *when, unit.id, *place, *line)


KNOWN = (
    f"SELECT given.place, known.* FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[],"  # noqa: S608 - our own columns
    " $5::text[], $6::text[], $7::bigint[]) AS given (place, id, workflow, key, experiment,"
    f" candidate, position), LATERAL (SELECT {RUN} FROM proveout.runs WHERE id = given.id"
    f" UNION ALL SELECT {RUN} FROM proveout.runs WHERE workflow = given.workflow"
    f" AND key = given.key UNION ALL SELECT {RUN} FROM proveout.runs"
    " WHERE experiment = given.experiment AND candidate = given.candidate"
    " AND position = given.position LIMIT 1) AS known"
)


async def _find_known(link: Link, group: Group, known: list[tuple[int, Enqueue]]) -> None:
    """Answer for runs that the store knows, by id, by key or by place in an experiment."""
    rows = await link.fetch(KNOWN, *columns(_known_row(place, unit) for place, unit in known))
    found = {row["place"]: to_run(row, moment) for row in rows}
    for place, unit in known:
        run = found.get(place)
        if run is None:
            raise Unsettled
        if run.id == unit.run.id:
            group.answers[place] = Enqueued(run, created=True)
        elif run.has_input(unit.run.value):
            group.answers[place] = Enqueued(run, created=False)
        else:
            group.answers[place] = KeyTaken(run)


def _known_row(place: int, unit: Enqueue) -> tuple[Any, ...]:
    run = unit.run
    trial = run.trial
    where = (
        (None, None, None) if trial is None else (trial.experiment, trial.candidate, trial.position)
    )
    return (place, run.id, run.workflow, run.key, *where)


LOCK = (
    f"SELECT id, state, fence, wake, unit, seq, workflow, ordering, {turns.IS_HELD} AS is_held"  # noqa: S608 - our own words
    " FROM proveout.runs WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE"
)


async def _lock(link: Link, group: Group) -> dict[str, str]:
    """Lock the group's runs; return the run of each review that is to be decided."""
    decided: dict[str, str] = {}
    if group.handles:
        rows = await link.fetch(
            "SELECT id, run FROM proveout.reviews WHERE id = ANY ($1::text[])",
            [unit.review for _, unit in group.handles],
        )
        decided = {row["id"]: row["run"] for row in rows}
    runs: set[str] = set(decided.values())
    runs.update(unit.run for units in group.about_runs for _, unit in units)
    for row in await link.fetch(LOCK, list(runs)):
        group.standing[row["id"]] = Standing(
            state=row["state"],
            fence=row["fence"],
            wake=row["wake"],
            unit=row["unit"],
            seq=row["seq"],
            workflow=row["workflow"],
            ordering=row["ordering"],
            is_held=row["is_held"],
        )
    return decided


RECORD = (
    "INSERT INTO proveout.journal (run, path, name, occurrence, kind, digest, arguments, outcome,"
    " value, due, started, tries, elapsed, fence, unit) SELECT * FROM unnest($1::text[],"
    " $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],"
    " $9::bytea[], $10::timestamptz[], $11::timestamptz[], $12::bigint[], $13::float8[],"
    " $14::bigint[], $15::text[]) ON CONFLICT DO NOTHING"
)

GO_ON = (
    "UPDATE proveout.journal SET outcome = given.outcome, value = given.value, due = given.due,"
    " tries = given.tries, elapsed = given.elapsed, fence = given.fence, unit = given.unit"
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[],"
    " $7::text[], $8::text[], $9::bytea[], $10::timestamptz[], $11::timestamptz[], $12::bigint[],"
    " $13::float8[], $14::bigint[], $15::text[]) AS given (run, path, name, occurrence, kind,"
    " digest, arguments, outcome, value, due, started, tries, elapsed, fence, unit)"
    " WHERE journal.run = given.run AND journal.path = given.path AND journal.name = given.name"
    " AND journal.occurrence = given.occurrence AND journal.outcome = 'pending'"
    " AND journal.kind = given.kind AND journal.kind IN ('step', 'effect')"
)
"""Write over the entries of steps that waited for their next try, and no others."""


async def _record(link: Link, group: Group) -> None:
    entries: list[tuple[Any, ...]] = []
    asked: list[Review] = []
    late: list[tuple[int, Record]] = []
    for place, unit in group.records:
        if not group.is_current(unit):
            late.append((place, unit))
            continue
        group.answers[place] = Done()
        entries.extend(_entry_rows(unit))
        if unit.review is not None:
            asked.append(unit.review)
        if listens(unit):
            group.listening.add(unit.run)
    if entries:
        added = int((await link.execute(RECORD, *columns(entries))).rpartition(" ")[2])
        if added < len(entries):
            await link.execute(GO_ON, *columns(entries))
    if asked:
        await reviews.open_reviews(link, asked)
    await give_up(link, [unit for _, unit in group.records if group.is_current(unit)])
    if late:
        await _find_recorded(link, group, late)


def _entry_rows(unit: Record) -> list[tuple[Any, ...]]:
    return [
        (
            unit.run,
            *entry.place,
            entry.kind,
            entry.digest,
            entry.arguments,
            *from_outcome(entry.outcome),
            entry.started,
            entry.tries,
            entry.elapsed,
            unit.fence,
            unit.id,
        )
        for entry in unit.entries
    ]


async def _find_recorded(link: Link, group: Group, late: list[tuple[int, Record]]) -> None:
    """Answer for attempts that no longer hold their runs: `Done` if it was written before."""
    rows = await link.fetch(
        "SELECT DISTINCT journal.unit FROM proveout.journal JOIN unnest($1::text[], $2::text[])"
        " AS given (run, unit) ON journal.run = given.run AND journal.unit = given.unit",
        [unit.run for _, unit in late],
        [unit.id for _, unit in late],
    )
    recorded = {row["unit"] for row in rows}
    for place, unit in late:
        group.answers[place] = Done() if unit.id in recorded else Stale()


async def _judge(link: Link, group: Group, runs: dict[str, str]) -> None:
    """Do what people ask for with reviews; the runs that go on by it are locked."""
    answers, decided = await reviews.judge(link, group.handles, list(runs))
    for place, answer in answers.items():
        group.answers[place] = answer
    for review in decided:
        standing = group.standing[review.run]
        standing.wake = True
        if standing.state == "WAITING":
            standing.state = "QUEUED"


SETTLE = (
    "WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now) UPDATE proveout.runs"
    " SET state = CASE WHEN given.waits AND runs.wake THEN 'QUEUED' ELSE given.state END,"
    " due = CASE WHEN NOT given.waits THEN runs.due WHEN runs.wake THEN (SELECT now FROM clock)"
    " ELSE given.due END,"
    " wake = false, updated = (SELECT now FROM clock), elapsed = given.elapsed,"
    " result = given.result, failure = given.failure, note = given.note, unit = given.unit,"
    " worker = NULL, lease_until = NULL, suspect = runs.suspect AND given.state = 'QUEUED'"
    " FROM unnest($1::text[], $2::text[], $3::boolean[],"
    " $4::timestamptz[], $5::float8[], $6::bytea[], $7::bytea[], $8::text[], $9::text[])"
    " AS given (run, state, waits, due, elapsed, result, failure, note, unit)"
    " WHERE runs.id = given.run"
)


async def _settle(link: Link, group: Group) -> None:
    rows: list[tuple[Any, ...]] = []
    for place, unit in group.settles:
        if not group.is_current(unit):
            group.answer_again(place, unit)
            continue
        rows.append(_settle_row(unit))
        group.answers[place] = Done()
        standing = group.standing[unit.run]
        waits = unit.state == RunState.WAITING
        standing.state = "QUEUED" if waits and standing.wake else unit.state
        standing.wake = False
        standing.unit = unit.id
    if rows:
        await link.execute(SETTLE, *columns(rows))
    if ended := [(row[0], row[-1]) for row in rows if RunState(row[1]).is_final]:
        await link.execute(SUPERSEDE, *columns(ended))
        for run, _ in ended:
            group.end(run)


def _settle_row(unit: Settle) -> tuple[Any, ...]:
    return (
        unit.run,
        unit.state,
        unit.state == RunState.WAITING,
        unit.due,
        unit.elapsed,
        unit.result,
        None if unit.failure is None else from_failure(unit.failure),
        unit.note,
        unit.id,
    )


REQUEUE = (
    "WITH clock AS MATERIALIZED (SELECT proveout.moment() AS now) UPDATE proveout.runs"
    " SET state = 'QUEUED', due = (SELECT now FROM clock), updated = (SELECT now FROM clock),"
    " note = '', unit = given.unit FROM unnest($1::text[], $2::text[]) AS given (run, unit)"
    " WHERE runs.id = given.run"
)

CANCEL = (
    "UPDATE proveout.runs SET state = 'CANCELLED', updated = (SELECT proveout.moment()),"
    " unit = given.unit, worker = NULL, lease_until = NULL"
    " FROM unnest($1::text[], $2::text[]) AS given (run, unit) WHERE runs.id = given.run"
)

SUPERSEDE = (
    "UPDATE proveout.reviews SET state = 'superseded', decided = (SELECT proveout.moment()),"
    " unit = given.unit FROM unnest($1::text[], $2::text[]) AS given (run, unit)"
    " WHERE reviews.run = given.run AND reviews.state = 'open'"
)


async def _order(link: Link, group: Group) -> None:
    requeued: list[tuple[str, str]] = []
    cancelled: list[tuple[str, str]] = []
    for place, unit in group.orders:
        standing = group.standing.get(unit.run)
        may = standing is not None and _may(unit, standing.state)
        if standing is None or not may or not await _can_go_on(link, unit):
            group.answer_again(place, unit)
            continue
        group.answers[place] = Done()
        standing.unit = unit.id
        standing.state = "CANCELLED" if isinstance(unit, Cancel) else "QUEUED"
        (cancelled if isinstance(unit, Cancel) else requeued).append((unit.run, unit.id))
    if requeued:
        await link.execute(REQUEUE, *columns(requeued))
    if cancelled:
        await link.execute(CANCEL, *columns(cancelled))
        await link.execute(SUPERSEDE, *columns(cancelled))
        for run, _ in cancelled:
            group.end(run)


def _may(unit: Cancel | Requeue | Resolve, state: str) -> bool:
    if isinstance(unit, Cancel):
        return RunState.CANCELLED in MOVES[RunState(state)]
    return state == "PARKED"


async def _can_go_on(link: Link, unit: Cancel | Requeue | Resolve) -> bool:
    """Write what a person says of an effect in doubt; False where none is."""
    return not isinstance(unit, Resolve) or await resolve(link, unit)
