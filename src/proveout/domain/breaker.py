"""Breakers: a resource that keeps failing is left alone for a while, then probed.

Closed ── so many failures in a row ──▶ Open ── after `cool` ──▶ Probing
  ▲                                       ▲                         │
  └──────────── the probe succeeds ───────┼── the probe fails ──────┘
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TypeAlias

from proveout.domain.duration import duration
from proveout.errors import Mistake

LOOK_EVERY = 1.0
"""Seconds after which those who wait ask again while a probe is under way."""


@dataclass(frozen=True, slots=True, init=False)
class Breaker:
    """When a resource is left alone.

    Attributes:
        failures: how many failures in a row open it, from 1.
        within: the time in which they must fall.
        cool: how long nothing is tried once it is open; then one try probes it.
    """

    failures: int
    within: timedelta
    cool: timedelta

    def __init__(
        self,
        failures: int = 5,
        *,
        within: str | timedelta = timedelta(seconds=30),
        cool: str | timedelta = timedelta(seconds=20),
    ) -> None:
        """Declare a breaker; times are durations such as "30 s".

        Raises:
            Mistake: a count below 1, or no time above 0.
        """
        object.__setattr__(self, "failures", failures)
        for name, given in (("within", within), ("cool", cool)):
            length = duration(given) if isinstance(given, str) else given
            if length <= timedelta(0):
                raise Mistake(f"{name}={given} of a breaker is not a time above 0")
            object.__setattr__(self, name, length)
        if failures < 1:
            raise Mistake(f"failures={failures} of a breaker is less than 1")


@dataclass(frozen=True, slots=True)
class Closed:
    """Tries go through.

    Attributes:
        failures: moments of the failures since the last success, as seconds, in order.
    """

    failures: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """Nothing goes through until `until`, in seconds; then one probe does."""

    until: float


@dataclass(frozen=True, slots=True)
class Probing:
    """One try is under way; the others wait for what comes of it."""


Condition: TypeAlias = Closed | Open | Probing


class Outcome(Enum):
    """What a try told of its resource."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Through:
    """The try may begin.

    Attributes:
        is_probe: it alone decides what becomes of the resource.
    """

    is_probe: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """The try may not begin now; ask again after so many seconds."""

    seconds: float


def ask(now: Condition, moment: float) -> tuple[Condition, Through | Kept]:
    """Return whether a try may begin at `moment`, and what that makes of the condition."""
    match now:
        case Closed():
            return now, Through(is_probe=False)
        case Open(until) if moment < until:
            return now, Kept(until - moment)
        case Open():
            return Probing(), Through(is_probe=True)
        case Probing():
            return now, Kept(LOOK_EVERY)


def tell(
    now: Condition, breaker: Breaker, moment: float, outcome: Outcome, *, was_probe: bool
) -> Condition:
    """Return the condition after a try ended with `outcome` at `moment`.

    While it is not closed, only the probe counts: whatever else ends now began before.
    A probe of which nothing is known leaves the place to the next one.
    """
    if not was_probe and (not isinstance(now, Closed) or outcome is Outcome.UNKNOWN):
        return now
    match outcome:
        case Outcome.SUCCEEDED:
            return Closed()
        case Outcome.UNKNOWN:
            return Open(moment)
        case Outcome.FAILED:
            earlier = now.failures if isinstance(now, Closed) else ()
            return _failed(earlier, breaker, moment, at_once=was_probe)


def _failed(
    earlier: tuple[float, ...], breaker: Breaker, moment: float, *, at_once: bool
) -> Condition:
    since = moment - breaker.within.total_seconds()
    recent = (*(one for one in earlier if one >= since), moment)
    if at_once or len(recent) >= breaker.failures:
        return Open(moment + breaker.cool.total_seconds())
    return Closed(recent)
