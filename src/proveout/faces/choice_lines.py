"""What is known of one side of a decision, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.faces.report.figures import about

if TYPE_CHECKING:
    from proveout.ready.decision import Met, Side


def lines_of(side: Side) -> list[tuple[str, str]]:
    """Return what is known of a side as pairs of a label and what there is to say."""
    refused = sum(count for _, count in side.refused)
    shape = "accepted every case"
    if refused:
        kinds = ", ".join(f"{count} {kind}" for kind, count in side.refused[:3])
        shape = f"no answer to {refused} of {side.cases}: {kinds}"
    return [
        ("verdict", f"{side.verdict} after {side.cases} cases"),
        ("data shape", shape),
        ("exceptions", _exceptions(side)),
        ("access", _access(side)),
        *((str(one.need), _need(one)) for one in side.needs),
        ("worth a month", _worth(side)),
        *((("claims", f"open: {', '.join(side.open_claims)}"),) if side.open_claims else ()),
    ]


def _exceptions(side: Side) -> str:
    if side.exceptions is None:
        return "no case is marked exceptional"
    return f"{side.exceptions.passes} of {side.exceptions.count} passed; it decides nothing"


def _access(side: Side) -> str:
    said = "not known" if side.permissions is None else ", ".join(side.permissions) or "none"
    if side.beyond:
        said += f"; not granted: {', '.join(side.beyond)}"
    if side.acts:
        said += f"; in trials it asked for {', '.join(side.acts)}"
    if side.open_to_all is not None:
        said += "; answers whoever asks" if side.open_to_all else "; refuses strangers"
    return said


def _need(one: Met) -> str:
    if one.is_met is None:
        return "unanswered"
    return one.evidence


def _worth(side: Side) -> str:
    if side.worth is None:
        return "not asked, or no volume declared"
    low, high = about(side.worth.low), about(side.worth.high)
    return f"{about(side.worth.estimate)}, interval {low} to {high}"
