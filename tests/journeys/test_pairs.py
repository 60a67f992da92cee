"""Two candidates of an experiment on the real command line: leading, and being compared."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from journeys.conftest import Place

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
floor = 0.50
target = 0.60

[[prove.criteria]]
name = "beats the vendor"
score = "right"
lead_over = "vendor"
variance_guess = 0.2
floor = 0.0
target = 0.08

[prove.candidates.vendor]
entry = "app:vendor"
"""


@pytest.fixture
def pair(place: Place) -> Place:
    """Return a project of a workflow and of a vendor's that is worse and at times silent."""
    place.write("app.py", PAIR)
    place.write("proveout.toml", SETTINGS)
    return place


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
    change(pair, "calls = 3000", "calls = 70")
    short = pair.ask("prove")

    change(pair, "calls = 70", "calls = 3000")
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
    change(pair, "target = 0.08", "target = 0.60")

    done = pair.run("prove")

    assert done.returncode == 1
    assert "beats the vendor: a lead of 60 pt over vendor is ruled out" in done.stdout
