"""What an audit sees in a project: the mistakes that teams make between the two stages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from proveout.domain.release import Stage
from proveout.ready.gate import open_assumptions, verdict_reasons
from proveout.ready.people import is_known
from proveout.ready.standing import WARNING

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.bar import Acceptance, Waiver
    from proveout.ready.envelope import Refused
    from proveout.ready.gate import VerdictOnRecord
    from proveout.ready.people import People

STEADY_DAYS = 7
STEADY_RUNS = 10
"""Days in a row, and runs on each, from which on a proof of concept carries steady traffic."""


class Severity(StrEnum):
    """How soon a finding bites, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that an audit names.

    Attributes:
        code: stable name of the kind of finding.
        why: why it bites in production.
        fix: a command or an edit.
        file: None where it is about the project as a whole.
    """

    code: str
    severity: Severity
    message: str
    why: str
    fix: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """What an audit knows of one workflow.

    Attributes:
        release: short name of the release that is looked at; "" where there is none.
        serves: whether new runs go to it.
        question: what the proof of concept asks, in words; "" where it was not said.
        criteria: count of criteria of the experiment.
        time_box_ends: None where no experiment has begun.
        live_effects: how many effects were carried out, and not captured, in the proof of concept.
        daily_runs: runs that were no trials on each of the last days, the latest last.
        waivers: those that hold now.
        refused: evidence that is kept and not believed.
    """

    workflow: str
    stage: Stage
    people: People
    release: str = ""
    serves: bool = False
    question: str = ""
    criteria: int = 0
    verdict: VerdictOnRecord | None = None
    worth_asked: bool = False
    time_box_ends: datetime | None = None
    live_effects: int = 0
    daily_runs: tuple[int, ...] = ()
    assumptions: tuple[str, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    refused: tuple[Refused, ...] = ()

    @property
    def is_trial(self) -> bool:
        """Whether the workflow is still in its proof of concept."""
        return self.stage is Stage.PROOF_OF_CONCEPT

    @property
    def carries_steady_traffic(self) -> bool:
        """Whether people rely on it each day."""
        latest = self.daily_runs[-STEADY_DAYS:]
        return len(latest) == STEADY_DAYS and min(latest) >= STEADY_RUNS

    @property
    def assumptions_open(self) -> tuple[str, ...]:
        """What was assumed and nobody has answered for."""
        return open_assumptions(self.workflow, self.assumptions, self.acceptances)


def findings(facts: ProjectFacts, now: datetime) -> tuple[Finding, ...]:
    """Return every mistake that the facts show, the worst first."""
    found = [
        *_of_evidence(facts),
        *_of_effects(facts),
        *_of_time_box(facts, now),
        *_of_verdict(facts, now),
        *_of_worth(facts),
        *_of_people(facts),
        *_of_traffic(facts),
        *_of_assumptions(facts),
        *_of_waivers(facts, now),
    ]
    ranks = list(Severity)
    return tuple(sorted(found, key=lambda one: ranks.index(one.severity)))


def finding_words(finding: Finding) -> dict[str, Any]:
    """Return a finding as one of the `findings` of `audit.v1`."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "file": finding.file,
        "line": finding.line,
        "message": finding.message,
        "why": finding.why,
        "fix": finding.fix,
    }


def _of_evidence(facts: ProjectFacts) -> list[Finding]:
    return [
        Finding(
            code="evidence-refused",
            severity=Severity.CRITICAL,
            message=f"the evidence {one.name[:12]} is {one.doubt}",
            why=f"{one.why}; somebody may have changed what a drill found",
            fix="proveout ledger verify",
        )
        for one in facts.refused
    ]


def _of_effects(facts: ProjectFacts) -> list[Finding]:
    if not facts.is_trial or not facts.live_effects:
        return []
    return [
        Finding(
            code="effects-live",
            severity=Severity.CRITICAL,
            message=f"the proof of concept has carried out {_count(facts.live_effects, 'effect')}",
            why="it acts on the world before anything about running it was proven",
            fix="stop workers started with --effects live; proveout work captures effects",
        )
    ]


