"""Doubt: an effect without a key was begun, and nobody knows whether it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proveout.domain.workflow import Effect
from proveout.errors import Mistake

if TYPE_CHECKING:
    from proveout.domain.journal import Entry, Place
    from proveout.domain.run import RunId
    from proveout.domain.workflow import Step


def is_doubt(step: Step[Any, Any], error: BaseException) -> bool:
    """Whether `error` leaves open what became of a call: an unkeyed effect took too long.

    Any other error is an outcome: the function says that it did not do it.
    """
    return isinstance(step, Effect) and step.unkeyed and isinstance(error, TimeoutError)


def in_doubt(run: RunId, intent: Entry) -> str:
    """Return the note of a run that is parked because of `intent`."""
    return (
        f"in doubt: {intent.place} was begun at {intent.started:%Y-%m-%d %H:%M:%S} UTC with"
        f" {intent.arguments}, and nobody knows whether it happened; ask its receiver, then"
        f" proveout runs resolve {run} --happened, or --did-not-happen to have it done again"
    )


def check_outside(effect: Effect[Any, Any], inside: Place) -> None:
    """Leave quietly when `effect` may be called within the step at `inside`: it has a key."""
    if effect.unkeyed:
        raise Mistake(
            f"{effect.name} is an unkeyed effect, called inside {inside.name}",
            why="its intent must be journaled first, and a step is journaled as a whole",
            fix=(f"call {effect.name} from the workflow",),
        )
