"""What is run again, what is kept, and what is removed: on the command line and in Python."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from proveout import Project, Refusal

if TYPE_CHECKING:
    from journeys.conftest import Place

pytestmark = pytest.mark.journey

PATIENCE = 60
"""Seconds that serving may take to do its round."""

APP = """
import os
from proveout import effect, step, workflow

@step
def read(name: str) -> str:
    if os.path.exists("broken"):
        raise ValueError(f"no mail of {name}")
    return name.upper()

@effect
def tell(text: str, *, idempotency_key: str = "") -> None:
    with open("told.log", "a") as log:
        log.write(f"{text} {idempotency_key}\\n")

@workflow
def answer(name: str, polite: bool = True) -> str:
    tell(name)
    return read(name)
"""


@pytest.fixture
def place(place: Place, store_url: str) -> Place:
    """Return a project whose step fails while a file stands in its folder, on each store."""
    place.write("app.py", APP)
    place.environment = {"PROVEOUT_STORE": store_url}
    return place


def keep_for(place: Place, retention: str, keys: str = "400 days") -> None:
    """Say in the settings for how long payloads are kept."""
    settings = (place.folder / "proveout.toml").read_text("utf-8")
    said = f'[workflow]\nretention = "{retention}"\nkeys = "{keys}"'
    place.write("proveout.toml", settings.replace("[workflow]", said))


def dead(place: Place, *names: str) -> list[str]:
    """Return runs on these inputs that are DEAD, and mend what broke them."""
    place.write("broken", "")
    made = [place.ask("enqueue", "toy", "--input", named(name))["id"] for name in names]
    work(place)
    (place.folder / "broken").unlink()
    return made


def named(name: str) -> str:
    """Return the input that holds a name."""
    return json.dumps({"name": name})


def work(place: Place) -> None:
    done = place.run("work", "--until-idle", "--effects", "live")
    assert done.returncode == 0, done.stderr


def told(place: Place) -> list[list[str]]:
    """Return what the effect was called with, and under which key."""
    return [line.split() for line in (place.folder / "told.log").read_text("utf-8").splitlines()]


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_dead_run_is_replayed_under_its_old_keys(place: Place) -> None:
    """Said beforehand, done once, and refused once it has succeeded."""
    [run] = dead(place, "ana")
    dry = place.run("runs", "replay", run, "--dry-run")

    new = place.ask("runs", "replay", run)
    same = place.ask("runs", "replay", run)
    work(place)
    over = place.run("runs", "replay", run)
    edited = place.ask("runs", "replay", run, "--input", named("bea"), "--again")
    work(place)

    assert "keys of its effects kept" in dry.stdout
    assert (new["created"], new["replays"]) == (True, run)
    assert (same["id"], same["created"]) == (new["id"], False)
    assert place.ask("runs", "show", new["id"])["result"] == "ANA"
    assert (over.returncode, "--again" in over.stderr) == (3, True)
    assert place.ask("runs", "show", edited["id"])["result"] == "BEA"
    first, second, third = told(place)
    assert first == second
    assert first[1] != third[1]


def test_dead_letters_are_replayed_by_a_filter(place: Place) -> None:
    """Those whose error says so, and never more than were asked for; a dry run does nothing."""
    runs = dead(place, "ana", "bea", "cem")
    listed = place.run("dead", "list")
    filtered = ("runs", "replay", "--state", "DEAD", "--error", "MAIL OF BEA", "--since", "1 h")

    dry = lines(place.run(*filtered, "--dry-run", "--json").stdout)
    before = place.run("runs", "list", "--state", "QUEUED", "--json").stdout
    done = lines(place.run(*filtered, "--json").stdout)
    work(place)
    rest = place.run("dead", "replay", "--all")
    few = place.run("runs", "replay", "--state", "DEAD", "--limit", "2")
    none = place.run("runs", "replay", "--state", "DEAD", "--error", "no such words")

    assert "no mail of bea" in listed.stdout
    assert [(one["run"], one["would"], one["keeps_keys"]) for one in dry] == [
        (runs[1], "replay", True)
    ]
    assert before == ""
    assert [one["replays"] for one in done] == [runs[1]]
    assert "2 of 3 runs are replayed" in rest.stdout
    assert "SUCCEEDED" in rest.stderr
    assert "more match" in few.stderr
    assert (none.returncode, "nothing matches" in none.stderr) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("runs", "replay"), 2, "give either runs or a filter"),
        (("runs", "replay", "RUN", "--state", "DEAD"), 2, "give either runs or a filter"),
        (("runs", "replay", "--state", "DEAD", "--input", "1"), 2, "--input is for one run"),
        (("runs", "replay", "--since", "yesterday"), 2, "no moment and no time ago"),
        (("runs", "replay", "RUN", "--release", "r9"), 2, 'there is no release "r9"'),
        (("runs", "replay", "RUN", "--input", "7"), 2, "must be an object"),
        (("runs", "erase", "RUN", "--reason", "asked"), 2, "cannot be undone"),
        (("runs", "prune"), 2, 'retention = "90 days"'),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(
    place: Place, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """With what to do instead, and without anything being written."""
    [run] = dead(place, "ana")

    done = place.run(*(run if word == "RUN" else word for word in arguments))

    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert len(lines(place.run("runs", "list", "--json").stdout)) == 1


def test_a_replay_on_the_draft_is_pinned_to_it(place: Place) -> None:
    """Its release is set before any worker claims it."""
    [run] = dead(place, "ana")

    new = place.ask("runs", "replay", run, "--release", "draft")
    work(place)

    assert place.ask("runs", "show", new["id"])["result"] == "ANA"


def test_payloads_are_pruned_by_the_settings_and_keys_stay(place: Place) -> None:
    """Every command still works on what is left, and the key is still known."""
    [run] = dead(place, "ana")
    made = place.ask("enqueue", "toy", "--input", named("cem"), "--key", "name")
    work(place)
    keep_for(place, "1 ms")

    pruned = place.ask("runs", "prune")
    again = place.ask("runs", "prune")
    shown = place.run("runs", "show", run)
    as_json = place.ask("runs", "show", run)
    listed = place.run("dead", "list")
    same = place.ask("enqueue", "toy", "--input", named("cem"), "--key", "name")
    refused = place.run("runs", "replay", run)

    assert (pruned["pruned"], again["pruned"]) == (2, 0)
    assert "pruned on" in shown.stdout
    assert (as_json["input"], as_json["result"], bool(as_json["pruned_at"])) == (None, None, True)
    assert [one["arguments"] for one in as_json["journal"]] == ["", ""]
    assert "pruned on" in listed.stdout
    assert "ana" not in shown.stdout + json.dumps(as_json) + listed.stdout
    assert (same["id"], same["created"]) == (made["id"], False)
    assert (refused.returncode, "was pruned on" in refused.stderr) == (3, True)


def test_a_run_is_erased_on_request_and_the_ledger_keeps_that(place: Place) -> None:
    """Who, why and digests; never what it was about."""
    [run] = dead(place, "ana")
    copy = place.ask("runs", "replay", run)["id"]

    done = place.run("runs", "erase", run, "--reason", "asked to", "--yes")
    going = place.run("runs", "erase", copy, "--reason", "asked to", "--yes")
    ledger = place.run("ledger", "show").stdout
    verified = place.run("ledger", "verify")

    assert done.returncode == 0, done.stderr
    assert copy in done.stderr
    assert (going.returncode, "QUEUED" in going.stderr) == (3, True)
    assert f"erase {run}" in " ".join(ledger.split())
    assert verified.returncode == 0, verified.stderr
    assert place.ask("runs", "show", run)["pruned_at"]


def test_serving_prunes_by_itself(place: Place) -> None:
    """Nobody has to think of it."""
    [run] = dead(place, "ana")
    keep_for(place, "1 ms")

    server = place.start("serve", "--port", "0", "--workers", "1")
    try:
        end = time.monotonic() + PATIENCE
        while not place.ask("runs", "show", run)["pruned_at"]:
            assert server.poll() is None
            assert time.monotonic() < end
    finally:
        server.send_signal(signal.SIGTERM)

    assert server.wait(timeout=PATIENCE) == 0


async def test_a_program_replays(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the command line: once at a time, on the same input or another."""
    [run] = dead(place, "ana")
    monkeypatch.setenv("PROVEOUT_STORE", place.environment["PROVEOUT_STORE"])
    monkeypatch.chdir(place.folder)

    async with Project.open(place.folder / "proveout.toml") as project:
        new = await project.replay(run)
        same = await project.replay(run)
        with pytest.raises(Refusal, match=new.id):
            await project.replay(run, value={"name": "bea"})

    assert (new.origin, same.id) == (run, new.id)
