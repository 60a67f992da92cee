"""Compare: two candidates, or two looks, case by case; what became worse comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from proveout.faces.report.untrusted import Excerpt
    from proveout.faces.word_changes import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """What both sides made of one case.

    Attributes:
        a: what side A answered, and how it scored.
        changes: how the words of A became those of B.
    """

    case: str
    value: Excerpt
    expected: Excerpt | None
    a: Excerpt
    b: Excerpt
    a_score: str
    b_score: str
    a_run: str
    b_run: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two sides beside each other.

    Attributes:
        by: the criterion whose score is compared.
        lead: how far B is ahead, in a sentence; "" where that cannot be said.
        even: cases on which neither is better.
        alone: cases that only one side has tried.
        reused: cases of which both have the very same answers.
    """

    a: str
    b: str
    by: str
    lead: str
    cases: int
    even: int
    alone: int
    reused: int
    regressions: tuple[PairRow, ...]
    improvements: tuple[PairRow, ...]
    worse: int
    better: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePage:
    """The form that chooses two sides, and what they made of the same cases.

    Attributes:
        experiments: names that can be chosen from.
        candidates: of the chosen experiment; "workflow" is its own.
        criteria: of the chosen experiment that read a score, by name.
        before: the look before is compared, not another candidate.
        found: None where nothing can be compared; `problem` then says why.
        commands: what would give something to compare.
    """

    template: ClassVar[str] = "compare.html.j2"
    section: ClassVar[Section] = Section.COMPARE

    experiments: tuple[str, ...] = ()
    experiment: str = ""
    candidates: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    a: str = ""
    b: str = ""
    by: str = ""
    before: bool = False
    found: Compared | None = None
    problem: str = ""
    commands: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Compare"
