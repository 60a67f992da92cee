"""Where claims begin to look, while a transaction somewhere keeps the server from tidying up.

A run that was claimed leaves an entry in the index of queued runs. The server steps over it
until a vacuum takes it away, and an old open transaction, anyone's, forbids that. Behind a
long backlog every claim would step over all of them. So after some slow claims the next ones
look no further back than the last ones found something, and now and then one looks at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.ports.store import Claimed

ALL = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything was due."""

SLOW = 0.02
"""Seconds after which a claim that looks at all counts as slow."""

SLOW_IN_A_ROW = 3
"""So many make it likely that it is not the machine that is busy."""

SHARE = 50
"""A slow look at all is followed by this many times its length without one."""

SHORTEST, LONGEST = 1.0, 5.0
"""Seconds for which what is due before the floor may go unseen."""


@dataclass(slots=True)
class Floor:
    """The floor of one kind of claim, as its store has learnt it.

    Attributes:
        since: look only at what is due from this moment on.
        is_complete: whether nothing was left below when all was looked at.
        until: the moment by the monotonic clock at which to look at all again.
        slow: count of slow looks at all in a row.
    """

    since: datetime = ALL
    is_complete: bool = False
    until: float = 0.0
    slow: int = 0

    def at(self, now: float) -> datetime:
        """Return where a claim begins to look."""
        return self.since if now < self.until else ALL

    def may_hide(self) -> bool:
        """Whether runs may have been left below; the next claim then looks at all."""
        hides = self.since != ALL and not self.is_complete
        if hides:
            self.until = 0.0
        return hides

    def raise_to(self, claimed: Sequence[Claimed], limit: int) -> None:
        """Go on from what a claim from the floor found."""
        if claimed:
            self.since = max(self.since, min(map(_due, claimed)))
        if len(claimed) == limit:
            self.is_complete = False

    def learn(self, claimed: Sequence[Claimed], limit: int, began: float, now: float) -> None:
        """Learn from a claim that looked at all, from `began` to `now`."""
        took = now - began
        self.slow = self.slow + 1 if took > SLOW else 0
        if self.slow < SLOW_IN_A_ROW:
            self.since = ALL
            return
        if claimed:
            self.since = min(map(_due, claimed))
        self.is_complete = len(claimed) < limit
        self.until = now + min(LONGEST, max(SHORTEST, SHARE * took))


def _due(claimed: Claimed) -> datetime:
    return claimed.run.due or ALL
