"""Waiting: for a person, or for time to pass. A run that waits holds nothing.

The same calls serve both colours: asynchronous workflows await what they return,
plain ones use it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast, runtime_checkable

from proveout.domain.duration import duration
from proveout.domain.review import OnExpiry
from proveout.domain.workflow import CURRENT
from proveout.errors import Mistake, Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Generator, Sequence
    from datetime import timedelta
    from typing import Any

    from proveout.domain.guardrail import Finding
    from proveout.domain.review import Answer
    from proveout.run.race import Winner
    from proveout.run.signal import Listening

T = TypeVar("T")

TRIAL = "trial"
"""Who answers what is asked in a trial: nobody."""

SAMPLING = "sampling"
"""Who answers what is left out of a sample: nobody."""

NOBODY = frozenset({TRIAL, SAMPLING, ""})


class Rejected(Refusal):
    """A person rejected the draft, or nobody answered in time: it has no value."""

    code = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[T]):
    """What a review asks, before it is put to a person; None where its queue decides.

    Attributes:
        groups: who may decide; empty for whom the queue names.
        four_eyes: an approval needs two people, whatever the queue says.
        sample: the share of drafts that people see.
        confidence: how sure the workflow is of the draft, 0 to 1.
    """

    draft: T
    queue: str
    within: timedelta | None
    on_expiry: OnExpiry | None
    groups: tuple[str, ...] = ()
    four_eyes: bool = False
    sample: float | None = None
    confidence: float | None = None
    findings: tuple[Finding, ...] = ()


class Decision(Generic[T]):
    """What a person decided about a draft.

    In an asynchronous workflow it must be awaited before it is read.
    """

    def __init__(self, question: Question[T]) -> None:
        self._question = question
        self._answer: Answer | None = None
        self._content: T | None = None

    def __await__(self) -> Generator[Any, None, Decision[T]]:
        return self.put_to(waiting_scope("review")).__await__()

    async def put_to(self, scope: Waits) -> Decision[T]:
        """Wait in `scope` until a person decided."""
        self._answer, content = await scope.ask(self._question)
        self._content = cast("T", content)
        return self

    def _known(self) -> Answer:
        if self._answer is None:
            raise Mistake("the review was not awaited", fix=("await review(…)",))
        return self._answer

    @property
    def approved(self) -> bool:
        """Whether a person approved the draft, edited or not."""
        return self._known().approved

    @property
    def value(self) -> T:
        """What was approved: the draft, or the person's edit of it.

        Raises:
            Rejected: it was not approved.
        """
        answer = self._known()
        if not answer.approved:
            by = "nobody answered in time" if answer.expired else f"rejected by {answer.by}"
            raise Rejected(by, why=answer.reason)
        return cast("T", self._content)

    @property
    def by(self) -> str:
        """Who decided; "" where nobody did in time."""
        return self._known().by

    @property
    def reason(self) -> str:
        """Why, in the person's words."""
        return self._known().reason

    @property
    def code(self) -> str:
        """Which of the queue's reasons a rejection names; "" where it names none."""
        return self._known().code

    @property
    def expired(self) -> bool:
        """Whether the deadline passed without an answer, or nobody had room to look."""
        return self._known().expired

    @property
    def reviewed(self) -> bool:
        """Whether a person decided; False for what sampling lets pass, and in a trial."""
        return not self.expired and self.by not in NOBODY


class Pause:
    """A wait for time to pass; asynchronous workflows await it."""

    def __init__(self, length: timedelta) -> None:
        self._length = length

    def __await__(self) -> Generator[Any, None, None]:
        return waiting_scope("sleep").sleep(self._length).__await__()


