"""Prove first or harden, the next command, and the five questions of the two stages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from doubles.readiness import DAY, NOW, all_proven
from proveout.domain.release import Stage
from proveout.domain.verdict import Verdict
from proveout.ready.choice import Way, choice, next_command, story
from proveout.ready.findings import ProjectFacts
from proveout.ready.gate import VerdictOnRecord
from proveout.ready.people import People

GO = VerdictOnRecord(experiment="reply-v3", verdict=Verdict.GO, reached=NOW - DAY)
SOUND = ProjectFacts(
    workflow="triage",
    stage=Stage.PROOF_OF_CONCEPT,
    people=People(owner="ana", operator="ben", reviewer="cleo", downstream="the shop"),
    release="r2",
    question="Can support mail be answered?",
    criteria=3,
    verdict=GO,
    worth_asked=True,
    time_box_ends=NOW + DAY,
)
STANDINGS = all_proven(but=["rollback", "halt"])


def test_an_answered_question_leaves_operational_risk() -> None:
    """The control of the doubts below."""
    found = choice(SOUND, STANDINGS, NOW)

    assert (found.way, found.reasons) == (
        Way.HARDEN,
        (
            "the product question is answered: a fresh GO, worth included",
            "the risk is operational: 2 of 12 claims are open",
        ),
    )
    assert choice(SOUND, all_proven(), NOW).reasons[1] == (
        "every claim of the production bar passes; keep it so"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"criteria": 0}, "there are no success criteria"),
        ({"verdict": None}, "no experiment has reached a verdict"),
        ({"verdict": replace(GO, verdict=Verdict.NO_GO)}, "the verdict is NO-GO, not GO"),
        (
            {"verdict": replace(GO, changed=("the code",))},
            "the verdict is stale: the code changed since",
        ),
        ({"worth_asked": False}, "nobody asked whether it is worth it"),
        (
            {"people": People(owner="ana", operator="not known yet")},
            "nobody can say who operates it, reviews it or receives its results",
        ),
    ],
)
def test_each_doubt_says_to_prove_first(changes: dict[str, Any], reason: str) -> None:
    """However many claims were drilled already."""
    found = choice(replace(SOUND, **changes), all_proven(), NOW)

    assert (found.way, found.reasons) == (Way.PROVE_FIRST, (reason,))


@pytest.mark.parametrize("key", ["operator", "reviewer", "downstream"])
def test_one_name_is_enough_to_begin_with(key: str) -> None:
    """The others are findings, and claims of the bar."""
    found = choice(replace(SOUND, people=People(**{key: "ben"})), STANDINGS, NOW)

    assert found.way is Way.HARDEN


@pytest.mark.parametrize(
    ("changes", "but", "command"),
    [
        ({"verdict": None}, ["halt"], "proveout prove"),
        ({"worth_asked": False}, ["halt"], "proveout prove"),
        ({"release": ""}, ["halt"], "proveout release create"),
        ({}, ["rollback", "halt"], "proveout drill halt"),
        ({}, ["rollback"], "proveout drill rollback"),
        ({}, [], "proveout promote r2"),
        ({"stage": Stage.PRODUCTION}, ["rollback"], "proveout drill rollback"),
        ({"stage": Stage.PRODUCTION}, [], "proveout canary r2 --share 5%"),
        ({"stage": Stage.PRODUCTION, "serves": True}, [], "proveout status"),
    ],
)
def test_there_is_one_next_command(changes: dict[str, Any], but: list[str], command: str) -> None:
    """The cheapest that moves the path on."""
    assert next_command(replace(SOUND, **changes), all_proven(but=but), NOW) == command


def test_the_story_is_told_in_this_workflows_own_facts() -> None:
    """Five rows, in the order of the table."""
    rows = story(SOUND, STANDINGS, NOW)

    assert [(one.title, one.proof_of_concept, one.production) for one in rows] == [
        (
            "primary question",
            "Can support mail be answered? GO.",
            "Can it handle production traffic, edge cases and ownership? 10 of 12 claims pass.",
        ),
        (
            "what you have at the end",
            "an experiment with 3 criteria, and a verdict",
            "r2, not promoted, 10 of 12 claims pass, 4 of 4 people and systems named",
        ),
        (
            "fastest useful outcome",
            "a yes or a no by 2026-11-23",
            "a release plan: 2 open claims, 2 min of drills",
        ),
        (
            "core risk",
            "taking the prototype for an operational answer: no assumption is open",
            "overbuilding: none, it has proven worth shipping",
        ),
        (
            "what breaks when skipped",
            "engineering time burned on a weak signal",
            "the first incident shows what is missing: halt, rollback",
        ),
    ]


@pytest.mark.parametrize(
    ("changes", "row", "words"),
    [
        ({"question": ""}, 0, "Is there enough signal? GO."),
        ({"verdict": None}, 0, "Open: no experiment has reached a verdict."),
        ({"worth_asked": False}, 0, "GO, and worth was not asked."),
        ({"criteria": 0}, 1, "no success criteria yet"),
        ({"criteria": 1}, 1, "one criterion"),
        ({"release": ""}, 1, "no release yet"),
        ({"stage": Stage.PRODUCTION, "serves": True}, 1, "r2 in production"),
        ({"stage": Stage.PRODUCTION}, 1, "r2 beside what serves"),
        ({"people": People()}, 1, "0 of 4 people and systems named"),
        ({"time_box_ends": None}, 2, "a yes or a no"),
        ({"assumptions": ("English only",)}, 3, "1 open assumption"),
        ({"assumptions": ("English only", "few")}, 3, "2 open assumptions"),
        (
            {"worth_asked": False},
            3,
            "overbuilding what has not proven worth shipping: nobody asked",
        ),
    ],
)
def test_the_story_follows_the_facts(changes: dict[str, Any], row: int, words: str) -> None:
    told = story(replace(SOUND, **changes), STANDINGS, NOW)[row]

    assert words in f"{told.proof_of_concept} | {told.production}"


def test_a_workflow_that_passes_everything_is_told_so() -> None:
    rows = story(SOUND, all_proven(), NOW)

    assert rows[2].production == "a system that survives real users: every claim passes"
    assert rows[4].production == "nothing that the bar knows of"
