"""Decisions: what is changed and its entry in the ledger, in one commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.ledger import Anchor, chained
from proveout.domain.unit import Amend, Change, Done, UnitId
from proveout.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proveout.domain.ledger import Deed, LedgerEntry
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.signer import Signer
    from proveout.ports.store import Store

TRIES = 50
"""How often a decision is taken again because others came first."""


class Overtaken(Outage):
    """Others kept deciding first."""

    code = "overtaken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What decisions are taken with.

    Attributes:
        ledger: name by which this machine remembers the store's ledger.
    """

    store: Store
    clock: Clock
    ids: Ids
    signer: Signer
    ledger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows from what the store held when it was read."""

    deed: Deed
    changes: tuple[Change, ...]


async def decide(office: Office, think: Callable[[], Awaitable[Decision]]) -> LedgerEntry:
    """Make what `think` decides durable with its entry; return the entry.

    Where another decision came first, `think` reads and decides again.

    Raises:
        Overtaken: others kept coming first.
    """
    decision = await think()
    for _ in range(TRIES):
        head = await office.store.head()
        entry = chained(head, decision.deed, office.clock.now(), office.signer.sign)
        unit = Amend(id=UnitId(office.ids.new()), entry=entry, changes=decision.changes)
        if isinstance(await office.store.write(unit), Done):
            office.signer.note(office.ledger, Anchor(seq=entry.seq, hash=entry.hash))
            return entry
        decision = await think()
    raise Overtaken(f"{decision.deed.act}: others decided first, {TRIES} times", fix=("try again",))


async def amend(office: Office, deed: Deed, changes: tuple[Change, ...]) -> LedgerEntry:
    """Make changes durable that depend on nothing but themselves; return their entry."""

    async def think() -> Decision:
        return Decision(deed=deed, changes=changes)

    return await decide(office, think)
