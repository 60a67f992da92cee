"""Decisions: what is changed and its entry in the ledger, in one commit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proveout.domain.ledger import Anchor, chained
from proveout.domain.record import Kind
from proveout.domain.unit import Amend, Change, Done, UnitId
from proveout.errors import Outage, ProveoutError, Refusal

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


class LedgerCut(Refusal):
    """The ledger lacks what this machine wrote; nothing more may be written over the gap."""

    code = "ledger-cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What decisions are taken with."""

    store: Store
    clock: Clock
    ids: Ids
    signer: Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows from what the store held when it was read."""

    deed: Deed
    changes: tuple[Change, ...]


async def decide(
    office: Office, think: Callable[[], Awaitable[Decision]], *, over_gap: bool = False
) -> LedgerEntry:
    """Make what `think` decides durable with its entry; return the entry.

    Where another decision came first, `think` reads and decides again.

    Args:
        office: what it is taken with.
        think: reads what it needs, and decides.
        over_gap: go on although the ledger was cut, and say so in the entry; for what may
            never be refused.

    Raises:
        Overtaken: others kept coming first.
        LedgerCut: the ledger lacks what this machine wrote.
    """
    ledger = await ledger_name(office.store)
    for _ in range(TRIES):
        # What this machine wrote comes first: what it writes meanwhile is then no gap. The head
        # comes before thinking: what is decided meanwhile shows as one that went on.
        written = _written(office, ledger)
        head = await office.store.head()
        gap = written if isinstance(written, LedgerCut) else _gap(head, written)
        if gap is not None and not over_gap:
            raise gap
        decision = _noted(await think(), gap)
        entry = chained(head, decision.deed, office.clock.now(), office.signer.sign)
        unit = Amend(id=UnitId(office.ids.new()), entry=entry, changes=decision.changes)
        if isinstance(await office.store.write(unit), Done):
            with suppress(ProveoutError):  # it is durable, and an older note still shows a cut
                office.signer.note(ledger, Anchor(seq=entry.seq, hash=entry.hash))
            return entry
    raise Overtaken(f"others decided first, {TRIES} times", fix=("try again",))


async def ledger_name(store: Store) -> str:
    """Return the name by which a machine remembers a store's ledger: the store's own id."""
    identity = await store.record(Kind.STORE, "id")
    return "" if identity is None else identity.decode()


def _written(office: Office, ledger: str) -> Anchor | LedgerCut | None:
    """Return what this machine wrote last; what cannot be looked up is taken for a cut."""
    try:
        return office.signer.anchor(ledger)
    except ProveoutError as trouble:
        return LedgerCut(trouble.message, why=trouble.why, fix=trouble.fix)


def _gap(head: LedgerEntry | None, anchor: Anchor | None) -> LedgerCut | None:
    """Return what is wrong where the ledger lacks what this machine wrote last.

    A chain that was cut would otherwise grow past the cut, and hide it.
    """
    seq = 0 if head is None else head.seq
    same = head is None or anchor is None or seq != anchor.seq or head.hash == anchor.hash
    if anchor is None or (seq >= anchor.seq and same):
        return None
    return LedgerCut(
        f"the ledger ends at entry {seq}, and this machine wrote entry {anchor.seq}",
        why="entries were removed, or the store was put back to an earlier state",
        fix=("proveout ledger verify", "restore the store from its newest backup"),
    )


def _noted(decision: Decision, gap: LedgerCut | None) -> Decision:
    """Return a decision whose entry tells of the gap that it is written over."""
    if gap is None:
        return decision
    facts = {**decision.deed.facts, "ledger_gap": gap.message}
    return replace(decision, deed=replace(decision.deed, facts=facts))


async def amend(
    office: Office, deed: Deed, changes: tuple[Change, ...], *, over_gap: bool = False
) -> LedgerEntry:
    """Make changes durable that depend on nothing but themselves; return their entry."""

    async def think() -> Decision:
        return Decision(deed=deed, changes=changes)

    return await decide(office, think, over_gap=over_gap)
