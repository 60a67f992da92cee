"""A drill that is under way, as its process tells others of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LINES = 60
"""Lines of its log that are kept while it goes on: the newest."""

SILENT = timedelta(minutes=1)
"""A process that says nothing for so long is gone; one that lives says every ten seconds so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """What the last drill of a claim has said so far.

    Attributes:
        release: name of the release that is drilled.
        told: when its process last gave a sign of life.
        lines: of its log, each with the time of day before it.
        result: how it ended; "" while it goes on.
        summary: what it showed, or why it did not; "" while it goes on.
    """

    claim: str
    workflow: str
    release: str
    by: str
    started: datetime
    told: datetime
    lines: tuple[str, ...] = ()
    result: str = ""
    summary: str = ""

    def is_going(self, now: datetime) -> bool:
        """Whether its process still works on it, as far as others can know."""
        return not self.result and now - self.told <= SILENT


def underway_name(workflow: str, claim: str) -> str:
    """Return under which name the last drill of a claim is kept."""
    return f"{workflow}:{claim}"
