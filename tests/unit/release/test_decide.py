"""A decision and its entry in the ledger are one commit, however many decide at once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from proveout.domain.ledger import Anchor, Deed, breaks
from proveout.domain.record import Kind
from proveout.domain.release import WORKFLOW_SCOPE
from proveout.domain.unit import Keep
from proveout.release import decide as chapter
from proveout.release.decide import (
    Decision,
    LedgerCut,
    Overtaken,
    amend,
    decide,
    ledger_name,
)
from proveout.release.halt import halt

if TYPE_CHECKING:
    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.unit import Amend, Answered
    from proveout.release.decide import Office


def deed(**facts: object) -> Deed:
    return Deed(actor="ana", act="note", subject="a test", facts=dict(facts))


def keep(name: str, body: bytes = b"{}") -> Keep:
    return Keep(kind=Kind.WAIVER, name=name, body=body)


async def test_a_decision_and_its_entry_are_written_together(office: Office) -> None:
    """What was changed stands beside who changed it, and why."""
    entry = await amend(office, deed(reason="it broke"), (keep("one"),))

    assert await office.store.record(Kind.WAIVER, "one") == b"{}"
    assert await office.store.whole_ledger() == [entry]
    assert (entry.seq, entry.actor, json.loads(entry.facts)) == (1, "ana", {"reason": "it broke"})


async def test_the_newest_entry_is_noted_outside_the_store(office: Office) -> None:
    """A ledger that was cut off later shows by this."""
    await amend(office, deed(), ())
    last = await amend(office, deed(), ())

    anchor = office.signer.anchor(await ledger_name(office.store))

    assert anchor is not None
    assert (anchor.seq, anchor.hash) == (last.seq, last.hash)


async def test_of_many_who_decide_at_once_each_gets_its_place(office: Office) -> None:
    """Nobody's entry is lost, and the chain holds."""
    await asyncio.gather(*(amend(office, deed(n=n), (keep(f"{n}"),)) for n in range(12)))

    entries = await office.store.whole_ledger()
    assert [one.seq for one in entries] == list(range(1, 13))
    anchor = office.signer.anchor(await ledger_name(office.store))
    assert breaks(entries, office.signer.is_ours, anchor) == []
    assert len(await office.store.records(Kind.WAIVER)) == 12


async def test_who_was_overtaken_reads_and_decides_again(office: Office) -> None:
    """What a decision rests on is what the store holds when it is written."""
    thoughts: list[int] = []

    async def think() -> Decision:
        seen = len(await office.store.whole_ledger())
        thoughts.append(seen)
        if seen == 0:  # somebody comes first, after this was thought and before it is written
            await amend(office, deed(by="another"), ())
        return Decision(deed=deed(seen=seen), changes=())

    entry = await decide(office, think)

    assert thoughts == [0, 1]
    assert json.loads(entry.facts) == {"seen": 1}


async def test_who_writes_while_another_looks_has_cut_nothing(office: Office) -> None:
    """An entry that came after the ledger's end was read is not missing from it."""

    class Busy:
        """The same store, in which another decides just after the ledger's end was first read."""

        record = office.store.record
        write = office.store.write
        looks = 0

        async def head(self) -> LedgerEntry | None:
            found = await office.store.head()
            self.looks += 1
            if self.looks == 1:
                await amend(office, deed(by="another"), ())
            return found

    busy = replace(office, store=Busy())  # pyright: ignore[reportArgumentType] - all that is asked of it

    mine = await amend(busy, deed(by="me"), ())

    assert mine.seq == 2


async def test_who_is_always_overtaken_gives_up_and_wrote_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends, and says that it is worth another try."""
    monkeypatch.setattr(chapter, "TRIES", 3)

    async def think() -> Decision:
        return Decision(deed=deed(), changes=(keep("mine"),))

    class Crowded:
        """The same store, in which another always comes first."""

        head = office.store.head
        record = office.store.record

        async def write(self, unit: Amend) -> Answered:
            await amend(office, deed(by="another"), ())
            return await office.store.write(unit)

    crowded = replace(office, store=Crowded())  # pyright: ignore[reportArgumentType] - all that is asked of it

    with pytest.raises(Overtaken):
        await decide(crowded, think)

    assert await office.store.records(Kind.WAIVER) == {}


async def test_a_ledger_that_was_cut_is_written_no_further(office: Office) -> None:
    """New entries would grow past the gap, and hide it."""
    await amend(office, deed(), ())
    name = await ledger_name(office.store)
    office.signer.note(name, Anchor(seq=3, hash="ab" * 32))

    with pytest.raises(LedgerCut, match="ends at entry 1, and this machine wrote entry 3"):
        await amend(office, deed(), (keep("one"),))

    assert await office.store.record(Kind.WAIVER, "one") is None


async def test_a_halt_and_a_rollback_are_not_refused_over_a_gap(office: Office) -> None:
    """They reduce exposure; their entries tell of the gap."""
    await amend(office, deed(), ())
    office.signer.note(await ledger_name(office.store), Anchor(seq=3, hash="ab" * 32))

    await halt(office, "toy", WORKFLOW_SCOPE, "ana")

    head = await office.store.head()
    assert head is not None
    assert "this machine wrote entry 3" in json.loads(head.facts)["ledger_gap"]
    assert [one.scope for one in await office.store.halts("toy")] == [WORKFLOW_SCOPE]
