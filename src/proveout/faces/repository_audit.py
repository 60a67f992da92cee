"""An audit of any repository: its files read, its baseline subtracted, and told to programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from proveout.errors import Mistake
from proveout.faces.repository import scan_repository
from proveout.ready.findings import Severity, finding_words
from proveout.ready.scan.baseline import baseline_words, fingerprint, fingerprints_of, known_in
from proveout.ready.scan.catalogue import RULES
from proveout.ready.scan.questions import Answers
from proveout.ready.scan.stage import audited

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from proveout.ready.scan.scan import Located, Scanned
    from proveout.ready.scan.stage import Audited

BASELINE = "proveout-baseline.json"
"""The baseline that is read where none is named, from the folder that is audited."""

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}


class BaselineUnread(Mistake):
    """The baseline cannot be read, or is none."""

    code = "baseline-unread"


def scan_with_baseline(place: Path, baseline: Path | None) -> tuple[Scanned, tuple[Located, ...]]:
    """Return what is found in a folder, and which of it the baseline holds.

    Raises:
        BaselineUnread: the baseline that was named cannot be read.
    """
    scanned = scan_repository(place)
    folder = place if place.is_dir() else place.parent
    file = baseline or folder / BASELINE
    if baseline is None and not file.is_file():
        return scanned, ()
    return scanned, known_in(scanned.found, _fingerprints(file))


def audit_of(scanned: Scanned, known: tuple[Located, ...], given: Mapping[str, str]) -> Audited:
    """Return what is to be said of a repository when a person gave these answers."""
    return audited(scanned, known, Answers(given))


def _fingerprints(file: Path) -> tuple[str, ...]:
    try:
        words: Any = json.loads(file.read_text("utf-8"))
        return fingerprints_of(cast("dict[str, Any]", words) if isinstance(words, dict) else {})
    except (OSError, ValueError, RecursionError) as error:
        raise BaselineUnread(
            f"{file} cannot be read as a baseline",
            why=str(error),
            fix=(f"proveout audit --write-baseline {file}",),
        ) from error


def baseline_text(found: Iterable[Located]) -> str:
    """Return findings as a file that says: from now on only new ones count."""
    return json.dumps(baseline_words(found), indent=1) + "\n"


def repository_v1(found: Audited) -> dict[str, Any]:
    """Return an audit of a repository as the object that callers outside rely on."""
    return {
        "schema": "audit.v1",
        "repository": found.scanned.facts.name,
        "stage": found.stage,
        "choice": found.choice.way,
        "reasons": list(found.choice.reasons),
        "story": [
            {
                "title": row.title,
                "proof_of_concept": row.proof_of_concept,
                "production": row.production,
            }
            for row in found.story
        ],
        "mistakes": list(found.mistakes),
        "findings": [finding_words(one.finding) for one in found.found],
        **scan_words(found.scanned, found.known),
        "questions": [{"key": one.key, "asks": one.asks} for one in found.questions],
        "claims": [],
        "next": found.next,
    }


def scan_words(scanned: Scanned, known: tuple[Located, ...]) -> dict[str, Any]:
    """Return what a scan saw beside its findings."""
    facts = scanned.facts
    return {
        "known": len(known),
        "suppressed": [
            {**finding_words(one.finding), "reason": one.reason} for one in scanned.suppressed
        ],
        "unread": [{"file": one.path, "line": one.line, "why": one.why} for one in scanned.unread],
        "scanned": {
            "files": len(facts.files),
            "lines": facts.lines,
            "models": facts.models,
            "handlers": facts.handlers,
            "webhooks": facts.webhooks,
            "effects": {str(kind): count for kind, count in facts.effects.items()},
        },
    }


def sarif(scanned: Scanned, known: tuple[Located, ...], version: str) -> str:
    """Return the findings in SARIF 2.1.0, with what is suppressed or known marked as such."""
    held = set(known)
    marked = [
        *((one, "external" if one in held else "") for one in scanned.found),
        *((one, "inSource") for one in scanned.suppressed),
    ]
    rules = [
        {
            "id": rule.code,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.finds},
            "help": {"text": f"Why it bites: {rule.why}. How to mend it: {rule.fix}"},
            "defaultConfiguration": {"level": LEVELS[rule.severity]},
        }
        for rule in RULES
    ]
    run = {
        "tool": {"driver": {"name": "Proveout", "version": version, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, mark) for one, mark in marked],
    }
    return json.dumps({"version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(one: Located, mark: str) -> dict[str, Any]:
    finding = one.finding
    words: dict[str, Any] = {
        "ruleId": finding.code,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {finding.fix}"},
        "partialFingerprints": {"proveout/v1": fingerprint(one)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": finding.file},
                    "region": {"startLine": finding.line},
                }
            }
        ],
    }
    if mark:
        words["suppressions"] = [{"kind": mark, "justification": one.reason or "in the baseline"}]
    return words
