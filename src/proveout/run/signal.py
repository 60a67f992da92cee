"""Signals: a run waits for a value that somebody sends it by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proveout.domain.duration import duration
from proveout.domain.signal import awaited
from proveout.domain.workflow import NOT_DECLARED
from proveout.errors import Refusal
from proveout.run.ask import waiting_scope

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import timedelta


class NoSignal(Refusal):
    """Nobody sent the signal in time."""

    code = "no-signal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A wait for a signal; asynchronous workflows await it.

    Attributes:
        shape: type of the value; Any for plain JSON data.
        within: how long it waits at most; None for as long as it takes.
        in_trial: the value where nobody is asked.
    """

    name: str
    shape: Any
    within: timedelta | None
    in_trial: object

    def __await__(self) -> Generator[Any, None, Any]:
        return waiting_scope("signal").hear(self).__await__()


def signal(
    name: str,
    shape: Any = Any,
    *,
    within: str | timedelta | None = None,
    in_trial: object = NOT_DECLARED,
) -> Any:
    """Wait for a signal of that name, and return its value; holds nothing meanwhile.

    Signals of one name are taken in the order they were sent, one by each wait. One that
    came before the run waited for it is there already. A value that is no `shape` parks
    the run.

    Args:
        name: letters, digits and . _ : @ + -, such as "paid".
        shape: type of the value, such as a dataclass; plain JSON data where it is left out.
        within: how long to wait at most, such as "4 h"; None for as long as it takes.
        in_trial: the value in trials and drills, which ask nobody.

    Returns:
        The value; in an asynchronous workflow, what gives it when it is awaited.

    Raises:
        NoSignal: nobody sent it in time; a run that resumes gets the same error.
        Mistake: outside a run, inside a step, with a name or time that cannot be, or in a
            trial where no value was declared.
    """
    awaited(name)
    patience = duration(within) if isinstance(within, str) else within
    listening = Listening(name=name, shape=shape, within=patience, in_trial=in_trial)
    scope = waiting_scope("signal")
    return scope.block_on(scope.hear(listening)) if scope.is_plain_here() else listening
