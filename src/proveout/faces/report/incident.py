"""An incident as one HTML file for those who write its post-mortem: no script, no request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proveout.faces.report.render import page_of
from proveout.ready.story import Weight

if TYPE_CHECKING:
    from proveout.ready.incident import Incident

LOOK = {Weight.TROUBLE: "no", Weight.CHANGE: "open", Weight.TOUCH: "go", Weight.PLAIN: ""}
"""Class and sign of what a moment means."""

WORD = {
    Weight.TROUBLE: "trouble",
    Weight.CHANGE: "change",
    Weight.TOUCH: "reached the outside",
    Weight.PLAIN: "",
}
"""What the sign says, for those who do not see it."""


def incident_html(found: Incident) -> str:
    """Return what happened as one page; whatever users or models wrote in it is escaped."""
    words: dict[str, Any] = {"found": found, "look": LOOK, "word": WORD}
    return page_of("incident.j2", words, extra_style="incident.css")
