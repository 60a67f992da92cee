"""The ledger: each entry seals those before it, and any other hand on it shows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import is_signed, sign
from doubles.given import START
from proveout.domain.ledger import ROOT, Anchor, Deed, LedgerEntry, Signature, breaks, chained

if TYPE_CHECKING:
    from collections.abc import Callable

Chain = list[LedgerEntry]


def chain(length: int = 5) -> Chain:
    """Return a ledger of that many entries."""
    entries: Chain = []
    for n in range(length):
        deed = Deed(actor="ana", act="roll back", subject="triage", facts={"n": n})
        head = entries[-1] if entries else None
        entries.append(chained(head, deed, START + timedelta(seconds=n), sign))
    return entries


def noted(entries: Chain) -> Anchor:
    """Return what this machine noted of the newest entry."""
    return Anchor(seq=entries[-1].seq, hash=entries[-1].hash)


def test_an_untouched_chain_holds() -> None:
    """Negative control of all that follows: nothing breaks where nothing was touched."""
    entries = chain()

    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0].previous == ROOT
    assert all(b.previous == a.hash for a, b in pairwise(entries))
    assert breaks(entries, is_signed, noted(entries)) == []
    assert breaks([], is_signed) == []


EDITS: dict[str, Callable[[LedgerEntry], LedgerEntry]] = {
    "the actor": lambda entry: replace(entry, actor="eve"),
    "the act": lambda entry: replace(entry, act="promote"),
    "the subject": lambda entry: replace(entry, subject="refunds"),
    "the facts": lambda entry: replace(entry, facts=b'{"n":9}'),
    "the moment": lambda entry: replace(entry, at=entry.at + timedelta(microseconds=1)),
    "what comes before": lambda entry: replace(entry, previous="11" * 32),
    "the hash": lambda entry: replace(entry, hash="5f" * 32),
    "the signature": lambda entry: replace(entry, signature=Signature(key="5f2c", value="00")),
    "words that read alike": lambda entry: replace(entry, actor="anaroll", act=" back"),
}


@pytest.mark.parametrize("what", EDITS)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_every_edit_shows_where_it_was_made(what: str, place: int) -> None:
    """No field of an entry can be changed, at the beginning, within or at the end."""
    entries = chain()
    entries[place] = EDITS[what](entries[place])

    broken = breaks(entries, is_signed)

    assert broken
    assert broken[0].seq == place + 1


ORDERS: dict[str, tuple[Callable[[Chain], Chain], int]] = {
    "the first is gone": (lambda entries: entries[1:], 2),
    "one within is gone": (lambda entries: entries[:2] + entries[3:], 4),
    "two are swapped": (lambda e: [e[0], e[2], e[1], *e[3:]], 3),
    "one is there twice": (lambda entries: entries[:3] + entries[2:], 3),
    "the last two are gone": (lambda entries: entries[:3], 5),
    "all are gone": (lambda _: [], 5),
}


@pytest.mark.parametrize("what", ORDERS)
def test_every_removal_and_reordering_shows(what: str) -> None:
    """With what was noted outside, also a cut at the end."""
    entries = chain()
    change, seq = ORDERS[what]

    broken = breaks(change(entries), is_signed, noted(entries))

    assert broken
    assert broken[0].seq == seq


def test_an_entry_edited_with_its_hash_breaks_the_next() -> None:
    """Whoever computes the hash anew cannot sign it, and the next entry names the old one."""
    entries = chain()
    deed = Deed(actor="eve", act="promote", subject="triage", facts={})
    forged = chained(entries[1], deed, START, lambda _: Signature(key="5f2c", value="00"))

    broken = breaks([*entries[:2], forged, *entries[3:]], is_signed)

    assert [one.seq for one in broken] == [3, 4]
    assert "signed" in broken[0].what


def test_a_chain_that_was_rewritten_with_our_key_shows_by_the_note() -> None:
    """Even our own key cannot make another past than the one that was noted."""
    entries = chain()
    other = chained(entries[3], Deed(actor="eve", act="a", subject="b", facts={}), START, sign)

    broken = breaks([*entries[:4], other], is_signed, noted(entries))

    assert [one.seq for one in broken] == [5]
    assert "another one" in broken[0].what


def test_a_ledger_that_went_on_since_the_note_holds() -> None:
    """The note is of some moment, not of the last."""
    entries = chain(5)

    assert breaks(chain(8)[:5] + chain(8)[5:], is_signed, noted(entries)) == []


def test_facts_are_kept_as_canonical_json() -> None:
    """The order in which facts were told changes nothing; NaN is no fact."""
    one = Deed(actor="ana", act="a", subject="b", facts={"b": 1, "a": "größer"})
    other = Deed(actor="ana", act="a", subject="b", facts={"a": "größer", "b": 1})
    unheard: dict[str, Any] = {"share": float("nan")}

    assert chained(None, one, START, sign) == chained(None, other, START, sign)
    assert json.loads(chained(None, one, START, sign).facts) == one.facts
    with pytest.raises(ValueError, match="JSON"):
        chained(None, replace(one, facts=unheard), START, sign)
