"""What `proveout prove` promises to whoever calls it, kills it or calls it again."""

from __future__ import annotations

import json
import random  # noqa: TID251 - seeded moments to kill at, printed with a failure
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from journeys.conftest import Place

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.journey

KILLS = 10
CONCURRENCY = 8


def test_an_experiment_ends_with_its_verdict_and_calls_nothing_a_second_time(place: Place) -> None:
    """GO exits 0; the same lock again prints the stored verdict without a call."""
    first = place.run("prove", "--json")
    calls = place.calls()

    again = place.run("prove", "--json")

    assert first.returncode == 0, first.stderr
    assert again.stdout == first.stdout
    assert place.calls() == calls


def test_a_worse_workflow_is_a_no_go_and_exits_1(place: Place) -> None:
    """NO-GO is an answer, not an error."""
    place.write("app.py", "def answer(n: int) -> int:\n    return n * 2 if n % 3 else 0\n")

    done = place.run("prove", "--json")

    assert done.returncode == 1
    assert place.ask("verdict")["verdict"] == "NO-GO"


def test_a_budget_too_small_leaves_it_undecided_and_more_budget_goes_on(place: Place) -> None:
    """UNDECIDED exits 5; the lock does not cover the budget, so nothing is called twice."""
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace("calls = 3000", "calls = 12"))
    short = place.run("prove", "--json")
    stopped_by = place.ask("verdict")["stopped_by"]

    place.write("proveout.toml", settings)
    whole = place.run("prove", "--json")

    assert (short.returncode, stopped_by) == (5, "budget")
    assert whole.returncode == 0
    assert max(Counter(place.calls()).values()) == 1


def test_a_verdict_is_the_same_whatever_the_concurrency(place: Place, tmp_path: Path) -> None:
    """The completed prefix of the recorded order decides, not who finished first.

    Each goes on from a copy of one experiment whose order was drawn.
    """
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace("calls = 3000", "calls = 1"))
    place.run("prove")
    found: set[str] = set()
    for concurrency in (1, 3, 16):
        copy = Place(tmp_path / str(concurrency))
        shutil.copytree(place.folder, copy.folder)
        copy.write("proveout.toml", settings.replace("[[", f"concurrency = {concurrency}\n\n[[", 1))
        verdict = copy.ask("prove")
        assert len(copy.calls()) >= verdict["cases"]
        told = [verdict[word] for word in ("verdict", "cases", "order_seed")]
        found.add(json.dumps([*told, verdict["candidates"][0]["criteria"]]))

    assert len(found) == 1


