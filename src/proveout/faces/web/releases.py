"""Releases: what serves, what there is, and how the pointer moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from proveout.faces.web.overview import ServingCard


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One release.

    Attributes:
        name: such as "r13".
        state: "CREATED", "CANARY", "STABLE", "DRAINING" or "RETIRED".
        share: of new runs, 0 to 1; 0 where it gets none.
        in_flight: count of runs that have begun on it and not ended.
        oldest: age of the oldest of them; None where there are none.
    """

    name: str
    digest: str
    created: datetime
    by: str
    state: str
    share: float = 0.0
    in_flight: int = 0
    oldest: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerMove:
    """One change of what serves.

    Attributes:
        act: what was done, in the ledger's words: "promote", "canary 10%", "rollback".
        before: what served until then; "" where nothing did.
        after: what served from then on.
        note: the reason, and what became of the runs in flight; "" where nothing was said.
    """

    at: datetime
    by: str
    act: str
    before: str
    after: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasesPage:
    """All releases, the newest first, and the history of the pointer, the newest first."""

    template: ClassVar[str] = "releases.html.j2"
    section: ClassVar[Section] = Section.RELEASES

    serving: ServingCard
    rows: tuple[ReleaseRow, ...]
    history: tuple[PointerMove, ...]

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Releases"
