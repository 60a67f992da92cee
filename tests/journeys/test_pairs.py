"""Two candidates of an experiment on the real command line: leading, and being compared."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from journeys.conftest import Place, make_place

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.journey

PAIR = """
import hashlib
import os
import time

def chance(*of):
    return int.from_bytes(hashlib.sha256(repr(of).encode()).digest()[:7], "big") / 2**56

def called(who, n):
    with open("calls.log", "a") as log:
        log.write(f"{who} {n}\\n")
    time.sleep(float(os.environ.get(f"PACE_{who}", os.environ.get("PACE", "0"))))

def answer(n: int) -> str:
    called("workflow", n)
    team = "shipping" if chance("own", n) < 0.93 else "billing"
    return f"Mail {n} belongs to {team}: it asks where a parcel is"

def vendor(n: int) -> str:
    called("vendor", n)
    if chance("lost", n) < 0.03:
        raise TimeoutError("no answer in 30 s")
    team = "shipping" if chance("vendor", n) < 0.80 else "the [b]returns[/b] desk"
    return f"Mail {n} goes to {team}: it asks where a parcel is"

def right(result, case):
    return "shipping" in result
"""

# In any order the vendor is judged by 44 cases, and the lead by no fewer than 111: seen in 300.
SETTINGS = """
[workflow]
name = "toy"
entry = "app:answer"

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = { calls = 3000 }

[[prove.criteria]]
name = "right"
score = "right"
floor = 0.40
target = 0.50

[[prove.criteria]]
name = "beats the vendor"
score = "right"
lead_over = "vendor"
variance_guess = 0.2
floor = 0.0
target = 0.005

[prove.candidates.vendor]
entry = "app:vendor"
"""


@pytest.fixture
def pair(place: Place) -> Place:
    """Return a project of a workflow and of a vendor's that is worse and at times silent."""
    return with_vendor(place)


def with_vendor(place: Place) -> Place:
    place.write("app.py", PAIR)
    place.write("proveout.toml", SETTINGS)
    return place


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return such a project with a few trials; nobody may change it."""
    pair = with_vendor(make_place(tmp_path_factory.mktemp("tried")))
    change(pair, "calls = 3000", "calls = 8")
    pair.run("prove", "--json")
    return pair


def change(pair: Place, old: str, new: str) -> None:
    settings = (pair.folder / "proveout.toml").read_text("utf-8")
    assert old in settings
    pair.write("proveout.toml", settings.replace(old, new, 1))


def calls(pair: Place) -> Counter[str]:
    """Return how often each candidate was really called with each input."""
    return Counter((pair.folder / "calls.log").read_text("utf-8").splitlines())


def criteria(verdict: dict[str, Any], candidate: int) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in verdict["candidates"][candidate]["criteria"]}


def test_both_go_on_until_the_lead_is_decided(pair: Place) -> None:
    """The vendor's own verdict falls long before; it is judged by its own criterion alone."""
    verdict = pair.ask("prove")

    own, other = criteria(verdict, 0), criteria(verdict, 1)
    lead, vendor = own["beats the vendor"], verdict["candidates"][1]
    tried = Counter(line.split()[0] for line in calls(pair).elements())
    assert (verdict["verdict"], lead["status"], lead["lead_over"]) == ("GO", "met", "vendor")
    assert (vendor["verdict"], list(other)) == ("GO", ["right"])
    assert vendor["cases"] < lead["decided_at"] == verdict["cases"]
    assert tried["vendor"] >= lead["decided_at"]
    assert (verdict["calls"], vendor["calls"]) == (tried["workflow"], tried["vendor"])
    assert max(calls(pair).values()) == 1


def test_a_lead_is_told_in_plain_words_wherever_a_verdict_is(pair: Place) -> None:
    """How far ahead, and how sure; in the forecast, too, it counts for each candidate."""
    first = pair.run("prove")
    said = pair.run("verdict").stdout
    pair.run("report", "-o", "report.html")
    report = (pair.folder / "report.html").read_text("utf-8")

    assert first.returncode == 0, first.stderr
    assert "calls for each candidate" in first.stderr
    [line] = [one.strip() for one in said.splitlines() if "ahead of vendor" in one]
    assert "points ahead of vendor, 95% interval" in line
    assert line in report
    assert "The lead over vendor was measured case by case" in report
    assert max(map(len, said.splitlines())) <= 80


