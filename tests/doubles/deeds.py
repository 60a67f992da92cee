"""Decisions for a store's tests: releases, pointers, halts and entries, ready made."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from doubles.given import START
from proveout.domain.ledger import Deed, LedgerEntry, Signature, chained
from proveout.domain.release import (
    WORKFLOW_SCOPE,
    Canary,
    Halt,
    Pointer,
    Release,
    ReleaseDigest,
    Share,
    Treatment,
)
from proveout.domain.unit import (
    Amend,
    Answered,
    Change,
    Done,
    EndHalt,
    MovePointer,
    NewRelease,
    StartHalt,
    Treat,
)

if TYPE_CHECKING:
    from doubles.given import Given

FIRST = ReleaseDigest("1f" * 32)
SECOND = ReleaseDigest("2e" * 32)

KEY = b"a key that only this machine has"


def sign(data: bytes) -> Signature:
    """Return a signature that only who knows the key can make."""
    return Signature(key="5f2c", value=hashlib.sha256(KEY + data).hexdigest())


def is_signed(data: bytes, signature: Signature) -> bool:
    """Whether `sign` made the signature."""
    return sign(data) == signature


def release(digest: ReleaseDigest = FIRST, **changes: Any) -> Release:
    """Return a release of triage."""
    usual: dict[str, Any] = {
        "digest": digest,
        "workflow": "triage",
        "number": 1,
        "manifest": b'{"files": {}}',
        "code": "c0" * 32,
        "environment": "e0" * 32,
        "created": START,
        "by": "ana",
    }
    return Release(**{**usual, **changes})


def canary(share: int, digest: ReleaseDigest = SECOND, salt: str = "salt") -> Canary:
    """Return a canary with a share in basis points."""
    return Canary(release=digest, share=Share(points=share), salt=salt, since=START)


def halted(scope: str = WORKFLOW_SCOPE, workflow: str = "triage") -> StartHalt:
    """Return an order that something of triage may not begin."""
    return StartHalt(halt=Halt(workflow=workflow, scope=scope, since=START, by="ana"))


class Deeds:
    """Takes decisions in one store, each with its entry in the ledger."""

    def __init__(self, given: Given) -> None:
        self.given = given

    def unit(self, head: LedgerEntry | None, *changes: Change, **facts: Any) -> Amend:
        """Return a decision that follows `head`."""
        deed = Deed(actor="ana", act="decide", subject="triage", facts=facts)
        entry = chained(head, deed, self.given.clock.now(), sign)
        return Amend(id=self.given.unit_id(), entry=entry, changes=changes)

    async def amend(self, *changes: Change, **facts: Any) -> Answered:
        """Return what the store answers to a decision that follows its ledger."""
        head = await self.given.store.head()
        return await self.given.store.write(self.unit(head, *changes, **facts))

    async def do(self, *changes: Change, **facts: Any) -> None:
        """Have a decision taken."""
        assert await self.amend(*changes, **facts) == Done()

    async def move(self, stable: ReleaseDigest | None, **changes: Any) -> Pointer:
        """Point triage at `stable`, and return the pointer."""
        old = await self.given.store.pointer("triage")
        pointer = Pointer(workflow="triage", version=old.version + 1, stable=stable, **changes)
        await self.do(MovePointer(pointer=pointer))
        return await self.given.store.pointer("triage")

    async def know(self, known: Release) -> None:
        """Make a release known, with a small archive."""
        await self.do(NewRelease(release=known, archive=b"archive", settings=b"settings"))

    async def halt(self, scope: str = WORKFLOW_SCOPE) -> None:
        await self.do(halted(scope))

    async def resume(self, scope: str = WORKFLOW_SCOPE) -> None:
        await self.do(EndHalt(workflow="triage", scope=scope))

    async def treat(self, digest: ReleaseDigest, treatment: Treatment) -> None:
        await self.do(Treat(workflow="triage", release=digest, treatment=treatment))
