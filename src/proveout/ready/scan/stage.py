"""The stage of a repository, the choice, the mistakes it shows, and where to go on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.release import Stage
from proveout.ready.choice import Choice, StoryRow, Way
from proveout.ready.findings import Severity
from proveout.ready.scan.facts import EVALS, MODELS, MONITORING, QUEUES
from proveout.ready.scan.known import EFFECTS
from proveout.ready.scan.questions import OF_REPOSITORY, REACHED, USED, Question

if TYPE_CHECKING:
    from proveout.ready.scan.facts import Facts
    from proveout.ready.scan.questions import Answers
    from proveout.ready.scan.scan import Located, Scanned

URGENT = frozenset({Severity.CRITICAL, Severity.HIGH})
"""Severities that make an audit of a repository exit with 1."""

_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What an audit says of a repository.

    Attributes:
        stage: None where nothing runs yet that could be in one.
        known: findings that the baseline holds; they are told and no longer counted.
        mistakes: what teams do wrong between the stages, as far as files show it.
        questions: those that are still open.
    """

    scanned: Scanned
    stage: Stage | None
    choice: Choice
    story: tuple[StoryRow, ...]
    found: tuple[Located, ...]
    known: tuple[Located, ...]
    mistakes: tuple[str, ...]
    questions: tuple[Question, ...]
    next: str

    @property
    def urgent(self) -> tuple[Located, ...]:
        """The findings that are critical or high."""
        return tuple(one for one in self.found if one.finding.severity in URGENT)


def audited(scanned: Scanned, known: tuple[Located, ...], answers: Answers) -> Audited:
    """Return what is to be said of a repository.

    Args:
        scanned: what its files show.
        known: those of its findings that the baseline holds.
        answers: what a person said.
    """
    facts = scanned.facts
    held = set(known)
    found = tuple(one for one in scanned.found if one not in held)
    stage = stage_of(facts, answers)
    way = choice_of(facts, stage, answers)
    questions = tuple(one for one in OF_REPOSITORY if facts.models and answers.is_open(one))
    return Audited(
        scanned=scanned,
        stage=stage,
        choice=way,
        story=story_of(facts, found, answers),
        found=found,
        known=known,
        mistakes=mistakes_of(facts, stage),
        questions=questions,
        next=next_of(facts, found, way),
    )


def is_measured(facts: Facts) -> bool:
    """Whether the repository holds cases or evaluations."""
    return bool(facts.kept("evals") or facts.uses(EVALS))


def _is_watched(facts: Facts) -> bool:
    return bool(facts.kept("dashboards") or facts.uses(MONITORING))


def stage_of(facts: Facts, answers: Answers) -> Stage | None:
    """Return the stage; a person's word counts more than files."""
    used = answers.says(USED)
    if not facts.models and not facts.handlers:
        return None
    if used is not None:
        return Stage.PRODUCTION if used else Stage.PROOF_OF_CONCEPT
    serves = facts.is_deployed and (_is_watched(facts) or bool(facts.kept("runbooks")))
    return Stage.PRODUCTION if serves else Stage.PROOF_OF_CONCEPT


def choice_of(facts: Facts, stage: Stage | None, answers: Answers) -> Choice:
    """Return whether to prove the idea first or to harden what is there, with reasons."""
    if not facts.files:
        none = "there is no Python here that could be read: nothing shows yet that it works"
        return Choice(way=Way.PROVE_FIRST, reasons=(none,))
    imported = facts.uses(MODELS)
    if not facts.models and not imported:
        plain = "no call of a model was seen: as far as it shows, this is software like any other"
        return Choice(way=Way.HARDEN, reasons=(plain,))
    doubts = _doubts(facts, stage, answers)
    if not facts.models:
        unseen = f"it imports {imported[0]}; where it asks a model, this audit could not follow"
        doubts = (unseen, *doubts)
    if doubts:
        return Choice(way=Way.PROVE_FIRST, reasons=doubts)
    kept = len(facts.kept("evals"))
    shown = (
        "a number was set, and reached"
        if answers.says(REACHED)
        else f"{_count(kept, 'file')} of cases or evaluations"
    )
    return Choice(
        way=Way.HARDEN,
        reasons=(f"the product question has an answer: {shown}", "what is left is operational"),
    )


def _doubts(facts: Facts, stage: Stage | None, answers: Answers) -> tuple[str, ...]:
    """Return why it is not shown that it should exist."""
    doubts: list[str] = []
    reached, measured = answers.says(REACHED), is_measured(facts)
    if reached is False:
        doubts.append("no number was set and reached: it is not shown that it is good enough")
    elif reached is None and not measured:
        doubts.append("there are no cases and no evaluation: nobody can say how often it is right")
    elif reached is None and stage is Stage.PROOF_OF_CONCEPT:
        doubts.append("there are cases, and nothing says that a number was set and reached")
    if not answers.names_anybody and stage is Stage.PROOF_OF_CONCEPT:
        doubts.append("nobody is named who operates it, reviews it or receives its results")
    return tuple(doubts)


