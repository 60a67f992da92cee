"""Letting a candidate's trials through at its pace; those that were turned away come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.ports.clock import Clock
    from proveout.prove.pace import Pace, Sign
    from proveout.run.turn import Rest

LOOKS = (0.005, 0.25)
"""Seconds, the fewest and the most, between two looks whether it is one's turn."""

OFTEN = 20
"""Looks in the time that an answer takes."""


class PacedTurns:
    """The turns of one candidate; see `run/turn.py`.

    A trial keeps its place while it waits to be asked again: the order is that of the record,
    and nobody else begins before those who came earlier have had their turn.
    """

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock
        self._begun = 0
        self._resting = 0
        self._line: list[object] = []
        self._refused_since: float | None = None
        self._took = 0.0

    @property
    def slowed(self) -> tuple[int, Sign] | None:
        """How many may be in flight, and why no more; None where that is as many as declared."""
        return None if self._pace.sign is None else (self._pace.at_once, self._pace.sign)

    def room(self) -> int:
        """Return how many more trials may begin now."""
        if self._is_held:
            return 0
        return max(0, self._pace.at_once - self._begun)

    def begin(self) -> None:
        """Count a trial that begins."""
        self._begun += 1

    def end(self, seconds: float | None, *, answered: bool) -> None:
        """Count a trial that has ended."""
        if seconds is not None:
            now = self._clock.monotonic()
            if answered:
                self._took = seconds
                self.answered()
            self._pace.finished(now, seconds, self._in_flight, answered=answered)
        self._begun -= 1

    def turned_away(self, began: float, wait: float | None) -> None:
        """Slow down."""
        now = self._clock.monotonic()
        if self._refused_since is None:
            self._refused_since = now
        self._pace.turned_away(now, began, wait)

    def answered(self) -> None:
        """Take in that somebody is answered."""
        self._refused_since = None
        self._pace.answered()

    def refused_for(self) -> float:
        """Return for how many seconds nobody was answered although somebody was turned away."""
        since = self._refused_since
        return 0.0 if since is None else self._clock.monotonic() - since

    async def come_again(self, rest: Rest, wait: float) -> None:
        """Return when a trial that was turned away may be asked again."""
        ticket = object()
        self._resting += 1
        try:
            await rest(wait)
            self._line.append(ticket)
            while not self._is_turn(ticket):
                await rest(self._next_look())
        finally:
            self._resting -= 1
            if ticket in self._line:
                self._line.remove(ticket)

    def _is_turn(self, ticket: object) -> bool:
        free = self._pace.at_once - self._in_flight
        return not self._is_held and self._line.index(ticket) < free

    def _next_look(self) -> float:
        now, least, most = self._clock.monotonic(), *LOOKS
        if self._is_held:
            return max(least, self._pace.held_until - now)
        return min(most, max(least, self._took / OFTEN))

    @property
    def _in_flight(self) -> int:
        """Calls that are under way: trials that rest make none."""
        return self._begun - self._resting

    @property
    def _is_held(self) -> bool:
        return self._clock.monotonic() < self._pace.held_until
