"""Findings of one kind, told once with all their places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.ready.findings import Severity
from proveout.ready.scan.catalogue import BY_CODE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.ready.scan.rule import Rule
    from proveout.ready.scan.scan import Located


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The findings of one rule.

    Attributes:
        severity: of the worst of them.
        found: the worst first.
    """

    rule: Rule
    severity: Severity
    found: tuple[Located, ...]


def grouped(found: Iterable[Located]) -> tuple[Group, ...]:
    """Return findings by their rule: the worst kind first, the most frequent before others."""
    by_code: dict[str, list[Located]] = {}
    for one in found:
        by_code.setdefault(one.finding.code, []).append(one)
    ranks = list(Severity)
    groups = [
        Group(rule=BY_CODE[code], severity=listed[0].finding.severity, found=tuple(listed))
        for code, listed in by_code.items()
    ]
    return tuple(sorted(groups, key=lambda one: (ranks.index(one.severity), -len(one.found))))


def counted(found: Iterable[Located]) -> str:
    """Return how many findings there are of each severity, in words; "none" for none."""
    listed = [one.finding.severity for one in found]
    words = [f"{listed.count(one)} {one}" for one in Severity if one in listed]
    return ", ".join(words) or "none"
