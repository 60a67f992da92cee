"""A verdict as continuous integration reads it: annotations, and a JUnit file."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # it only writes  # nosec B405

from proveout.domain.verdict import Status, Verdict
from proveout.faces.cli.progress import value
from proveout.faces.report.untrusted import harmless
from proveout.prove.account import UNCHECKED, rule_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.domain.verdict import Judgement, Standing
    from proveout.prove.account import Account

LEVEL = {Status.MET: "notice", Status.FAILED: "error", Status.OPEN: "warning"}
"""How an annotation shows where a criterion stands."""


def annotate(account: Account) -> Iterator[str]:
    """Yield one line a criterion that GitHub, and what understands it, shows beside the change."""
    for judgement in account.judgements:
        for one in judgement.standings:
            title = _property(f"{account.plan.name}, {judgement.candidate}: {one.criterion.name}")
            said = "; ".join([_said(one), *_notes(account, judgement, one)])
            yield f"::{LEVEL[one.status]} title={title}::{_data(said)}"


def junit(account: Account) -> bytes:
    """Return a verdict as a JUnit file: a suite a candidate, a test a criterion.

    A criterion that is still open is an error where the verdict is undecided, and skipped where
    another one ended the experiment: a pipeline passes on GO only, as the exit code does.
    """
    root = ET.Element("testsuites", name=account.plan.name)
    for judgement in account.judgements:
        _suite(root, account, judgement)
    for counted in ("tests", "failures", "errors", "skipped"):
        root.set(counted, str(sum(int(suite.get(counted, 0)) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _suite(root: ET.Element, account: Account, judgement: Judgement) -> None:
    name = f"{account.plan.name}.{judgement.candidate}"
    suite = ET.SubElement(root, "testsuite", name=harmless(name), timestamp=account.at.isoformat())
    properties = ET.SubElement(suite, "properties")
    for key, found in (
        ("verdict", judgement.verdict),
        ("cases", judgement.cases),
        ("calls", judgement.calls),
        ("claim", account.plan.claim),
        ("lock", account.lock),
        *([("note", note)] if (note := account.note(judgement.candidate)) else []),
    ):
        ET.SubElement(properties, "property", name=key, value=str(found))
    counts = {"tests": len(judgement.standings), "failures": 0, "errors": 0, "skipped": 0}
    for one in judgement.standings:
        said = harmless("; ".join([_said(one), *_notes(account, judgement, one)]))
        case = ET.SubElement(
            suite, "testcase", classname=harmless(name), name=harmless(one.criterion.name)
        )
        if one.status is Status.MET:
            ET.SubElement(case, "system-out").text = said
            continue
        tag, counted = _outcome(one, judgement)
        counts[counted] += 1
        ET.SubElement(case, tag, message=said, type=one.status)
    for counted, count in counts.items():
        suite.set(counted, str(count))


def _notes(account: Account, judgement: Judgement, standing: Standing) -> list[str]:
    """Return what limits the worth of what is said of a criterion."""
    judge = f"according to {UNCHECKED}" if standing.criterion.is_unchecked else ""
    return [note for note in (account.note(judgement.candidate), judge) if note]


def _outcome(standing: Standing, judgement: Judgement) -> tuple[str, str]:
    """Return the tag of a criterion that is not met, and what it counts as."""
    if standing.status is Status.FAILED:
        return "failure", "failures"
    return ("error", "errors") if judgement.verdict is Verdict.UNDECIDED else ("skipped", "skipped")


def _said(standing: Standing) -> str:
    """Return where a criterion stands, in one line."""
    criterion, now = standing.criterion, standing.now
    estimate = "nothing yet" if now.estimate is None else value(criterion, now.estimate)
    low, high = (value(criterion, edge) for edge in now.interval)
    when = f"after {standing.decided_at or now.count} cases"
    return f"{standing.status} {when}: {estimate}, interval {low} to {high}; {rule_text(criterion)}"


def _data(text: str) -> str:
    """Return text as the message of an annotation."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return text as a property of an annotation."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
