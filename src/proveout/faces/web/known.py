"""What the console found out of late, for it is dear to find out again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proveout.domain.release import Stage

if TYPE_CHECKING:
    from proveout.faces.readiness import Readiness
    from proveout.faces.web.verdict import VerdictPage
    from proveout.ports.clock import Clock

FRESH = 15.0
"""Seconds for which readiness found out once will do for a page about something else."""

LONGEST = 600.0
"""Seconds after which the count of claims is no longer shown beside the navigation."""


@dataclass(slots=True)
class Known:
    """Keeps the last readiness, and the page of each verdict, as long as they hold.

    Attributes:
        stage: the one that was seen last.
        verdicts: by experiment, each with what it was drawn up from.
    """

    clock: Clock
    stage: Stage = Stage.PROOF_OF_CONCEPT
    verdicts: dict[str, tuple[object, VerdictPage]] = field(
        default_factory=dict[str, "tuple[object, VerdictPage]"]
    )
    _readiness: Readiness | None = None
    _at: float = 0.0

    def learn(self, readiness: Readiness) -> None:
        """Keep what was found out now."""
        self._readiness, self._at = readiness, self.clock.monotonic()

    def readiness(self, version: int) -> Readiness | None:
        """Return readiness that is fresh, for this version of the pointer; None for none."""
        found = self._younger_than(FRESH)
        return found if found is not None and found.pointer.version == version else None

    @property
    def claims(self) -> tuple[int, int] | None:
        """How many claims of the bar pass, and how many there are; None where not known."""
        found = self._younger_than(LONGEST)
        if found is None:
            return None
        return sum(not one.is_open for one in found.standings), len(found.standings)

    def _younger_than(self, seconds: float) -> Readiness | None:
        return self._readiness if self.clock.monotonic() - self._at <= seconds else None
