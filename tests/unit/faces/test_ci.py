"""A verdict as continuous integration reads it."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from doubles.account import STORIES, account_of
from proveout.domain.criterion import Judge, Scored
from proveout.domain.experiment import AnswersFile
from proveout.domain.verdict import Status, Verdict
from proveout.faces.cli.ci import annotate, junit
from proveout.prove.elsewhere import EXPLORATORY

ACCOUNTS = {name: account_of(story) for name, story in STORIES.items()}


def outcomes(name: str) -> dict[str, str]:
    """Return how the criteria of an account's own workflow come out in its JUnit file."""
    suite = ET.fromstring(junit(ACCOUNTS[name]))[0]  # noqa: S314 - our own text
    return {
        case.get("name", ""): next((child.tag for child in case if child.tag != "system-out"), "")
        for case in suite.iter("testcase")
    }


def test_every_criterion_of_a_go_passes() -> None:
    assert set(outcomes("go").values()) == {""}


@pytest.mark.parametrize(
    ("name", "open_is"),
    [("no-go beside a rival", "skipped"), ("undecided, out of budget", "error")],
)
def test_a_pipeline_passes_on_go_only(name: str, open_is: str) -> None:
    """What failed fails; what is open is no pass either, unless another criterion ended it."""
    wanted = {Status.MET: "", Status.FAILED: "failure", Status.OPEN: open_is}
    own = ACCOUNTS[name].own

    assert own.verdict is not Verdict.GO
    assert outcomes(name) == {one.criterion.name: wanted[one.status] for one in own.standings}
    assert set(outcomes(name).values()) & {"failure", "error"}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_the_counts_are_those_of_the_tests(name: str) -> None:
    root = ET.fromstring(junit(ACCOUNTS[name]))  # noqa: S314 - our own text

    for tag, counted in (
        ("testcase", "tests"),
        ("failure", "failures"),
        ("error", "errors"),
        ("skipped", "skipped"),
    ):
        assert int(root.get(counted, "")) == len(list(root.iter(tag)))
        assert [int(suite.get(counted, "")) for suite in root] == [
            len(list(suite.iter(tag))) for suite in root
        ]


def test_an_annotation_is_one_line_that_says_where_a_criterion_stands() -> None:
    account = ACCOUNTS["no-go beside a rival"]

    lines = list(annotate(account))

    assert len(lines) == sum(len(one.standings) for one in account.judgements)
    assert {line.split(" ")[0] for line in lines} <= {"::notice", "::error", "::warning"}
    [lost] = [one for one in lines if one.startswith("::error") and "workflow" in one]
    assert "after" in lost
    assert "%25" in lost, "a percent sign of ours is no escape of theirs"


def test_a_hostile_name_ends_no_annotation_and_breaks_no_file() -> None:
    """It may hold what separates properties, a line break, a control or a lone surrogate."""
    story = STORIES["go"]
    first = replace(story.plan.criteria[0], name="a,b::error x\n::set c\x1b[31m\ud800%")
    plan = replace(story.plan, criteria=(first, *story.plan.criteria[1:]))
    account = account_of(replace(story, plan=plan))

    lines = list(annotate(account))

    assert all("\n" not in line and line.count("::") == 2 for line in lines)
    assert b"\x1b" not in junit(account)


def test_what_came_from_a_file_or_an_unchecked_judge_says_so() -> None:
    """A green mark beside a change is read by itself, without the report."""
    story = STORIES["no-go beside a rival"]
    rival = replace(story.plan.candidates[1], entry=AnswersFile(file="answers.jsonl"))
    first = story.plan.criteria[0]
    assert isinstance(first.measure, Scored)
    judged = replace(first, measure=replace(first.measure, judge=Judge()))
    account = account_of(story)
    plan = replace(account.plan, candidates=(story.plan.candidates[0], rival))
    own, other = account.judgements
    standings = (replace(own.standings[0], criterion=judged), *own.standings[1:])
    account = replace(account, plan=plan, judgements=(replace(own, standings=standings), other))

    lines = list(annotate(account))
    suites = ET.fromstring(junit(account))  # noqa: S314 - our own text

    from_file = [line for line in lines if f" {rival.name}" in line]
    assert from_file
    assert all(line.endswith(f"; {EXPLORATORY}") for line in from_file)
    assert [line for line in lines if line.endswith("; according to an unchecked judge")] == [
        lines[0]
    ]
    notes = [suite.find("properties/property[@name='note']") for suite in suites]
    assert notes[0] is None
    assert notes[1] is not None
    assert notes[1].get("value") == EXPLORATORY
