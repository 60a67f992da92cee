"""The commands `enqueue` and `schedules`: who comes in, when, and how many."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from proveout.faces.project import Project
from proveout.run.enqueue import OutOfRange

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.domain.run import Run

SETTINGS = """
[workflow]
name = "answers"
entry = "app_of_enqueue:answer"
intake = 3

[[workflow.schedules]]
name = "morning"
cron = "0 6 * * *"
zone = "Europe/Berlin"
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project on SQLite."""
    (tmp_path / "app_of_enqueue.py").write_text(
        "def answer(n: int, who: str, more: str = '') -> int:\n    return n * 2\n"
    )
    (tmp_path / "proveout.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.delitem(sys.modules, "app_of_enqueue", raising=False)
    monkeypatch.delenv("PROVEOUT_STORE", raising=False)
    monkeypatch.delenv("PROVEOUT_PROJECT", raising=False)
    return tmp_path


def command(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "proveout", *arguments]
    return subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)


def enqueue(*arguments: str) -> subprocess.CompletedProcess[str]:
    return command("enqueue", "answers", *arguments)


def kept() -> list[Run]:
    async def read() -> list[Run]:
        from proveout.ports.store import RunFilter  # noqa: PLC0415 - beside its only use

        async with Project.open() as project:
            return await project.store.runs(RunFilter())

    return asyncio.run(read())


def test_runs_enter_as_the_options_say(project: Path) -> None:
    """Each line has the ordering key that its field holds; the first of a key is delayed."""
    (project / "in.jsonl").write_text('{"n": 1, "who": "ana"}\n{"n": 2, "who": "ana"}\n')

    done = enqueue(
        *("--file", "in.jsonl", "--priority", "-5"),
        *("--order-by", "who", "--delay", "10 min", "--json"),
    )

    assert done.returncode == 0, done.stderr
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["id"] for one in printed} == {one.id for one in kept()}
    assert [(one.priority, one.ordering, one.state) for one in kept()] == [
        (-5, "ana", "WAITING")
    ] * 2
    assert sorted(one.due is None for one in kept()) == [False, True]


def test_past_the_intake_limit_the_exit_code_is_6(project: Path) -> None:
    """In words that say what to do; those before are durable, and no others."""
    (project / "in.jsonl").write_text('{"n": 1, "who": "ana"}\n' * 5)

    done = enqueue("--file", "in.jsonl")

    assert done.returncode == 6
    assert "takes no more runs now: 3 wait for a worker" in done.stderr
    assert "send it again later" in done.stderr
    assert len(kept()) == 3


def test_who_is_known_and_no_tester_is_kept_out(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the API, until the settings name them."""
    for name, role in (("ana", "owner"), ("vera", "viewer")):
        words = ("user", "add", name, "--role", role, "--password-stdin")
        assert command(*words, stdin="a password long enough").returncode == 0
    monkeypatch.setenv("PROVEOUT_USER", "vera")
    wanted = ("--input", '{"n": 1, "who": "ana"}')

    refused = enqueue(*wanted, "--json")
    (project / "proveout.toml").write_text(
        SETTINGS.replace("intake = 3", 'intake = 3\ntesters = ["vera"]')
    )
    let_in = enqueue(*wanted)

    assert (refused.returncode, let_in.returncode) == (3, 0)
    assert json.loads(refused.stdout)["error"]["code"] == "not-a-tester"
    assert len(kept()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--priority", "101"), "-100<=x<=100"),
        (("--delay", "soon"), "is not a duration"),
        (("--order-by", "whose"), 'has no field "whose"'),
        (("--order-by", "more"), "an ordering key has 1 to 255 characters, not 300"),
    ],
)
def test_what_no_run_can_have_is_refused(arguments: tuple[str, str], said: str) -> None:
    """As a mistake that names the range."""
    value = {"n": 1, "who": "ana", "more": "x" * 300}

    done = enqueue("--input", json.dumps(value), *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert kept() == []


@pytest.mark.parametrize("wrong", ['{"n": 1}', "{"])
def test_of_several_inputs_the_wrong_one_is_named(wrong: str) -> None:
    """Whether it does not fit or is no JSON at all."""
    right = '{"n": 1, "who": "ana"}'

    done = enqueue("--input", right, "--input", wrong, "--input", right)

    assert done.returncode == 2
    assert "--input number 2" in done.stderr


def test_python_says_the_same() -> None:
    """A mistake names the range."""

    async def ask(**changes: Any) -> None:
        async with Project.open() as project:
            await project.enqueue("answers", {"n": 1, "who": "ana"}, **changes)

    for changes, said in (
        ({"priority": 101}, "between -100 and 100"),
        ({"ordering": ""}, "1 to 255 characters"),
        ({"delay": timedelta(seconds=-1)}, "between nothing and a century"),
    ):
        with pytest.raises(OutOfRange, match=said):
            asyncio.run(ask(**changes))
    asyncio.run(ask(delay="10 min", priority=-100, ordering="ana"))

    [run] = kept()
    assert (run.state, run.priority, run.ordering) == ("WAITING", -100, "ana")


def test_schedules_are_listed_with_their_next_tick() -> None:
    """For a person in the schedule's zone, for a program in UTC."""
    shown = command("schedules", "list").stdout
    told = json.loads(command("schedules", "list", "--json").stdout)

    assert "morning" in shown
    assert " 06:00" in shown
    assert (told["schema"], told["zone"], told["ticked_at"]) == (
        "schedule.v1",
        "Europe/Berlin",
        None,
    )
    assert told["next_at"].endswith(("04:00:00+00:00", "05:00:00+00:00"))
