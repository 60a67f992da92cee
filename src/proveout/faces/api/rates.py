"""Rates: how often each key may ask, and how often it still may."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.errors import Outage

if TYPE_CHECKING:
    from proveout.faces.units import Rate
    from proveout.ports.clock import Clock

POLICY = "key"
"""What the limit is counted by, as the headers call it."""


class TooManyRequests(Outage):
    """A key asked more often than the settings allow.

    Attributes:
        retry_after: seconds until the next request is looked at.
    """

    code = "too-many-requests"

    def __init__(self, allowed: str, retry_after: int) -> None:
        super().__init__(
            f"the key has asked {allowed}",
            why="one program must not keep the others out",
            fix=(f"wait {retry_after} s", "[access] requests in proveout.toml"),
        )
        self.retry_after = retry_after


@dataclass(slots=True)
class _Window:
    end: float
    asked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is left of a key's rate.

    Attributes:
        left: requests until the window ends.
        resets: seconds until then, rounded up.
    """

    quota: int
    window: int
    left: int
    resets: int

    def headers(self) -> dict[str, str]:
        """Return the headers that tell it (draft-ietf-httpapi-ratelimit-headers-10)."""
        return {
            "RateLimit-Policy": f'"{POLICY}";q={self.quota};w={self.window}',
            "RateLimit": f'"{POLICY}";r={self.left};t={self.resets}',
        }


class Rates:
    """Counts the requests of each key in windows of the rate's period, in this process."""

    def __init__(self, clock: Clock, rate: Rate) -> None:
        self._clock = clock
        self._quota = int(rate.count)
        self._seconds = rate.period.total_seconds()
        self._windows: dict[str, _Window] = {}

    def count(self, name: str) -> Standing:
        """Count one request of the key called `name`; return what is left.

        One that is past the quota is counted as well, and left is 0; see `check`.
        """
        now = self._clock.monotonic()
        window = self._windows.get(name)
        if window is None or window.end <= now:
            window = self._windows[name] = _Window(now + self._seconds)
        window.asked += 1
        return Standing(
            quota=self._quota,
            window=math.ceil(self._seconds),
            left=max(0, self._quota - window.asked),
            resets=max(1, math.ceil(window.end - now)),
        )

    def check(self, name: str, standing: Standing) -> None:
        """Leave quietly when the request that was counted last is within the quota.

        Raises:
            TooManyRequests: it is not.
        """
        if self._windows[name].asked > self._quota:
            raise TooManyRequests(f"{self._quota:,} times in {standing.window} s", standing.resets)