def test_a_lead_is_the_same_whoever_is_quicker(pair: Place, tmp_path: Path) -> None:
    """The common completed prefix of one order decides, under any number of workers."""
    change(pair, "calls = 3000", "calls = 1")
    pair.run("prove", "--json")
    found: set[str] = set()
    for concurrency, slow in ((1, "workflow"), (8, "workflow"), (8, "vendor"), (32, "vendor")):
        copy = Place(tmp_path / f"{slow} {concurrency}", {f"PACE_{slow}": "0.01"})
        shutil.copytree(pair.folder, copy.folder)
        change(copy, "calls = 1", f"calls = 3000 }}\nconcurrency = {concurrency} #")

        verdict = copy.ask("prove")

        judged = [(one["cases"], one["criteria"]) for one in verdict["candidates"]]
        found.add(json.dumps([verdict["verdict"], verdict["order_seed"], judged]))

    assert len(found) == 1


def test_more_budget_goes_on_with_both(pair: Place) -> None:
    """What the lead still needs of the vendor is neither called off nor called twice."""
    change(pair, "calls = 3000", "calls = 160")
    short = pair.ask("prove")

    change(pair, "calls = 160", "calls = 3000")
    whole = pair.ask("prove")

    assert (short["verdict"], short["stopped_by"]) == ("UNDECIDED", "budget")
    assert short["candidates"][1]["verdict"] == "GO"
    assert whole["verdict"] == "GO"
    assert max(calls(pair).values()) == 1
    assert whole["candidates"][1]["errors"] == short["candidates"][1]["errors"]


def test_killed_while_only_the_lead_is_open_it_goes_on(pair: Place) -> None:
    """At most the calls in flight are made a second time."""
    pair.environment = {"PACE": "0.05"}
    process = pair.start("prove", "--json")
    while not (pair.folder / "calls.log").exists() or calls(pair).total() < 60:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    pair.environment = {}

    verdict = pair.ask("prove")

    repeated = calls(pair).total() - len(calls(pair))
    assert verdict["verdict"] == "GO"
    assert repeated <= 8


def test_a_lead_that_is_ruled_out_is_a_no_go(pair: Place) -> None:
    """Good enough by itself, and yet not as far ahead as was hoped."""
    # Its lead is 15 pt: far below both, or an order of luck could make it a GO.
    change(pair, "floor = 0.0\ntarget = 0.005", "floor = 0.40\ntarget = 0.60")

    done = pair.run("prove")

    assert done.returncode == 1
    assert "beats the vendor: a lead of 60 pt over vendor is ruled out" in done.stdout


def test_compare_shows_regressions_first_and_calls_nothing(pair: Place) -> None:
    """Counts, words that differ, and the lead; nothing is called, and nothing written."""
    pair.run("prove", "--json")
    before, files = calls(pair), listed(pair)

    done = pair.run("compare", "--limit", "2")
    found = pair.ask("compare")

    assert (done.returncode, done.stderr) == (0, "")
    assert (calls(pair), listed(pair)) == (before, files)
    assert (found["schema"], found["experiment"], found["criterion"]) == (
        "compare.v1",
        "toy",
        "right",
    )
    assert (found["a"]["candidate"], found["b"]["candidate"]) == ("vendor", "workflow")
    worse, better = found["regressions"], found["improvements"]
    assert {one["a"]["score"] for one in worse} <= {1.0}
    assert {one["b"]["score"] for one in better} == {1.0}
    even = found["both_right"] + found["both_wrong"]
    assert found["cases"] == len(worse) + len(better) + even
    low, high = found["lead"]["interval"]
    assert low <= found["lead"]["estimate"] == (len(better) - len(worse)) / found["cases"] <= high
    said = done.stdout
    assert f"{len(better)} improvements  vendor wrong, workflow right" in said
    assert "{+" in said
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 80
    assert said.index("regressions") < said.index("improvements")
    if worse:
        assert said.index("Regressions") < said.index("Improvements")


def test_compare_turned_round_is_the_same_with_the_signs_changed(pair: Place) -> None:
    pair.run("prove", "--json")

    there, back = pair.ask("compare"), pair.ask("compare", "toy", "workflow", "vendor")
    by_lead = pair.ask("compare", "vendor", "--by", "beats the vendor")

    assert [one["case"] for one in there["improvements"]] == [
        one["case"] for one in back["regressions"]
    ]
    assert back["lead"]["estimate"] == pytest.approx(-there["lead"]["estimate"])
    assert by_lead["improvements"] == there["improvements"]
    kinds = [{part["kind"] for part in one["difference"]} for one in there["improvements"]]
    assert {"same", "removed", "added"} in kinds  # where the vendor answered at all


