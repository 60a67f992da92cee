"""Readiness: where a workflow stands on its way, gathered once for every face that shows it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.access import Actor, Role
from proveout.domain.bar import BAR, Acceptance, Waiver
from proveout.domain.evidence import DrillResult
from proveout.domain.journal import EntryKind, Returned
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind, decode
from proveout.domain.release import DRAFT, ReleaseDigest, Stage
from proveout.domain.unit import Keep
from proveout.errors import Refusal
from proveout.faces.readiness_facts import (
    asked_now,
    before_of,
    depends_of,
    engine,
    on_record,
    people_of,
    profile_of,
    traits_of,
    tree_of,
)
from proveout.ports.store import RunFilter
from proveout.ready import choice as choices
from proveout.ready import gate
from proveout.ready.envelope import digest, filed, seal
from proveout.ready.findings import STEADY_DAYS, ProjectFacts, findings
from proveout.ready.rehearse import Circumstances, evidence_of
from proveout.ready.standing import Dossier, Subject, stand
from proveout.release.decide import amend
from proveout.release.move import RECENT
from proveout.release.route import history

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.domain.ledger import LedgerEntry
    from proveout.domain.release import Pointer, Release
    from proveout.faces.project import Project
    from proveout.faces.readiness_facts import Asked, OnRecord, Tree
    from proveout.faces.settings import Settings
    from proveout.ports.store import Store
    from proveout.ready.choice import Choice, StoryRow
    from proveout.ready.envelope import Filed, Refused
    from proveout.ready.findings import Finding
    from proveout.ready.rehearse import Rehearsed
    from proveout.ready.standing import ClaimStanding

KEEP_EVIDENCE = "keep evidence"
"""The deed under which evidence enters the ledger."""

LOOKED_AT = 200
"""Runs of a proof of concept whose journals are searched for effects that were carried out."""

_ANYBODY = Actor(name="anybody", role=Role.OWNER)

FIRST = "r1"
"""What the first release will be called."""

LATER = frozenset({"assumption-open", "no-right", "in-production"})
"""Reasons of the gate that `promote` settles itself, or that are about who asks."""


class NothingShown(Refusal):
    """The drill was aborted before it showed anything: there is nothing to keep."""

    code = "nothing-shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Where a workflow stands, and which command brings it on.

    Attributes:
        release: the one that is looked at; None where none was created yet.
        tree: how the working tree differs from it, in words; "" where it is the same.
        depends: digest of each further thing that evidence about it depends on.
        evidence: all that is kept and believed, of whatever release.
        refused: what is kept and not believed.
        next: the one cheapest command.
    """

    now: datetime
    workflow: str
    pointer: Pointer
    release: Release | None
    tree: str
    subject: Subject
    on_record: OnRecord | None
    evidence: tuple[Filed, ...]
    refused: tuple[Refused, ...]
    waivers: tuple[Waiver, ...]
    acceptances: tuple[Acceptance, ...]
    facts: ProjectFacts
    standings: tuple[ClaimStanding, ...]
    findings: tuple[Finding, ...]
    choice: Choice
    story: tuple[StoryRow, ...]
    next: str

    @property
    def stage(self) -> Stage:
        """Whether it is a proof of concept or in production."""
        return self.pointer.stage

    @property
    def is_ready(self) -> bool:
        """Whether nothing speaks against production but what a promotion asks for itself."""
        return not [one for one in self.reasons() if one.code not in LATER]

    def reasons(self, actor: Actor | None = None) -> tuple[gate.Reason, ...]:
        """Return all that speaks against moving to production, or against `actor` doing it."""
        return gate.judge(self.proposal(actor or _ANYBODY), self.now)

    def proposal(self, actor: Actor, *, as_canary: bool = False) -> gate.Proposal:
        """Return what the gate judges when `actor` asks for it.

        Args:
            actor: who asks.
            as_canary: it is to get a share beside the stable release.
        """
        widens = self.release is not None and self.is_canary(self.release)
        return gate.Proposal(
            workflow=self.workflow,
            release=self.release.name if self.release else FIRST,
            is_known=self.release is not None,
            # In production a release enters as a canary, and a canary may be widened to all.
            stage=Stage.PROOF_OF_CONCEPT if widens or as_canary else self.stage,
            actor=actor,
            standings=self.standings,
            verdict=self.on_record.verdict if self.on_record else None,
            worth_asked=self.facts.worth_asked,
            assumptions=self.facts.assumptions,
            acceptances=self.acceptances,
        )

    def is_canary(self, release: Release) -> bool:
        """Whether `release` gets a share now."""
        canary = self.pointer.canary
        return canary is not None and canary.release == release.digest

    def with_accepted(self, accepted: tuple[Acceptance, ...]) -> Readiness:
        """Return the same with assumptions that somebody answers for."""
        everything = (*self.acceptances, *accepted)
        facts = replace(self.facts, acceptances=everything)
        return replace(self, acceptances=everything, facts=facts)


