"""A vendor on paper: so many calls at once, the rest wait in line or are turned away."""
# ruff: noqa: S311, TID251 - simulated, from a written seed

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Takes: TypeAlias = Callable[[random.Random], float]


class Paces(Protocol):
    """How many may be in flight: a `Pace`, or what it is measured beside."""

    at_once: int
    held_until: float

    def turned_away(self, at: float, began: float, wait: float | None) -> None: ...

    def finished(self, at: float, seconds: float, in_flight: int) -> None: ...


@dataclass
class Fixed:
    """Always as many, whatever comes of it."""

    at_once: int
    held_until: float = -1.0

    def turned_away(self, at: float, began: float, wait: float | None) -> None:
        pass

    def finished(self, at: float, seconds: float, in_flight: int) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """What answers.

    Attributes:
        at_once: calls that it works on at once.
        turns_away: whether more are turned away; otherwise they wait in line.
        takes: the time that one call takes it.
        wait: what those that are turned away are asked to wait; None to say nothing.
        down_until: the moment before which it turns everybody away.
    """

    at_once: int
    turns_away: bool
    takes: Takes
    wait: float | None = None
    down_until: float = 0.0


@dataclass
class Day:
    """What came of it.

    Attributes:
        seconds: until the last answer.
        turned_away: calls.
        latencies: of the answers, from the beginning of the call that was answered.
        levels: how many might be in flight, after each call.
    """

    seconds: float = 0.0
    turned_away: int = 0
    latencies: list[float] = field(default_factory=list[float])
    levels: list[int] = field(default_factory=list[int])


class Simulation:
    """Calls a vendor until it has given so many answers; moments are exact."""

    def __init__(self, vendor: Vendor, pace: Paces, answers: int, seed: int = 1) -> None:
        self._vendor = vendor
        self._pace = pace
        self._left = answers
        self._dice = random.Random(seed)
        self._now = 0.0
        self._events: list[tuple[float, int, bool, float]] = []
        self._count = 0
        self._working = 0
        self._in_flight = 0
        self._line: deque[float] = deque()
        self._resting: list[float] = []
        self._day = Day()

    def run(self) -> Day:
        """Return what came of it."""
        self._begin_all()
        while self._left or self._in_flight or self._resting:
            self._now = self._next()
            while self._events and self._events[0][0] <= self._now:
                self._end(*heapq.heappop(self._events)[2:])
            self._begin_all()
        self._day.seconds = self._now
        return self._day

    def _next(self) -> float:
        moments = [self._pace.held_until, *self._resting, *(at for at, *_ in self._events)]
        return min(at for at in moments if at > self._now)

    def _begin_all(self) -> None:
        while self._now >= self._pace.held_until and self._in_flight < self._pace.at_once:
            if self._resting and self._resting[0] <= self._now:
                heapq.heappop(self._resting)
            elif self._left and self._in_flight + len(self._resting) < self._pace.at_once:
                self._left -= 1
            else:
                return
            self._begin()

    def _begin(self) -> None:
        self._in_flight += 1
        takes = self._vendor.takes(self._dice)
        is_full = self._working >= self._vendor.at_once
        if self._now < self._vendor.down_until or (is_full and self._vendor.turns_away):
            self._at(self._now + takes / 20, is_answer=False, began=self._now)
        elif is_full:
            self._line.append(self._now)
        else:
            self._working += 1
            self._at(self._now + takes, is_answer=True, began=self._now)

    def _at(self, moment: float, *, is_answer: bool, began: float) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, is_answer, began))

    def _end(self, is_answer: bool, began: float) -> None:
        if is_answer:
            self._day.latencies.append(self._now - began)
            self._pace.finished(self._now, self._now - began, self._in_flight)
            self._working -= 1
            if self._line:
                self._working += 1
                takes = self._vendor.takes(self._dice)
                self._at(self._now + takes, is_answer=True, began=self._line.popleft())
        else:
            self._day.turned_away += 1
            self._pace.turned_away(self._now, began, self._vendor.wait)
            again = self._now + (self._vendor.wait or 0.0) + self._dice.uniform(0.0, 0.2)
            heapq.heappush(self._resting, again)
        self._in_flight -= 1
        self._day.levels.append(self._pace.at_once)
