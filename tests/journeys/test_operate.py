"""What the commands of the chapter `run` promise: enqueue, work, runs, review."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from journeys.conftest import Place

pytestmark = pytest.mark.journey

APP = """
import os
import time
from proveout import effect, review, step, workflow

@step
def double(n: int) -> int:
    time.sleep(float(os.environ.get("PACE", "0")))
    return n * 2

@effect
def tell(n: int, *, idempotency_key: str = "") -> None:
    with open("told.log", "a") as log:
        log.write(f"{n} {idempotency_key}\\n")

@workflow
def answer(n: int, ask: bool = False) -> int:
    twice = double(n)
    if ask:
        twice = review(twice, queue="sums").value
    tell(twice)
    return twice
"""


@pytest.fixture
def place(place: Place) -> Place:
    """Return a project of a workflow with a step, a review and an effect."""
    place.write("app.py", APP)
    return place


def told(place: Place) -> list[str]:
    """Return what the effect really did."""
    log = place.folder / "told.log"
    return log.read_text("utf-8").splitlines() if log.exists() else []


def test_a_run_that_was_acknowledged_is_worked_off(place: Place, store_url: str) -> None:
    """Enqueue is durable when it returns; work --until-idle leaves nothing queued."""
    place.environment = {"PROVEOUT_STORE": store_url}
    made = place.ask("enqueue", "toy", "--input", '{"n": 4}')

    done = place.run("work", "--until-idle", "--effects", "live")

    shown = place.ask("runs", "show", made["id"])
    assert (made["schema"], made["state"], made["created"]) == ("run.v1", "QUEUED", True)
    assert done.returncode == 0, done.stderr
    assert (shown["state"], shown["result"]) == ("SUCCEEDED", 8)
    assert [entry["name"] for entry in shown["journal"]] == ["double", "tell"]
    assert len(told(place)) == 1


def test_effects_are_captured_unless_they_are_let_live(place: Place) -> None:
    """A worker on the draft carries nothing out, and journals what it would have done."""
    made = place.ask("enqueue", "toy", "--input", '{"n": 4}')

    place.run("work", "--until-idle")

    journal = place.ask("runs", "show", made["id"])["journal"]
    assert told(place) == []
    assert journal[-1]["kind"] == "captured"
    assert json.loads(journal[-1]["arguments"]) == {"n": 8}


def test_each_input_that_is_given_becomes_a_run(place: Place) -> None:
    """None of several is dropped, and a wrong one is told."""
    inputs = ("--input", '{"n": 1}', "--input", '{"n": 2}')
    both = place.run("enqueue", "toy", *inputs, "--json")
    wrong = place.run("enqueue", "toy", "--input", '{"n": 3}', "--input", "{")

    made = [json.loads(line) for line in both.stdout.splitlines()]
    assert [one["created"] for one in made] == [True, True]
    assert len({one["id"] for one in made}) == 2
    assert wrong.returncode == 2
    assert "not valid JSON" in wrong.stderr


def test_one_key_is_one_run(place: Place) -> None:
    """The same key with the same input is known; with another input it is refused."""
    place.write("in.jsonl", '{"n": 1}\n{"n": 2}\n\n{"n": 1}\n')
    lines = place.run("enqueue", "toy", "--file", "in.jsonl", "--key", "n", "--json").stdout
    made = [json.loads(line) for line in lines.splitlines()]

    clash = place.run("enqueue", "toy", "--input", '{"n": 1, "ask": true}', "--key", "n", "--json")

    assert [one["created"] for one in made].count(True) == 2
    assert len({one["id"] for one in made}) == 2
    assert clash.returncode == 3
    assert '"key-conflict"' in clash.stdout


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"n": ', "in.jsonl:2"),
        ('{"n": NaN}', "in.jsonl:2"),
        ('{"n": "four"}', "wrong shape"),
        ("[1, 2]", "in.jsonl:2"),
        ('{"n": 1, "x": 2}', "n, ask"),
        ('{"m": 1}', "in.jsonl:2"),
    ],
)
def test_a_bad_input_names_its_line_and_what_came_before_is_durable(
    place: Place, line: str, words: str
) -> None:
    """Bad input exits 2 with line and reason, never with a traceback."""
    place.write("in.jsonl", f'{{"n": 1}}\n{line}\n')

    done = place.run("enqueue", "toy", "--file", "in.jsonl", "--key", "n")

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminated_worker_drains_and_exits_0(place: Place) -> None:
    """SIGTERM lets what is in flight finish; the rest stays queued for another worker."""
    place.environment = {"PACE": "0.3"}
    place.write("in.jsonl", "".join(f'{{"n": {n}}}\n' for n in range(40)))
    place.run("enqueue", "toy", "--file", "in.jsonl")
    process = place.start("work", "--concurrency", "4", "--effects", "live")
    while not told(place):
        assert process.poll() is None

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=20) == 0
    states = [json.loads(s)["state"] for s in _list(place)]
    assert set(states) == {"SUCCEEDED", "QUEUED"}
    assert states.count("SUCCEEDED") == len(told(place))


def _list(place: Place) -> list[str]:
    return place.run("runs", "list", "--limit", "100", "--json").stdout.splitlines()


def test_a_review_is_decided_once_for_the_content_that_was_shown(place: Place) -> None:
    """Approve, edit and reject; a second decision and a stale digest are refused."""
    runs = [place.ask("enqueue", "toy", "--input", f'{{"n": {n}, "ask": true}}') for n in (1, 2, 3)]
    place.run("work", "--until-idle", "--effects", "live")
    lines = place.run("review", "list", "--json").stdout.splitlines()
    reviews = {one["run"]: one["id"] for one in map(json.loads, lines)}
    first, second, third = (reviews[run["id"]] for run in runs)

    approved = place.run("review", "approve", first)
    edited = place.run("review", "approve", second, "--edit", "44")
    rejected = place.run("review", "reject", third, "--reason", "too large")
    twice = place.run("review", "reject", first, "--reason", "changed my mind")
    place.run("work", "--until-idle", "--effects", "live")

    assert [approved.returncode, edited.returncode, rejected.returncode] == [0, 0, 0]
    assert (twice.returncode, "already-decided" in twice.stderr) == (3, True)
    results = [place.ask("runs", "show", run["id"]) for run in runs]
    assert [one["result"] for one in results] == [2, 44, None]
    assert results[2]["state"] == "FAILED"
    assert results[2]["error"]["type"] == "Rejected"
    assert len(told(place)) == 2


def test_a_decision_on_other_content_than_was_shown_is_refused(place: Place) -> None:
    """Who approves names by its digest what they saw."""
    place.run("enqueue", "toy", "--input", '{"n": 1, "ask": true}')
    place.run("work", "--until-idle")
    review = place.ask("review", "list")

    stale = place.run("review", "approve", review["id"], "--digest", "0" * 32)

    assert stale.returncode == 3
    assert place.ask("review", "show", review["id"])["state"] == "open"


def test_one_local_run_shows_its_result_and_keeps_nothing(place: Place) -> None:
    """`proveout run` is for trying a workflow out."""
    done = place.run("run", '{"n": 21}')

    assert (done.returncode, done.stdout.strip()) == (0, "42")
    assert told(place) == []
    assert _list(place) == []


def test_a_cancelled_run_is_not_worked_on_and_stays_cancelled(place: Place) -> None:
    """Cancelling is final."""
    made = place.ask("enqueue", "toy", "--input", '{"n": 1}')
    place.run("runs", "cancel", made["id"])
    place.run("work", "--until-idle", "--effects", "live")

    again = place.run("runs", "cancel", made["id"])

    assert place.ask("runs", "show", made["id"])["state"] == "CANCELLED"
    assert again.returncode == 3
    assert told(place) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("runs", "show", "nothing"), 2),
        (("review", "show", "nothing"), 2),
        (("enqueue", "other", "--input", "1"), 2),
        (("enqueue", "toy"), 2),
        (("work", "--concurrency", "0"), 2),
        (("explain", "nothing"), 2),
        (("wrok",), 2),
    ],
)
def test_what_does_not_exist_is_an_error_with_a_fix(
    place: Place, arguments: tuple[str, ...], code: int
) -> None:
    """Every wrong use ends in an error that says how to go on, as text and as JSON."""
    done = place.run(*arguments)
    as_json = json.loads(place.run(*arguments, "--json").stdout)

    assert done.returncode == code
    assert done.stderr.startswith("error[")
    assert "Traceback" not in done.stderr
    assert as_json["error"]["code"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://localhost/x", 2),
        ("postgresql://nobody:secret@127.0.0.1:1/none", 6),
        ("sqlite:////proc/nothing/x.db", 6),
    ],
)
def test_a_store_out_of_reach_says_so_without_the_password(
    place: Place, url: str, code: int
) -> None:
    """A store that cannot be opened is worth another try, or a mended URL."""
    place.environment = {"PROVEOUT_STORE": url}

    done = place.run("runs", "list")

    assert done.returncode == code, done.stderr
    assert "secret" not in done.stderr
    assert "fix" in done.stderr


def test_outside_a_project_the_error_names_init(place: Place) -> None:
    """A newcomer in the wrong folder is told how to get into a right one."""
    (place.folder / "proveout.toml").unlink()

    done = place.run("prove")

    assert done.returncode == 2
    assert "proveout init" in done.stderr
