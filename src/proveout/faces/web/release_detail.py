"""One release: what it executes, and how that differs from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from proveout.faces.web.releases import ReleaseRow
    from proveout.release.difference import Difference

MOST_LINES = 400
"""Lines of a file's changes that the page shows; `proveout release diff` shows the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePage:
    """One release, beside another.

    Attributes:
        code: digest of its source, as an experiment locks it.
        packages: digest of the packages that it runs among.
        is_kept: whether those packages are kept on this machine.
        entry: `module:attribute` of its workflow.
        files: what it executes, by name, each with its digest.
        others: names of the releases that it may be compared with, the newest first.
        against: the one that it is compared with; "" where there is none.
        found: how it differs; None where it is compared with none, or cannot be.
        problem: why it cannot be compared; "" where it can.
    """

    template: ClassVar[str] = "release_detail.html.j2"
    section: ClassVar[Section] = Section.RELEASES
    most_lines: ClassVar[int] = MOST_LINES

    row: ReleaseRow
    code: str
    packages: str
    is_kept: bool
    entry: str
    python: str
    files: tuple[tuple[str, str], ...]
    others: tuple[str, ...] = ()
    against: str = ""
    found: Difference | None = None
    problem: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return f"Release {self.row.name}"
