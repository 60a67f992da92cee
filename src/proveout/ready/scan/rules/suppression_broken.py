"""Suppressions that suppress nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ready.scan.rule import Rule, Severity, Spot
from proveout.ready.scan.suppress import Suppressions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source


def find(source: Source) -> Iterator[Spot]:
    """Yield comments that were meant to suppress, and name no rule or give no reason."""
    if "proveout:" in source.text:
        for line, complaint in Suppressions.of(source.text.splitlines()).broken:
            yield Spot(line=line, message=complaint)


RULE = Rule(
    code="suppression-broken",
    severity=Severity.LOW,
    title="A suppression suppresses nothing",
    finds="Comments `proveout: ignore` that name no rule, or give no reason.",
    why="whoever reads it believes that somebody looked; nobody can tell why it is right",
    fix="# proveout: ignore[CODE] and the reason, in words",
    bad="""\
import requests


def rate() -> float:
    return requests.get("https://rates.example.com").json()  # proveout: ignore[http-no-timeout]
""",
    good="""\
import requests


def rate() -> float:
    # proveout: ignore[http-no-timeout] a script that a person runs and stops
    return requests.get("https://rates.example.com").json()
""",
    in_source=find,
)
