"""Sandboxes: a place of its own where a workflow may be broken on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from proveout.domain.access import Right, Role
    from proveout.domain.alert import Manner, Policy
    from proveout.domain.model_fault import Faults
    from proveout.domain.release import Release
    from proveout.domain.verdict import Verdict
    from proveout.ports.clock import Clock
    from proveout.ports.store import Store
    from proveout.release.decide import Office


class Protection(StrEnum):
    """What can be switched off in a sandbox, to show that a drill could have failed."""

    RECOVERY = "recovery"
    DURABLE_ANSWERS = "durable answers"
    DEDUPLICATION = "deduplication"
    ISOLATION = "crash isolation"
    BOUND_DECISIONS = "decisions bound to what was seen"
    ROUTING = "routing by the pointer"
    HALT = "halt"
    ACCESS = "access control"
    NAMES = "names"
    RIGHT_ANSWERS = "right answers"
    ESCALATION = "escalation"
    EXPORTS = "exports"


class Mishap(StrEnum):
    """What a run whose key carries this word does in its first step."""

    RAISES = "mishap-raises"
    KILLS = "mishap-kills"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One input of the dataset whose steps were recorded while proving.

    Attributes:
        value: the input, as bytes of canonical JSON.
        asks: its run puts a question to a person.
        effects: how many effects its run has.
    """

    value: bytes
    asks: bool
    effects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """An effect as the receiver outside of the workers counted it.

    Attributes:
        release: digest of the release whose worker sent it.
    """

    at: datetime
    run: str
    effect: str
    key: str
    release: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The first step of a run's attempt, as a worker told the receiver."""

    at: datetime
    run: str
    release: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What the receiver has counted so far."""

    effects: tuple[Carried, ...] = ()
    begun: tuple[Begun, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A notice as a test receiver took it.

    Attributes:
        text: its title and its body.
    """

    at: datetime
    to: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Workers that a drill asks for.

    Attributes:
        release: digest of the release that they run; None for the one under test.
        is_faulty: every run that they start fails in its first step.
        pace: seconds that each recorded step takes.
        faults: what calls of metered models meet. With them, steps that called models in
            their trials are called, and models answer what they answered there. None for none.
    """

    count: int = 2
    release: str | None = None
    is_faulty: bool = False
    pace: float = 0.05
    faults: Faults | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a door said.

    Attributes:
        body: the JSON of the answer, or its text.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """A request to the doors of a sandbox.

    Attributes:
        key: secret of an API key; None to send none.
        cookie: what the browser's cookie holds; None for none.
    """

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    key: str | None = None
    cookie: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A signed delivery that a source may send.

    Attributes:
        source: name of the source in the settings.
        event: id of the event.
    """

    source: str
    event: str
    knock: Knock


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A door that asks for a right.

    Attributes:
        path: with its blanks filled in.
        by_cookie: it asks for a session in a browser, where others ask for a key.
    """

    method: str
    path: str
    right: Right
    by_cookie: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Who and what the settings name.

    Attributes:
        named: what is asked for, and who or what stands there; "" where nothing does.
        runbook: the commands that the runbook holds, in its order, each as its words.
    """

    named: Mapping[str, str]
    runbook: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """The verdict of an experiment on exactly what the release executes.

    Attributes:
        is_unchecked: whether it rests on a judge whom nobody checks.
    """

    experiment: str
    verdict: Verdict
    cases: int
    worth_asked: bool
    is_unchecked: bool = False


class Sandbox(Protocol):
    """A store, workers, doors and a receiver of their own, gone when the drill ends."""

    @property
    def off(self) -> Protection | None:
        """The protection that every process of the sandbox, and its office, does without."""
        ...

    @property
    def store(self) -> Store:
        """The sandbox's store."""
        ...

    @property
    def office(self) -> Office:
        """What decisions in the sandbox are taken with."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock."""
        ...

    @property
    def release(self) -> Release:
        """The release under test; in the sandbox it serves everything."""
        ...

    @property
    def bad(self) -> Release:
        """A copy of it that is known to be bad."""
        ...

    @property
    def loads(self) -> Sequence[Load]:
        """Inputs to work on, each with its recorded answers."""
        ...

    @property
    def slowest_start(self) -> float:
        """Seconds that the slowest start of workers has taken so far."""
        ...

    async def start_workers(self, crew: Crew) -> None:
        """Start worker processes; return when they are ready to claim."""
        ...

    @property
    def has_workers(self) -> bool:
        """Whether any worker is alive; where none is, no run moves."""
        ...

    async def kill_workers(self) -> int:
        """End every worker process at once, without a warning; their count."""
        ...

    async def start_doors(self) -> None:
        """Start the HTTP server as a process of its own; return when it answers."""
        ...

    async def kill_doors(self) -> None:
        """End the HTTP server at once, without a warning."""
        ...

    @property
    def policy(self) -> Policy:
        """Who is told in production, in which order."""
        ...

    @property
    def unreached(self) -> tuple[str, ...]:
        """Whom of them no channel reaches that the settings declare."""
        ...

    async def start_watch(self, policy: Policy, manner: Manner) -> None:
        """Start to keep watch as a process of its own, with a test receiver for each name."""
        ...

    async def kill_watch(self) -> None:
        """End it at once, without a warning."""
        ...

    def heard(self) -> tuple[Heard, ...]:
        """Return what the test receivers have taken."""
        ...

    async def cut_store(self) -> int:
        """Break every connection to the store that can be broken from outside; their count."""
        ...

    async def knock(self, knock: Knock) -> Answered | None:
        """Send a request to the doors; None where nobody answered."""
        ...

    def webhooks(self, load: Load, event: str) -> list[Webhook]:
        """Return the delivery that each declared source would send for `load`, signed."""
        ...

    def key_of(self, role: Role) -> str:
        """Return the secret of an API key of that role."""
        ...

    async def enqueue(self, load: Load, key: str) -> str:
        """Make a run durable; return its id."""
        ...

    async def counted(self) -> Counted:
        """Return what the receiver has counted."""
        ...

    def traced(self, run: str) -> int | None:
        """Return how many spans of a run came to who receives traces; None for no such thing."""
        ...

    async def logged(self, run: str) -> int:
        """Return how many lines of the log tell that a run failed."""
        ...

    async def sign_in(self, *roles: Role) -> None:
        """Have somebody of each of `roles` in a browser, and one who has signed out."""
        ...

    def cookie_of(self, role: Role) -> str:
        """Return the cookie of somebody of that role who has signed in."""
        ...

    def routes(self) -> Sequence[Guarded]:
        """Return every door that asks for a right."""
        ...

    def bad_keys(self) -> Mapping[str, str]:
        """Return secrets that must open nothing, by what is wrong with them."""
        ...

    def bad_cookies(self) -> Mapping[str, str]:
        """Return cookies that must open nothing, by what is wrong with them; after `sign_in`."""
        ...

    def ownership(self) -> Ownership:
        """Return who and what the settings name."""
        ...

    async def command(self, words: Sequence[str]) -> tuple[int, str]:
        """Run a command in a copy of the project on the sandbox's store; its code and output."""
        ...

    async def signal(self, *, shuffled: bool) -> Signal | None:
        """Return the verdict on exactly what the release executes; None where there is none.

        Shuffled, the trials are judged again, each against another case's right answer.
        """
        ...

    def note(self, line: str) -> None:
        """Add a line to the log, and show it."""
        ...

    async def settle(self, seconds: float) -> None:
        """Let so much time pass while the processes go on."""
        ...
