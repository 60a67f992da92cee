"""A verdict as continuous integration reads it."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from doubles.account import STORIES, account_of
from proveout.domain.verdict import Status, Verdict
from proveout.faces.cli.ci import annotate, junit

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
