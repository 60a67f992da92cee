"""Faults of models: what a vendor does on a bad day, and which calls meet it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from proveout.errors import Mistake


class FaultKind(StrEnum):
    """How a vendor fails to answer."""

    SLOW_DOWN = "429"
    ERROR = "500"
    TIMEOUT = "time-out"
    MALFORMED = "malformed"
    EMPTY = "empty"
    CUT = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a call gets in the place of its vendor's answer.

    Attributes:
        retry_after: whole seconds that a `SLOW_DOWN` asks for.
    """

    kind: FaultKind
    retry_after: int = 1

    def __post_init__(self) -> None:
        if self.retry_after < 0:
            raise Mistake(f"a fault asks to wait {self.retry_after} s", why="it is 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Which calls meet a fault.

    Attributes:
        share: of the calls, above 0 and up to 1, spread evenly.
        calls: most calls that meet it; None for any number.
    """

    fault: Fault
    share: float = 1.0
    calls: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise Mistake(f"a fault meets a share of {self.share} of the calls", why="it is 0 to 1")
        if self.calls is not None and self.calls < 1:
            raise Mistake(f"a fault meets {self.calls} calls", why="it is 1 or more")

    def meets(self, before: int) -> bool:
        """Whether a call meets it.

        Args:
            before: how many calls were made before it.

        >>> half = Faults(fault=Fault(kind=FaultKind.ERROR), share=0.5, calls=2)
        >>> [half.meets(before) for before in range(6)]
        [False, True, False, True, False, False]
        """
        met = int(before * self.share)
        is_left = self.calls is None or met < self.calls
        return is_left and int((before + 1) * self.share) > met
