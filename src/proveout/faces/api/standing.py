"""What serves, what was decided and what was shown, over HTTP; to read only."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query

from proveout.domain.record import Kind
from proveout.faces.api.call import Let, checked_id
from proveout.faces.api.pages import MOST, page
from proveout.faces.project import NoSuch

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.release import Pointer, Release

SEQ = re.compile(r"[1-9][0-9]{0,14}")
"""What the number of an entry can look like."""


async def workflow(name: str, call: Let) -> Response:
    """Show which stage a workflow is in and what serves it."""
    if name != call.workflow:
        raise NoSuch("there is no such workflow here", why=f"this project serves {call.workflow}")
    pointer = await call.doors.store.pointer(name)
    return call.answer_tagged(
        {"schema": "workflow.v1", "name": name, "pointer": pointer_words(pointer)}
    )


def pointer_words(pointer: Pointer) -> dict[str, Any]:
    """Return a pointer as plain data."""
    canary = pointer.canary
    return {
        "version": pointer.version,
        "stable": pointer.stable,
        "canary": None
        if canary is None
        else {
            "release": canary.release,
            "share": canary.share.fraction,
            "since": canary.since.isoformat(),
        },
        "changed_at": None if pointer.changed is None else pointer.changed.isoformat(),
    }


async def releases(
    call: Let,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """List the releases of the workflow, the oldest first."""
    found = await call.doors.store.releases(call.workflow)
    part, next_ = page(found, lambda one: one.name, cursor, limit)
    words = [_release_words(one) for one in part]
    return call.answer({"schema": "releases.v1", "releases": words, "next": next_})


async def release(release: str, call: Let) -> Response:
    """Show a release by its name or its digest."""
    found = await call.doors.store.releases(call.workflow)
    one = next((one for one in found if release in {one.name, one.digest}), None)
    if one is None:
        raise NoSuch("there is no such release", fix=("GET /api/v1/releases",))
    return call.answer_tagged({"schema": "release.v1", **_release_words(one)})


def _release_words(one: Release) -> dict[str, Any]:
    return {
        "name": one.name,
        "digest": one.digest,
        "workflow": one.workflow,
        "code": one.code,
        "environment": one.environment,
        "created_at": one.created.isoformat(),
        "by": one.by,
        "manifest": json.loads(one.manifest),
    }


async def ledger(
    call: Let,
    cursor: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """List who decided what, the newest first, with the chain and its signatures."""
    found = await call.doors.store.ledger(cursor, limit)
    next_ = found[-1].seq if len(found) == limit and found[-1].seq > 1 else None
    entries = [_entry_words(one) for one in found]
    return call.answer({"schema": "ledger.v1", "entries": entries, "next": next_})


def _entry_words(one: LedgerEntry) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "at": one.at.isoformat(),
        "actor": one.actor,
        "act": one.act,
        "subject": one.subject,
        "facts": json.loads(one.facts),
        "previous": one.previous,
        "hash": one.hash,
        "signature": {"key": one.signature.key, "value": one.signature.value},
    }


async def ledger_entry(seq: str, call: Let) -> Response:
    """Show one entry of the ledger."""
    found: list[LedgerEntry] = []
    if SEQ.fullmatch(seq):
        found = await call.doors.store.ledger(int(seq) + 1, 1)
    if not found or found[0].seq != int(seq):
        raise NoSuch("there is no such entry", fix=("GET /api/v1/ledger",))
    return call.answer_tagged({"schema": "entry.v1", **_entry_words(found[0])})


async def evidence(
    call: Let,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """List what drills have shown, by the digest of each record."""
    found = await call.doors.store.records(Kind.EVIDENCE)
    part, next_ = page([*found], str, cursor, limit)
    words = [{"digest": name, **json.loads(found[name])} for name in part]
    return call.answer({"schema": "evidence.v1", "evidence": words, "next": next_})


async def one_evidence(digest: str, call: Let) -> Response:
    """Show one record of what a drill has shown."""
    body = await call.doors.store.record(Kind.EVIDENCE, checked_id(digest, "evidence"))
    if body is None:
        raise NoSuch("there is no such evidence", fix=("GET /api/v1/evidence",))
    return call.answer_tagged({"schema": "proof.v1", "digest": digest, **json.loads(body)})
