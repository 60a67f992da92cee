"""How an attempt at a run may end before the function does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime


GRACE = 5.0
"""Seconds that user code gets to unwind once its attempt is over."""

HALTED = timedelta(seconds=2)
"""How long a run rests whose effect may not begin."""


class Over(BaseException):
    """This attempt is over; user code is to unwind. No error, and none of its business."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """Every branch waits, and no step is in flight.

    Attributes:
        due: when the earliest timer fires; None where only people are waited for.
    """

    due: datetime | None


@dataclass(frozen=True, slots=True)
class Parked:
    """Nothing may be guessed; an operator must look."""

    note: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The run is no longer this attempt's."""


@dataclass(frozen=True, slots=True)
class HandedBack:
    """The worker stops before the run is done."""


Ending: TypeAlias = Suspended | Parked | Lost | HandedBack
