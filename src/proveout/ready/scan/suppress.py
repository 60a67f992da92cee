"""Suppression: a comment that names a rule and gives a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARK = re.compile(
    r"#\s*proveout:\s*ignore\b(?:\[(?P<codes>[^\]]*)\])?[ \t:,-]*(?P<reason>.*)$", re.IGNORECASE
)
_CODE = re.compile("[a-z]+(?:-[a-z]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """The rules that a comment names, and why."""

    codes: frozenset[str]
    reason: str


@dataclass(slots=True, kw_only=True)
class Suppressions:
    """The suppressions of one file by the line that they speak of.

    Attributes:
        broken: line and complaint of each comment that suppresses nothing.
    """

    lines: dict[int, Suppressed] = field(default_factory=dict[int, Suppressed])
    broken: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    @classmethod
    def of(cls, lines: Sequence[str]) -> Suppressions:
        """Return what the comments of a file suppress: their own line, or alone on one the next.

        >>> marks = Suppressions.of(["x = 1  # proveout: ignore[debug-server] never deployed"])
        >>> marks.reason("debug-server", 1)
        'never deployed'
        """
        found = cls()
        for number, line in enumerate(lines, 1):
            mark = _MARK.search(line)
            if mark is None:
                continue
            codes = frozenset(_CODE.findall(mark["codes"] or ""))
            reason = mark["reason"].strip()
            if not codes:
                found.broken.append((number, "a suppression names no rule"))
            elif not reason:
                found.broken.append((number, "a suppression gives no reason"))
            else:
                alone = line.lstrip().startswith("#")
                found.lines[number + alone] = Suppressed(codes=codes, reason=reason)
        return found

    def reason(self, code: str, line: int) -> str:
        """Return why a finding is suppressed; "" where it is not."""
        found = self.lines.get(line)
        return found.reason if found is not None and code in found.codes else ""
