"""A release with evidence for every claim of the bar, for tests to spoil."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.bar import BAR, ClaimStatus, Note, Thing, Waiver
from proveout.domain.evidence import ControlResult, DrillResult, Evidence
from proveout.domain.release import ReleaseDigest
from proveout.ready.envelope import Filed
from proveout.ready.standing import ClaimStanding, Dossier, Subject, stand

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)

DEPENDS = {
    Thing.DATASET.value: "d1",
    Thing.CRITERIA.value: "c1",
    Thing.SOURCES.value: "s1",
    Thing.PEOPLE.value: "p1",
    Thing.ROLES.value: "o1",
    Thing.PAIR.value: "a" * 64 + ">" + "b" * 64,
}

SUBJECT = Subject(
    workflow="triage",
    release=ReleaseDigest("b" * 64),
    name="r2",
    code="code-2",
    environment="packages-1",
    engine="0.1.0",
    depends=DEPENDS,
)
"""The release r2 that the claims are held against."""


def evidence(claim: str, **changes: Any) -> Evidence:
    """Return evidence that `claim` was proven yesterday, on exactly `SUBJECT`, but for changes."""
    proof = Evidence(
        claim=claim,
        bar=BAR.version,
        workflow=SUBJECT.workflow,
        release=SUBJECT.release,
        code=SUBJECT.code,
        environment=SUBJECT.environment,
        engine=SUBJECT.engine,
        seed=7,
        started=NOW - DAY - timedelta(minutes=2),
        ended=NOW - DAY,
        result=DrillResult.PASSED,
        control=ControlResult.FAILED,
        summary="off: 14 lost; on: 0",
        figures={"lost": 0, "lost_without": 14},
        depends=DEPENDS,
        log="0" * 64,
        by="ana",
    )
    return replace(proof, **changes)


def file(*proofs: Evidence) -> tuple[Filed, ...]:
    """Return evidence as it is filed, under digests that count upward."""
    return tuple(Filed(digest=f"{i:064x}", evidence=one) for i, one in enumerate(proofs, 1))


def all_proven(but: Iterable[str] = ()) -> tuple[ClaimStanding, ...]:
    """Return every claim proven on `SUBJECT`, except those named."""
    names = [one.name for one in BAR.claims if one.name not in set(but)]
    dossier = Dossier(evidence=file(*map(evidence, names)))
    return stand(BAR, SUBJECT, dossier, NOW)


def one_standing(
    claim: str,
    *proofs: Evidence,
    subject: Subject = SUBJECT,
    waivers: tuple[Waiver, ...] = (),
    notes: tuple[Note, ...] = (),
    now: datetime = NOW,
) -> ClaimStanding:
    """Return where one claim stands on what was brought forward for it."""
    dossier = Dossier(evidence=file(*proofs), waivers=waivers, notes=notes)
    standings = stand(BAR, subject, dossier, now)
    return next(one for one in standings if one.claim.name == claim)


def waiver(claim: str, **changes: Any) -> Waiver:
    """Return a waiver that two people gave yesterday, for another ten days, but for changes."""
    given = Waiver(
        claim=claim,
        workflow=SUBJECT.workflow,
        by="ana",
        second="ben",
        reason="the vendor mends it next week",
        since=NOW - DAY,
        until=NOW + 10 * DAY,
    )
    return replace(given, **changes)


def at(claim: str, status: ClaimStatus) -> ClaimStanding:
    """Return that claim at that status."""
    return ClaimStanding(claim=BAR.claim(claim), status=status, why="for this test")
