"""Readiness: the stage, the bar claim by claim, and the gate between the stages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime

PASSING = frozenset({"PROVEN", "NOT NEEDED", "WAIVED"})
"""What the gate lets through."""

URGENCY = ("FAILED", "EXPIRED", "MISSING", "CLAIMED", "WAIVED", "PROVEN", "NOT NEEDED")
"""In which order claims are listed: what is open first."""

TALLY = ("PROVEN", "WAIVED", "NOT NEEDED", "CLAIMED", "EXPIRED", "MISSING", "FAILED")
"""In which order statuses are counted: from what passes to what failed."""


class Row(NamedTuple):
    """One row of the two stages' table."""

    name: str
    proof: str
    production: str


STAGE_TABLE = (
    Row(
        "Primary question",
        "Does this idea have enough signal to justify more investment?",
        "Can this workflow handle production traffic, edge cases and ownership after launch?",
    ),
    Row(
        "What you have at the end",
        "A narrow experiment with clear success criteria, and a verdict",
        "A monitored system with integrations, guardrails, a deployment shape and support"
        " expectations",
    ),
    Row(
        "Fastest useful outcome",
        "A yes or a no",
        "A release plan, and a system that survives real users",
    ),
    Row(
        "Core risk",
        "Treating a prototype as if it had answered operational questions",
        "Overbuilding before the workflow has proven it is worth shipping",
    ),
    Row(
        "What breaks when skipped",
        "Engineering time burned on a weak signal",
        "The first incident shows missing queues, alerts, access controls and rollback paths",
    ),
)
"""What tells the two stages apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """One claim of the bar.

    Attributes:
        says: what is claimed, in a few words.
        status: "PROVEN", "FAILED", "EXPIRED", "CLAIMED", "MISSING", "NOT NEEDED" or "WAIVED".
        observed: what its drill saw: "recovery off: 14 lost; on: 0"; or why it does not count.
        evidence: digest of the evidence; "" where there is none.
        until: when the evidence or the waiver ends; None where it does not.
        command: what closes the gap; "" where nothing is to be done.
        owner: who answers for it; "" where nobody is named.
    """

    name: str
    says: str
    status: str
    observed: str
    evidence: str = ""
    until: datetime | None = None
    command: str = ""
    owner: str = ""

    @property
    def passes(self) -> bool:
        """Whether the gate lets it through."""
        return self.status in PASSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The explicit step into production.

    Attributes:
        release: name of the release that would be promoted; "" where there is none.
        digest: its digest, which the promotion carries back.
        reason: why the gate is closed, in one sentence; "" where it is open.
        assumptions: what was assumed and must be accepted by name with the promotion.
        passed: who promoted it and when, in words, once it is in production; else "".
    """

    release: str
    digest: str
    reason: str = ""
    assumptions: tuple[str, ...] = ()
    passed: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the promotion may be asked for."""
        return bool(self.release) and not self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessPage:
    """What is proven, claimed, expired or missing, and in which order to close it.

    Attributes:
        facts: of this workflow, one for each row of `STAGE_TABLE`.
        bar: name and version of the bar.
        claims: in any order; `sorted_claims` gives the open ones first.
        checked: the moment for which this was found.
        next: the one command with which the path goes on.
    """

    template: ClassVar[str] = "readiness.html.j2"
    section: ClassVar[Section] = Section.READINESS
    table: ClassVar[tuple[Row, ...]] = STAGE_TABLE

    facts: tuple[str, str, str, str, str]
    bar: str
    claims: tuple[ClaimRow, ...]
    gate: Gate
    checked: datetime
    next: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Readiness"

    @property
    def closed_next(self) -> str:
        """What that command closes: the words of an open claim; "" where it closes none."""
        return next((one.says for one in self.open_claims if one.command == self.next), "")

    @property
    def sorted_claims(self) -> tuple[ClaimRow, ...]:
        """The claims, open first, in the order they were given where equal."""
        return tuple(sorted(self.claims, key=_urgency))

    @property
    def open_claims(self) -> tuple[ClaimRow, ...]:
        """The claims that keep the gate closed."""
        return tuple(one for one in self.sorted_claims if not one.passes)

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many claims have each status, those that pass first."""
        found = Counter(one.status for one in self.claims)
        known = [status for status in TALLY if status in found]
        strange = sorted(found.keys() - set(TALLY))
        return tuple((status, found[status]) for status in (*known, *strange))


def _urgency(claim: ClaimRow) -> int:
    return _rank(claim.status)


def _rank(status: str) -> int:
    return URGENCY.index(status) if status in URGENCY else 0
