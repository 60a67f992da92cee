"""What to do next with a workflow: prove the idea first, or harden what is proven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from proveout.domain.duration import say_roughly
from proveout.domain.verdict import Verdict
from proveout.ready.gate import verdict_reasons
from proveout.ready.people import is_known
from proveout.ready.standing import cheapest_first

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.ready.findings import ProjectFacts
    from proveout.ready.people import People
    from proveout.ready.standing import ClaimStanding


class Way(StrEnum):
    """What to do next with a workflow."""

    PROVE_FIRST = "prove first"
    HARDEN = "harden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Whether to prove the idea first or to harden the workflow, with reasons."""

    way: Way
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRow:
    """One question of the two stages, answered with the facts of one workflow."""

    title: str
    proof_of_concept: str
    production: str


def choice(facts: ProjectFacts, standings: tuple[ClaimStanding, ...], now: datetime) -> Choice:
    """Return whether to prove the idea first or to harden the workflow, with reasons."""
    doubts = _doubts(facts, now)
    if doubts:
        return Choice(way=Way.PROVE_FIRST, reasons=doubts)
    reasons = ["the product question is answered: a fresh GO, worth included"]
    count = sum(one.is_open for one in standings)
    if count:
        reasons.append(f"the risk is operational: {count} of {len(standings)} claims are open")
    else:
        reasons.append("every claim of the production bar passes; keep it so")
    return Choice(way=Way.HARDEN, reasons=tuple(reasons))


def _doubts(facts: ProjectFacts, now: datetime) -> tuple[str, ...]:
    """Return why it is not shown that the workflow should exist."""
    people = facts.people
    doubts: list[str] = []
    if not facts.criteria:
        doubts.append("there are no success criteria")
    doubts += [one.what for one in verdict_reasons(facts.verdict, now)]
    if not facts.worth_asked:
        doubts.append("nobody asked whether it is worth it")
    if not any(map(is_known, (people.operator, people.reviewer, people.downstream))):
        doubts.append("nobody can say who operates it, reviews it or receives its results")
    return tuple(doubts)


def next_command(facts: ProjectFacts, standings: tuple[ClaimStanding, ...], now: datetime) -> str:
    """Return the one cheapest command with which the path goes on."""
    if not facts.worth_asked or verdict_reasons(facts.verdict, now):
        return "proveout prove"
    if not facts.release:
        return "proveout release create"
    for standing in cheapest_first(standings):
        return standing.claim.command
    if facts.is_trial:
        return f"proveout promote {facts.release}"
    return "proveout status" if facts.serves else f"proveout canary {facts.release} --share 5%"


# The two stages, in this workflow's own facts


def story(
    facts: ProjectFacts, standings: tuple[ClaimStanding, ...], now: datetime
) -> tuple[StoryRow, ...]:
    """Return the five questions of the two stages, answered with this workflow's facts."""
    left = cheapest_first(standings)
    passed = f"{len(standings) - len(left)} of {len(standings)} claims pass"
    return (
        StoryRow(
            title="primary question",
            proof_of_concept=f"{facts.question or 'Is there enough signal?'} {_answer(facts, now)}",
            production=f"Can it handle production traffic, edge cases and ownership? {passed}.",
        ),
        StoryRow(
            title="what you have at the end",
            proof_of_concept=f"an experiment with {_criteria(facts.criteria)}, and a verdict",
            production=f"{_served(facts)}, {passed}, {_named(facts.people)}",
        ),
        StoryRow(
            title="fastest useful outcome",
            proof_of_concept=f"a yes or a no{_deadline(facts)}",
            production=_way_left(left),
        ),
        StoryRow(
            title="core risk",
            proof_of_concept=_taken_for_granted(facts),
            production=_overbuilt(facts, now),
        ),
        StoryRow(
            title="what breaks when skipped",
            proof_of_concept="engineering time burned on a weak signal",
            production=_missing(left),
        ),
    )


def _answer(facts: ProjectFacts, now: datetime) -> str:
    reasons = verdict_reasons(facts.verdict, now)
    if reasons:
        return f"Open: {reasons[0].what}."
    return f"{Verdict.GO}." if facts.worth_asked else f"{Verdict.GO}, and worth was not asked."


def _criteria(count: int) -> str:
    if not count:
        return "no success criteria yet"
    return "one criterion" if count == 1 else f"{count} criteria"


def _served(facts: ProjectFacts) -> str:
    if not facts.release:
        return "no release yet"
    if facts.is_trial:
        return f"{facts.release}, not promoted"
    return f"{facts.release} {'in production' if facts.serves else 'beside what serves'}"


def _named(people: People) -> str:
    names = (people.owner, people.operator, people.reviewer, people.downstream)
    return f"{sum(map(is_known, names))} of {len(names)} people and systems named"


def _deadline(facts: ProjectFacts) -> str:
    return f" by {_day(facts.time_box_ends)}" if facts.time_box_ends else ""


def _way_left(left: list[ClaimStanding]) -> str:
    if not left:
        return "a system that survives real users: every claim passes"
    takes = say_roughly(sum((one.claim.takes for one in left), timedelta()))
    return f"a release plan: {_count(len(left), 'open claim')}, {takes} of drills"


def _taken_for_granted(facts: ProjectFacts) -> str:
    if not facts.assumptions_open:
        return "taking the prototype for an operational answer: no assumption is open"
    count = _count(len(facts.assumptions_open), "open assumption")
    return f"taking the prototype for an operational answer: {count}"


def _overbuilt(facts: ProjectFacts, now: datetime) -> str:
    doubts = _doubts(facts, now)
    if not doubts:
        return "overbuilding: none, it has proven worth shipping"
    return f"overbuilding what has not proven worth shipping: {doubts[0]}"


def _missing(left: list[ClaimStanding]) -> str:
    if not left:
        return "nothing that the bar knows of"
    return f"the first incident shows what is missing: {', '.join(one.claim.name for one in left)}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
