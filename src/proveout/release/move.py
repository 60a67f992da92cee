"""Moving the pointer: promotion, canary and rollback, each one commit with its entry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from proveout.domain.ledger import Deed
from proveout.domain.release import InFlight, ReleaseDigest, Treatment
from proveout.domain.unit import MovePointer, Treat
from proveout.release.decide import Decision, decide
from proveout.release.route import (
    CANARY,
    PROMOTE,
    ROLL_BACK,
    Past,
    PointerMoved,
    history,
    made_stable,
    pointer_facts,
    rolled_back,
    with_canary,
)

if TYPE_CHECKING:
    from proveout.domain.release import Pointer, Release
    from proveout.domain.unit import Change
    from proveout.release.decide import Office
    from proveout.release.route import CanaryPlan, Way

RECENT = 10_000
"""Entries of the ledger in which the release that served before is looked for."""


async def promote(
    office: Office,
    release: Release,
    actor: str,
    grounds: dict[str, Any],
    seen: int | None = None,
) -> Pointer:
    """Have `release` serve everything; return the pointer as it is now.

    `grounds` are the evidence and the accepted assumptions that the gate let it through on;
    `seen` is the version of the pointer that the gate looked at.

    Raises:
        AlreadySo: it serves everything already.
        PointerMoved: the pointer has another version than `seen`.
    """
    moved: list[Pointer] = []

    async def think() -> Decision:
        now = await office.store.pointer(release.workflow)
        if seen not in {None, now.version}:
            raise moved_on()
        moved[:] = [made_stable(now, release)]
        return _moving(
            now, moved[0], Deed(actor=actor, act=PROMOTE, subject=release.name, facts=grounds)
        )

    await decide(office, think)
    return moved[0]


async def start_canary(
    office: Office, release: Release, plan: CanaryPlan, actor: str, grounds: dict[str, Any]
) -> Pointer:
    """Send a share of new runs to `release`; return the pointer as it is now.

    Raises:
        NotPromoted: no stable release serves beside it.
        AlreadySo: it is the stable release.
    """
    moved: list[Pointer] = []

    async def think() -> Decision:
        now = await office.store.pointer(release.workflow)
        if plan.seen not in {None, now.version}:
            raise moved_on()
        moved[:] = [with_canary(now, release, plan)]
        return _moving(
            now, moved[0], Deed(actor=actor, act=CANARY, subject=release.name, facts=grounds)
        )

    await decide(office, think)
    return moved[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A rollback as it is asked for.

    Attributes:
        to: the release to go back to; None for the one that served before.
        treatment: what becomes of the runs in flight on the release that goes.
        leaves: the release that is to get no new run, as whoever orders it was shown.
        only_if: give up quietly unless this release is still the canary.
    """

    workflow: str
    actor: str
    reason: str = ""
    to: ReleaseDigest | None = None
    treatment: Treatment = Treatment.FINISH
    leaves: ReleaseDigest | None = None
    only_if: ReleaseDigest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What a rollback did.

    Attributes:
        seconds: from the order to the commit.
    """

    bad: ReleaseDigest
    to: ReleaseDigest
    in_flight: InFlight
    treatment: Treatment
    seconds: float
    entry: int


class NoLongerCanary(Exception):
    """The release is no canary any more: somebody was faster."""


@dataclass(slots=True)
class _Thought:
    way: list[tuple[Way, InFlight]] = field(default_factory=list["tuple[Way, InFlight]"])


async def roll_back(office: Office, order: Order) -> RolledBack:
    """Send no new run to the newest release any more; return what that meant.

    Raises:
        NotPromoted: nothing serves.
        NothingBefore: nothing served before.
        NoLongerCanary: the order was for a canary that has ended.
    """
    start = office.clock.monotonic()
    thought = _Thought()

    async def think() -> Decision:
        now = await office.store.pointer(order.workflow)
        if order.only_if and (now.canary is None or now.canary.release != order.only_if):
            raise NoLongerCanary
        moves = history(await office.store.ledger(limit=RECENT), order.workflow)
        way = rolled_back(now, Past.of(moves), order.to)
        if order.leaves not in {None, way.bad}:
            raise moved_on()
        in_flight = await office.store.in_flight(order.workflow, way.bad)
        thought.way = [(way, in_flight)]
        facts = {
            "bad": way.bad,
            "to": way.to,
            "treatment": order.treatment,
            "in_flight": in_flight.runs,
            "oldest": None if in_flight.oldest is None else in_flight.oldest.isoformat(),
            "reason": order.reason,
        }
        deed = Deed(actor=order.actor, act=ROLL_BACK, subject=order.workflow, facts=facts)
        moving = _moving(now, way.pointer, deed)
        treat = Treat(workflow=order.workflow, release=way.bad, treatment=order.treatment)
        return Decision(deed=moving.deed, changes=(*moving.changes, treat))

    entry = await decide(office, think, over_gap=True)  # a rollback is never refused
    [(way, in_flight)] = thought.way
    return RolledBack(
        bad=way.bad,
        to=way.to,
        in_flight=in_flight,
        treatment=order.treatment,
        seconds=office.clock.monotonic() - start,
        entry=entry.seq,
    )


def moved_on() -> PointerMoved:
    """Return the refusal of a decision that rests on what served before."""
    return PointerMoved(
        "what serves has changed since you looked",
        why="somebody else, or the watch over a canary, was faster",
        fix=("proveout status", "try again"),
    )


def _moving(now: Pointer, then: Pointer, deed: Deed) -> Decision:
    """Return the decision that moves the pointer, told with where it stood and will stand."""
    facts = {
        "workflow": now.workflow,
        "before": pointer_facts(now),
        "after": pointer_facts(then),
        **deed.facts,
    }
    changes: tuple[Change, ...] = (MovePointer(pointer=then),)
    return Decision(deed=replace(deed, facts=facts), changes=changes)
