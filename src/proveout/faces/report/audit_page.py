"""An audit of a repository as one page, for people who are sent it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.faces.report.render import page_of
from proveout.ready.findings import Severity
from proveout.ready.scan.group import counted, grouped

if TYPE_CHECKING:
    from proveout.ready.scan.stage import Audited

OPEN_PLACES = 6
"""Places of one kind that stand open; the others are folded away."""

LOOKS = {
    Severity.CRITICAL: "no",
    Severity.HIGH: "no",
    Severity.MEDIUM: "open",
    Severity.LOW: "quiet",
}
"""Class and sign of each severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many findings of one severity there are, and how wide that is drawn."""

    severity: str
    look: str
    count: int


def repository_html(found: Audited, version: str) -> str:
    """Return an audit as one HTML page that needs no other file; the same audit, the same page.

    Paths and code are a stranger's text: they are escaped, and what steers or hides is shown.
    """
    listed = [one.finding.severity for one in found.found]
    return page_of(
        "audit.j2",
        {
            "audit": found,
            "facts": found.scanned.facts,
            "stage": str(found.stage or "no stage yet").replace("-", " "),
            "groups": grouped(found.found),
            "counted": counted(found.found),
            "looks": LOOKS,
            "tallies": [
                Tally(severity=one, look=LOOKS[one], count=listed.count(one)) for one in Severity
            ],
            "open_places": OPEN_PLACES,
            "version": version,
        },
        extra_style="audit.css",
    )