def test_compare_with_the_look_before(pair: Place) -> None:
    """What a change made worse, on the cases that both looks have tried."""
    alone = SETTINGS[: SETTINGS.index('[[prove.criteria]]\nname = "beats')]
    pair.write("proveout.toml", alone.replace("floor = 0.40\ntarget = 0.50", HARD))
    first = pair.ask("prove")
    once = pair.run("compare", "--before")
    pair.write("app.py", PAIR.replace("< 0.93", "< 0.60"))
    changed = pair.run("compare", "--before")
    second = pair.ask("prove")

    found = pair.ask("compare", "--before")
    said = pair.run("compare", "--before").stdout

    assert once.returncode == changed.returncode == 2
    assert "toy was looked at once" in once.stderr
    assert "toy has changed since its newest look: the candidates or their code" in changed.stderr
    assert first["cases"] == second["cases"] == found["cases"]
    assert (found["a"]["look"], found["b"]["look"]) == (1, 2)
    assert found["lead"]["of"] == "the cases of look 1"
    assert len(found["regressions"]) > len(found["improvements"]) == 0
    assert found["lead"]["interval"] == pytest.approx([found["lead"]["estimate"]] * 2, abs=0.1)
    assert "behind look 1" in said
    assert "[-shipping" in said

    lines = (pair.folder / "cases.jsonl").read_text("utf-8").splitlines()
    pair.write("cases.jsonl", "\n".join(lines[:150]) + "\n")
    pair.run("prove", "--json")
    other = pair.run("compare", "--before", "--json")
    assert other.returncode == 3
    assert json.loads(other.stdout)["error"]["code"] == "nothing-in-common"
    assert "at another dataset" in other.stdout


HARD = "floor = -1\ntarget = 2\nlow = -1000\nhigh = 1000"
"""A range beside which no case says anything: all are read."""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("vendo",), "not-found", 'has no candidate "vendo"'),
        (("toy", "vendo"), "not-found", "proveout compare toy vendor"),
        (("other", "vendor", "workflow"), "not-found", 'no experiment "other"'),
        (("vendor", "vendor"), "mistake", "vendor is compared with itself"),
        (("vendor", "workflow", "--before"), "mistake", "--before compares one candidate"),
        (("--by", "rihgt"), "not-found", '--by "right"'),
        (("--by", ""), "not-found", 'no criterion "" of toy reads a score'),
        (("vendor", "workflow", "vendor"), "mistake", "3 names are too many: vendor, workflow"),
        (("toy", "vendor", "workflow", "vendor"), "mistake", "4 names are too many"),
        (("vendor",) * 9, "mistake", "9 names are too many"),
        (("--before",), "not-found", "looked at once"),
        (("--limit", "-1"), "mistake", "limit"),
    ],
)
def test_a_comparison_that_cannot_be_says_what_can(
    tried: Place, arguments: tuple[str, ...], code: str, words: str
) -> None:
    """Unknown names show the nearest."""
    done = tried.run("compare", *arguments, "--json")

    error = json.loads(done.stdout)["error"]
    assert done.returncode == 2
    assert error["code"] == code
    assert words in "\n".join([error["message"], *error["fix"]])


def test_compare_before_anything_was_tried(pair: Place) -> None:
    done = pair.run("compare")

    assert done.returncode == 2
    assert "toy was not begun" in done.stderr
    assert "proveout prove toy" in done.stderr


def test_compare_without_a_rival_or_a_score(place: Place) -> None:
    """It says how to declare one, or to compare two looks."""
    place.run("prove", "--json")
    alone = place.run("compare")
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace('score = "exact"', 'latency = "4 s"'))
    place.run("prove", "--json")

    timed = place.run("compare", "--before")

    assert (alone.returncode, timed.returncode) == (2, 2)
    assert "toy has no candidate beside the workflow" in alone.stderr
    assert "proveout compare toy --before" in alone.stderr
    assert "no criterion of toy reads a score" in timed.stderr


def listed(pair: Place) -> list[tuple[str, int]]:
    """Return the files of a project with their sizes; a store's own notes aside."""
    paths = sorted(path for path in pair.folder.rglob("*") if path.is_file())
    return [(str(p), p.stat().st_size) for p in paths if not p.name.startswith("proveout.db-")]
