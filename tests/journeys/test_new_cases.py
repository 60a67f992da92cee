"""What `dataset from-reviews` promises: decisions become cases, and no dataset changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from proveout.faces import dataset_file

if TYPE_CHECKING:
    from journeys.conftest import Place

pytestmark = pytest.mark.journey

APP = """
from proveout import review, step, workflow

@step
def double(n: int) -> int:
    return n * 2

@workflow
def answer(n: int, asks: int = 1, then: int = 0) -> int:
    twice = double(n)
    for at in range(asks):
        twice = review(twice, queue="last" if at else "sums").value
    return twice + then
"""


@pytest.fixture
def desk(place: Place, store_url: str) -> Place:
    """Return a project on each store in turn, whose workflow asks people."""
    place.environment = {"PROVEOUT_STORE": store_url, "PROVEOUT_USER": "ana"}
    place.write("app.py", APP)
    cases = [json.dumps({"id": f"c-{n}", "input": {"n": n}, "expected": 2 * n}) for n in (1, 2)]
    place.write("cases.jsonl", "\n".join(cases))
    return place


def asked(place: Place, *inputs: dict[str, int]) -> list[str]:
    """Enqueue runs, and work until each of them waits; return their ids."""
    lines = "\n".join(json.dumps(value) for value in inputs)
    place.write("inputs.jsonl", lines)
    done = place.run("enqueue", "toy", "--file", "inputs.jsonl", "--json")
    place.run("work", "--until-idle", "--effects", "live")
    return [json.loads(line)["id"] for line in done.stdout.splitlines()]


ERASED = 1_300_000_000_013
"""An input that comes in no id and no moment by chance."""


def decide(place: Place, run: str, *words: str) -> None:
    """Decide the open review of a run, and let it go on."""
    lines = place.run("review", "list", "--limit", "1000", "--json").stdout.splitlines()
    [review] = [one["id"] for one in map(json.loads, lines) if one["run"] == run]
    done = place.run("review", words[0], review, *words[1:])
    assert done.returncode == 0, done.stderr
    place.run("work", "--until-idle", "--effects", "live")


def written(place: Place) -> list[dict[str, Any]]:
    lines = (place.folder / "new-cases.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_decisions_become_cases_that_name_where_they_come_from(desk: Place) -> None:
    """Approved and edited drafts; known inputs, rejections and erased runs are told."""
    runs = asked(desk, {"n": 10}, {"n": 11}, {"n": 12}, {"n": ERASED}, {"n": 1}, {"n": 14})
    decide(desk, runs[0], "approve")
    decide(desk, runs[1], "approve", "--edit", "99")
    decide(desk, runs[2], "reject", "--reason", "no such order")
    decide(desk, runs[3], "approve")
    decide(desk, runs[4], "approve")
    desk.run("runs", "erase", runs[3], "--reason", "asked to", "--yes")

    said = desk.run("dataset", "from-reviews")

    found = written(desk)
    assert said.returncode == 0, said.stderr
    assert "2 new cases in new-cases.jsonl" in said.stdout
    assert [(one["input"], one["expected"], one["tags"]) for one in found] == [
        ({"n": 10}, 20, ["approved"]),
        ({"n": 11}, 99, ["edited"]),
    ]
    origin = found[1]["provenance"]
    assert (origin["run"], origin["by"], origin["decision"]) == (runs[1], "ana", "edited")
    assert found[1]["id"] == f"review-{origin['review']}"
    assert origin["release"] == "draft"
    assert origin["at"].startswith("20")
    assert "left out: 1 x rejected, so that nobody said what is right" in said.stderr
    assert "left out: 1 x the payloads of its run were pruned or erased" in said.stderr
    assert "left out: 1 x in a dataset already" in said.stderr
    assert "is case c-1 of cases" in said.stderr
    assert str(ERASED) not in (desk.folder / "new-cases.jsonl").read_text("utf-8")


def test_no_dataset_changes_and_its_use_is_another_digest(desk: Place) -> None:
    """It refuses a dataset by any path, and any file that stands there."""
    [run] = asked(desk, {"n": 10})
    decide(desk, run, "approve")
    before = dataset_file.load(desk.folder / "cases.jsonl").digest

    onto = desk.run("dataset", "from-reviews", "-o", "../a project/cases.jsonl", "--force")
    first = desk.ask("dataset", "from-reviews")
    again = desk.run("dataset", "from-reviews")
    forced = desk.run("dataset", "from-reviews", "--force")

    assert onto.returncode == 3
    assert "is the dataset of toy" in onto.stderr
    assert first["form"] == "reviews"
    assert first["cases"] == 1
    assert again.returncode == 3
    assert "stands there already" in again.stderr
    assert forced.returncode == 0
    assert dataset_file.load(desk.folder / "cases.jsonl").digest == before
    lines = [(desk.folder / name).read_text("utf-8") for name in ("cases.jsonl", "new-cases.jsonl")]
    desk.write("cases.jsonl", "\n".join(lines))
    assert dataset_file.load(desk.folder / "cases.jsonl").digest != before
    later = desk.ask("dataset", "from-reviews", "--force")
    assert later["cases"] == 0
    assert later["left"] == {"in a dataset already": 1}


def test_provenance_is_no_part_of_a_dataset(desk: Place) -> None:
    """Who decided may be taken out without making another dataset."""
    [run] = asked(desk, {"n": 10})
    decide(desk, run, "approve")
    desk.run("dataset", "from-reviews")
    whole = dataset_file.load(desk.folder / "new-cases.jsonl").digest
    bare = [{key: one[key] for key in one if key != "provenance"} for one in written(desk)]
    desk.write("bare.jsonl", "\n".join(map(json.dumps, bare)))

    assert dataset_file.load(desk.folder / "bare.jsonl").digest == whole


def test_the_last_decision_on_an_input_counts(desk: Place) -> None:
    first, second = asked(desk, {"n": 10}, {"n": 10})
    decide(desk, first, "approve")
    decide(desk, second, "approve", "--edit", "21")

    found = desk.ask("dataset", "from-reviews")

    assert found["left"] == {"the same input was decided again later": 1}
    assert [one["expected"] for one in written(desk)] == [21]


def test_a_run_that_asked_twice_needs_the_queue_that_counts(desk: Place) -> None:
    """Which of the answers is the whole one, nobody can say."""
    [run] = asked(desk, {"n": 10, "asks": 2})
    decide(desk, run, "approve", "--edit", "1")
    decide(desk, run, "approve", "--edit", "2")

    both = desk.ask("dataset", "from-reviews")
    last = desk.ask("dataset", "from-reviews", "--queue", "last")

    assert both["cases"] == 0
    assert both["output"] is None
    assert list(both["left"].values()) == [2]
    assert last["cases"] == 1
    assert [one["expected"] for one in written(desk)] == [2]


def test_rejections_come_along_on_request_and_expect_nothing(desk: Place) -> None:
    [run] = asked(desk, {"n": 10})
    decide(desk, run, "reject", "--reason", "no such order")

    none = desk.run("dataset", "from-reviews")
    some = desk.ask("dataset", "from-reviews", "--rejected")

    assert "no decision makes a new case, and nothing was written" in none.stdout
    assert some["cases"] == 1
    [one] = written(desk)
    assert "expected" not in one
    assert one["tags"] == ["rejected"]
    assert one["provenance"]["reason"] == "no such order"


def test_an_answer_that_its_run_does_not_return_is_told(desk: Place) -> None:
    """A score compares with what the workflow returns, and not with the draft on the way."""
    [run] = asked(desk, {"n": 10, "then": 5})
    decide(desk, run, "approve")

    said = desk.run("dataset", "from-reviews")

    assert "1 of them expect another answer than their run returned" in said.stderr


def test_a_trial_makes_no_case(desk: Place) -> None:
    """It asks nobody, so there is no review of it."""
    desk.run("prove")

    found = desk.ask("dataset", "from-reviews")

    assert (found["cases"], found["left"]) == (0, {})
