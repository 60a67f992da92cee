"""From the store to the pages: the bar claim by claim, and what keeps the gate shut."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from proveout.domain.bar import BAR
from proveout.domain.release import Stage
from proveout.faces.readiness import LATER, readiness
from proveout.faces.report.page import first_up
from proveout.faces.web.gather_releases import moves_of
from proveout.faces.web.moments import day
from proveout.faces.web.readiness import ClaimRow, Gate, ReadinessPage
from proveout.ready.choice import Way
from proveout.ready.gate import CLAIM_OPEN
from proveout.ready.people import is_known
from proveout.release.route import PROMOTE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from proveout.faces.readiness import Readiness
    from proveout.faces.web.visit import Console
    from proveout.ready.standing import ClaimStanding
    from proveout.release.route import PointerMove as Move

UNKNOWN = "release-unknown"


async def look(console: Console) -> Readiness:
    """Return where the workflow stands, found out now."""
    return await console.known.look(partial(readiness, console.project))


async def look_of_late(console: Console, version: int) -> Readiness:
    """Return where the workflow stood of late, for a page about something else."""
    return await console.known.of_late(version, partial(readiness, console.project))


async def readiness_page(console: Console) -> ReadinessPage:
    """Return the bar of the newest release, and the gate."""
    found = await look(console)
    moves, _ = await moves_of(console.project)
    return ReadinessPage(
        facts=facts(found),
        bar=f"Production bar, version {BAR.version}, profile {found.subject.profile}",
        claims=tuple(_claim(one, found) for one in found.standings),
        gate=gate(found, moves, console.zone),
        checked=found.now,
        next=found.next,
    )


def facts(found: Readiness) -> tuple[str, str, str, str, str]:
    """Return this workflow's own answers to the five questions, in the stage that it is in."""
    hardens = found.stage is Stage.PRODUCTION or found.choice.way is Way.HARDEN
    one, two, three, four, five = (
        first_up(row.production if hardens else row.proof_of_concept) for row in found.story
    )
    return one, two, three, four, five


def _claim(one: ClaimStanding, found: Readiness) -> ClaimRow:
    owner = found.facts.people.who(one.claim.closes)
    seen = one.why if one.is_open or not one.summary else one.summary
    if one.is_open and one.summary:
        seen = f"{one.summary}; {one.why}"
    return ClaimRow(
        name=one.claim.name,
        says=one.claim.title,
        status=one.status.value,
        observed=seen,
        evidence=one.evidence or "",
        until=one.until,
        command=one.claim.command,
        owner=owner if is_known(owner) else "",
    )


def gate(found: Readiness, moves: Sequence[Move], zone: tzinfo) -> Gate:
    """Return whether the promotion may be asked for, and if not, why."""
    release = found.release
    return Gate(
        release=release.name if release else "",
        digest=release.digest if release else "",
        reason=_reason(found),
        assumptions=found.facts.assumptions_open,
        passed=_passed(moves, zone) if found.stage is Stage.PRODUCTION else "",
    )


def _reason(found: Readiness) -> str:
    """Return why the gate is closed in one sentence; "" where it is open."""
    reasons = [one for one in found.reasons() if one.code not in LATER]
    claims = [one for one in reasons if one.code == CLAIM_OPEN]
    said = [one.what for one in reasons if one.code not in {CLAIM_OPEN, UNKNOWN}]
    if found.release is None:
        said.append("no release was created yet")
    if claims:
        verb = "does" if len(claims) == 1 else "do"
        said.insert(0, f"{len(claims)} of {claims[0].of} claims {verb} not pass")
    return f"{'; '.join(said)}." if said else ""


def _passed(moves: Sequence[Move], zone: tzinfo) -> str:
    first = next((move for move in reversed(moves) if move.act == PROMOTE), None)
    if first is None:
        return "It was promoted before the entries that are shown here."
    return f"Promoted by {first.actor} on {day(first.at, zone)}; the ledger has the evidence."
