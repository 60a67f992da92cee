"""What trials may still begin: what the budget, the time box and the pace leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proveout.prove.pace import Pace
from proveout.prove.purse import Purse
from proveout.prove.turns import PacedTurns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.experiment import Plan
    from proveout.ports.clock import Clock
    from proveout.ports.store import LockedExperiment, TrialCount
    from proveout.prove.pace import Sign


class Slowed(NamedTuple):
    """A candidate of which fewer trials go at once than may, and why."""

    candidate: str
    at_once: int
    sign: Sign


class Allowance:
    """What an experiment may still begin.

    Attributes:
        is_metered: whether a call may turn out to have cost less than the cap.
        turns: of each candidate's trials, by its name.
    """

    def __init__(self, plan: Plan, experiment: LockedExperiment, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._end = experiment.locked + plan.time_box
        self._purse = Purse(plan)
        self.is_metered = self._purse.is_metered
        self.turns = {
            one.name: PacedTurns(Pace(plan.concurrency), clock) for one in plan.candidates
        }

    @property
    def is_late(self) -> bool:
        """Whether the time box has ended."""
        return self._clock.now() >= self._end

    def left(self, calls: int) -> int:
        """Return how many more calls the budget can reserve, at most as many as may be at once.

        Args:
            calls: those that were begun so far, ended or not.
        """
        if self.is_late:
            return 0
        left = self._plan.concurrency
        if (most := self._plan.budget.calls) is not None:
            left = min(left, most - calls)
        if (affordable := self._purse.left(calls)) is not None:
            left = min(left, affordable)
        return max(0, left)

    def pay(self, counts: Sequence[TrialCount], calls: int) -> None:
        """Reserve no longer what calls cost that have ended; see `purse.py`."""
        self._purse.pay(counts, calls)

    @property
    def slowed(self) -> tuple[Slowed, ...]:
        """The candidates of which fewer trials go at once than may."""
        found = ((name, one.slowed) for name, one in self.turns.items())
        return tuple(Slowed(name, *one) for name, one in found if one is not None)
