"""What is left of a budget of money while trials are under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.model_call import FREE

if TYPE_CHECKING:
    from proveout.domain.experiment import Budget
    from proveout.domain.money import Usd

HAIR = 1e-9
"""Of a call; what a budget divided by a cap may miss a whole number by."""


@dataclass(slots=True)
class Purse:
    """A budget of money: what was paid for some calls, and the cap for each of the others.

    Attributes:
        paid: what those calls cost whose cost is known.
        calls: their count; a call is reserved at the cap until it is one of them.
    """

    budget: Budget
    paid: Usd = FREE
    calls: int = 0

    def left(self, calls: int) -> int | None:
        """Return how many more calls can be reserved; None where money sets no limit.

        Args:
            calls: those that were begun so far, ended or not.
        """
        money, cap = self.budget.money, self.budget.cap_per_call
        if money is None or cap is None or cap == FREE:
            return None
        taken = self.paid + cap * (calls - self.calls)
        return max(0, int(float(money - taken) / float(cap) + HAIR))
