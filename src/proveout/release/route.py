"""Routing: which release new runs go to, decided from the pointer and its history."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from proveout.domain.release import Canary, Pointer, ReleaseDigest, Share, Stage
from proveout.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.release import InFlight, Release

PROMOTE = "promote"
CANARY = "start canary"
ROLL_BACK = "roll back"
MOVES = frozenset({PROMOTE, CANARY, ROLL_BACK})
"""The deeds of the ledger that move a pointer."""


class NotPromoted(Refusal):
    """The workflow is a proof of concept: no release serves real requests."""

    code = "not-promoted"


class NothingBefore(Refusal):
    """No earlier release is known that could serve."""

    code = "nothing-before"


class PointerMoved(Refusal):
    """What serves has changed since somebody looked."""

    code = "pointer-moved"


class AlreadySo(Refusal):
    """What was asked for is already the case."""

    code = "already-so"


def made_stable(pointer: Pointer, release: Release) -> Pointer:
    """Return the pointer with `release` serving everything, in production.

    Raises:
        AlreadySo: it does already.
    """
    if pointer.stable == release.digest and pointer.canary is None:
        raise AlreadySo(f"{release.name} serves everything already", fix=("proveout release list",))
    return replace(
        pointer,
        version=pointer.version + 1,
        stage=Stage.PRODUCTION,
        stable=release.digest,
        canary=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryPlan:
    """How a canary is to begin, or to go on at another share.

    Attributes:
        salt: for a canary that begins now.
        hold: the longest that it may stay a canary; None for no end.
        seen: the version of the pointer that the gate looked at; None for whatever it is.
    """

    share: Share
    salt: str
    now: datetime
    hold: timedelta | None = None
    seen: int | None = None


def with_canary(pointer: Pointer, release: Release, plan: CanaryPlan) -> Pointer:
    """Return the pointer with a share of new runs going to `release`.

    A canary that is only given another share keeps its salt: who was in it stays in it.

    Raises:
        NotPromoted: no stable release serves beside it.
        AlreadySo: it is the stable release.
    """
    if pointer.stable is None:
        raise NotPromoted(
            f"{pointer.workflow} has no stable release yet",
            why="a canary is compared with what serves beside it; the first release is promoted",
            fix=(f"proveout promote {release.name}",),
        )
    if pointer.stable == release.digest:
        raise AlreadySo(f"{release.name} is the stable release", fix=("proveout release list",))
    now = pointer.canary
    goes_on = now is not None and now.release == release.digest
    canary = Canary(
        release=release.digest,
        share=plan.share,
        salt=now.salt if now and goes_on else plan.salt,
        # Failures under another share say nothing about this one.
        since=now.since if now and goes_on and now.share == plan.share else plan.now,
        hold=None if plan.hold is None else plan.now + plan.hold,
    )
    return replace(pointer, version=pointer.version + 1, canary=canary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a rollback leads.

    Attributes:
        bad: the release that gets no new runs any more.
        to: the release that serves instead.
    """

    pointer: Pointer
    bad: ReleaseDigest
    to: ReleaseDigest


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerMove:
    """One change of the pointer, as the ledger tells it; digests, None where there was none."""

    seq: int
    at: datetime
    actor: str
    act: str
    stable: str | None
    canary: str | None
    share: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What served before.

    Attributes:
        before: what lies under the release that is stable now, the nearest first; a release
            that was rolled back is not among it.
        served: every release that ever served everything.
    """

    before: tuple[ReleaseDigest, ...] = ()
    served: frozenset[ReleaseDigest] = frozenset()

    @classmethod
    def of(cls, moves: Sequence[PointerMove]) -> Past:
        """Return what `moves` tell, the newest of them first."""
        line: list[str] = []
        for move in reversed(moves):
            if move.stable is None:
                continue
            if move.act == ROLL_BACK and move.stable in line:
                while line[-1] != move.stable:
                    line.pop()
            elif not line or line[-1] != move.stable:
                line.append(move.stable)
        return cls(
            before=tuple(ReleaseDigest(one) for one in line[-2::-1]),
            served=frozenset(ReleaseDigest(move.stable) for move in moves if move.stable),
        )


def rolled_back(pointer: Pointer, past: Past, to: ReleaseDigest | None = None) -> Way:
    """Return the pointer without its newest release.

    A canary is ended; without one, the release that served before becomes stable again. `to`
    is the one to go back to, where it is not the one that follows from the past.

    Raises:
        NotPromoted: nothing serves.
        NothingBefore: nothing served before, or `to` never did: rolling back is no way
            around the gate.
        AlreadySo: `to` serves everything already.
    """
    if pointer.stable is None:
        raise NotPromoted(
            f"{pointer.workflow} serves no release: there is nothing to roll back",
            fix=("proveout audit",),
        )
    version = pointer.version + 1
    if pointer.canary is not None and to in {None, pointer.stable}:
        whole = replace(pointer, version=version, canary=None)
        return Way(pointer=whole, bad=pointer.canary.release, to=pointer.stable)
    if to == pointer.stable:
        raise AlreadySo("that release serves everything already", fix=("proveout release list",))
    if to is not None and to not in past.served:
        raise NothingBefore(
            "that release never served everything",
            why="a rollback leads back; what is new goes through the gate",
            fix=("proveout canary REL --share 5%", "proveout release list"),
        )
    target = to or next((one for one in past.before if one != pointer.stable), None)
    if target is None:
        raise NothingBefore(
            "no release served before this one",
            why="a rollback leads back to something; a halt stops everything",
            fix=("proveout halt", "proveout rollback --to REL"),
        )
    moved = replace(pointer, version=version, stable=target, canary=None)
    return Way(pointer=moved, bad=pointer.stable, to=target)


def pointer_facts(pointer: Pointer) -> dict[str, Any]:
    """Return a pointer as a ledger entry tells it."""
    canary = pointer.canary
    return {
        "version": pointer.version,
        "stage": pointer.stage,
        "stable": pointer.stable,
        "canary": None if canary is None else canary.release,
        "share": None if canary is None else str(canary.share),
    }


def history(entries: Iterable[LedgerEntry], workflow: str) -> list[PointerMove]:
    """Return the changes of a workflow's pointer, in the order of `entries`."""
    return [
        _move(entry, json.loads(entry.facts))
        for entry in entries
        if entry.act in MOVES and json.loads(entry.facts).get("workflow") == workflow
    ]


def _move(entry: LedgerEntry, facts: dict[str, Any]) -> PointerMove:
    after = facts["after"]
    return PointerMove(
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        act=entry.act,
        stable=after["stable"],
        canary=after["canary"],
        share=after["share"],
        reason=facts.get("reason", ""),
    )


def life(release: Release, pointer: Pointer, in_flight: InFlight, has_served: bool) -> str:
    """Return where a release stands: created, canary, stable, draining or retired."""
    if release.digest == pointer.stable:
        return "stable"
    if pointer.canary is not None and release.digest == pointer.canary.release:
        return "canary"
    if in_flight.runs:
        return "draining"
    return "retired" if has_served else "created"
