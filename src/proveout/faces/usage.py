"""What calls of models took, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.model_call import usage_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.model_call import ModelCall


def say_calls(calls: Sequence[ModelCall]) -> str:
    """Return how many calls of which models, their tokens and what they cost; "" for none."""
    if not calls:
        return ""
    usage = usage_of(calls)
    models = ", ".join(dict.fromkeys(call.answered or call.asked for call in calls))
    count = "1 call" if usage.calls == 1 else f"{usage.calls:,} calls"
    cost = "" if usage.unpriced == usage.calls else f" · {usage.cost}"
    unknown = f" · cost of {usage.unpriced:,} not known" if usage.unpriced else ""
    tokens = f"{usage.read:,} tokens read, {usage.written:,} written"
    return f"{count} of {models} · {tokens}{cost}{unknown}"
