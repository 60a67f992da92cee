"""The production bar: named claims that must be proven, and what stands in for a proof."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping


class NoSuchClaim(Mistake):
    """The bar has no claim of that name."""

    code = "no-such-claim"


class ClaimStatus(StrEnum):
    """Where one claim stands; only PROVEN, NOT NEEDED and WAIVED pass."""

    PROVEN = "PROVEN"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CLAIMED = "CLAIMED"
    MISSING = "MISSING"
    NOT_NEEDED = "NOT NEEDED"
    WAIVED = "WAIVED"

    @property
    def passes(self) -> bool:
        """Whether the gate lets it through."""
        return self in {ClaimStatus.PROVEN, ClaimStatus.NOT_NEEDED, ClaimStatus.WAIVED}


class Profile(StrEnum):
    """Who is harmed when production fails."""

    INTERNAL = "internal"
    CUSTOMER = "customer"
    MONEY = "money"


class Thing(StrEnum):
    """What evidence depends on: it lasts until one of these changes."""

    CODE = "code"
    ENVIRONMENT = "environment"
    ENGINE = "engine"
    DATASET = "dataset"
    CRITERIA = "criteria"
    SOURCES = "sources"
    PEOPLE = "people"
    ROLES = "roles"
    PAIR = "pair"


class Trait(StrEnum):
    """What a workflow may have; without it, some claims are not needed."""

    SOURCES = "webhook source"
    REVIEWS = "review"


class Risk(IntEnum):
    """What an open claim may cost, the worst first."""

    LOSS = 1
    HARM = 2
    NOBODY = 3


class Person(StrEnum):
    """Which of a workflow's people closes a claim."""

    OWNER = "owner"
    OPERATOR = "operator"
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One item of the production bar.

    Attributes:
        title: the promise, in words for a founder.
        drill: what its drill does, in one line.
        depends: its evidence expires when one of these changes.
        lasts: its evidence expires after this time at the latest.
        profiles: which of them ask for it.
        takes: how long its drill is expected to take, its control included.
        mending: time to plan for where the drill fails; an estimate, until it ran.
        only_with: it is not needed where the workflow has no such thing.
        after: claims that are better proven first.
        since: version of the bar in which its meaning last changed; older evidence expires.
    """

    name: str
    title: str
    drill: str
    depends: frozenset[Thing]
    takes: timedelta
    mending: timedelta
    risk: Risk
    closes: Person = Person.OPERATOR
    lasts: timedelta = timedelta(days=30)
    profiles: frozenset[Profile] = frozenset(Profile)
    only_with: Trait | None = None
    after: tuple[str, ...] = ()
    since: int = 1

    @property
    def command(self) -> str:
        """The command that closes it."""
        return f"proveout drill {self.name}"

    def not_needed(self, profile: Profile, traits: frozenset[Trait]) -> str:
        """Return why this workflow does not need it, or "" where it does."""
        if profile not in self.profiles:
            return f"the {profile} profile does not ask for it"
        if self.only_with is not None and self.only_with not in traits:
            return f"the workflow has no {self.only_with}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The claims that must be proven.

    Attributes:
        version: counts changes of meaning; evidence names it.
        at_most: profiles whose evidence lasts no longer than this.
    """

    version: int
    claims: tuple[Claim, ...]
    at_most: Mapping[Profile, timedelta]

    def claim(self, name: str) -> Claim:
        """Return the claim of that name.

        Raises:
            NoSuchClaim: there is none; the nearest name is suggested.
        """
        names = [one.name for one in self.claims]
        if name in names:
            return self.claims[names.index(name)]
        near = difflib.get_close_matches(name, names, n=1)
        raise NoSuchClaim(
            f"the bar has no claim called {name!r}",
            why=f"its claims are {', '.join(names)}",
            fix=tuple(f"proveout drill {one}" for one in near) or ("proveout drill --list",),
        )

    def lasts(
        self, claim: Claim, profile: Profile, policy: Mapping[str, timedelta]
    ) -> tuple[timedelta, str]:
        """Return how long evidence for `claim` lasts, and whose word that is.

        The `policy`, an operator's maximum by name of claim, shortens and never lengthens.
        """
        limits = [(claim.lasts, "the bar")]
        if profile in self.at_most:
            limits.append((self.at_most[profile], f"the {profile} profile"))
        if claim.name in policy:
            limits.append((policy[claim.name], "the policy of this project"))
        return min(limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Two people let a claim pass unproven until a date; printed in every audit until then.

    Attributes:
        release: digest of the only release it holds for; "" for every one.
        second: who agreed; "" where the team had no second person.
        since: when it was given.
    """

    claim: str
    workflow: str
    by: str
    reason: str
    since: datetime
    until: datetime
    second: str = ""
    release: str = ""

    @property
    def names(self) -> str:
        """Who gave it, in words."""
        return f"{self.by} and {self.second}" if self.second else f"{self.by}, no second person"

    def holds(self, claim: str, workflow: str, release: str, now: datetime) -> bool:
        """Whether it lets that claim of that release pass now."""
        meant = (self.claim, self.workflow) == (claim, workflow)
        return meant and self.release in {"", release} and self.since <= now < self.until


class Settled(StrEnum):
    """How an assumption of the proof of concept ended."""

    RETIRED = "retired"
    MEASURED = "measured"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Somebody answers, by name, for one assumption.

    Attributes:
        assumption: word for word as `proveout.toml` has it; changed words are another one.
        remark: where it was measured, or why it no longer holds.
    """

    assumption: str
    workflow: str
    how: Settled
    by: str
    at: datetime
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Somebody says that a claim holds, and no drill ran."""

    claim: str
    workflow: str
    text: str
    by: str
    at: datetime


def pair(release: str, before: str | None) -> str:
    """Return what evidence of a rollback depends on: both releases, in their order.

    The first release has none `before` it, and is drilled against a known-bad copy of itself.
    """
    return f"{before or release}>{release}"


_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

BAR = Bar(
    version=1,
    at_most={Profile.MONEY: 14 * _DAY},
    claims=(
        Claim(
            name="signal",
            title="It is good enough, and worth it",
            drill="asks for a GO verdict on exactly what this release executes",
            depends=frozenset({Thing.CODE, Thing.DATASET, Thing.CRITERIA}),
            takes=10 * _SECOND,
            mending=10 * _DAY,
            risk=Risk.LOSS,
            closes=Person.OWNER,
        ),
        Claim(
            name="worker-loss",
            title="No run is lost when a worker dies",
            drill="kills workers between steps and inside them, and counts effects at the receiver",
            depends=frozenset({Thing.CODE, Thing.ENGINE}),
            takes=60 * _SECOND,
            mending=2 * _DAY,
            risk=Risk.LOSS,
            after=("signal",),
        ),
        Claim(
            name="store-restart",
            title="What was acknowledged outlives a restart of the store",
            drill="cuts the store off under load, brings it back, and looks for every run",
            depends=frozenset({Thing.ENGINE, Thing.ENVIRONMENT}),
            takes=40 * _SECOND,
            mending=2 * _DAY,
            risk=Risk.LOSS,
        ),
        Claim(
            name="duplicates",
            title="The same webhook twice has one effect",
            drill="sends each webhook again, at once and after its run ended",
            depends=frozenset({Thing.CODE, Thing.SOURCES}),
            takes=40 * _SECOND,
            mending=2 * _DAY,
            risk=Risk.LOSS,
            only_with=Trait.SOURCES,
            after=("worker-loss",),
        ),
        Claim(
            name="poison",
            title="A run that always fails harms no other",
            drill="adds a run that always fails and one that kills its worker, then replays them",
            depends=frozenset({Thing.CODE}),
            takes=40 * _SECOND,
            mending=1 * _DAY,
            risk=Risk.LOSS,
            after=("worker-loss",),
        ),
        Claim(
            name="review",
            title="A person's decision counts once, and nothing approves itself",
            drill="restarts while reviews wait; answers late, twice and with a forged digest",
            depends=frozenset({Thing.CODE}),
            takes=40 * _SECOND,
            mending=3 * _DAY,
            risk=Risk.HARM,
            closes=Person.REVIEWER,
            only_with=Trait.REVIEWS,
            after=("worker-loss",),
        ),
        Claim(
            name="escalation",
            title="Somebody hears of trouble, and of what nobody answers",
            drill="leaves a review and an alert unanswered, restarts everything, looks who heard",
            depends=frozenset({Thing.PEOPLE, Thing.ENGINE}),
            takes=60 * _SECOND,
            mending=1 * _DAY,
            risk=Risk.NOBODY,
            after=("ownership",),
        ),
        Claim(
            name="rollback",
            title="A bad release is found, and one command takes it back",
            drill="lets a known-bad release into a canary, then rolls back by hand under load",
            depends=frozenset({Thing.CODE, Thing.PAIR}),
            takes=40 * _SECOND,
            mending=2 * _DAY,
            risk=Risk.HARM,
            after=("signal",),
        ),
        Claim(
            name="halt",
            title="One command stops every further effect",
            drill="halts the workflow under load, and counts what begins afterwards",
            depends=frozenset({Thing.ENGINE}),
            takes=30 * _SECOND,
            mending=1 * _DAY,
            risk=Risk.HARM,
            # Colleagues who use it sit beside whoever can stop its workers.
            profiles=frozenset({Profile.CUSTOMER, Profile.MONEY}),
        ),
        Claim(
            name="access",
            title="Nobody can do what they may not, and trying is recorded",
            drill="tries every forbidden act in each role, with stale, foreign and no credentials",
            depends=frozenset({Thing.ROLES, Thing.ENGINE}),
            takes=30 * _SECOND,
            mending=2 * _DAY,
            risk=Risk.HARM,
            after=("ownership",),
        ),
        Claim(
            name="observability",
            title="A failing run is found wherever an operator looks",
            drill="lets one run fail, and looks for it in trace, metric, log and console",
            depends=frozenset({Thing.ENGINE}),
            takes=30 * _SECOND,
            mending=1 * _DAY,
            risk=Risk.NOBODY,
            after=("worker-loss",),
        ),
        Claim(
            name="ownership",
            title="Somebody is named for every question, and can be reached",
            drill="looks for everybody who must be named, and runs the commands of the runbook",
            depends=frozenset({Thing.PEOPLE}),
            takes=20 * _SECOND,
            mending=5 * _DAY,
            risk=Risk.NOBODY,
            closes=Person.OWNER,
            lasts=90 * _DAY,
        ),
    ),
)
"""Version 1. A change of meaning raises `version`, and `since` of the claims it touches."""
