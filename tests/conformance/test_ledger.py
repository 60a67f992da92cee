"""The ledger: a chain without gaps, in which what was changed behind our back shows."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import FIRST, SECOND, Deeds, canary, halted, is_signed, sign
from doubles.given import Given
from doubles.stores import SQLITE
from proveout.adapters.postgres.wire import Server, part
from proveout.domain.ledger import ROOT, Anchor, Signature, breaks
from proveout.domain.record import Kind
from proveout.domain.release import Pointer
from proveout.domain.run import RunState
from proveout.domain.unit import Done, Keep, MovePointer, Stale, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from doubles.stores import Open
    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.unit import Amend
    from proveout.ports.store import Store


@pytest.fixture
def deeds(given: Given) -> Deeds:
    """Return what takes decisions in the store."""
    return Deeds(given)


def pointed(version: int) -> MovePointer:
    return MovePointer(pointer=Pointer(workflow="triage", version=version, stable=FIRST))


async def test_entries_come_back_as_they_were_written(deeds: Deeds, store: Store) -> None:
    """Newest first by the page, or whole in the order of the chain; nothing of them changes."""
    none = await store.head()
    written: list[LedgerEntry] = []
    for n in range(5):
        unit = deeds.unit(await store.head(), n=n, why="größer 🗝")
        assert await store.write(unit) == Done()
        written.append(unit.entry)

    assert none is None
    assert await store.whole_ledger() == written
    assert await store.head() == written[-1]
    assert await store.ledger(limit=2) == written[:2:-1]
    assert await store.ledger(before=4, limit=2) == [written[2], written[1]]
    assert written[0].previous == ROOT
    assert breaks(written, is_signed, Anchor(seq=5, hash=written[4].hash)) == []


async def test_a_decision_is_stale_when_the_ledger_went_on(deeds: Deeds, store: Store) -> None:
    """Nothing of it is written: neither its entry nor its changes."""
    await deeds.do()
    head = await store.head()
    late = deeds.unit(head, pointed(1), halted(), late=True)
    await deeds.do()

    assert await store.write(late) == Stale()
    assert len(await store.whole_ledger()) == 2
    assert (await store.pointer("triage")).version == 0
    assert await store.halts("triage") == []


async def test_a_decision_ahead_of_the_ledger_is_stale(deeds: Deeds, store: Store) -> None:
    """An entry may not leave a gap."""
    first = deeds.unit(None)
    second = deeds.unit(first.entry)

    assert await store.write(second) == Stale()
    assert await store.write(first) == Done()
    assert await store.write(second) == Done()


@pytest.mark.parametrize("version", [0, 1, 3])
async def test_a_decision_on_another_pointer_is_stale(
    deeds: Deeds, store: Store, version: int
) -> None:
    """Who moves the pointer must have seen it: its version is one more than the stored one."""
    await deeds.move(SECOND, canary=canary(100))
    before = await store.pointer("triage")

    stale = await deeds.amend(halted(), pointed(version))

    assert stale == Stale()
    assert await store.pointer("triage") == before
    assert await store.halts("triage") == []
    assert len(await store.whole_ledger()) == 1
    assert await deeds.amend(pointed(2)) == Done()


async def test_a_decision_sent_again_is_done_once(deeds: Deeds, reopen: Open) -> None:
    """After an unknown commit it can be sent again, here, elsewhere, or twice in one group."""
    store, other = deeds.given.store, await reopen()
    unit = deeds.unit(None, pointed(1))

    together = await asyncio.gather(store.write(unit), store.write(unit))
    again = [await store.write(unit), await other.write(unit)]

    assert [*together, *again] == [Done()] * 4
    assert len(await store.whole_ledger()) == 1
    assert (await other.pointer("triage")).version == 1


async def test_a_decision_sent_again_much_later_is_still_done(deeds: Deeds, store: Store) -> None:
    """Also when the ledger and the pointer have gone on meanwhile; nothing is undone."""
    unit = deeds.unit(None, pointed(1))
    await store.write(unit)
    await deeds.move(SECOND)

    assert await store.write(unit) == Done()
    assert (await store.pointer("triage")).stable == SECOND


async def test_twenty_at_once_make_one_chain(
    deeds: Deeds, reopen: Open, clock: WatchedClock, ids: CountedIds
) -> None:
    """Each reads, decides and tries again until it is done; no entry is lost and none doubled."""
    stores = [deeds.given.store, await reopen(), await reopen()]
    desks = [Deeds(Given(stores[n % 3], clock, ids)) for n in range(20)]

    tries = await asyncio.gather(*(_insist(desk, n) for n, desk in enumerate(desks)))

    chain = await stores[1].whole_ledger()
    assert [entry.seq for entry in chain] == list(range(1, 21))
    assert {entry.facts for entry in chain} == {b'{"by":%d}' % n for n in range(20)}
    assert breaks(chain, is_signed) == []
    assert sum(tries) > 20, "nobody met anybody: this showed nothing"


async def _insist(desk: Deeds, number: int) -> int:
    """Decide until it is done; return after how many tries."""
    tries = 1
    keep = Keep(kind=Kind.EVIDENCE, name=f"{number}", body=b"{}")
    while await desk.amend(keep, by=number) != Done():
        tries += 1
    return tries


HOSTILE: dict[str, Callable[[Amend], Amend]] = {
    "NUL in the subject": lambda unit: replace(unit, entry=replace(unit.entry, subject="a\0b")),
    "half a character in the actor": lambda unit: replace(
        unit, entry=replace(unit.entry, actor="\ud800")
    ),
    "NUL in a record's name": lambda unit: replace(
        unit, changes=(Keep(kind=Kind.EVIDENCE, name="a\0b", body=b"{}"),)
    ),
    "NUL in a scope": lambda unit: replace(unit, changes=(halted("effect:\0"),)),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_decision_is_refused_alone(deeds: Deeds, store: Store, kind: str) -> None:
    """Nothing of it is written, its neighbours commit, and the next entry takes its place."""
    given = deeds.given
    claimed = [await given.claimed() for _ in range(10)]
    units: list[Unit] = [given.settle(one, RunState.SUCCEEDED) for one in claimed]
    units.insert(5, HOSTILE[kind](deeds.unit(None, halted())))

    answers: list[Any] = await asyncio.gather(*map(store.write, units), return_exceptions=True)

    refused = answers.pop(5)
    assert (getattr(refused, "code", refused), answers) == ("unstorable", [Done()] * 10)
    assert (await store.whole_ledger(), await store.halts("triage")) == ([], [])
    assert await deeds.amend(halted()) == Done()


TAMPERINGS = {
    "an edited fact": ("UPDATE {ledger} SET facts = {bytes} WHERE seq = 3", 3),
    "another actor": ("UPDATE {ledger} SET actor = 'eve' WHERE seq = 3", 3),
    "an earlier moment": ("UPDATE {ledger} SET at = {earlier} WHERE seq = 3", 3),
    "a removed entry": ("DELETE FROM {ledger} WHERE seq = 3", 4),
    "a removed beginning": ("DELETE FROM {ledger} WHERE seq = 1", 2),
    "two entries swapped": (
        "; ".join(
            f"UPDATE {{ledger}} SET seq = {to} WHERE seq = {seq}"  # noqa: S608 - numbers of ours
            for seq, to in ((3, 99), (4, 3), (99, 4))
        ),
        3,
    ),
    "an end cut off": ("DELETE FROM {ledger} WHERE seq >= 5", 5),
    "everything gone": ("DELETE FROM {ledger}", 5),
}

DIALECTS = {
    "sqlite": {"ledger": "ledger", "bytes": "x'7b7d'", "earlier": "at - 1"},
    "postgres": {
        "ledger": "proveout.ledger",
        "bytes": r"'\x7b7d'::bytea",
        "earlier": "at - interval '1 us'",
    },
}


async def tamper(url: str, how: str) -> None:
    """Change the ledger as someone would who has the store and not our key."""
    dialect = DIALECTS["sqlite" if url.startswith(SQLITE) else "postgres"]
    if url.startswith(SQLITE):
        with closing(sqlite3.connect(url.removeprefix(SQLITE), timeout=30)) as connection:
            connection.executescript(how.format(**dialect))
            connection.commit()
        return
    link = await Server.at(url).connect("eve")
    await link.execute(how.format(**dialect))
    await part(link)


async def five_entries(deeds: Deeds) -> Anchor:
    """Return the note of a ledger of five entries."""
    for n in range(5):
        await deeds.do(n=n)
    head = await deeds.given.store.head()
    assert head is not None
    return Anchor(seq=head.seq, hash=head.hash)


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_what_is_changed_in_the_tables_shows(
    deeds: Deeds, store: Store, manual_url: str, what: str
) -> None:
    """An entry that is edited, removed, moved or cut off breaks the chain, and it says where."""
    anchor = await five_entries(deeds)
    how, seq = TAMPERINGS[what]

    before = breaks(await store.whole_ledger(), is_signed, anchor)
    await tamper(manual_url, how)
    after = breaks(await store.whole_ledger(), is_signed, anchor)

    assert before == []
    assert after[0].seq == seq, after


async def test_a_cut_end_shows_only_by_what_was_noted_outside(
    deeds: Deeds, store: Store, manual_url: str
) -> None:
    """Negative control: the chain that is left is whole; without the note nothing is missing."""
    await five_entries(deeds)

    await tamper(manual_url, TAMPERINGS["an end cut off"][0])

    assert breaks(await store.whole_ledger(), is_signed) == []


async def test_a_chain_made_anew_without_our_key_shows(
    deeds: Deeds, store: Store, manual_url: str
) -> None:
    """Whoever rewrites every hash from the edit on cannot sign them."""
    await five_entries(deeds)
    entries = await store.whole_ledger()
    await tamper(manual_url, "UPDATE {ledger} SET signature = 'f00d' WHERE seq >= 3")

    broken = breaks(await store.whole_ledger(), is_signed)

    assert [one.seq for one in broken] == [3, 4, 5]
    assert _signed_anew(entries, Signature(key="eve", value="f00d"))


def _signed_anew(entries: Sequence[LedgerEntry], signature: Signature) -> bool:
    """Whether the check sees a signature that is not ours, whatever the hashes say."""
    forged = [replace(entry, signature=signature) for entry in entries]
    own = [replace(entry, signature=sign(entry.hash.encode())) for entry in entries]
    return len(breaks(forged, is_signed)) == len(entries) and breaks(own, is_signed) == []
