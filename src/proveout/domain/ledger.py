"""The ledger: every decision and all evidence, append-only, chained and signed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

ROOT = "0" * 64
"""What the first entry names as the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody did, before it has its place in the ledger.

    Attributes:
        actor: a person's name, or that of the part of Proveout that acted by itself.
        act: what was done, as a verb and an object: "roll back", "keep evidence".
        subject: what it was done to.
        facts: before, after, why; plain data that JSON can hold.
    """

    actor: str
    act: str
    subject: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a key says about some bytes.

    Attributes:
        key: hexadecimal name of the key that signed.
        value: hexadecimal signature.
    """

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One link of the chain.

    Attributes:
        seq: its place, from 1 without gaps.
        facts: as bytes of canonical JSON.
        previous: hash of the entry before; `ROOT` for the first.
        hash: hexadecimal SHA-256 over everything above; what the signature signs.
    """

    seq: int
    at: datetime
    actor: str
    act: str
    subject: str
    facts: bytes
    previous: str
    hash: str
    signature: Signature


def chained(
    head: LedgerEntry | None, deed: Deed, at: datetime, sign: Callable[[bytes], Signature]
) -> LedgerEntry:
    """Return `deed` as the entry that follows `head`, signed."""
    seq = 1 if head is None else head.seq + 1
    previous = ROOT if head is None else head.hash
    facts = json.dumps(deed.facts, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    total = _hash(seq, at, (deed.actor, deed.act, deed.subject), facts, previous)
    return LedgerEntry(
        seq=seq,
        at=at,
        actor=deed.actor,
        act=deed.act,
        subject=deed.subject,
        facts=facts,
        previous=previous,
        hash=total,
        signature=sign(total.encode()),
    )


def _hash(seq: int, at: datetime, words: tuple[str, str, str], facts: bytes, previous: str) -> str:
    covered = json.dumps([seq, at.isoformat(), *words, facts.decode(), previous])
    return hashlib.sha256(covered.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A place where the chain does not hold.

    Attributes:
        seq: the entry at which it shows.
        what: in words for an auditor.
    """

    seq: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The newest entry that this machine has written, noted outside the store."""

    seq: int
    hash: str


def breaks(
    entries: Iterable[LedgerEntry],
    is_signed: Callable[[bytes, Signature], bool],
    anchor: Anchor | None = None,
) -> list[Break]:
    """Return every place where the chain shows an edit, a removal or another order.

    Args:
        entries: the whole ledger, in the order of the store.
        is_signed: whether a signature over some bytes is ours.
        anchor: what was last noted outside; without it, a cut at the end does not show.
    """
    found: list[Break] = []
    seq, previous = 0, ROOT
    hashes: dict[int, str] = {}
    for entry in entries:
        found += _faults(entry, seq, previous, is_signed)
        seq, previous = entry.seq, entry.hash
        hashes[entry.seq] = entry.hash
    if anchor is not None and hashes.get(anchor.seq) != anchor.hash:
        gone = anchor.seq not in hashes
        what = f"entry {anchor.seq} is missing" if gone else f"entry {anchor.seq} is another one"
        found.append(Break(seq=anchor.seq, what=f"{what}: this machine wrote {anchor.hash[:12]}"))
    return found


def _faults(
    entry: LedgerEntry, seq: int, previous: str, is_signed: Callable[[bytes, Signature], bool]
) -> list[Break]:
    what: list[str] = []
    if entry.seq != seq + 1:
        what.append(f"entry {entry.seq} stands after entry {seq}: removed or reordered")
    elif entry.previous != previous:
        what.append("it does not follow the entry before it")
    words = (entry.actor, entry.act, entry.subject)
    if _hash(entry.seq, entry.at, words, entry.facts, entry.previous) != entry.hash:
        what.append("its content was changed after it was written")
    elif not is_signed(entry.hash.encode(), entry.signature):
        what.append("it is not signed with our key")
    return [Break(seq=entry.seq, what=one) for one in what]