def _of_time_box(facts: ProjectFacts, now: datetime) -> list[Finding]:
    ends = facts.time_box_ends
    if not facts.is_trial or ends is None or now < ends:
        return []
    return [
        Finding(
            code="past-time-box",
            severity=Severity.HIGH,
            message=f"the time box ended on {_day(ends)}, and nobody has decided",
            why="a proof of concept that goes on becomes a system that nobody owns",
            fix="decide: proveout promote, stop it, or set a longer time_box in proveout.toml",
        )
    ]


def _of_verdict(facts: ProjectFacts, now: datetime) -> list[Finding]:
    return [
        Finding(
            code=one.code,
            severity=Severity.HIGH,
            message=one.what,
            why="it is not shown that what would be released is good enough",
            fix=one.fix,
        )
        for one in verdict_reasons(facts.verdict, now)
    ]


def _of_worth(facts: ProjectFacts) -> list[Finding]:
    if facts.worth_asked:
        return []
    return [
        Finding(
            code="worth-not-asked",
            severity=Severity.HIGH,
            message="nobody asked whether it is worth it",
            why="a workflow that is right often enough can still lose money; promotion is blocked",
            fix="add [prove.worth] to proveout.toml, then proveout prove",
        )
    ]


_WHO = {
    "owner": "the owner",
    "operator": "the operator",
    "reviewer": "the reviewer",
    "downstream": "what receives the results",
}
_WITHOUT = {
    "owner": "nobody decides when it must be stopped, changed or paid for",
    "operator": "nobody is called when it breaks",
    "reviewer": "what the workflow leaves to a person is left to nobody",
    "downstream": "nobody knows who breaks when its results change or stop",
}
"""Why it bites that nobody is named."""


def _of_people(facts: ProjectFacts) -> list[Finding]:
    people = facts.people
    named = {
        "owner": people.owner,
        "operator": people.operator,
        "reviewer": people.reviewer,
        "downstream": people.downstream,
    }
    severity = Severity.MEDIUM if facts.is_trial else Severity.HIGH
    return [
        Finding(
            code=f"no-{key}",
            severity=severity,
            message=f"{_WHO[key]} is not known",
            why=_WITHOUT[key],
            fix=f'{key} = "NAME" under [workflow] in proveout.toml',
        )
        for key, name in named.items()
        if not is_known(name)
    ]


def _of_traffic(facts: ProjectFacts) -> list[Finding]:
    if not facts.is_trial or not facts.carries_steady_traffic:
        return []
    least = min(facts.daily_runs[-STEADY_DAYS:])
    return [
        Finding(
            code="steady-traffic",
            severity=Severity.MEDIUM,
            message=f"{least} runs or more on each of the last {STEADY_DAYS} days",
            why="people rely on it each day: it is production in all but name, and not proven",
            fix="proveout plan",
        )
    ]


def _of_assumptions(facts: ProjectFacts) -> list[Finding]:
    return [
        Finding(
            code="assumption-open",
            severity=Severity.MEDIUM if facts.is_trial else Severity.HIGH,
            message=f"still assumed: {one}",
            why="what was left out to learn quickly is met by the first real user",
            fix="retire, measure or accept it by name with proveout promote",
        )
        for one in facts.assumptions_open
    ]


def _of_waivers(facts: ProjectFacts, now: datetime) -> list[Finding]:
    return [
        Finding(
            code="waiver-active",
            severity=Severity.HIGH if one.until - now <= WARNING else Severity.MEDIUM,
            message=f"{one.claim} is waived by {one.names} until {_day(one.until)}: {one.reason}",
            why="it passes the gate unproven, and stops passing on that day",
            fix=f"proveout drill {one.claim}",
        )
        for one in facts.waivers
    ]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
