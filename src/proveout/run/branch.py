"""Branches: the tasks of a run, numbered in creation order.

A branch knows its path ("" for the first, "0.1" for the second child of its first
child), and with it the place of every step that it asks for. Whatever order the
tasks finish in, a resumed run finds each result where it was left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from proveout.domain.journal import Entry, EntryKind, Place, Returned
from proveout.domain.workflow import CURRENT, Effect, Step
from proveout.errors import Mistake
from proveout.run.call import Call
from proveout.run.contain import contained
from proveout.run.course import run_race
from proveout.run.ending import Over
from proveout.run.once import perform_once
from proveout.run.payload import digest, to_json
from proveout.run.step import perform
from proveout.run.wait import ask, hear, pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator, Mapping
    from contextvars import Context
    from datetime import timedelta

    from proveout.domain.review import Answer
    from proveout.domain.workflow import Scope
    from proveout.run.ask import Question
    from proveout.run.attempt import Attempt
    from proveout.run.race import Winner
    from proveout.run.signal import Listening

T = TypeVar("T")


class Branch:
    """One task of a run; the scope of the code between its steps.

    Attributes:
        lost: it lost a race: it asks for nothing more, and nothing of it is recorded.
    """

    def __init__(self, attempt: Attempt, path: str = "", parent: Branch | None = None) -> None:
        self.attempt = attempt
        self.path = path
        self.parent = parent
        self.waiting = False
        self.lost = False
        self.open_children = 0
        self._children = 0
        self._occurrences: dict[str, int] = {}

    def child(self) -> Branch:
        """Return the branch of a task that this one creates."""
        path = f"{self.path}.{self._children}" if self.path else str(self._children)
        self._children += 1
        return Branch(self.attempt, path, self)

    @property
    def is_lost(self) -> bool:
        """Whether it, or the branch that made it, lost a race."""
        return self.lost or (self.parent is not None and self.parent.is_lost)

    def check(self) -> None:
        """Leave quietly while the attempt goes on, and this branch in it.

        Raises:
            Over: the attempt has ended, or the branch lost a race.
        """
        self.attempt.check()
        self.check_not_lost()

    def check_not_lost(self) -> None:
        """Leave quietly while this branch has lost no race.

        Raises:
            Over: it has.
        """
        if self.is_lost:
            raise Over

    def start(
        self,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[T]:
        """Return the task of this branch, just created."""
        if isinstance(coroutine, Coroutine):
            coroutine = Contained(coroutine, self)
        context = context or copy_context()
        context.run(CURRENT.set, self)
        task = asyncio.Task(coroutine, loop=self.attempt.loop, context=context, **options)
        self.attempt.adopt(self, task)
        return task

    def place(self, name: str) -> Place:
        """Return where the next call of `name` stands."""
        occurrence = self._occurrences.get(name, 0)
        self._occurrences[name] = occurrence + 1
        return Place(self.path, name, occurrence)

    def perform(
        self, step: Step[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> object:
        """Perform a step from the code between steps."""
        if step.is_async:
            check_on_loop(step, self.attempt.loop)
            return _perform_here(step, args, kwargs)
        check_off_loop(f"the plain step {step.name}")
        return self.attempt.from_thread(_perform(self, Call(step, args, kwargs)))

    def ask(self, question: Question[Any]) -> Coroutine[Any, Any, tuple[Answer, object]]:
        """Put a question to a person; see `run/wait.py`."""
        return ask(self, question)

    def sleep(self, length: timedelta) -> Coroutine[Any, Any, None]:
        """Wait for time to pass; see `run/wait.py`."""
        return pause(self, length)

    def hear(self, listening: Listening) -> Coroutine[Any, Any, Any]:
        """Wait for a signal; see `run/wait.py`."""
        return hear(self, listening)

    def race(self, entrants: tuple[Awaitable[Any], ...]) -> Coroutine[Any, Any, Winner[Any]]:
        """Return the first of `entrants` that ends; see `run/course.py`."""
        return run_race(self, entrants)

    def decide(self, change: str) -> bool:
        """Return whether the run takes a change: where it was not asked before, if it is new here.

        The answer belongs to the run, not to a place in it: it stands at its beginning.
        """
        self.check()
        place = Place("", f"changed {change}", 0)
        entry = self.attempt.journal.entries.get(place)
        if entry is None:
            is_new = not self.attempt.journal.goes_on(self.path, self._children)
            name = to_json(change, "the name of a change")
            entry = Entry(
                place=place,
                kind=EntryKind.CHANGED,
                digest=digest(name),
                arguments=name.decode(),
                outcome=Returned(to_json(is_new, "whether it is taken")),
                started=self.attempt.now(),
                tries=0,
            )
            self.attempt.decide(entry)
        return entry.outcome == Returned(b"true")

    def is_plain_here(self) -> bool:
        """Whether the caller is plain code in a thread."""
        return not is_on_loop()

    def block_on(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Return what `waiting` gives, from plain code in a thread."""
        return self.attempt.from_thread(waiting)


async def _perform(branch: Branch, call: Call) -> object:
    is_unkeyed = isinstance(call.step, Effect) and call.step.unkeyed
    return await (perform_once if is_unkeyed else perform)(branch, call)


async def _perform_here(
    step: Step[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> object:
    """Perform an asynchronous step in the branch that awaits it."""
    scope = CURRENT.get()
    if isinstance(scope, Branch):
        return await _perform(scope, Call(step, args, kwargs))
    return await step.function(*args, **kwargs)


def is_on_loop(loop: asyncio.AbstractEventLoop | None = None) -> bool:
    """Whether this thread is running an event loop; that one, where it is given."""
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        return False
    return loop is None or running is loop


def check_on_loop(step: Step[Any, Any], loop: asyncio.AbstractEventLoop) -> None:
    """Leave quietly when an asynchronous step can be awaited here: on the run's own loop."""
    if not is_on_loop(loop):
        raise Mistake(
            f"the step {step.name} is asynchronous and was called from plain code",
            why="plain code cannot await it on the loop that the run lives on",
            fix=(f"make {step.name} a plain function, or the workflow an async one",),
        )


def check_off_loop(what: str) -> None:
    """Leave quietly when plain code may block here."""
    if is_on_loop():
        raise Mistake(
            f"{what} was called on the event loop",
            why="it would block every other run of this worker",
            fix=("await asyncio.to_thread(…) around the plain code that calls it",),
        )


class Contained(Coroutine[Any, Any, Any]):
    """A coroutine of user code; an exit of the interpreter in it becomes an error.

    A task that raised SystemExit would take the loop along, and with it every other run.

    Attributes:
        scope: on whose behalf it runs.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], scope: Scope) -> None:
        self.scope = scope
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    def send(self, value: Any, /) -> Any:
        """Go on with it."""
        with contained(getattr(self._coroutine, "__name__", "a task")):
            return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """Go on with it by an error."""
        with contained(getattr(self._coroutine, "__name__", "a task")):
            return self._coroutine.throw(*error)

    def close(self) -> None:
        """End it."""
        self._coroutine.close()


def task_factory(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    **options: Any,
) -> asyncio.Task[Any]:
    """Create a task; one created between the steps of a run becomes a branch of it."""
    scope = CURRENT.get()
    if isinstance(scope, Branch) and not scope.attempt.is_over:
        return scope.child().start(coroutine, **options)
    if scope is not None and isinstance(coroutine, Coroutine):
        coroutine = Contained(coroutine, scope)
    return asyncio.Task(coroutine, loop=loop, **options)