def check_gate(readiness: Readiness, actor: Actor, *, as_canary: bool = False) -> None:
    """Leave quietly when the release may meet real requests.

    Raises:
        GateBlocked: something speaks against it; all of it is named.
    """
    gate.check(readiness.proposal(actor, as_canary=as_canary), readiness.now)


def grounds(readiness: Readiness) -> dict[str, Any]:
    """Return what a promotion rests on, as its entry in the ledger tells it."""
    verdict = readiness.on_record.verdict if readiness.on_record else None
    return {
        "bar": BAR.version,
        "verdict": None
        if verdict is None
        else {"experiment": verdict.experiment, "verdict": verdict.verdict},
        "claims": {
            one.claim.name: {"status": one.status, "evidence": one.evidence, "why": one.why}
            for one in readiness.standings
        },
        "assumptions": {
            one.assumption: {"how": one.how, "by": one.by}
            for one in readiness.acceptances
            if one.assumption in readiness.facts.assumptions
        },
    }


# Gathering


async def newest_release(project: Project) -> Release | None:
    """Return the release of the workflow that was created last, or None."""
    releases = await project.store.releases(project.name)
    return max(releases, key=lambda one: one.number, default=None)


async def readiness(project: Project, release: Release | None = None) -> Readiness:
    """Return where a workflow stands with `release`, or else with its newest one."""
    store, now = project.store, project.bench.clock.now()
    release = release or await newest_release(project)
    tree = await tree_of(project.settings)
    asked = await asked_now(project.settings)
    code = release.code if release else tree.code
    pointer = await store.pointer(project.name)
    recorded = await on_record(store, project.name, code, asked)
    subject = await _subject(project, release, tree, asked)
    evidence, refused = filed(await store.records(Kind.EVIDENCE), project.office.signer)
    waivers = await _kept(store, Kind.WAIVER, Waiver)
    acceptances = await _kept(store, Kind.ACCEPTANCE, Acceptance)
    standings = stand(BAR, subject, Dossier(evidence=evidence, waivers=waivers), now)
    facts = ProjectFacts(
        workflow=project.name,
        stage=pointer.stage,
        people=people_of(project.settings),
        release=release.name if release else "",
        serves=release is not None and release.digest in pointer.live,
        question=project.settings.workflow.question,
        criteria=sum(len(one.plan.criteria) for one in project.settings.experiments),
        verdict=recorded.verdict if recorded else None,
        worth_asked=recorded.worth_asked if recorded else _asks_worth(project.settings),
        time_box_ends=await _time_box_ends(project),
        live_effects=await _live_effects(project, pointer),
        daily_runs=await _daily_runs(store, project.name, now),
        assumptions=project.settings.workflow.assumptions,
        acceptances=acceptances,
        waivers=tuple(
            one for one in waivers if one.workflow == project.name and one.since <= now < one.until
        ),
        refused=refused,
    )
    return Readiness(
        now=now,
        workflow=project.name,
        pointer=pointer,
        release=release,
        tree=tree.differs_from(release) if release else "",
        subject=subject,
        on_record=recorded,
        evidence=evidence,
        refused=refused,
        waivers=waivers,
        acceptances=acceptances,
        facts=facts,
        standings=standings,
        findings=findings(facts, now),
        choice=choices.choice(facts, standings, now),
        story=choices.story(facts, standings, now),
        next=choices.next_command(facts, standings, now),
    )


