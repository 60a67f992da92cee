"""Stores without one protection each: what a drill's negative control runs on.

They stand around a sandbox's store and drop what the protection does; nothing else in
Proveout can be switched off.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from proveout.domain.record import Kind
from proveout.domain.unit import (
    Amend,
    Answered,
    Decide,
    Enqueue,
    Enqueued,
    Put,
    Receive,
    StartHalt,
    Undecidable,
    Unit,
)
from proveout.ports.store import Tended
from proveout.ready.sandbox import Protection

if TYPE_CHECKING:
    from proveout.domain.run import RunId
    from proveout.ports.clock import Ids
    from proveout.ports.store import Claimed, Store, Want

LAG = 0.5
"""Seconds after its acknowledgement in which a run is written, without durable answers."""


class Around:
    """A store that does what the one inside does."""

    def __init__(self, inside: Store, ids: Ids) -> None:
        self.inside = inside
        self.ids = ids

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inside, name)


class Unrecovering(Around):
    """Nobody takes over the runs of a worker that died."""

    async def tend(self) -> Tended:
        """Leave everything where it is."""
        return Tended()


class Hasty(Around):
    """A run is acknowledged first and written later."""

    def __init__(self, inside: Store, ids: Ids) -> None:
        super().__init__(inside, ids)
        self._later: set[asyncio.Task[Answered]] = set()

    async def write(self, unit: Unit) -> Answered:
        """Answer for a new run before anything is durable."""
        if not isinstance(unit, Enqueue):
            return await self.inside.write(unit)
        task = asyncio.create_task(self._write_later(unit))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return Enqueued(unit.run, created=True)

    async def _write_later(self, unit: Enqueue) -> Answered:
        await asyncio.sleep(LAG)  # noqa: TID251 - the fault is that real time passes
        return await self.inside.write(unit)


class Undeduplicated(Around):
    """Each delivery counts as an event of its own."""

    async def write(self, unit: Unit) -> Answered:
        """Give every delivery an event id, and its run a key, that nothing else has."""
        if not isinstance(unit, Receive):
            return await self.inside.write(unit)
        event = f"{unit.delivery.event}-{self.ids.new()}"
        run = unit.run and replace(unit.run, key=None)
        fresh = replace(unit, delivery=replace(unit.delivery, event=event), run=run)
        return await self.inside.write(fresh)


class Blameless(Around):
    """A run that kills its worker is tried among all others, for ever."""

    async def claim(self, want: Want) -> list[Claimed]:
        """Give suspects to everyone."""
        return await self.inside.claim(replace(want, suspects=None))

    async def has_suspects(self, want: Want) -> bool:  # noqa: ARG002 - the port's own
        """Suspect nothing."""
        return False

    async def blame(self, worker: str, at_most: int) -> list[RunId]:  # noqa: ARG002 - the port's own
        """Count nothing."""
        return []


class Trusting(Around):
    """A decision counts whatever its maker saw."""

    async def write(self, unit: Unit) -> Answered:
        """Take a decision on any content for one on the content that is there."""
        answer = await self.inside.write(unit)
        if not isinstance(unit, Decide) or not isinstance(answer, Undecidable):
            return answer
        if answer.review is None:
            return answer
        return await self.inside.write(replace(unit, digest=answer.review.digest))


class Unrouted(Around):
    """A worker claims what belongs to whichever release serves, and runs it on its own."""

    async def claim(self, want: Want) -> list[Claimed]:
        """Claim in the name of the stable release."""
        pointer = await self.inside.pointer(want.workflows[0])
        return await self.inside.claim(replace(want, release=pointer.stable or want.release))


class Unhalted(Around):
    """A halt is entered in the ledger, and nothing more."""

    async def halts(self, workflow: str) -> list[Any]:  # noqa: ARG002 - the port's own
        """Tell of no halt."""
        return []

    async def write(self, unit: Unit) -> Answered:
        """Leave out the order to halt."""
        if isinstance(unit, Amend):
            kept = tuple(one for one in unit.changes if not isinstance(one, StartHalt))
            unit = replace(unit, changes=kept)
        return await self.inside.write(unit)


class Untelling(Around):
    """It is decided who is told, and nobody is."""

    async def write(self, unit: Unit) -> Answered:
        """Leave out every notice."""
        if isinstance(unit, Put):
            kept = tuple(one for one in unit.keeps if one.kind is not Kind.OUTGOING)
            unit = replace(unit, keeps=kept)
        return await self.inside.write(unit)


WITHOUT: dict[Protection, type[Around]] = {
    Protection.RECOVERY: Unrecovering,
    Protection.DURABLE_ANSWERS: Hasty,
    Protection.DEDUPLICATION: Undeduplicated,
    Protection.ISOLATION: Blameless,
    Protection.BOUND_DECISIONS: Trusting,
    Protection.ROUTING: Unrouted,
    Protection.HALT: Unhalted,
    Protection.ESCALATION: Untelling,
}


def without(store: Store, protection: Protection | None, ids: Ids) -> Store:
    """Return `store` without a protection; as it is where the store does not hold it."""
    around = None if protection is None else WITHOUT.get(protection)
    return store if around is None else cast("Store", around(store, ids))
