"""`proveout audit run` and `audit since` explain what happened, through the real command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from journeys.conftest import Place

pytestmark = pytest.mark.journey

APP = """
from proveout import effect, step, workflow

@step
def read(n: int) -> int:
    if n == 13:
        raise KeyError("<script>alert(1)</script>")
    return n

@effect
def send(n: int, *, idempotency_key: str = "") -> None:
    if n == 7:
        raise ConnectionError("the help desk is gone")

@workflow
def answer(n: int) -> None:
    send(read(n))
"""


@pytest.fixture
def broken(place: Place) -> Place:
    """Runs of which one was fine, one failed within, and one failed outside."""
    place.write("app.py", APP)
    place.write("proveout.toml", '[workflow]\nname = "toy"\nentry = "app:answer"\n')
    for n in (1, 7, 13):
        place.run("enqueue", "toy", "--input", str(n))
    place.run("work", "--until-idle", "--effects", "live")
    return place


def test_an_incident_is_explained_from_the_first_trouble_to_what_is_open(
    broken: Place, tmp_path: Path
) -> None:
    """Each kind of trouble once, what it touched, what is open, and what would catch it."""
    page = tmp_path / "incident.html"

    done = broken.run("audit", "since", "1 h", "--html", str(page))

    assert done.returncode == 1
    assert "read failed" not in done.stdout  # a group is told once, by how its runs ended
    assert "DEAD: KeyError" in done.stdout
    assert "send: 1 failed" in done.stdout
    assert "proveout drill poison" in done.stdout
    assert "before" in done.stdout
    assert "work with live effects" in done.stdout
    html = page.read_text("utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_one_run_is_explained_step_by_step(broken: Place) -> None:
    """What it was asked for, what each step came to, and how it ended."""
    [dead] = [one for one in _runs(broken) if one["error"] and "desk" in one["error"]["message"]]

    found = broken.ask("audit", "run", dead["id"])

    assert found["schema"] == "incident.v1"
    assert found["first"]["what"].startswith("send failed: ConnectionError: the help desk is gone")
    assert [one["what"] for one in found["timeline"] if one["subject"] == dead["id"]][:2] == [
        "asked for",
        "read returned",
    ]
    assert [one["claim"] for one in found["lessons"]] == ["poison"]
    assert not found["closed"]


def test_what_went_well_leaves_nothing_open(broken: Place) -> None:
    """A run that succeeded exits 0, and asks nobody for anything."""
    [good] = [one for one in _runs(broken) if one["state"] == "SUCCEEDED"]

    done = broken.run("audit", "run", good["id"])

    assert done.returncode == 0
    assert "nothing went wrong" in done.stdout


def test_a_replay_that_succeeds_closes_the_incident(broken: Place) -> None:
    """Mended and run again, nobody has anything left to do."""
    broken.write("app.py", APP.replace("n == 13", "n == 14").replace("n == 7", "n == 8"))
    broken.run("runs", "replay", "--state", "DEAD")
    broken.run("work", "--until-idle")

    done = broken.run("audit", "since", "1 h")

    assert done.returncode == 0, done.stdout
    assert "Still open" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "no-such-run"), "there is no run no-such-run"),
        (("since", "yesterday-ish"), "is no moment to look back to"),
        (("since", "2999-01-01"), "is no moment to look back to"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_words(
    place: Place, arguments: tuple[str, str], said: str
) -> None:
    """An unknown run, and a moment that is none or lies ahead, are mistakes."""
    done = place.run("audit", *arguments)

    assert done.returncode == 2
    assert said in done.stderr


def _runs(place: Place) -> list[dict[str, Any]]:
    lines = place.run("runs", "list", "--json").stdout.splitlines()
    return [json.loads(line) for line in lines]
