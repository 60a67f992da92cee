"""The verdict of an experiment: what it says, why, and how it came to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.report import page as report
from proveout.faces.report.meaning import headline
from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.faces.report.page import (
        CandidateView,
        CriterionView,
        Figure,
        Meter,
        MissView,
        SliceView,
    )
    from proveout.prove.account import Account
    from proveout.prove.foresee import Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPage:
    """An experiment at one moment, with the figures behind its verdict.

    Attributes:
        claim: what the verdict speaks of: "these cases" or "future traffic".
        hero: name of the criterion that made the verdict; "" where there is none.
        candidates: the workflow's own first, with its charts.
        misses: cases worth reading.
        lock: hexadecimal digest of what was locked before the first call.
        at: the moment for which it was drawn up.
        is_going: trials may still be made.
        in_flight: trials that run at this moment.
        others: names of the other experiments, the newest first.
    """

    template: ClassVar[str] = "verdict.html.j2"
    section: ClassVar[Section] = Section.EXPERIMENTS
    is_live: ClassVar[bool] = True

    experiment: str
    question: str
    claim: str
    verdict: str
    headline: str
    meaning: tuple[str, ...]
    settling: tuple[str, ...]
    figures: tuple[Figure, ...]
    hero: str
    candidates: tuple[CandidateView, ...]
    budget: tuple[Meter, ...]
    slices: tuple[SliceView, ...]
    sliced_by: str
    misses: tuple[MissView, ...]
    dataset: str
    lock: str
    locked: datetime
    at: datetime
    is_going: bool
    in_flight: int = 0
    others: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the page is called."""
        return f"{self.verdict}, {self.experiment}"

    @property
    def own(self) -> CandidateView:
        """The workflow itself."""
        return self.candidates[0]

    @property
    def deciding(self) -> CriterionView | None:
        """The criterion that made the verdict."""
        return next((one for one in self.own.criteria if one.name == self.hero), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoVerdict:
    """An experiment before its first trial.

    Attributes:
        commands: what begins it.
    """

    template: ClassVar[str] = "no_verdict.html.j2"
    section: ClassVar[Section] = Section.EXPERIMENTS
    is_live: ClassVar[bool] = True

    experiment: str
    commands: tuple[str, ...] = ("proveout prove",)

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Verdict"


def verdict_page(account: Account, forecast: Forecast, others: tuple[str, ...] = ()) -> VerdictPage:
    """Return the page of an experiment, in the words and figures of its report."""
    own = account.own
    hero = report.deciding(own.standings)
    return VerdictPage(
        experiment=account.plan.name,
        question=account.plan.question,
        claim=account.plan.claim.value,
        verdict=own.verdict.value,
        headline=headline(own),
        meaning=report.meaning(account),
        settling=report.settling(account, forecast),
        figures=report.key_figures(account, forecast),
        hero="" if hero is None else hero.criterion.name,
        candidates=report.candidates(account),
        budget=report.budget(account),
        slices=report.slices(own),
        sliced_by=report.sliced_by(own),
        misses=report.misses(own),
        dataset=account.dataset,
        lock=account.lock,
        locked=account.locked,
        at=account.at,
        is_going=account.stopped_by is None,
        others=others,
    )
