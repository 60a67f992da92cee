"""One decision: build it, buy it, or neither yet, and why.

Both sides tried the same cases under the same criteria. What a demo hides is asked as well:
cases that one cannot accept, the exceptions, the access it asks for, and what operating it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from proveout.domain.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Outcome(StrEnum):
    """What a decision comes to."""

    BUILD = "build"
    BUY = "buy"
    NEITHER_YET = "neither yet"


class Need(StrEnum):
    """What operating a workflow needs of whoever makes it."""

    WEBHOOKS = "webhooks"
    EXPORT = "export"
    AUDIT_LOG = "audit log"
    DELETION = "deletion"
    OBJECTIVES = "objectives"


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """Where one need stands.

    Attributes:
        is_met: None while nobody has answered.
        evidence: where the answer stands; "" while nobody has answered.
    """

    need: Need
    is_met: bool | None
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """How a side did on the cases that are marked as exceptional; it informs, and decides nothing.

    Attributes:
        count: exceptional cases that it has tried.
    """

    count: int
    passes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What a side is worth a month at the declared volume, in dollars, with its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of those between which is chosen.

    Attributes:
        is_own: it is built here.
        note: why its answers carry no promotion; "" where they do.
        refused: cases that it ended without an answer to, by the kind of its error.
        exceptions: None where no case is marked.
        permissions: the access it asks for; None where nobody has said.
        beyond: those of them that nobody grants.
        open_to_all: it answers whoever asks, without credentials; None where nobody has tried.
        acts: effects that it asked for in its trials.
        worth: None where worth, or the volume, was not asked.
        open_claims: claims of the production bar that are left to prove when it is built; they
            cost work, and are no reason against it.
    """

    name: str
    is_own: bool
    verdict: Verdict
    cases: int
    note: str = ""
    refused: tuple[tuple[str, int], ...] = ()
    exceptions: Exceptions | None = None
    permissions: tuple[str, ...] | None = None
    beyond: tuple[str, ...] = ()
    open_to_all: bool | None = None
    acts: tuple[str, ...] = ()
    needs: tuple[Met, ...] = ()
    worth: Month | None = None
    open_claims: tuple[str, ...] = ()

    @property
    def against(self) -> tuple[str, ...]:
        """What speaks against it for good, as long as nobody changes it."""
        found: list[str] = []
        if self.verdict is not Verdict.GO:
            found.append(f"its verdict is {self.verdict} after {self.cases} cases")
        if self.note:
            found.append(self.note)
        if self.beyond:
            found.append(f"it asks for access that nobody grants: {', '.join(self.beyond)}")
        if self.open_to_all:
            found.append("it answers whoever asks, without credentials")
        found += [f"it has no {one.need}" for one in self.needs if one.is_met is False]
        return tuple(found)

    @property
    def open(self) -> tuple[str, ...]:
        """What has to be answered before anybody relies on it."""
        found: list[str] = []
        if self.permissions is None:
            found.append("nobody has said which access it asks for")
        unanswered = [str(one.need) for one in self.needs if one.is_met is None]
        if unanswered:
            found.append(f"unanswered: {', '.join(unanswered)}")
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """By how much a rival leads the workflow, case by case on the same cases.

    Attributes:
        said: the lead with its interval, in words.
        low: lower end of the interval; above 0 the rival is better.
        high: upper end; below 0 the workflow is better.
    """

    rival: str
    said: str
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Build, buy, or neither yet.

    Attributes:
        chosen: name of the side; "" where it is neither yet.
        reasons: why, the weightiest first.
        first: what to do next where it is neither yet, in words; "" otherwise.
    """

    outcome: Outcome
    chosen: str
    reasons: tuple[str, ...]
    first: str = ""


def decide(sides: Sequence[Side], leads: Sequence[Ahead]) -> Decision:
    """Return which of `sides` to take: the workflow itself is among them.

    Whoever is shown to be good enough and has nothing against it is in the running. Of several
    the paired comparison decides, then worth at the declared volume, then what is left open.
    Nobody is taken while a question about them is unanswered.
    """
    running = [one for one in sides if not one.against]
    if not running:
        reasons = tuple(f"{one.name}: {said}" for one in sides for said in one.against)
        return _neither(reasons, _mend(sides))
    chosen, why = _best(running, leads)
    out = [f"{one.name} is out: {one.against[0]}" for one in sides if one.against]
    if chosen is None:
        return _neither((*why, *out), "more cases, or what it is worth, may tell them apart")
    if chosen.open:
        unanswered = tuple(f"{chosen.name}: {said}" for said in chosen.open)
        return _neither((*why, *out, *unanswered), f"close what is open about {chosen.name}")
    outcome = Outcome.BUILD if chosen.is_own else Outcome.BUY
    left = _work_left(chosen)
    return Decision(outcome=outcome, chosen=chosen.name, reasons=(*why, *out, *left))


def _work_left(chosen: Side) -> list[str]:
    count = len(chosen.open_claims)
    if not count:
        return []
    claims = "1 claim" if count == 1 else f"{count} claims"
    return [f"left to prove before production: {claims} of the bar"]


def _neither(reasons: tuple[str, ...], first: str) -> Decision:
    return Decision(outcome=Outcome.NEITHER_YET, chosen="", reasons=reasons, first=first)


def _mend(sides: Sequence[Side]) -> str:
    if any(one.verdict is Verdict.UNDECIDED for one in sides):
        return "finish the experiment"
    return "change one of them, or the criteria, and prove it again"


def _best(running: Sequence[Side], leads: Sequence[Ahead]) -> tuple[Side | None, list[str]]:
    """Return the one to take, and why; None where nothing tells the best apart."""
    if len(running) == 1:
        only = running[0]
        return only, [f"{only.name} is good enough, and has nothing against it"]
    said = [f"{len(running)} are good enough: {', '.join(one.name for one in running)}"]
    for choose in (_by_lead, _by_worth, _by_open):
        chosen, why = choose(running, leads)
        said.append(why)
        if chosen is not None:
            return chosen, said
    return None, said


def _by_lead(running: Sequence[Side], leads: Sequence[Ahead]) -> tuple[Side | None, str]:
    """Return the workflow where it leads every rival, or the rival who alone leads it."""
    names = {one.name for one in running}
    own = next((one for one in running if one.is_own), None)
    known = [one for one in leads if one.rival in names]
    rivals = [one for one in running if not one.is_own]
    if own is None or len(known) < len(rivals):
        return None, "they were not compared case by case"
    said = "; ".join(one.said for one in known)
    if all(one.high < 0 for one in known):
        return own, said
    better = [one for one in known if one.low > 0]
    if len(better) == 1:
        return next(one for one in rivals if one.name == better[0].rival), said
    return None, said


def _by_worth(running: Sequence[Side], _: Sequence[Ahead]) -> tuple[Side | None, str]:
    """Return the one that is worth more than every other, intervals included."""
    if any(one.worth is None for one in running):
        return None, "what they are worth at the expected volume was not asked of all"
    for one in running:
        others = [other.worth for other in running if other is not one and other.worth]
        if one.worth and all(one.worth.low > other.high for other in others):
            return one, f"{one.name} is worth more a month at the declared volume"
    return None, "their worth a month is not told apart"


def _by_open(running: Sequence[Side], _: Sequence[Ahead]) -> tuple[Side | None, str]:
    """Return the one about which fewest questions are open."""
    counted = sorted(running, key=_questions)
    if _questions(counted[0]) < _questions(counted[1]):
        return counted[0], f"least is open about {counted[0].name}"
    return None, "as much is open about each of them"


def _questions(side: Side) -> int:
    unanswered = sum(one.is_met is None for one in side.needs)
    return unanswered + len(side.open_claims) + (side.permissions is None)


def beyond(asked: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
    """Return what is asked for and not granted; capitals and spaces do not count."""
    known = {_plain(one) for one in granted}
    return tuple(one for one in asked if _plain(one) not in known)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