@pytest.mark.parametrize(
    "words", [("verdict",), ("verdict", "--json"), ("verdict", "nobody", "--json")]
)
def test_a_reader_who_goes_away_is_no_bug(place: Place, words: tuple[str, ...]) -> None:
    """As in `proveout … | head -1`: nothing more is said, and exit code 141 tells why."""
    place.run("prove")
    process = subprocess.Popen(
        [sys.executable, "-m", "proveout", *words],
        cwd=place.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()

    _, said = process.communicate(timeout=60)

    assert (process.returncode, said) == (141, b"")


def test_killed_at_random_moments_it_goes_on_where_it_was(place: Place, store_url: str) -> None:
    """No journaled case is called again, and the totals account for every call."""
    seed = random.randrange(1_000_000)  # noqa: S311 - no secret
    moments = random.Random(seed)  # noqa: S311 - no secret
    place.environment = {"PROVEOUT_STORE": store_url, "PACE": "0.06"}
    repeats_before = 0
    for _ in range(KILLS):
        process = place.start("prove", "--json")
        time.sleep(moments.uniform(0.3, 1.0))  # noqa: TID251 - the moment to kill at is drawn
        process.send_signal(signal.SIGKILL)
        process.wait()
        counted = Counter(place.calls())
        repeats = sum(counted.values()) - len(counted)
        assert repeats - repeats_before <= CONCURRENCY, seed
        repeats_before = repeats

    place.environment["PACE"] = "0"
    verdict = place.ask("prove")

    counted = Counter(place.calls())
    really_called, repeated = sum(counted.values()), sum(counted.values()) - len(counted)
    assert verdict["verdict"] == "GO", seed
    assert verdict["calls"] >= really_called, seed
    assert verdict["calls"] - verdict["calls_repeated"] >= len(counted), seed
    assert repeated <= verdict["calls_repeated"] <= KILLS * CONCURRENCY, seed
    assert verdict["calls"] <= really_called + KILLS * CONCURRENCY, seed


def test_a_second_process_is_turned_away_while_the_first_one_proves(place: Place) -> None:
    """Two processes never spend one budget twice."""
    place.environment = {"PACE": "0.2"}
    first = place.start("prove", "--json")
    try:
        while not place.calls():
            assert first.poll() is None
        second = place.run("prove", "--json")
    finally:
        first.kill()
        first.wait()

    assert second.returncode == 3
    assert '"experiment-taken"' in second.stdout


def test_ctrl_c_keeps_what_was_found_and_names_how_to_go_on(place: Place) -> None:
    """An interrupted experiment exits 130 and loses no answer."""
    place.environment = {"PACE": "0.1"}
    process = place.start("prove")
    while len(place.calls()) < CONCURRENCY:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    code = process.wait(timeout=20)
    interrupted = len(place.calls())

    place.environment = {}
    verdict = place.ask("prove")

    assert code == 130
    assert verdict["calls"] == len(place.calls()) > interrupted
    assert verdict["calls_repeated"] == 0


def test_another_look_draws_a_fresh_order(place: Place) -> None:
    """`--again` is a new look at the same cases, and says so."""
    first = place.ask("prove")
    second = place.ask("prove", "--again")

    assert (first["dataset"]["look"], second["dataset"]["look"]) == (1, 2)
    assert first["order_seed"] != second["order_seed"]


def test_future_traffic_reads_only_cases_never_run_before(place: Place) -> None:
    """Cases whose results were shown cannot speak for the future; when none is left, it refuses."""
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    first = place.ask("prove")
    place.write("proveout.toml", settings.replace("[[", 'claim = "future traffic"\n\n[[', 1))
    seen = set(place.calls())

    place.run("prove", "--json")

    assert first["claim"] == "these cases"
    assert not seen & set(place.calls()[len(seen) :])

    lines = (place.folder / "cases.jsonl").read_text("utf-8").splitlines()
    place.write("cases.jsonl", "\n".join(lines[n - 1] for n in sorted(seen)))
    refused = place.run("prove", "--json")
    assert refused.returncode == 3
    assert '"no-fresh-cases"' in refused.stdout


def test_a_pipeline_gets_annotations_and_a_junit_file(place: Place) -> None:
    """Beside the exit code; the last object on standard output is the verdict all the same."""
    done = place.run("prove", "--ci", "--json")

    first, last = done.stdout.splitlines()
    assert done.returncode == 0
    assert first.startswith("::notice title=")
    assert json.loads(last)["schema"] == "verdict.v1"
    [report] = (place.folder / ".proveout" / "reports").glob("*.xml")
    assert str(report.relative_to(place.folder)) in done.stderr
    assert b'failures="0"' in report.read_bytes()


def test_repeats_of_a_case_are_one_observation(place: Place) -> None:
    """Each case is called so many times, and its mean counts once; killed, nothing is lost."""
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace("[[", "repeats = 3\n\n[[", 1))
    place.environment = {"PACE": "0.05"}
    process = place.start("prove", "--json")
    while len(place.calls()) < 2 * CONCURRENCY:
        assert process.poll() is None
    process.kill()
    process.wait()
    place.environment = {}

    verdict = place.ask("prove")

    [criterion] = verdict["candidates"][0]["criteria"]
    once = verdict["calls"] - verdict["calls_repeated"]
    counts = Counter(place.calls())
    assert (verdict["verdict"], criterion["decided_at"]) == ("GO", verdict["cases"])
    assert once >= 3 * verdict["cases"]
    assert sum(count >= 3 for count in counts.values()) >= verdict["cases"]
    assert "sources" not in criterion


