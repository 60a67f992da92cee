"""What `proveout prove` promises of answers that it has: they are not asked for again."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from doubles.stores import open_url
from proveout.adapters.system import SystemClock
from proveout.domain.experiment import OWN

if TYPE_CHECKING:
    from journeys.conftest import Place

pytestmark = pytest.mark.journey

CASES = 40

APP = """
def answer(n: int) -> int:
    with open("calls.log", "a") as log:
        log.write(f"{n}\\n")
    return n * 2 if n % 8 else 0
"""

SCORES = """
def right(result, case):
    return result == case.expected
"""

SOFT = """
def right(result, case):
    return result == case.expected or result == 0
"""

SETTINGS = """
[workflow]
name = "toy"
entry = "app:answer"
owner = "ana"

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = { calls = 3000 }
price_per_call = "0.01 USD"
wrong_go = 0.000001
wrong_no_go = 0.000001

[[prove.criteria]]
name = "right"
score = "scores:right"
floor = 0.50
target = 0.875

[[prove.criteria]]
name = "in time"
latency = "1 min"
floor = 0.90
target = 0.99
"""
"""At these error rates its second criterion stays open until all cases are tried."""


@pytest.fixture
def toy(place: Place, store_url: str) -> Place:
    """Return a project whose score stands in a module of its own, on each store in turn."""
    place.environment = {"PROVEOUT_STORE": store_url}
    place.write("app.py", APP)
    place.write("scores.py", SCORES)
    place.write("proveout.toml", SETTINGS)
    cases = (json.dumps({"input": n, "expected": n * 2}) for n in range(1, CASES + 1))
    place.write("cases.jsonl", "\n".join(cases) + "\n")
    return place


def test_an_edited_score_judges_again_and_calls_nothing(toy: Place) -> None:
    """It is another lock and another look, and everybody says why, and how many were reused."""
    first = toy.ask("prove")
    called = len(toy.calls())
    toy.write("scores.py", SOFT)
    stale = toy.run("verdict")
    plan = toy.run("prove", "--plan").stdout
    planned = toy.ask("prove", "--plan")
    audit = toy.run("audit").stdout

    done = toy.run("prove")

    second = toy.ask("verdict")
    right = [one["candidates"][0]["criteria"][0]["estimate"] for one in (first, second)]
    page = (toy.folder / ".proveout" / "reports" / "toy.html").read_text("utf-8")
    assert (called, first["calls"], "reused" in first) == (CASES, CASES, False)
    assert len(toy.calls()) == called
    assert (second["calls"], second["reused"], second["cost"]) == (0, CASES, {"usd": 0.0})
    assert (first["dataset"]["look"], second["dataset"]["look"]) == (1, 2)
    assert first["lock"] != second["lock"]
    assert first["order_seed"] != second["order_seed"]
    assert right == [pytest.approx(35 / 40), 1.0]
    assert "changed since its newest look: the source of a score" in stale.stderr
    assert f"{CASES} of {CASES} trials have an answer" in plan
    assert planned["reusable"] == CASES
    assert "the source of a score" in audit
    assert "changed since: the source of a score" in done.stderr
    assert f"0 of 3,000 calls · {CASES} reused" in done.stdout
    assert f"{CASES} trials reuse what an earlier look was answered" in done.stdout
    assert f"{CASES} answers reused" in page


def test_edited_code_is_called_again(toy: Place) -> None:
    """Whole: a change of one line may change any answer."""
    toy.ask("prove")
    toy.write("app.py", APP + "\n# another line\n")

    second = toy.ask("prove")

    assert (second["calls"], "reused" in second) == (CASES, False)
    assert Counter(Counter(toy.calls()).values()) == {2: CASES}


def test_asked_again_everything_is_called(toy: Place) -> None:
    """A second look at the same answers would be a second ticket in the same lottery."""
    toy.ask("prove")

    second = toy.ask("prove", "--again")

    assert (second["calls"], "reused" in second) == (CASES, False)
    assert len(toy.calls()) == 2 * CASES


def test_a_look_that_was_answered_is_not_drawn_a_second_time(toy: Place) -> None:
    """What the user had before has its order and its verdict: edited back, they are there."""
    first = toy.ask("prove")
    toy.write("scores.py", SOFT)
    toy.ask("prove")
    toy.write("scores.py", SCORES)

    back = toy.ask("prove")

    assert back == first


def test_repeats_are_calls_of_their_own(toy: Place) -> None:
    """Of each case one answer was there; the second is asked for, and kept apart."""
    toy.ask("prove")
    toy.write("proveout.toml", SETTINGS.replace("wrong_go", "repeats = 2\nwrong_go", 1))

    second = toy.ask("prove")
    toy.write("scores.py", SOFT)
    third = toy.ask("prove")

    assert (second["calls"], second["reused"]) == (CASES, CASES)
    assert (third["calls"], third["reused"]) == (0, 2 * CASES)
    assert Counter(Counter(toy.calls()).values()) == {2: CASES}


def test_looks_that_share_answers_are_compared_as_such(toy: Place) -> None:
    """That they do not differ says nothing of how answers vary."""
    toy.ask("prove")
    toy.write("scores.py", SOFT)
    toy.ask("prove")

    found = toy.ask("compare", "--before")

    assert found["reused"] == found["cases"] == CASES
    assert f"{CASES} of them are the same answers" in toy.run("compare", "--before").stdout


async def test_a_run_says_whose_answer_it_reuses(toy: Place, store_url: str) -> None:
    """From a trial one comes to the call that was made, and to its journal."""
    toy.ask("prove")
    toy.write("scores.py", SOFT)
    toy.run("prove")
    store = await open_url(store_url, SystemClock())
    newest = (await store.experiments("toy"))[-1]
    [trial] = await store.trials(newest.id, OWN, 0, 1)
    await store.close()

    shown = toy.run("runs", "show", trial.id).stdout
    called = toy.run("runs", "show", str(trial.origin)).stdout

    assert f"reuses  the answer of {trial.origin}" in shown
    assert "answer #1" in called
