"""What the probes of a receiver found, for programs and as one page."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from proveout.faces.report.render import page_of
from proveout.ready.findings import Severity
from proveout.ready.probes.contract import CONTRACTS
from proveout.ready.probes.probe import Status

if TYPE_CHECKING:
    from proveout.faces.probing import Asked
    from proveout.ready.probes.conduct import Probed

LOOKS = {
    Status.PASSED: "go",
    Status.FAILED: "no",
    Status.BLOCKED: "open",
    Status.UNTESTED: "open",
    Status.NOT_APPLICABLE: "none",
}


def probes_v1(asked: Asked, probed: Probed) -> dict[str, Any]:
    """Return what was found as the object that callers outside rely on."""
    return {
        "schema": "probes.v1",
        "url": asked.url,
        "scheme": asked.scheme.value,
        "framework": probed.framework,
        "holds": probed.holds,
        "began": probed.began.isoformat(),
        "seconds": round(probed.seconds, 1),
        "deliveries": probed.deliveries,
        "probes": [
            {
                "id": one.probe.id,
                "title": one.probe.title,
                "severity": one.probe.severity,
                "status": one.status,
                "note": one.note,
                "sent": one.sent,
                "received": one.received,
                "why": one.probe.why,
                "fix": one.fix or one.probe.mended(probed.framework),
            }
            for one in probed.results
        ],
    }


def probes_html(asked: Asked, probed: Probed) -> str:
    """Return what was found as one page that needs no other file and runs no script."""
    severities = list(Severity)
    words: dict[str, Any] = {
        "url": asked.url,
        "provider": CONTRACTS[asked.scheme].name,
        "probed": probed,
        "look": _look(probed),
        "lead": _lead(probed),
        "figures": _figures(probed),
        "failed": sorted(
            probed.ended(Status.FAILED), key=lambda one: severities.index(one.probe.severity)
        ),
        "looks": LOOKS,
        "version": version("proveout"),
    }
    return page_of("probes.j2", words, extra_style="probes.css")


def _look(probed: Probed) -> str:
    if not probed.holds:
        return "no"
    return "open" if probed.ended(Status.UNTESTED) else "go"


def _lead(probed: Probed) -> str:
    """Return what the outcome means, in a sentence or two."""
    if probed.ended(Status.BLOCKED):
        return (
            "It does not take what it must, so the rest was not asked. Mend this first, and probe "
            "it again."
        )
    if failed := probed.ended(Status.FAILED):
        if len(failed) == 1:
            return "One probe found a fault. It says what was sent, what came back, how to mend it."
        return (
            f"{len(failed)} probes found faults. Each says what was sent, what came back, and how "
            "to mend it."
        )
    if unsure := probed.ended(Status.UNTESTED):
        return (
            f"What could be asked, it does as it must. {len(unsure)} could not be: nothing says "
            "what deliveries led to, or this machine was too busy."
        )
    return "It takes what it must, refuses the rest, and each event has one effect."


def _figures(probed: Probed) -> tuple[tuple[str, int, str], ...]:
    failed = [one.probe.severity for one in probed.ended(Status.FAILED)]
    worst = ", ".join(f"{failed.count(one)} {one}" for one in Severity if one in failed)
    open_ones = probed.ended(Status.UNTESTED, Status.BLOCKED)
    return (
        ("Passed", len(probed.ended(Status.PASSED)), "no fault of its kind was found"),
        ("Failed", len(failed), worst or "none"),
        ("Not answered", len(open_ones), "untested or blocked; not passed"),
        (
            "Not applicable",
            len(probed.ended(Status.NOT_APPLICABLE)),
            "the scheme has no such thing",
        ),
    )
