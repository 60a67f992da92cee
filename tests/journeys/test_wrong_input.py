"""What an experiment does with what is wrong: a clear error, or a value; and nothing is lost."""

from __future__ import annotations

import json
import random  # noqa: TID251 - which moment to kill at is drawn, and told
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from journeys.conftest import Place

pytestmark = pytest.mark.journey

SCORES = """
def odd(result, case):
    return VALUE if case.value % 2 == 0 else result == case.expected
"""

RIGHT = """
import os
import time

def answer(n: int) -> int:
    with open("calls.log", "a") as log:
        log.write(f"{n}\\n")
    time.sleep(float(os.environ.get("PACE", "0")))
    return n * 2
"""

CALLS = 60
KILLS = 5
CONCURRENCY = 8


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("float('nan')", "the score scores:odd gave nan"),
        ("float('inf')", "the score scores:odd gave inf"),
        ("-0.5", "the score scores:odd gave -0.5"),
        ("1.5", "the score scores:odd gave 1.5"),
        ("'yes'", "the score scores:odd gave 'yes'"),
    ],
)
@pytest.mark.parametrize("graded", ["", "low = 0\nhigh = 1"])
def test_a_score_that_says_nothing_readable_loses_no_answer(
    place: Place, value: str, said: str, graded: str
) -> None:
    """It is no pass and no failure; mended, the same command asks nothing again."""
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace('"exact"', f'"scores:odd"\n{graded}'))
    place.write("scores.py", SCORES.replace("VALUE", value))

    broken = place.run("prove", "--json")
    called = len(place.calls())
    place.write("scores.py", SCORES.replace("VALUE", "True"))
    verdict = place.ask("prove")

    error = json.loads(broken.stdout.splitlines()[-1])["error"]
    assert broken.returncode == 2
    assert error["code"] == "bad-score"
    assert said in error["message"]
    assert verdict["verdict"] == "GO"
    assert verdict["calls_repeated"] == 0
    assert len(place.calls()) >= called > 0
    assert max(Counter(place.calls()).values()) == 1


def test_a_dataset_that_was_edited_after_the_lock_is_another_experiment(place: Place) -> None:
    """The verdict belongs to the cases it was locked on; they brought back, it stands again."""
    first = place.ask("prove")
    called = len(place.calls())
    before = (place.folder / "cases.jsonl").read_text("utf-8")
    place.write("cases.jsonl", before.replace('"expected": 2}', '"expected": 3}', 1))

    gone = place.run("verdict", "--json")
    second = place.ask("prove")
    place.write("cases.jsonl", before)
    back = place.ask("prove")

    assert gone.returncode == 2
    assert (
        "has changed since its newest look: the dataset"
        in json.loads(gone.stdout)["error"]["message"]
    )
    assert (first["dataset"]["look"], second["dataset"]["look"]) == (1, 2)
    assert first["dataset"]["digest"] != second["dataset"]["digest"]
    assert back == first
    assert len(place.calls()) == called + second["calls"]


def test_after_the_time_box_nothing_is_tried_and_the_verdict_stands(place: Place) -> None:
    """It says so each time; a person extends it in the settings, and it goes on."""
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    settings = settings.replace("0.85", "0.97").replace("0.90", "0.98")  # no verdict within it
    place.write("proveout.toml", settings.replace("10 days", "8 s"))
    place.write("app.py", RIGHT)
    place.environment = {"PACE": "1"}
    ended = place.run("prove")
    called = place.calls()
    stood = place.ask("verdict")

    again = place.run("prove")
    verdict = place.ask("prove")
    after = place.calls()
    place.environment = {}
    place.write("proveout.toml", settings)
    whole = place.ask("prove")

    assert [one.returncode for one in (ended, again)] == [5, 5]
    assert "the time box has ended: no further trials until a person extends it" in again.stdout
    assert after == called
    assert len(called) > 0
    assert (verdict["verdict"], verdict["stopped_by"]) == ("UNDECIDED", "time box")
    assert verdict["candidates"] == stood["candidates"]
    assert whole["verdict"] == "GO"
    assert max(Counter(place.calls()).values()) == 1


ASKING = """
import json
import os
import urllib.request

def answer(n: int) -> int:
    request = urllib.request.Request(os.environ["RECEIVER"], data=json.dumps(n).encode())
    with urllib.request.urlopen(request) as response:
        return json.load(response)
"""


class Counting(BaseHTTPRequestHandler):
    """Counts a call when it comes, and takes a moment to answer it."""

    asked: list[int]

    def do_POST(self) -> None:
        n = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(n)
        time.sleep(0.05)  # noqa: TID251 - a model takes its time, and the kill comes within it
        body = str(n * 2).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - part of the contract
        del format, args


class Quiet(ThreadingHTTPServer):
    """Says nothing of those who were killed while they waited for an answer."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        del request, client_address


@contextmanager
def receiver() -> Generator[tuple[str, list[int]]]:
    """Open a receiver outside of every process that is killed; yield its address and its calls."""
    asked: list[int] = []
    handler = type("Fresh", (Counting,), {"asked": asked})
    with Quiet(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            server.shutdown()
            serving.join()


def test_a_budget_of_calls_holds_whatever_is_killed(place: Place, store_url: str) -> None:
    """Calls are counted where they arrive: killed again and again, never more than were allowed."""
    seed = random.randrange(1_000_000)  # noqa: S311 - no secret
    moments = random.Random(seed)  # noqa: S311 - no secret
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    settings = settings.replace("calls = 3000", f"calls = {CALLS}")
    settings = settings.replace("0.85", "0.97").replace("0.90", "0.98")  # no verdict within it
    place.write("proveout.toml", settings)
    place.write("app.py", ASKING)
    with receiver() as (address, asked):
        place.environment = {"PROVEOUT_STORE": store_url, "RECEIVER": address}
        for _ in range(KILLS):
            before = len(asked)
            process = place.start("prove", "--json")
            while len(asked) < before + moments.randrange(1, CONCURRENCY):
                if process.poll() is not None:
                    break
            process.send_signal(signal.SIGKILL)
            process.wait()
        verdict = place.ask("prove")
        once_more = place.ask("prove")

    assert len(asked) <= CALLS, seed
    assert verdict["calls"] <= CALLS, seed
    assert (verdict["verdict"], verdict["stopped_by"]) == ("UNDECIDED", "budget"), seed
    assert len(asked) > CALLS - (KILLS + 1) * CONCURRENCY, seed
    assert verdict["calls_repeated"] <= KILLS * CONCURRENCY, seed
    assert once_more["calls"] == verdict["calls"], seed
