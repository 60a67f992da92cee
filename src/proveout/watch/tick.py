"""Ticking: look, think, and write down what follows, once however many servers keep watch.

What follows from one look is one unit, and it spends the turn that the look began with. Of
several servers that look at the same moment one writes; the others find the turn gone, and
look again. All that is known between two looks is in the store.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.alert import (
    Acknowledgement,
    Alert,
    AlertState,
    Escalation,
    Handover,
    Notice,
    Silence,
)
from proveout.domain.record import Kind, decode, encode
from proveout.domain.review import ReviewState
from proveout.domain.unit import Done, Keep, Put, UnitId
from proveout.watch.deliver import outgoing
from proveout.watch.weigh import Known, Orders, weigh

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.alert import Breach, Manner, Policy
    from proveout.ports.clock import Ids
    from proveout.ports.store import Store
    from proveout.watch.measure import Gauges
    from proveout.watch.weigh import Weighed

MOST_REVIEWS = 1000
"""Open reviews that are looked at, those with the nearest deadline first."""

KEPT = timedelta(days=30)
"""For so long an alert is shown that is over, and what was told of it."""

BEGUN = "begun:"
"""Ends the name of the record that tells that a first turn was made; no turn is called so."""

TIDIED = timedelta(hours=1)
"""So often what is too old is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What watch is kept with.

    Attributes:
        channels: names that a channel reaches; whom none reaches is shown, and sent nothing.
    """

    store: Store
    ids: Ids
    gauges: Gauges
    workflow: str
    policy: Policy
    manner: Manner
    channels: frozenset[str]


class Turn(NamedTuple):
    """Whose turn it is to write: whoever spends its record.

    Attributes:
        name: of its record.
        handover: what whoever had the turn before has left.
    """

    number: int
    name: str
    handover: Handover


class Looked(NamedTuple):
    """What one look found.

    Attributes:
        alerts: every alert that is remembered, by id.
    """

    known: Known
    alerts: dict[str, Alert]


async def tick(watch: Watch) -> bool:
    """Look at everything once; return whether something was written down."""
    now = (await watch.store.ticked(watch.workflow)).now
    turn = await _turn(watch) or await _first_turn(watch)
    looked = await _look(watch, turn.handover)
    weighed = weigh(_orders(watch, now), looked.known, await watch.gauges.breaches(now), now)
    keeps = _changes(looked, weighed, watch.manner)
    keeps += [outgoing(one, one) for one in weighed.notices if one.to in watch.channels]
    handover = weighed.handover
    if handover.tidied is None or now - handover.tidied >= TIDIED:
        keeps += await _outlived(watch.store, looked, now)
        handover = replace(handover, tidied=now)
    if not keeps and handover == turn.handover:
        return False
    return await _write(watch, turn, handover, keeps)


def _orders(watch: Watch, now: datetime) -> Orders:
    def begin(breach: Breach) -> Alert:
        return Alert(
            id=watch.ids.new(),
            workflow=watch.workflow,
            rule=breach.rule,
            severity=breach.severity,
            summary=breach.summary,
            detail=breach.detail,
            since=now,
            held=now,
        )

    return Orders(workflow=watch.workflow, policy=watch.policy, manner=watch.manner, begin=begin)


# What is known


async def _turn(watch: Watch) -> Turn | None:
    """Return the newest turn, or None before the first."""
    found = {
        int(name.rpartition(":")[2]): (name, body)
        for name, body in (await watch.store.records(Kind.WATCH)).items()
        if name.rpartition(":")[0] == watch.workflow
    }
    if not found:
        return None
    number = max(found)
    name, body = found[number]
    return Turn(number, name, decode(Handover, body))


async def _first_turn(watch: Watch) -> Turn:
    """Make the first turn, which nothing follows from yet; return it, or what followed already.

    Of servers that begin at the same moment one makes it, once and for all: made again after it
    was spent, it would let whoever has looked meanwhile tell a second time.
    """
    turn = Turn(0, _name(watch, 0), Handover())
    keep = Keep(kind=Kind.WATCH, name=turn.name, body=encode(turn.handover))
    begun = Keep(kind=Kind.WATCH, name=f"{watch.workflow}:{BEGUN}", body=b"{}")
    await watch.store.write(Put(id=UnitId(watch.ids.new()), keeps=(keep,), makes=begun))
    return await _turn(watch) or turn


def _name(watch: Watch, number: int) -> str:
    return f"{watch.workflow}:{number:012}"


async def _write(watch: Watch, turn: Turn, handover: Handover, keeps: list[Keep]) -> bool:
    """Write what follows, if the turn is still ours to take."""
    following = Keep(kind=Kind.WATCH, name=_name(watch, turn.number + 1), body=encode(handover))
    unit = Put(
        id=UnitId(watch.ids.new()),
        keeps=(*keeps, following),
        spends=Keep(kind=Kind.WATCH, name=turn.name, body=None),
    )
    return await watch.store.write(unit) == Done()


async def _look(watch: Watch, handover: Handover) -> Looked:
    store = watch.store
    alerts = await alerts_of(store, watch.workflow)
    reviews = await store.reviews(ReviewState.OPEN, limit=MOST_REVIEWS)
    escalations = await escalations_of(store)
    if len(reviews) == MOST_REVIEWS:  # of those beyond it is not known whether they are open
        seen = {f"review:{one.id}" for one in reviews}
        escalations = {
            name: one
            for name, one in escalations.items()
            if name in seen or not name.startswith("review:")
        }
    known = Known(
        alerts=[one for one in alerts.values() if one.state is not AlertState.RESOLVED],
        escalations=escalations,
        acknowledgements=await acknowledgements_of(store),
        silences=await silences_of(store),
        reviews=reviews,
        handover=handover,
    )
    return Looked(known, alerts)


async def alerts_of(store: Store, workflow: str) -> dict[str, Alert]:
    """Return every alert of a workflow that is remembered, by id, the oldest first."""
    found = [decode(Alert, body) for body in (await store.records(Kind.ALERT)).values()]
    found.sort(key=lambda one: (one.since, one.id))
    return {one.id: one for one in found if one.workflow == workflow}


async def escalations_of(store: Store) -> dict[str, Escalation]:
    """Return how far each escalation has come, by subject."""
    found = (await store.records(Kind.ESCALATION)).items()
    return {name: decode(Escalation, body) for name, body in found}


async def acknowledgements_of(store: Store) -> dict[str, Acknowledgement]:
    """Return the newest acknowledgement of each subject, lapsed or not."""
    found = (await store.records(Kind.ACKNOWLEDGEMENT)).items()
    return {name: decode(Acknowledgement, body) for name, body in found}


async def silences_of(store: Store) -> list[Silence]:
    """Return every silence that is remembered, ended or not."""
    found = [decode(Silence, body) for body in (await store.records(Kind.SILENCE)).values()]
    return sorted(found, key=lambda one: one.ends)


async def notices_of(store: Store) -> list[Notice]:
    """Return every notice that is remembered, handed over or not, the oldest first."""
    bodies = [
        *(await store.records(Kind.NOTICE)).values(),
        *(await store.records(Kind.OUTGOING)).values(),
    ]
    return sorted((decode(Notice, body) for body in bodies), key=lambda one: one.created)


# What changes


def _changes(looked: Looked, weighed: Weighed, manner: Manner) -> list[Keep]:
    """Return the records that are to be written."""
    known = looked.known.escalations
    alerts = [one for one in weighed.alerts if _differs(one, looked.alerts.get(one.id), manner)]
    return [
        *(Keep(kind=Kind.ALERT, name=one.id, body=encode(one)) for one in alerts),
        *(
            Keep(kind=Kind.ESCALATION, name=name, body=encode(one))
            for name, one in weighed.escalations.items()
            if one != known.get(name)
        ),
        *(
            Keep(kind=kind, name=name, body=None)
            for name in weighed.ended
            for kind in (Kind.ESCALATION, Kind.ACKNOWLEDGEMENT)
        ),
    ]


def _differs(now: Alert, before: Alert | None, manner: Manner) -> bool:
    """Whether an alert is to be written again; that it still holds is written now and then."""
    if before is None or replace(now, held=before.held) != before:
        return True
    return now.held - before.held >= manner.settled / 4


async def _outlived(store: Store, looked: Looked, now: datetime) -> list[Keep]:
    """Return the records to remove of what was over long ago."""
    old = now - KEPT
    alerts = [one for one in looked.alerts.values() if one.resolved and one.resolved < old]
    gone = [
        (kind, name)
        for one in alerts
        for kind, name in (
            (Kind.ALERT, one.id),
            (Kind.ESCALATION, one.subject),
            (Kind.ACKNOWLEDGEMENT, one.subject),
        )
    ]
    gone += [(Kind.SILENCE, one.id) for one in looked.known.silences if one.ends < old]
    notices = [decode(Notice, body) for body in (await store.records(Kind.NOTICE)).values()]
    gone += [(Kind.NOTICE, one.id) for one in notices if one.created < old]
    return [Keep(kind=kind, name=name, body=None) for kind, name in gone]
