"""Tries: how many passwords somebody may try."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.errors import Refusal

if TYPE_CHECKING:
    from proveout.ports.clock import Clock

TRY_WINDOW = timedelta(minutes=5)
TRIES_PER_NAME = 5
TRIES_PER_ADDRESS = 20
MOST_TRIERS = 10_000
"""Names and addresses whose tries are remembered; past that the oldest are forgotten."""


class TooManyTries(Refusal):
    """Somebody tried too many passwords.

    Attributes:
        retry_after: seconds until the next try is looked at.
    """

    code = "too-many-tries"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "too many passwords were tried",
            why=f"the next one is looked at in {retry_after} s",
            fix=("wait, or ask an owner for a new password",),
        )
        self.retry_after = retry_after


class Tries:
    """Counts tries by name and by address, each before its password is looked at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries: dict[tuple[str, str], deque[float]] = {}

    def count(self, name: str, address: str) -> None:
        """Count one try, or refuse it.

        Raises:
            TooManyTries: that name or that address has had its tries.
        """
        now = self._clock.monotonic()
        for kind, who, most in self._limits(name, address):
            tries = self._recent(kind, who, now)
            if len(tries) >= most:
                wait = tries[0] + TRY_WINDOW.total_seconds() - now
                raise TooManyTries(max(1, round(wait + 0.5)))
        for kind, who, _ in self._limits(name, address):
            self._tries.setdefault((kind, who), deque()).append(now)
        while len(self._tries) > MOST_TRIERS:
            del self._tries[next(iter(self._tries))]

    def forgive(self, name: str, address: str) -> None:
        """Take back the last try: it was the right password."""
        self._tries.pop(("name", name), None)
        if tries := self._tries.get(("address", address)):
            tries.pop()

    @staticmethod
    def _limits(name: str, address: str) -> tuple[tuple[str, str, int], ...]:
        return ("name", name, TRIES_PER_NAME), ("address", address, TRIES_PER_ADDRESS)

    def _recent(self, kind: str, who: str, now: float) -> deque[float]:
        tries = self._tries.get((kind, who), deque())
        while tries and tries[0] + TRY_WINDOW.total_seconds() <= now:
            tries.popleft()
        if not tries:
            self._tries.pop((kind, who), None)
        return tries