@runtime_checkable
class Waits(Protocol):
    """A scope in which a run may wait."""

    def ask(self, question: Question[Any]) -> Coroutine[Any, Any, tuple[Answer, object]]:
        """Return the answer and the approved content, once a person gave one."""
        ...

    def sleep(self, length: timedelta) -> Coroutine[Any, Any, None]:
        """Return once `length` has passed."""
        ...

    def hear(self, listening: Listening) -> Coroutine[Any, Any, Any]:
        """Return the value of a signal, once somebody sent it."""
        ...

    def race(self, entrants: tuple[Awaitable[Any], ...]) -> Coroutine[Any, Any, Winner[Any]]:
        """Return the first of `entrants` that ends."""
        ...

    def decide(self, change: str) -> bool:
        """Return whether the run takes a change of its code."""
        ...

    def is_plain_here(self) -> bool:
        """Whether the caller is plain code in a thread."""
        ...

    def block_on(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Return what `waiting` gives, from plain code in a thread."""
        ...


def review(
    draft: T,
    *,
    queue: str = "default",
    within: str | timedelta | None = None,
    on_expiry: str | None = None,
    groups: Sequence[str] = (),
    four_eyes: bool = False,
    sample: float | None = None,
    confidence: float | None = None,
    findings: Sequence[Finding] = (),
) -> Decision[T]:
    """Put a draft to a person, and wait for as long as it takes.

    Args:
        draft: what is to be approved; anything that can be journaled.
        queue: which group of people it is for; `[review.QUEUE]` in the settings says what
            holds there.
        within: the time to answer in, such as "4 h"; None for what the queue says.
        on_expiry: "park" the run for an operator when nobody answered in time, or
            "reject" the draft; None for what the queue says. Never an approval.
        groups: names of groups or people who may decide; empty for whom the queue names.
        four_eyes: an approval needs two people.
        sample: put only this share of drafts to people, above 0 and at most 1; which ones
            follows from the run alone. The others pass as they are.
        confidence: how sure you are of the draft, 0 to 1: it is shown, and the less it is,
            the likelier a sample holds the draft.
        findings: what speaks against the draft; it is shown beside it, and marked in it.

    Raises:
        Mistake: outside a run, inside a step, or with a value that cannot be.
    """
    if on_expiry not in {None, *OnExpiry}:
        raise Mistake(f'on_expiry="{on_expiry}" does not exist', why='it is "park" or "reject"')
    _check_share("sample", sample)
    _check_share("confidence", confidence)
    decision = Decision(
        Question(
            draft=draft,
            queue=queue,
            within=duration(within) if isinstance(within, str) else within,
            on_expiry=None if on_expiry is None else OnExpiry(on_expiry),
            groups=(groups,) if isinstance(groups, str) else tuple(groups),
            four_eyes=four_eyes,
            sample=sample,
            confidence=confidence,
            findings=tuple(findings),
        )
    )
    scope = waiting_scope("review")
    if scope.is_plain_here():
        scope.block_on(decision.put_to(scope))
    return decision


def _check_share(name: str, value: float | None) -> None:
    if value is not None and not 0 <= value <= 1:  # NaN is refused, too
        raise Mistake(f"{name}={value} is no share", why="it lies between 0 and 1")


def sleep(length: str | timedelta) -> Pause:
    """Wait for time to pass, such as "2 days"; holds nothing meanwhile.

    Raises:
        Mistake: outside a run, inside a step, or with no duration.
    """
    pause = duration(length) if isinstance(length, str) else length
    scope = waiting_scope("sleep")
    if scope.is_plain_here():
        scope.block_on(scope.sleep(pause))
    return Pause(pause)


def waiting_scope(call: str) -> Waits:
    """Return the scope in which the caller may wait.

    Raises:
        Mistake: the caller is outside a run, or inside a step.
    """
    scope = CURRENT.get()
    if isinstance(scope, Waits):
        return scope
    where = "outside a run" if scope is None else "inside a step"
    raise Mistake(
        f"{call} was called {where}",
        why="only the code between the steps of a run can wait: nothing else could resume there",
        fix=("enqueue the workflow, or run it with proveout run",),
    )