def mistakes_of(facts: Facts, stage: Stage | None) -> tuple[str, ...]:
    """Return what teams do wrong between the two stages, where files show it."""
    if not facts.models:
        return ()
    found: list[str] = []
    where = [*facts.kept("deployments"), *facts.kept("images")]
    if where and not is_measured(facts):
        found.append(f"it is made ready to be deployed ({where[0]}), and nothing measures it")
    if stage is Stage.PRODUCTION and not _is_watched(facts):
        found.append("people rely on it, and no metrics, traces or dashboards are kept")
    if stage is Stage.PRODUCTION and not facts.kept("runbooks"):
        found.append("people rely on it, and no runbook says what to do when it breaks")
    if not facts.kept("tests"):
        found.append("there are no tests: a change to a prompt is tried on users")
    hard = [kind for kind in facts.effects if kind in EFFECTS]
    if hard and not facts.uses(QUEUES | {"proveout"}):
        kinds = ", ".join(map(str, hard))
        found.append(f"it {kinds} without a queue: a restart loses what was in flight")
    return tuple(found)


def next_of(facts: Facts, found: tuple[Located, ...], way: Choice) -> str:
    """Return the one next command."""
    worst = found[0].finding if found else None
    hardens = way.way is Way.HARDEN and worst is not None and worst.severity in URGENT
    if worst is not None and (worst.severity is Severity.CRITICAL or hardens):
        return f"proveout explain {worst.code}"
    name = _NAME.sub("-", facts.name).strip("-_0123456789")[:_LONGEST].rstrip("-_").lower()
    return f"proveout init {name}-workflow" if name else "proveout init first-workflow"


def story_of(facts: Facts, found: tuple[Located, ...], answers: Answers) -> tuple[StoryRow, ...]:
    """Return the five questions of the two stages, answered by what the repository shows."""
    urgent = sum(one.finding.severity in URGENT for one in found)
    lacks = _lacking(facts)
    return (
        StoryRow(
            title="primary question",
            proof_of_concept=f"Is there enough signal? {_signal(facts, answers)}.",
            production=(
                "Can it handle production traffic, edge cases and ownership?"
                f" {_urgent(urgent)} among {_count(len(found), 'finding')} in its code."
            ),
        ),
        StoryRow(
            title="what you have at the end",
            proof_of_concept=(
                f"an experiment with criteria; now {_count(facts.models, 'model call')},"
                f" {_cases(facts)}"
            ),
            production=f"a monitored system; now {_operated(facts)}",
        ),
        StoryRow(
            title="fastest useful outcome",
            proof_of_concept="a yes or a no, in as few calls as statistics allow",
            production=f"a release plan; {_urgent(urgent)} to mend before",
        ),
        StoryRow(
            title="core risk",
            proof_of_concept=(
                "taking the prototype for an operational answer:"
                f" {_count(facts.handlers, 'handler')} of requests,"
                f" {_count(facts.webhooks, 'webhook')}"
            ),
            production=(
                "overbuilding before it has proven worth shipping"
                if not is_measured(facts)
                else "overbuilding: there are cases to judge it by"
            ),
        ),
        StoryRow(
            title="what breaks when skipped",
            proof_of_concept="engineering time burned on a weak signal",
            production=(
                f"the first incident shows what is missing: {', '.join(lacks)}"
                if lacks
                else "nothing that its files could show"
            ),
        ),
    )


def _urgent(number: int) -> str:
    return _count(number, "urgent one") if number else "nothing urgent"


def _signal(facts: Facts, answers: Answers) -> str:
    match answers.says(REACHED):
        case True:
            return "A number was set and reached"
        case False:
            return "No number was set and reached"
        case None:
            return "There are cases to tell by" if is_measured(facts) else "Nothing here could tell"


def _cases(facts: Facts) -> str:
    kept = len(facts.kept("evals"))
    return f"{_count(kept, 'file')} of cases or evaluations" if kept else "and no cases"


def _operated(facts: Facts) -> str:
    has = [
        name
        for name, kept in (
            ("an image", facts.kept("images")),
            ("a deployment", facts.kept("deployments")),
            ("checks on each change", facts.kept("pipelines")),
            ("metrics or traces", _is_watched(facts)),
            ("a queue", facts.uses(QUEUES)),
            ("a runbook", facts.kept("runbooks")),
        )
        if kept
    ]
    return ", ".join(has) or "neither image, deployment, metrics nor runbook"


def _lacking(facts: Facts) -> list[str]:
    """Return what an operator would look for, and not find."""
    healthy = any(one.is_healthy for one in facts.product)
    return [
        name
        for name, kept in (
            ("a health endpoint", healthy or not facts.handlers),
            ("metrics or traces", _is_watched(facts)),
            ("a queue", facts.uses(QUEUES | {"proveout"})),
            ("a runbook", facts.kept("runbooks")),
            ("an owner in CODEOWNERS", facts.kept("owners")),
            ("tests", facts.kept("tests")),
        )
        if not kept
    ]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
