"""What a case cost: the declared price of a call, or what its models cost.

A call that was repeated because our own process died is paid for, and no property of what
is judged: it stands in the account of the experiment, and not in the cost of its case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.model_call import FREE, counted, usage_of

UNSEEN = "no model call was seen: a client with its own base_url misses the meter"
"""What is said of a metered candidate whose calls nobody counted, wherever it is shown."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.experiment import Candidate, Plan
    from proveout.domain.model_call import ModelCall
    from proveout.domain.money import Usd
    from proveout.ports.store import TrialCount


def price_of(candidate: Candidate, cap: Usd | None, calls: Sequence[ModelCall]) -> Usd | None:
    """Return what a case cost; None where that is not known.

    Args:
        candidate: what was tried.
        cap: the declared most that a call can cost.
        calls: the models that its run called.
    """
    if not candidate.is_metered:
        return candidate.price_per_call or cap
    usage = usage_of(counted(calls))
    if not usage.unpriced:
        return usage.cost
    return None if cap is None else max(cap, usage.cost)


def spent(plan: Plan, counts: Sequence[TrialCount]) -> Usd | None:
    """Return what the calls of all candidates cost; None where that is not known.

    Under a cap, a metered trial counts as the cap for each attempt that was lost, and once
    where the cost of one of its calls is not known.

    Args:
        plan: what was locked.
        counts: what each of its candidates has used.
    """
    total = FREE
    for candidate, count in zip(plan.candidates, counts, strict=True):
        cost = _spent_by(candidate, count, plan.budget.cap_per_call)
        if cost is None:
            return None
        total += cost
    return total


def unseen(plan: Plan, counts: Sequence[TrialCount]) -> tuple[str, ...]:
    """Return the metered candidates that ended trials without a call of a model.

    Args:
        plan: what was locked.
        counts: what each of its candidates has used.
    """
    pairs = zip(plan.candidates, counts, strict=True)
    return tuple(
        one.name for one, used in pairs if one.is_metered and used.calls and not used.usage.calls
    )


def _spent_by(candidate: Candidate, count: TrialCount, cap: Usd | None) -> Usd | None:
    if not candidate.is_metered:
        price = candidate.price_per_call or cap
        return None if price is None else price * count.calls
    if cap is None:
        return None if count.unpriced else count.usage.cost
    # What a lost attempt spent last nobody saw, nor what a call cost that says no tokens.
    return count.usage.cost + cap * (count.unpriced + count.repeated)
