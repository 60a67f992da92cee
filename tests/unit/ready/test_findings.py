"""What an audit names in a project, and what it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doubles.readiness import DAY, NOW, waiver
from proveout.domain.bar import Acceptance, Settled
from proveout.domain.release import Stage
from proveout.domain.verdict import Verdict
from proveout.ready.envelope import Doubt, Refused
from proveout.ready.findings import Finding, ProjectFacts, Severity, finding_words, findings
from proveout.ready.gate import VerdictOnRecord
from proveout.ready.people import People

GO = VerdictOnRecord(experiment="reply-v3", verdict=Verdict.GO, reached=NOW - DAY)
PEOPLE = People(owner="ana", operator="ben", reviewer="cleo", downstream="the shop")
SOUND = ProjectFacts(
    workflow="triage",
    stage=Stage.PROOF_OF_CONCEPT,
    people=PEOPLE,
    release="r2",
    criteria=3,
    verdict=GO,
    worth_asked=True,
    time_box_ends=NOW + DAY,
    daily_runs=(3, 0, 12, 40, 40, 40, 40),
)


def found(**changes: Any) -> tuple[Finding, ...]:
    return findings(replace(SOUND, **changes), NOW)


@pytest.mark.parametrize("stage", list(Stage))
def test_a_sound_project_has_no_findings(stage: Stage) -> None:
    """The control of every test below."""
    assert found(stage=stage) == ()


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"time_box_ends": NOW}, "past-time-box", Severity.HIGH),
        ({"worth_asked": False}, "worth-not-asked", Severity.HIGH),
        ({"live_effects": 1}, "effects-live", Severity.CRITICAL),
        ({"verdict": None}, "no-verdict", Severity.HIGH),
        ({"verdict": replace(GO, verdict=Verdict.NO_GO)}, "verdict-not-go", Severity.HIGH),
        ({"verdict": replace(GO, changed=("the code",))}, "stale-verdict", Severity.HIGH),
        ({"people": replace(PEOPLE, owner="")}, "no-owner", Severity.MEDIUM),
        ({"people": replace(PEOPLE, operator="not known yet")}, "no-operator", Severity.MEDIUM),
        ({"people": replace(PEOPLE, reviewer="TBD")}, "no-reviewer", Severity.MEDIUM),
        ({"people": replace(PEOPLE, downstream="?")}, "no-downstream", Severity.MEDIUM),
        ({"assumptions": ("English only",)}, "assumption-open", Severity.MEDIUM),
        ({"waivers": (waiver("halt"),)}, "waiver-active", Severity.MEDIUM),
        ({"waivers": (waiver("halt", until=NOW + DAY),)}, "waiver-active", Severity.HIGH),
        ({"daily_runs": (10,) * 7}, "steady-traffic", Severity.MEDIUM),
        (
            {"refused": (Refused(name="f" * 64, doubt=Doubt.TAMPERED, why="changed"),)},
            "evidence-refused",
            Severity.CRITICAL,
        ),
    ],
)
def test_each_mistake_is_named(changes: dict[str, Any], code: str, severity: Severity) -> None:
    """Once, with why it bites and what to do."""
    (one,) = found(**changes)

    assert (one.code, one.severity) == (code, severity)
    assert one.message
    assert one.why
    assert one.fix


@pytest.mark.parametrize(
    "changes",
    [{"time_box_ends": NOW - DAY}, {"live_effects": 9}, {"daily_runs": (500,) * 30}],
)
def test_production_may_do_what_a_proof_of_concept_may_not(changes: dict[str, Any]) -> None:
    """The same facts are a finding only in the first stage."""
    assert found(**changes)

    assert found(stage=Stage.PRODUCTION, **changes) == ()


@pytest.mark.parametrize(
    "changes", [{"people": People()}, {"assumptions": ("English only", "under 200 a day")}]
)
def test_what_was_left_open_weighs_more_in_production(changes: dict[str, Any]) -> None:
    before, after = found(**changes), found(stage=Stage.PRODUCTION, **changes)

    assert {one.severity for one in before} == {Severity.MEDIUM}
    assert {one.severity for one in after} == {Severity.HIGH}
    assert len(before) == len(after) > 1


@pytest.mark.parametrize(
    ("daily", "steady"),
    [
        ((), False),
        ((90,) * 6, False),
        ((90,) * 7, True),
        ((90,) * 6 + (9,), False),
        ((0,) + (10,) * 7, True),
        ((10,) * 7 + (0,), False),
    ],
)
def test_traffic_is_steady_when_every_one_of_the_last_seven_days_has_it(
    daily: tuple[int, ...], steady: bool
) -> None:
    """One quiet day among them, or fewer days, is a trial."""
    assert bool(found(daily_runs=daily)) is steady


def test_an_assumption_that_somebody_answered_for_is_no_finding() -> None:
    """Only the other one is."""
    answered = Acceptance(
        assumption="English only", workflow="triage", how=Settled.RETIRED, by="ana", at=NOW
    )

    (one,) = found(assumptions=("English only", "under 200 a day"), acceptances=(answered,))

    assert one.message == "still assumed: under 200 a day"


def test_a_waiver_is_printed_with_everybody_who_gave_it() -> None:
    """Also when nobody else was there."""
    (one,) = found(waivers=(waiver("halt", second=""),))

    assert one.message == (
        "halt is waived by ana, no second person until 2026-12-02: the vendor mends it next week"
    )


def test_the_worst_comes_first() -> None:
    spoiled = found(
        people=People(), verdict=None, live_effects=2, daily_runs=(50,) * 7, worth_asked=False
    )

    ranks = [list(Severity).index(one.severity) for one in spoiled]

    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 3


def test_a_finding_is_plain_data_for_programs() -> None:
    """Exactly the names that audit.v1 promises."""
    (one,) = found(worth_asked=False)

    words = finding_words(one)

    assert json.loads(json.dumps(words)) == words
    assert set(words) == {"code", "severity", "file", "line", "message", "why", "fix"}


def test_the_time_box_ends_with_its_last_moment() -> None:
    assert found(time_box_ends=NOW + timedelta(seconds=1)) == ()
    assert found(time_box_ends=None) == ()
