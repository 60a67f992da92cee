"""A probe: one question to a receiver of webhooks, and what to do about a bad answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from proveout.ready.findings import Severity
    from proveout.ready.probes.rig import Rig


class Status(StrEnum):
    """How a probe ended."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"
    UNTESTED = "untested"
    NOT_APPLICABLE = "not applicable"


class Framework(StrEnum):
    """What a receiver is written with, where its server tells."""

    FLASK = "Flask"
    FASTAPI = "FastAPI"
    DJANGO = "Django"
    EXPRESS = "Express"


class Notion(StrEnum):
    """What not every scheme has."""

    TIME = "a signed time"
    SEVERAL = "several signatures in one delivery"
    FRESH = "a fresh signature for each try"
    TEST_MODE = "events of a test mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An event, and how many effects it may have had once everything is done."""

    event: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An object, and the status that it must have once everything is done."""

    object: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one probe showed.

    Attributes:
        sent: in words.
        received: in words; nothing secret.
        fault: what is wrong with that, or "".
        unsure: why nothing can be said, or "".
        hint: what mends just this fault, before what mends the probe's faults in general.
        dues: effects that are counted when all probes are done.
        is_about_effects: without a counter nothing can be said.
        standing: the state that is read then.
    """

    sent: str
    received: str
    fault: str = ""
    unsure: str = ""
    hint: str = ""
    dues: tuple[Due, ...] = ()
    is_about_effects: bool = False
    standing: Standing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question to a receiver.

    Attributes:
        id: stable, P01 to P23.
        title: what holds when it passes.
        why: what happens in production when it fails.
        fix: how to mend it, in any framework.
        fixes: the same in the words of one framework.
        needs: what a scheme must have for the question to make sense.
    """

    id: str
    title: str
    severity: Severity
    why: str
    fix: str
    perform: Callable[[Rig], Awaitable[Shown]]
    fixes: Mapping[Framework, str] = field(default_factory=dict[Framework, str])
    needs: Notion | None = None

    def mended(self, framework: Framework | None) -> str:
        """Return how to mend it, in the framework's words where there are some."""
        return self.fix if framework is None else self.fixes.get(framework, self.fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a probe ended, and what was seen.

    Attributes:
        note: why it was not asked or not answered, or "".
        fix: in the words of the receiver's framework where it is known.
    """

    probe: Probe
    status: Status
    sent: str = ""
    received: str = ""
    note: str = ""
    fix: str = ""
