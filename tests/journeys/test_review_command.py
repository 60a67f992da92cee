"""What `proveout review` promises: every verb, and the keys of `review next` on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from journeys.conftest import Place

pytestmark = pytest.mark.journey

APP = """
from proveout import Finding, review, workflow

@workflow
def answer(n: int) -> int:
    found = [Finding(title="too large", why="above the limit", blocking=True)] if n > 9 else []
    return review(n, queue="sums", findings=found, confidence=0.5).value
"""

RULES = """
[review.sums]
reasons = ["wrong sum", "too late"]
most_each = 1

[groups.leads]
people = ["ana"]
"""

PATIENCE = 30


@pytest.fixture
def place(place: Place) -> Place:
    """Return a project whose one function asks about each number."""
    place.write("app.py", APP)
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", settings + RULES)
    return place


def ask(place: Place, *numbers: int) -> list[str]:
    """Return a waiting review for each number."""
    runs = [place.ask("enqueue", "toy", "--input", str(n))["id"] for n in numbers]
    place.run("work", "--until-idle")
    lines = place.run("review", "list", "--json").stdout.splitlines()
    reviews = {one["run"]: one["id"] for one in map(json.loads, lines)}
    return [reviews[run] for run in runs]


def show(place: Place, review: str) -> Any:
    """Return a review as it stands."""
    return place.ask("review", "show", review)


def test_everything_people_do_is_a_command(place: Place) -> None:
    """Each says what it did; what cannot be done is refused with exit 3."""
    first, second = ask(place, 1, 2)

    claimed = place.run("review", "claim", first)
    enough = place.run("review", "claim", second)
    released = place.run("review", "release", first)
    escalated = place.run("review", "escalate", first, "--why", "above my limit")
    edited = place.run("review", "edit", first, "--content", "7")
    assigned = place.run("review", "assign", first, "--to", "leads")
    bare = place.run("review", "reject", second, "--reason", "no")
    coded = place.run("review", "reject", second, "--code", "wrong sum")
    late = place.run("review", "undo", second)
    snoozed = place.run("review", "snooze", first, "--for", "1 h")
    left = place.run("review", "list")

    done = (claimed, released, escalated, edited, assigned, coded, snoozed)
    assert [one.returncode for one in done] == [0] * 7, [one.stderr for one in done]
    assert (enough.returncode, "holds-enough" in enough.stderr) == (3, True)
    assert (bare.returncode, "bad-reason" in bare.stderr) == (2, True)
    assert (late.returncode, "too-late-to-undo" in late.stderr) == (3, True)
    assert "nothing waits" in left.stderr
    known = show(place, first)
    assert (known["content"], known["draft"], known["assigned_to"]) == (7, 1, "leads")
    assert known["escalated_why"] == "above my limit"
    assert show(place, second)["code"] == "wrong sum"


class Terminal:
    """`review next` on a terminal of its own."""

    def __init__(self, place: Place) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proveout", "review", "next"],
            cwd=place.folder,
            env={**os.environ, **place.environment, "TERM": "dumb"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self.said = ""

    def type(self, text: str, at: str = r"\[q\]uit") -> None:
        """Type once the terminal asks for it."""
        start = len(self.said)
        while not re.search(at, self.said[start:]):
            assert select.select([self._master], [], [], PATIENCE)[0], self.said
            self.said += os.read(self._master, 4096).decode("utf-8", "replace")
        is_key = not text.endswith("\n")
        while is_key and termios.tcgetattr(self._master)[3] & termios.ICANON:
            select.select([], [], [], 0.01)  # what is typed before it reads keys is dropped
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Return the exit code once it has ended."""
        with suppress(OSError):  # the other end is closed
            while more := os.read(self._master, 4096):
                self.said += more.decode("utf-8", "replace")
        os.close(self._master)
        return self._process.wait(PATIENCE)


def test_reviews_are_decided_with_single_keys(place: Place) -> None:
    """Approve, undo, approve, reject with one of the reasons, and leave."""
    first, second, third = ask(place, 1, 2, 30)

    terminal = Terminal(place)
    terminal.type("a")
    terminal.type("z")
    terminal.type("a")
    terminal.type("r")
    terminal.type("2\n", r"reason.*:")
    terminal.type("after the cut-off\n", r"why.*:")
    terminal.type("a")  # refused: a finding blocks
    terminal.type("q")
    code = terminal.end()

    assert code == 0, terminal.said
    assert "cannot be approved: too large" in terminal.said
    assert "2 decided" in terminal.said
    assert [show(place, one)["state"] for one in (first, second, third)] == [
        *("decided", "decided", "open"),
    ]
    rejected = show(place, second)
    assert (rejected["code"], rejected["reason"]) == ("too late", "after the cut-off")


def test_keys_are_for_terminals(place: Place) -> None:
    """A program that asks for them is told the commands instead."""
    done = place.run("review", "next")

    assert (done.returncode, "not-a-terminal" in done.stderr) == (2, True)