async def _subject(
    project: Project, release: Release | None, tree: Tree, asked: dict[str, Asked]
) -> Subject:
    """Return the release that claims are held against, or the working tree where there is none."""
    settings = project.settings
    digest_ = release.digest if release else ReleaseDigest("")
    code = release.code if release else tree.code
    production = settings.production
    return Subject(
        workflow=project.name,
        release=digest_,
        name=release.name if release else "the working tree",
        code=code,
        environment=release.environment if release else tree.environment,
        engine=engine(),
        depends=await _depends(project, digest_, asked),
        traits=await traits_of(project, code),
        profile=profile_of(settings),
        policy={one.claim: one.at_most for one in production.policy} if production else {},
    )


async def _depends(project: Project, release: str, asked: dict[str, Asked]) -> dict[str, str]:
    pointer = await project.store.pointer(project.name)
    moves = history(await project.store.ledger(limit=RECENT), project.name)
    before = before_of(release, pointer, [move.stable for move in moves if move.stable])
    return await depends_of(project, release, before, asked)


async def _kept(store: Store, kind: Kind, of: type[Any]) -> tuple[Any, ...]:
    return tuple(decode(of, body) for body in (await store.records(kind)).values())


def _asks_worth(settings: Settings) -> bool:
    return any(one.worth_asked for one in settings.experiments)


async def _time_box_ends(project: Project) -> datetime | None:
    """Return when the time of the newest experiment ends, as the settings have it now."""
    boxes = {one.name: one.plan.time_box for one in project.settings.experiments}
    known = [one for one in await project.store.experiments(project.name) if one.name in boxes]
    return known[-1].locked + boxes[known[-1].name] if known else None


async def _live_effects(project: Project, pointer: Pointer) -> int:
    """Return how many effects the proof of concept carried out, of those runs looked at."""
    if pointer.stage is Stage.PRODUCTION:
        return 0
    which = RunFilter(workflow=project.name, release=DRAFT, limit=LOOKED_AT)
    journals = [await project.store.journal(run.id) for run in await project.store.runs(which)]
    return sum(
        entry.kind is EntryKind.EFFECT and isinstance(entry.outcome, Returned)
        for journal in journals
        for entry in journal
    )


async def _daily_runs(store: Store, workflow: str, now: datetime) -> tuple[int, ...]:
    """Return how many runs ended on each of the last days, the latest last."""
    day = timedelta(days=1)
    since = [
        sum((await store.tally(workflow, now - days * day)).values())
        for days in range(STEADY_DAYS, 0, -1)
    ]
    return tuple(here - later for here, later in zip(since, (*since[1:], 0), strict=True))


# Keeping


async def file_evidence(
    project: Project, rehearsed: Rehearsed, release: Release, actor: Actor
) -> str:
    """Keep what a drill showed, signed, with its entry in the ledger; return its digest.

    Raises:
        NothingShown: the drill was aborted.
    """
    if rehearsed.result is DrillResult.ABORTED:
        raise NothingShown(
            f"the drill {rehearsed.drill} was aborted",
            why=rehearsed.summary,
            fix=(f"proveout drill {rehearsed.drill}",),
        )
    depends = await _depends(project, release.digest, await asked_now(project.settings))
    around = Circumstances(
        release=release,
        bar=BAR.version,
        engine=engine(),
        seed=0,
        by=actor.name,
        depends=depends,
    )
    envelope = seal(evidence_of(rehearsed, around), project.office.signer)
    name = digest(envelope)
    facts = {
        "workflow": release.workflow,
        "release": release.digest,
        "evidence": name,
        "result": rehearsed.result,
        "control": rehearsed.control,
        "summary": rehearsed.summary,
    }
    deed = Deed(actor=actor.name, act=KEEP_EVIDENCE, subject=rehearsed.drill, facts=facts)
    await amend(project.office, deed, (Keep(kind=Kind.EVIDENCE, name=name, body=envelope),))
    return name


def evidence_named(entries: Iterable[LedgerEntry]) -> dict[str, int]:
    """Return the digests of all evidence that was ever kept, each with its entry's number."""
    return {
        str(json.loads(one.facts).get("evidence")): one.seq
        for one in entries
        if one.act == KEEP_EVIDENCE
    }


def tally_of(standings: tuple[ClaimStanding, ...]) -> dict[str, int]:
    """Return how many claims have which status."""
    return dict(Counter(str(one.status) for one in standings))
