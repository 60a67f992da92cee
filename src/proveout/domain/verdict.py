"""Verdicts: Go, NoGo or Undecided, with the figures behind them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.domain.criterion import Criterion
    from proveout.statistics.sources import SourceFigures


class Verdict(StrEnum):
    """What an experiment says about a candidate."""

    GO = "GO"
    NO_GO = "NO-GO"
    UNDECIDED = "UNDECIDED"


class StoppedBy(StrEnum):
    """What ended an experiment; a person may always end it earlier."""

    VERDICT = "verdict"
    BUDGET = "budget"
    TIME_BOX = "time box"
    CASES = "cases"
    LABELS = "labels"


class Status(StrEnum):
    """Where one criterion stands."""

    MET = "met"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One criterion after some cases, in the criterion's own direction and unit.

    Attributes:
        count: cases read.
        estimate: mean so far; None before the first case.
        interval: values that no look so far has ruled out.
        log_e_go: natural log of the evidence for GO; `log_go_line` is where it falls.
        log_e_nogo: the same for NO-GO and `log_nogo_line`.
    """

    count: int
    estimate: float | None
    interval: tuple[float, float]
    log_e_go: float
    log_e_nogo: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How a judge and people compare on the answers that both spoke of.

    Attributes:
        labelled: answers that the verdict read and a person labelled.
        agreed: those of which both said the same.
        yes: answers that a person said yes to; a graded score asks no such thing.
        yes_by_both: those of them that the judge said yes to, too.
        difference: mean of the judge's value less the person's; None before the first label.
    """

    labelled: int
    agreed: int
    yes: int
    yes_by_both: int
    difference: float | None

    @property
    def no(self) -> int:
        """Answers that a person said no to."""
        return self.labelled - self.yes

    @property
    def no_by_both(self) -> int:
        """Answers that a person said no to, and the judge, too."""
        return self.agreed - self.yes_by_both


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What people decided about the answers that a verdict read, in counts."""

    approved: int = 0
    edited: int = 0
    rejected: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return self.approved + self.edited + self.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one criterion of one candidate stands, and how it came there.

    Attributes:
        decided_at: count of cases after which its status was settled; None while open.
        course: readings from the first case to the last, at most some 120 of them.
        log_go_line: log of 1 over the chance of a wrong GO.
        log_nogo_line: log of 1 over this criterion's share of the chance of a wrong NO-GO.
        sources: figures over the sources of its cases; None where every case stands alone.
        agreement: of its judge with people; None where people check none.
        decisions: of people about its answers; None where they decide on none.
    """

    criterion: Criterion
    status: Status
    decided_at: int | None
    now: Reading
    course: tuple[Reading, ...]
    log_go_line: float
    log_nogo_line: float
    sources: SourceFigures | None = None
    agreement: Agreement | None = None
    decisions: Decisions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A case worth reading: its trial failed, or a pass/fail score was not earned.

    Attributes:
        position: place in the recorded order, from 0.
        case: the case's id.
        value: the input, as JSON text.
        expected: the right answer, as JSON text.
        got: what came back as JSON text, or the error.
        lost: names of the criteria it did not meet.
        edit: what a person made of the answer, as JSON text; "" where nobody edited it.
    """

    position: int
    case: str
    run: str
    value: str
    expected: str
    got: str
    lost: tuple[str, ...]
    edit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A tag's share of passes; it informs and does not decide."""

    tag: str
    count: int
    passes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is known of one candidate.

    Attributes:
        cases: cases that the verdict read: a prefix of the recorded order.
        calls: calls reserved, repeats included.
        reused: trials that took over what a call of an earlier look had come to.
        errors: trials among `cases` that ended without an answer.
        seconds: median seconds that a trial took; None before the first.
        slices: for the first pass/fail criterion.
    """

    candidate: str
    verdict: Verdict
    cases: int
    calls: int
    repeated: int
    errors: int
    seconds: float | None
    standings: tuple[Standing, ...]
    misses: tuple[Miss, ...] = ()
    slices: tuple[Slice, ...] = ()
    reused: int = 0
