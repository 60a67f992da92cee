"""What is left of a budget of money while trials are under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.model_call import FREE
from proveout.prove.price import spent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.experiment import Plan
    from proveout.domain.money import Usd
    from proveout.ports.store import TrialCount

HAIR = 1e-9
"""Of a call; what a budget divided by a cap may miss a whole number by."""


class Purse:
    """A budget of money: what some calls cost, and the cap for each of the others.

    Attributes:
        is_metered: whether a call may turn out to have cost less than the cap.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._paid: Usd = FREE
        self._calls = 0
        cap = plan.budget.cap_per_call
        self.is_metered = cap is not None and any(one.is_metered for one in plan.candidates)

    def pay(self, counts: Sequence[TrialCount], calls: int) -> None:
        """Reserve no longer what calls cost that have ended, and pay what they did.

        Args:
            counts: what each candidate has used.
            calls: that have ended; the cap stays reserved for all others.
        """
        cost = spent(self._plan, counts)
        assert cost is not None  # noqa: S101 - under a cap it is known
        self._paid, self._calls = cost, calls

    def left(self, calls: int) -> int | None:
        """Return how many more calls can be reserved; None where money sets no limit.

        Args:
            calls: those that were begun so far, ended or not.
        """
        money, cap = self._plan.budget.money, self._plan.budget.cap_per_call
        if money is None or cap is None or cap == FREE:
            return None
        taken = self._paid + cap * (calls - self._calls)
        return max(0, int(float(money - taken) / float(cap) + HAIR))
