"""What every command does where its answer cannot be written: it says so, and is no bug."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from journeys.conftest import PATIENCE, make_place

if TYPE_CHECKING:
    from journeys.conftest import Place

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk to fill"),
]

LABELS = """
[[prove.criteria]]
score = "accepted unedited"
floor = 0.85
target = 0.90
"""


def full(place: Place, words: str, where: str = ">/dev/full") -> subprocess.CompletedProcess[str]:
    """Run a command whose output stands on a disk that is full, or nowhere."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m proveout {words} {where}', sys.executable],
        cwd=place.folder,
        env={**os.environ, **place.environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a project that has something to say, whatever it is asked; to be copied."""
    place = make_place(tmp_path_factory.mktemp("used"))
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", f"{settings}{LABELS}")
    place.run("prove")
    place.run("enqueue", "toy", "--input", "1")
    return place


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "--version",
        "prove --help",
        "prove --again --json",
        "prove",
        "prove --plan",
        "verdict",
        "verdict --json",
        "verdict nobody --json",
        "report",
        "label --list",
        "label --list --json",
        "dataset check cases.jsonl",
        "dataset check cases.jsonl --json",
        "config check",
        "config schema",
        "explain bad-score",
        "completion bash",
        "enqueue toy --input 1 --json",
        "run 1",
        "status",
        "audit --json",
        "runs list",
        "runs list --json",
    ],
)
def test_a_full_disk_is_told_and_is_no_bug(used: Place, words: str, tmp_path: Path) -> None:
    done = full(used.copy(tmp_path), words)

    assert done.returncode == 6, done.stderr
    assert "error[no-room]: the " in done.stderr
    assert "cannot be written" in done.stderr
    assert "No space left on device" in done.stderr
    assert "fix  " in done.stderr
    assert "error[bug]" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["prove", "verdict --json", "--help"])
def test_a_closed_output_is_told_before_anything_is_done(place: Place, words: str) -> None:
    """The first file that is opened would take its place, and answers be written into it."""
    done = full(place, words, ">&-")

    assert done.returncode == 6
    assert "error[no-room]: standard output is closed" in done.stderr
    assert place.calls() == []


def test_progress_that_nobody_can_read_stops_nothing(place: Place) -> None:
    """Its disk may be full: the verdict is on standard output."""
    done = full(place, "prove --json", "2>/dev/full")

    assert done.returncode == 0
    assert '"verdict": "GO"' in done.stdout


def test_what_was_decided_is_kept_though_nobody_could_read_it(place: Place) -> None:
    full(place, "prove")
    calls = len(place.calls())

    verdict = place.ask("verdict")

    assert verdict["verdict"] == "GO"
    assert len(place.calls()) == calls
