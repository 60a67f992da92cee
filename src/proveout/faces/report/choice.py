"""A decision between building and buying as one HTML file: no script, no request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proveout.faces.choice_lines import lines_of
from proveout.faces.report.page import LOOK
from proveout.faces.report.render import page_of
from proveout.ready.decision import Outcome

if TYPE_CHECKING:
    from proveout.faces.choosing import Chosen

TAKEN = {Outcome.BUILD: "go", Outcome.BUY: "go", Outcome.NEITHER_YET: "open"}
"""Class and sign of every outcome."""


def choice_html(found: Chosen) -> str:
    """Return a decision as one page; whatever users or vendors wrote in it is escaped."""
    words: dict[str, Any] = {
        "found": found,
        "plan": found.account.plan,
        "rows": [
            (label, [dict(lines_of(side)).get(label, "") for side in found.sides])
            for label, _ in lines_of(found.sides[0])
        ],
        "look": LOOK,
        "taken": TAKEN[found.decision.outcome],
    }
    return page_of("choice.j2", words, extra_style="choice.css")
