"""A rule: what it finds, why that bites in production, how to mend it, and an example of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.ready.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proveout.ready.scan.facts import Facts
    from proveout.ready.scan.source import Source

__all__ = ["Rule", "Severity", "Spot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a rule found something.

    Attributes:
        line: from 1.
        message: what is there, in one line.
        severity: the rule's own where it is None.
        file: only where a rule looks at the whole repository.
    """

    line: int
    message: str
    severity: Severity | None = None
    file: str = ""


def _nothing(_: object) -> tuple[Spot, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of finding.

    Attributes:
        code: stable name, for `proveout explain` and for suppression.
        title: what it finds, as a heading.
        finds: what counts and what does not, in a few sentences.
        why: why it bites in production.
        fix: how to mend it.
        bad: a file in which it finds something.
        good: the same file, mended.
        in_source: looks at one file of Python.
        in_text: looks at the path and the text of one file of any kind, tests included.
        in_whole: looks at what is known of the repository.
    """

    code: str
    severity: Severity
    title: str
    finds: str
    why: str
    fix: str
    bad: str
    good: str
    in_source: Callable[[Source], Iterable[Spot]] = _nothing
    in_text: Callable[[str, str], Iterable[Spot]] = lambda _path, _text: ()
    in_whole: Callable[[Facts], Iterable[Spot]] = _nothing
