"""What stands around every page: the workflow, its stage, the way to all pages, who is here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from proveout.domain.access import RIGHTS, Right, Role
from proveout.domain.release import Stage

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from proveout.domain.access import Actor
    from proveout.domain.release import Halt

STAGE_WORDS = {Stage.PROOF_OF_CONCEPT: "proof of concept", Stage.PRODUCTION: "production"}
STAGE_BRIEF = {Stage.PROOF_OF_CONCEPT: "PoC", Stage.PRODUCTION: "prod"}


class Section(StrEnum):
    """Where in the navigation a page belongs."""

    OVERVIEW = "overview"
    EXPERIMENTS = "experiments"
    DATASETS = "datasets"
    COMPARE = "compare"
    RUNS = "runs"
    REVIEWS = "reviews"
    ALERTS = "alerts"
    DEAD = "dead"
    DELIVERIES = "deliveries"
    RELEASES = "releases"
    DRILLS = "drills"
    READINESS = "readiness"
    LEDGER = "ledger"
    ACCESS = "access"
    SETTINGS = "settings"
    NOWHERE = ""


class Tone(StrEnum):
    """What a line wants to be read as; words and a sign always say the same."""

    GO = "go"
    NO = "no"
    WAIT = "wait"
    INFO = "info"
    PLAIN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flash:
    """What came of the form that was sent last."""

    text: str
    tone: Tone = Tone.GO


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every page needs beside its own facts.

    Attributes:
        experiment: the experiment that the navigation leads to.
        now: the moment for which the page is made; ages and times left count from it.
        zone: in which times are shown; UTC stands in the markup beside them.
        csrf: what every form sends back.
        actor: who is signed in; None on the pages outside the door.
        halt: what stops the whole workflow, or None.
        waiting: count of reviews that wait for a person.
        alerting: count of alerts that nobody has taken.
        claims: claims of the bar that pass, and all of them; None where not known.
    """

    workflow: str
    stage: Stage
    experiment: str
    now: datetime
    zone: tzinfo
    csrf: str
    actor: Actor | None = None
    flash: Flash | None = None
    halt: Halt | None = None
    waiting: int = 0
    alerting: int = 0
    claims: tuple[int, int] | None = None

    @property
    def stage_words(self) -> str:
        """The stage as people say it."""
        return STAGE_WORDS[self.stage]

    @property
    def stage_brief(self) -> str:
        """The stage in one short word, for the bar of a phone."""
        return STAGE_BRIEF[self.stage]

    @property
    def is_production(self) -> bool:
        """Whether the workflow has passed the gate."""
        return self.stage is Stage.PRODUCTION

    def may(self, right: str) -> bool:
        """Return whether who is signed in has a right; the routes decide, this only shows."""
        return self.actor is not None and self.actor.may(Right(right))

    def needed_for(self, right: str) -> str:
        """Return the first role that has a right."""
        return next(role for role in Role if Right(right) in RIGHTS[role]).value


class Page(Protocol):
    """A value that `render` can show: its facts are its attributes.

    Attributes:
        template: file of its template.
        section: where the navigation marks it.
    """

    template: ClassVar[str]
    section: ClassVar[Section]

    @property
    def title(self) -> str:
        """What the page is called, in one line."""
        ...
