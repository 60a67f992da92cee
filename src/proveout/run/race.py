"""Races: several things begin, the first to end decides, and the journal remembers which."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from proveout.errors import Mistake
from proveout.run.ask import waiting_scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator

T = TypeVar("T")


class Winner(NamedTuple, Generic[T]):
    """Who won a race.

    Attributes:
        entrant: which of those that were given it is, from 0.
        value: what it returned.
    """

    entrant: int
    value: T


class Race(Generic[T]):
    """A race that begins when it is awaited."""

    def __init__(self, entrants: tuple[Awaitable[T], ...]) -> None:
        self._entrants = entrants

    def __await__(self) -> Generator[Any, None, Winner[T]]:
        scope = waiting_scope("race")
        return cast("Generator[Any, None, Winner[T]]", scope.race(self._entrants).__await__())


def race(*entrants: Awaitable[T]) -> Race[T]:
    """Begin several calls at once and return the first that ends, once it is awaited.

    `first, value = await race(classify(mail), sleep("10 min"))`. The others are cancelled;
    what they wait for is taken back, and a run that resumes does not call them again. An
    error that comes first is raised. An unkeyed effect that loses while it is in flight
    parks the run in doubt.

    Args:
        entrants: calls of steps, reviews, sleeps, signals or asynchronous functions, each
            not yet awaited and no task.

    Raises:
        Mistake: outside a run, inside a step, from plain code, or with something else.
    """
    try:
        _check(entrants)
    except Mistake:
        discard(entrants)
        raise
    return Race(entrants)


def _check(entrants: tuple[Awaitable[Any], ...]) -> None:
    scope = waiting_scope("race")
    if scope.is_plain_here():
        raise Mistake(
            "race was called from plain code",
            why="plain code has ended by the time it could lose",
            fix=("make the workflow an async function",),
        )
    if not entrants:
        raise Mistake("a race needs somebody to win it", fix=('race(first(), sleep("10 min"))',))
    for entrant in entrants:
        if asyncio.isfuture(entrant) or not inspect.isawaitable(entrant):
            raise Mistake(
                f"race was given {type(entrant).__name__}",
                why="it begins its entrants itself, so that a resumed run begins only the winner",
                fix=("race(first(), second()), each a call that nobody awaited yet",),
            )


def discard(entrants: tuple[Awaitable[Any], ...]) -> None:
    """Let calls go that will never begin."""
    for entrant in entrants:
        if inspect.iscoroutine(entrant):
            entrant.close()
