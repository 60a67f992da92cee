"""Where each claim of the bar stands for one release, and which command closes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.bar import ClaimStatus, Profile, Thing, Trait
from proveout.domain.duration import say_duration
from proveout.domain.evidence import ControlResult, DrillResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proveout.domain.bar import Bar, Claim, Note, Waiver
    from proveout.domain.evidence import Evidence
    from proveout.domain.release import ReleaseDigest
    from proveout.ready.envelope import Filed

WARNING = timedelta(days=7)
"""How long before its end evidence is spoken of."""

SKEW = timedelta(minutes=2)
"""How far the clock of another machine may be ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The release that the claims are held against, and what else evidence depends on.

    Attributes:
        release: digest of the release.
        name: its short name, such as r3.
        depends: digest of each further `Thing`, by name, as it is now. A claim that depends on
            one which is not given here is never proven.
        traits: what the workflow has; all of them where it is not known.
        policy: the operator's maximum age of evidence, by name of claim.
    """

    workflow: str
    release: ReleaseDigest
    name: str
    code: str
    environment: str
    engine: str
    depends: Mapping[str, str]
    traits: frozenset[Trait] = frozenset(Trait)
    profile: Profile = Profile.CUSTOMER
    policy: Mapping[str, timedelta] = field(default_factory=dict[str, timedelta])


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that was brought forward for the claims, of whatever release."""

    evidence: tuple[Filed, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStanding:
    """Where one claim stands.

    Attributes:
        why: the reason in words.
        summary: what its drill showed, in one line; "" where none ran.
        evidence: digest of the envelope that decided; None where none did.
        until: when it stops to pass; None where it does not pass, or passes for good.
        warns: whether that is within `WARNING`.
        beneath: what its status would be without the waiver.
        refused: evidence that was not counted, and why.
    """

    claim: Claim
    status: ClaimStatus
    why: str
    summary: str = ""
    evidence: str | None = None
    until: datetime | None = None
    warns: bool = False
    beneath: ClaimStatus | None = None
    refused: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the gate stops at it."""
        return not self.status.passes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inquiry:
    """What every claim is looked at with."""

    bar: Bar
    subject: Subject
    dossier: Dossier
    now: datetime


def stand(bar: Bar, subject: Subject, dossier: Dossier, now: datetime) -> tuple[ClaimStanding, ...]:
    """Return where every claim of the bar stands for one release, in the bar's order."""
    inquiry = _Inquiry(bar=bar, subject=subject, dossier=dossier, now=now)
    return tuple(_stand_one(inquiry, claim) for claim in bar.claims)


def _stand_one(inquiry: _Inquiry, claim: Claim) -> ClaimStanding:
    reason = claim.not_needed(inquiry.subject.profile, inquiry.subject.traits)
    if reason:
        return ClaimStanding(claim=claim, status=ClaimStatus.NOT_NEEDED, why=reason)
    drilled = _drilled(inquiry, claim)
    if not drilled.is_open:
        return drilled
    return _waived(inquiry, drilled) or drilled


# What the drills say


def _drilled(inquiry: _Inquiry, claim: Claim) -> ClaimStanding:
    about = [
        one
        for one in inquiry.dossier.evidence
        if (one.evidence.claim, one.evidence.workflow) == (claim.name, inquiry.subject.workflow)
    ]
    sound = sorted((one for one in about if not _doubt(inquiry, one.evidence)), key=_age)
    refused = _refused(inquiry, about)
    fitting = [one for one in sound if not changed(claim, one.evidence, inquiry.subject)]
    if fitting:
        return _judged(inquiry, claim, fitting[-1], refused)
    if sound:
        return _outdated(inquiry, claim, sound[-1], refused)
    return _undrilled(inquiry, claim, refused)


def _age(filed: Filed) -> tuple[datetime, bool, str]:
    """Return the order in which evidence counts; of two at one moment, the failure decides."""
    evidence = filed.evidence
    return evidence.ended, evidence.result is DrillResult.FAILED, filed.digest


def _refused(inquiry: _Inquiry, about: Iterable[Filed]) -> tuple[str, ...]:
    by_time = sorted(about, key=lambda one: (one.evidence.ended.isoformat(), one.digest))
    return tuple(
        f"{one.digest[:12]}: {doubt}" for one in by_time if (doubt := _doubt(inquiry, one.evidence))
    )


def _doubt(inquiry: _Inquiry, evidence: Evidence) -> str:
    """Return why the evidence is not counted whatever it says, or ""."""
    if evidence.bar > inquiry.bar.version:
        newer, ours = evidence.bar, inquiry.bar.version
        return f"it was drilled for the bar of version {newer}, and this is {ours}"
    if evidence.result is DrillResult.ABORTED:
        return "the drill was aborted before it showed anything"
    # A failure counts whatever its control did: nothing may hide one.
    if evidence.result is DrillResult.PASSED and evidence.control is not ControlResult.FAILED:
        return "its control did not fail: a drill that cannot fail proves nothing"
    return _doubt_of_times(evidence, inquiry.now)


def _doubt_of_times(evidence: Evidence, now: datetime) -> str:
    if evidence.started.tzinfo is None or evidence.ended.tzinfo is None:
        return "its times name no zone"
    if evidence.ended < evidence.started:
        return "it ended before it began"
    if evidence.ended > now + SKEW:
        return f"it is dated {_day(evidence.ended)}, in the future"
    return ""


def changed(claim: Claim, evidence: Evidence, subject: Subject) -> tuple[str, ...]:
    """Return what has changed since, of all that evidence for `claim` depends on."""
    return tuple(
        word
        for thing in Thing
        if thing in claim.depends and (word := _change(thing, evidence, subject))
    )


def _change(thing: Thing, evidence: Evidence, subject: Subject) -> str:
    match thing:
        case Thing.CODE:
            return _change_of_release(evidence, subject)
        case Thing.ENVIRONMENT:
            return "" if evidence.environment == subject.environment else _WORDS[thing]
        case Thing.ENGINE:
            return "" if evidence.engine == subject.engine else _WORDS[thing]
        case _:
            # What is not known on both sides counts as changed: nothing is proven by silence.
            known = subject.depends.get(thing)
            return "" if known and evidence.depends.get(thing) == known else _WORDS[thing]


def _change_of_release(evidence: Evidence, subject: Subject) -> str:
    """Return what of the release is another, where it is another release."""
    if evidence.release == subject.release:
        return ""
    if evidence.code != subject.code:
        return _WORDS[Thing.CODE]
    return _WORDS[Thing.ENVIRONMENT] if evidence.environment != subject.environment else _RELEASE


_RELEASE = "what the release executes"
_WORDS = {
    Thing.CODE: "the code",
    Thing.ENVIRONMENT: "the packages it runs among",
    Thing.ENGINE: "the version of Proveout",
    Thing.DATASET: "the dataset",
    Thing.CRITERIA: "the criteria",
    Thing.SOURCES: "the webhook sources",
    Thing.PEOPLE: "the people or how they are reached",
    Thing.ROLES: "the roles",
    Thing.PAIR: "the pair of releases",
}


def _judged(
    inquiry: _Inquiry, claim: Claim, filed: Filed, refused: tuple[str, ...]
) -> ClaimStanding:
    """Return what the newest evidence about exactly this says."""
    subject, now = inquiry.subject, inquiry.now
    evidence = filed.evidence
    lasts, whose = inquiry.bar.lasts(claim, subject.profile, subject.policy)
    until = evidence.ended + lasts
    if evidence.result is DrillResult.FAILED:
        status, why = ClaimStatus.FAILED, f"its drill failed on {_day(evidence.ended)}"
    elif evidence.bar < claim.since:
        status, why = ClaimStatus.EXPIRED, f"the bar asks for more since version {claim.since}"
    elif now >= until:
        status = ClaimStatus.EXPIRED
        why = f"drilled on {_day(evidence.ended)}; {whose} gives it {say_duration(lasts)}"
    else:
        status, why = ClaimStatus.PROVEN, f"drilled on {_day(evidence.ended)}"
    proven = status is ClaimStatus.PROVEN
    return ClaimStanding(
        claim=claim,
        status=status,
        why=why,
        summary=evidence.summary,
        evidence=filed.digest,
        until=until if proven else None,
        warns=proven and until - now <= WARNING,
        refused=refused,
    )


def _outdated(
    inquiry: _Inquiry, claim: Claim, filed: Filed, refused: tuple[str, ...]
) -> ClaimStanding:
    """Return what is left of evidence about something that has changed since."""
    evidence = filed.evidence
    what = " and ".join(changed(claim, evidence, inquiry.subject))
    passed = evidence.result is DrillResult.PASSED
    done = "drilled" if passed else "its drill failed"
    return ClaimStanding(
        claim=claim,
        status=ClaimStatus.EXPIRED if passed else ClaimStatus.MISSING,
        why=f"{done} on {_day(evidence.ended)}; {what} changed since",
        summary=evidence.summary,
        evidence=filed.digest,
        refused=refused,
    )


def _undrilled(inquiry: _Inquiry, claim: Claim, refused: tuple[str, ...]) -> ClaimStanding:
    about = (claim.name, inquiry.subject.workflow)
    mine = [one for one in inquiry.dossier.notes if (one.claim, one.workflow) == about]
    if mine:
        note = max(mine, key=lambda one: one.at)
        why = f"{note.by} says so since {_day(note.at)}; no drill ran"
        return ClaimStanding(
            claim=claim, status=ClaimStatus.CLAIMED, why=why, summary=note.text, refused=refused
        )
    why = refused[-1].partition(": ")[2] if refused else "never drilled"
    return ClaimStanding(claim=claim, status=ClaimStatus.MISSING, why=why, refused=refused)


# What people say


def _waived(inquiry: _Inquiry, drilled: ClaimStanding) -> ClaimStanding | None:
    """Return the claim as waived until the latest date that was agreed on, or None."""
    subject, now = inquiry.subject, inquiry.now
    key = (drilled.claim.name, subject.workflow, subject.release)
    active = [one for one in inquiry.dossier.waivers if one.holds(*key, now)]
    if not active:
        return None
    waiver = max(active, key=lambda one: one.until)
    return ClaimStanding(
        claim=drilled.claim,
        status=ClaimStatus.WAIVED,
        why=f"waived by {waiver.names}, until {_day(waiver.until)}: {waiver.reason}",
        summary=drilled.summary,
        evidence=drilled.evidence,
        until=waiver.until,
        warns=waiver.until - now <= WARNING,
        beneath=drilled.status,
        refused=drilled.refused,
    )


def cheapest_first(standings: Iterable[ClaimStanding]) -> list[ClaimStanding]:
    """Return the open ones, those with the shortest drill first."""
    return sorted((one for one in standings if one.is_open), key=lambda one: one.claim.takes)


def claim_words(standing: ClaimStanding) -> dict[str, Any]:
    """Return a standing as one of the `claims` of `audit.v1`."""
    return {
        "claim": standing.claim.name,
        "title": standing.claim.title,
        "status": standing.status,
        "why": standing.why,
        "summary": standing.summary,
        "evidence": standing.evidence,
        "expires": None if standing.until is None else standing.until.isoformat(),
        "warns": standing.warns,
        "refused": list(standing.refused),
        "seconds": standing.claim.takes // timedelta(seconds=1),
        "command": standing.claim.command,
    }


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
