"""From the store to the pages: drills that were performed, and those under way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proveout.domain.bar import BAR
from proveout.domain.evidence import DrillResult
from proveout.domain.record import Kind, decode
from proveout.domain.underway import Underway
from proveout.faces.readiness import KEEP_EVIDENCE
from proveout.faces.web.drills import DrillRow, DrillsPage, Going
from proveout.faces.web.gather import name_in, names_of
from proveout.ready.drills.catalogue import DRILLS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from proveout.domain.bar import Claim
    from proveout.domain.ledger import LedgerEntry
    from proveout.faces.project import Project

RECENT = 1_000
"""Entries of the ledger in which evidence is looked for."""


async def drills_page(project: Project) -> DrillsPage:
    """Return what is under way, and every drill of the bar with how it last went."""
    now = project.bench.clock.now()
    said = await _underway(project)
    shown = await _shown(project)
    names = await names_of(project)
    return DrillsPage(
        going=tuple(_going(one, now) for one in said.values() if not one.result),
        rows=tuple(
            _row(claim, shown.get(claim.name), said.get(claim.name), names) for claim in BAR.claims
        ),
    )


async def _underway(project: Project) -> dict[str, Underway]:
    """Return the last drill of each claim, as its process tells of it."""
    bodies = (await project.store.records(Kind.DRILL)).values()
    known = {claim.name for claim in BAR.claims}
    found = sorted((decode(Underway, body) for body in bodies), key=lambda one: one.started)
    return {one.claim: one for one in found if one.workflow == project.name and one.claim in known}


async def _shown(project: Project) -> dict[str, LedgerEntry]:
    """Return the newest entry of evidence for each claim."""
    entries = await project.store.ledger(limit=RECENT)
    kept = [
        one
        for one in entries
        if one.act == KEEP_EVIDENCE and json.loads(one.facts).get("workflow") == project.name
    ]
    return {one.subject: one for one in reversed(kept)}


def _going(one: Underway, now: datetime) -> Going:
    claim = BAR.claim(one.claim)
    return Going(
        claim=one.claim,
        title=claim.title,
        release=one.release,
        by=one.by,
        started=one.started,
        told=one.told,
        lines=one.lines,
        takes=claim.takes,
        is_silent=not one.is_going(now),
    )


def _row(
    claim: Claim, entry: LedgerEntry | None, said: Underway | None, names: Mapping[str, str]
) -> DrillRow:
    row = DrillRow(
        claim=claim.name,
        does=claim.drill,
        takes=claim.takes,
        command=claim.command,
        is_made=claim.name in DRILLS,
    )
    if said is not None and _is_newest(said, entry):
        return replace(
            row,
            result=said.result,
            summary=said.summary,
            release=said.release,
            at=said.told,
            by=said.by,
        )
    if entry is None:
        return row
    facts: dict[str, Any] = json.loads(entry.facts)
    return replace(
        row,
        result=str(facts["result"]),
        control=str(facts["control"]),
        summary=str(facts["summary"]),
        release=name_in(names, facts["release"]),
        at=entry.at,
        by=entry.actor,
    )


def _is_newest(said: Underway, entry: LedgerEntry | None) -> bool:
    """Whether a drill was aborted since; that leaves no evidence, only its own record."""
    is_aborted = said.result == DrillResult.ABORTED
    return is_aborted and (entry is None or entry.at < said.started)
