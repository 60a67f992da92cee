"""Releases: an immutable, named content offered to real inputs, and which of them serves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NewType

from proveout.errors import Mistake

if TYPE_CHECKING:
    from datetime import datetime

ReleaseDigest = NewType("ReleaseDigest", str)

DRAFT: Final = "draft"
"""What a run is marked with that the working tree executed, in the place of a release."""

WHOLE = 10_000
"""A share of everything, in basis points."""


class Stage(StrEnum):
    """Which of the two questions a workflow is answering."""

    PROOF_OF_CONCEPT = "proof-of-concept"
    PRODUCTION = "production"


class Treatment(StrEnum):
    """What becomes of the runs in flight when a release is rolled back."""

    FINISH = "finish"
    PARK = "park"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What executes, fixed under the digest of its manifest.

    Attributes:
        digest: hexadecimal SHA-256 of `manifest`.
        number: from 1 within its workflow; the release is also called r1, r2, …
        manifest: what executes, as bytes of canonical JSON.
        code: digest of the source that executes, as an experiment locks it.
        environment: digest of the packages that it runs among.
        created: when it first became known; no part of the digest.
    """

    digest: ReleaseDigest
    workflow: str
    number: int
    manifest: bytes
    code: str
    environment: str
    created: datetime
    by: str

    @property
    def name(self) -> str:
        """The short name, such as r1."""
        return f"r{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of the traffic, in basis points from 1 to 9,999."""

    points: int

    def __post_init__(self) -> None:
        if not 0 < self.points < WHOLE:
            raise Mistake(
                f"a share of {self.points / 100:g} % is no canary",
                why="a canary gets more than nothing and less than everything",
                fix=("--share 5%",),
            )

    @property
    def fraction(self) -> float:
        """The share as a number strictly between 0 and 1."""
        return self.points / WHOLE

    def __str__(self) -> str:
        return f"{self.points / 100:g}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A release that is limited to a share.

    Attributes:
        salt: minted when the canary begins, kept when its share changes.
        hold: after it, a canary that nobody widened or ended is an alert; None for never.
    """

    release: ReleaseDigest
    share: Share
    salt: str
    since: datetime
    hold: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Which release serves a workflow, and in which stage the workflow is.

    Attributes:
        version: count of changes; the next change names the one it saw.
        stable: the release that serves; None before the first promotion.
        changed: the moment of the last change; None where there was none.
    """

    workflow: str
    version: int = 0
    stage: Stage = Stage.PROOF_OF_CONCEPT
    stable: ReleaseDigest | None = None
    canary: Canary | None = None
    changed: datetime | None = None

    @property
    def live(self) -> tuple[ReleaseDigest, ...]:
        """The releases that new runs go to, the stable one first."""
        canary = None if self.canary is None else self.canary.release
        return tuple(one for one in (self.stable, canary) if one is not None)

    def assigned(self, key: str) -> str:
        """Return the release that a run named `key` starts on, or `DRAFT` where none serves."""
        if self.stable is None:
            return DRAFT
        if self.canary is not None and lot(self.canary.salt, key) < self.canary.share.points:
            return self.canary.release
        return self.stable


def lot(salt: str, key: str) -> int:
    """Return the lot that `key` draws under `salt`: 0 to 9,999, the same each time.

    Every store computes the same number by itself when it routes a claim.
    """
    return int.from_bytes(hashlib.sha256(f"{salt}:{key}".encode()).digest()[:4]) % WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """An order that something may not begin until a person resumes it.

    Attributes:
        scope: "workflow", "release:DIGEST" or "effect:NAME".
    """

    workflow: str
    scope: str
    since: datetime
    by: str
    reason: str = ""


WORKFLOW_SCOPE = "workflow"


def release_scope(release: str) -> str:
    """Return the scope of a halt that stops one release."""
    return f"release:{release}"


def effect_scope(effect: str) -> str:
    """Return the scope of a halt that stops one effect."""
    return f"effect:{effect}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """The runs of a release that have begun and not ended.

    Attributes:
        oldest: when the oldest of them was enqueued; None where there are none.
        parked: how many of them wait for an operator, and so for no worker.
    """

    runs: int
    oldest: datetime | None = None
    parked: int = 0

    @property
    def needs_workers(self) -> bool:
        """Whether a worker of the release has, or will have, something to do."""
        return self.runs > self.parked
