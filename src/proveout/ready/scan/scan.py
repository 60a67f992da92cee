"""Scanning: one file at a time becomes findings and facts, and then the repository as a whole."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from proveout.ready.findings import Finding, Severity
from proveout.ready.scan.catalogue import RULES
from proveout.ready.scan.facts import Facts, FileFacts, facts_of
from proveout.ready.scan.rules.secret_in_code import RULE as SECRET_RULE
from proveout.ready.scan.source import Part, Source, part_of
from proveout.ready.scan.suppress import Suppressions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.ready.scan.rule import Rule, Spot

_PYTHON_2 = re.compile(
    r"Missing parentheses in call to '(?:print|exec)|multiple exception types must be parenthesized"
    r"|leading zeros in decimal|invalid syntax. Maybe you meant '!='"
)
_MOST_TEXT = 200
HIDDEN = "(a key stands here)"
"""What is kept of a line that holds a key."""

_MARKS = re.compile(r"#.*\bproveout:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that could not be read, and why."""

    path: str
    why: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A finding with what it is known by when lines move.

    Attributes:
        text: the line of code, without what stands around it.
        reason: why somebody suppressed it; "" where nobody did.
    """

    finding: Finding
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What a scan of a repository found.

    Attributes:
        found: the worst first.
        suppressed: what somebody has looked at, and gave a reason for.
    """

    facts: Facts
    found: tuple[Located, ...] = ()
    suppressed: tuple[Located, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(slots=True)
class Scan:
    """A scan that goes on; it keeps findings and facts, and no file."""

    name: str
    files: list[FileFacts] = field(default_factory=list[FileFacts])
    paths: list[str] = field(default_factory=list[str])
    unread: list[Unread] = field(default_factory=list[Unread])
    found: list[Located] = field(default_factory=list[Located])
    suppressed: list[Located] = field(default_factory=list[Located])
    _seen: set[Located] = field(default_factory=set[Located])
    _kept: dict[str, Suppressions] = field(default_factory=dict[str, Suppressions])

    def saw(self, path: str) -> None:
        """Note a file that is there."""
        self.paths.append(path)

    def could_not_read(self, path: str, why: str, line: int | None = None) -> None:
        """Note a file that could not be read."""
        self.unread.append(Unread(path=path, why=why, line=line))

    def read(self, path: str, text: str) -> None:
        """Look at one file; what is wrong with it is kept, and never raised."""
        lines = text.splitlines()
        marks = Suppressions.of(lines) if _MARKS.search(text) else Suppressions()
        before = len(self.found) + len(self.suppressed)
        for rule in RULES:
            self._keep(rule, path, rule.in_text(path, text), lines, marks)
        if path.endswith((".py", ".pyi")):
            self._read_python(path, text, lines, marks)
        if len(self.found) + len(self.suppressed) > before:
            self._hide(path)

    def _read_python(self, path: str, text: str, lines: list[str], marks: Suppressions) -> None:
        module = self._parsed(path, text)
        if module is None:
            return
        source = Source(path=path, text=text, module=module)
        self.files.append(facts_of(source))
        if part_of(path) is not Part.PRODUCT:
            return
        if marks.lines:
            self._kept[path] = marks
        for rule in RULES:
            self._keep(rule, path, rule.in_source(source), lines, marks)

    def _hide(self, path: str) -> None:
        """Forget the text of every line of a file that holds a key, whatever was found there."""
        both = (self.found, self.suppressed)
        keys = {
            one.finding.line
            for kept in both
            for one in kept
            if one.finding.file == path and one.finding.code == SECRET_RULE.code
        }
        for kept in both if keys else ():
            kept[:] = [
                replace(one, text=HIDDEN)
                if one.finding.file == path and one.finding.line in keys
                else one
                for one in kept
            ]

    def _parsed(self, path: str, text: str) -> ast.Module | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(text)
        except SyntaxError as error:
            is_old = _PYTHON_2.search(error.msg or "")
            why = (
                "it is Python 2" if is_old else f"a syntax error: {(error.msg or '')[:_MOST_TEXT]}"
            )
            self.could_not_read(path, why, error.lineno)
        except ValueError as error:
            self.could_not_read(path, f"no source: {error}")
        except (RecursionError, MemoryError):
            self.could_not_read(path, "it is nested too deeply to be read")
        return None

    def _keep(
        self, rule: Rule, path: str, spots: Iterable[Spot], lines: list[str], marks: Suppressions
    ) -> None:
        for spot in spots:
            one = _located(_finding(rule, spot.file or path, spot), lines)
            reason = marks.reason(rule.code, spot.line)
            if reason:
                self.suppressed.append(Located(finding=one.finding, text=one.text, reason=reason))
            elif one not in self._seen:
                self._seen.add(one)
                self.found.append(one)

    def ended(self) -> Scanned:
        """Return what was found, after a look at the repository as a whole."""
        facts = Facts(name=self.name, files=tuple(self.files), paths=tuple(sorted(self.paths)))
        for rule in RULES:
            for spot in rule.in_whole(facts):
                marks = self._kept.get(spot.file, Suppressions())
                self._keep(rule, spot.file, [spot], [], marks)
        ranks = list(Severity)
        order = sorted(
            self.found,
            key=lambda one: (
                ranks.index(one.finding.severity),
                one.finding.code,
                one.finding.file or "",
                one.finding.line or 0,
            ),
        )
        return Scanned(
            facts=facts,
            found=tuple(order),
            suppressed=tuple(self.suppressed),
            unread=tuple(self.unread),
        )


def scan(name: str, files: dict[str, str]) -> Scanned:
    """Return what is found in files of which the text is at hand."""
    going = Scan(name)
    for path, text in files.items():
        going.saw(path)
        going.read(path, text)
    return going.ended()


def _finding(rule: Rule, path: str, spot: Spot) -> Finding:
    return Finding(
        code=rule.code,
        severity=spot.severity or rule.severity,
        message=spot.message,
        why=rule.why,
        fix=rule.fix,
        file=path,
        line=spot.line,
    )


def _located(finding: Finding, lines: list[str]) -> Located:
    at = (finding.line or 1) - 1
    text = lines[at].strip()[:_MOST_TEXT] if at < len(lines) else ""
    return Located(finding=finding, text=text)
