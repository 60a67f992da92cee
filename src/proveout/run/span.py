"""How long the call of a run takes, and how long of that all of it stood still for others."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator

    from proveout.run.branch import Branch


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a call.

    Attributes:
        stood: seconds that the call had stood still until then.
        alone: whether one call of a step was all that was under way.
    """

    at: float
    stood: float
    alone: bool


class Span:
    """The time from the start of a run's function to its end; entered once, from any thread.

    It is told which branches call a step, and which of those only wait until the load of other
    runs lets them go on. While every branch does, or waits for its children, time does not
    count: so what counts is never less than the call takes when nobody is in its way.
    """

    def __init__(self, monotonic: Callable[[], float], branches: Collection[Branch]) -> None:
        self._monotonic = monotonic
        self._branches = branches
        self._began: float | None = None
        self._ended: float | None = None
        self._calls = Counter[str]()
        self._standing = Counter[str]()
        self._since: float | None = None
        self._stood = 0.0

    @property
    def seconds(self) -> float:
        """Those that count so far; 0 before the start."""
        if self._began is None:
            return 0.0
        end = self._monotonic() if self._ended is None else self._ended
        still = 0.0 if self._since is None else max(0.0, end - self._since)
        return max(0.0, end - self._began - self._stood - still)

    def __enter__(self) -> None:
        self._began = self._monotonic()

    def __exit__(self, *_: object) -> None:
        self._ended = self._monotonic()

    @contextmanager
    def call(self, path: str) -> Generator[None]:
        """Let the branch at `path` be within a step."""
        self._calls[path] += 1
        try:
            yield
        finally:
            self._calls[path] -= 1
            self.look()

    @contextmanager
    def standing(self, path: str) -> Generator[None]:
        """Let a step of the branch at `path` only wait for others."""
        self._standing[path] += 1
        self.look()
        try:
            yield
        finally:
            self._standing[path] -= 1
            if self._since is not None:
                self._stood += self._monotonic() - self._since
                self._since = None

    def look(self) -> None:
        """Begin to count nothing where all stands still."""
        if self._since is not None or not any(self._standing.values()):
            return
        if all(self._is_still(branch) for branch in self._branches):
            self._since = self._monotonic()

    def _is_still(self, branch: Branch) -> bool:
        calls = self._calls[branch.path]
        return self._standing[branch.path] >= calls if calls else bool(branch.open_children)

    def mark(self) -> Mark:
        """Return this moment, for `leave_out`."""
        alone = len(self._branches) == 1 and sum(self._calls.values()) == 1
        return Mark(self._monotonic(), self._stood, alone)

    def leave_out(self, since: Mark) -> None:
        """Count nothing of what was done since `since`, unless something else was done beside."""
        if since.alone and len(self._branches) == 1:
            self._stood += self._monotonic() - since.at - (self._stood - since.stood)