def test_cases_that_share_a_source_are_judged_by_source(place: Place) -> None:
    """Both means and the design effect are told, in JSON, on the terminal and in the report."""
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace("[[", 'claim = "future traffic"\n\n[[', 1))
    lines = map(json.loads, (place.folder / "cases.jsonl").read_text("utf-8").splitlines())
    shared = [{**line, "cluster": f"sender {n // 3}"} for n, line in enumerate(lines)]
    shared[0]["expected"] = "nothing that it says"
    place.write("cases.jsonl", "".join(f"{json.dumps(one)}\n" for one in shared))

    verdict = place.ask("prove")
    said = place.run("verdict").stdout
    place.run("report", "-o", "report.html")

    [criterion] = verdict["candidates"][0]["criteria"]
    sources = criterion["sources"]
    assert verdict["cases"] == 3 * sources["sources"]
    assert sources["per_request"] == pytest.approx(sources["per_source"])
    assert criterion["estimate"] == pytest.approx(sources["per_request"])
    assert f"{sources['sources']} sources: " in said
    report = (place.folder / "report.html").read_text("utf-8")
    assert f"Its cases share {sources['sources']} sources" in report


def test_a_workflow_that_fails_on_every_case_is_told_with_its_error(place: Place) -> None:
    """Crashes are values; the founder sees the first one, not only a NO-GO."""
    place.write("app.py", "def answer(n: int) -> int:\n    raise OSError('no model here')\n")

    done = place.run("prove")

    assert done.returncode == 1
    assert "no model here" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("floor = 0.85", "flor = 0.85", 14, "flor"),
        ('time_box = "10 days"', 'time_box = "10 parsecs"', 8, "parsecs"),
        ('"cases.jsonl"', '"nothing.jsonl"', 7, "nothing.jsonl"),
        ("target = 0.90", "", None, "target"),
        ("target = 0.90", "target = 0.80", 15, "floor"),
        ("floor = 0.85", "floor = nan", 14, "floor"),
        ("[workflow]", "[workflow", 2, ""),
    ],
)
def test_a_mistake_in_the_settings_names_its_line_and_its_mend(
    place: Place, old: str, new: str, line: int | None, words: str
) -> None:
    """Wrong settings exit 2 with file, line, reason and fix, and nothing is called."""
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace(old, new, 1))

    done = place.run("prove")

    assert done.returncode == 2
    assert "error[settings]" in done.stderr
    assert "fix" in done.stderr
    assert words in done.stderr
    assert line is None or f"proveout.toml:{line}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not place.calls()


def test_a_broken_case_names_its_line_and_nothing_is_lost(place: Place) -> None:
    """A dataset that no longer parses is refused; mended, the experiment goes on."""
    good = (place.folder / "cases.jsonl").read_text("utf-8")
    place.environment = {"PACE": "0.05"}
    process = place.start("prove")
    while len(place.calls()) < CONCURRENCY:
        assert process.poll() is None
    process.kill()
    process.wait()
    place.environment = {}
    lines = good.splitlines()
    place.write("cases.jsonl", "\n".join([*lines[:6], '{"input": 7,', *lines[7:]]))

    broken = place.run("prove")
    place.write("cases.jsonl", good)
    verdict = place.ask("prove")

    assert broken.returncode == 2
    assert "cases.jsonl:7" in broken.stderr
    assert verdict["verdict"] == "GO"
    assert verdict["calls"] >= len(place.calls())


def test_cases_of_another_tool_become_a_dataset(place: Place) -> None:
    """Imported, checked, proved; what does not come along is said, and nothing is overwritten."""
    records = [
        {"inputs": n, "expected_output": n * 2, "evaluators": ["EqualsExpected"]}
        for n in range(1, 61)
    ]
    place.write("evals.json", json.dumps({"cases": records}))

    over = place.run("dataset", "import", "evals.json")
    done = place.run("dataset", "import", "evals.json", "-o", "imported.jsonl")
    checked = place.ask("dataset", "check", "imported.jsonl")
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings.replace("cases.jsonl", "imported.jsonl"))

    assert (over.returncode, done.returncode) == (3, 0)
    assert "60 cases of pydantic-evals" in done.stdout
    assert "left behind: 60 x evaluators of a case" in done.stderr
    assert (checked["schema"], checked["cases"], checked["expected"]) == ("dataset.v1", 60, 60)
    assert place.ask("prove")["verdict"] == "GO"
