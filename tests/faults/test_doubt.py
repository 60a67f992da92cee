"""A worker is killed between an effect's intent and its outcome: nothing is done twice unseen."""

from __future__ import annotations

import json
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from faults.conftest import PATIENCE

if TYPE_CHECKING:
    from faults.conftest import Service, Site

pytestmark = pytest.mark.faults

UNKEYED = """

@effect(unkeyed=True)
def post(n: int) -> int:
    send.function(n, 0)
    return n

@workflow
def letter(n: int) -> int:
    return post(n)
"""
"""A receiver that is told no key: the service counts what it gets by its content."""

WORK = ("work", "--effects", "live", "--until-idle")

INTENT, OUTCOME = 2, 3
"""Writes of a worker on one run; the first says in the ledger that effects are live."""


def prepare(site: Site, entry: str) -> None:
    """Let the project run that workflow, with one run waiting."""
    with (site.folder / "app.py").open("a", encoding="utf-8") as app:
        app.write(UNKEYED)
    settings = site.folder / "proveout.toml"
    settings.write_text(settings.read_text("utf-8").replace("app:answer", f"app:{entry}"), "utf-8")
    site.environment["PROVEOUT_LEASE"] = "300 ms"
    site.run("enqueue", "answers", "--input", "7")


def killed_at(site: Site, when: str, write: int) -> int:
    """Return how a worker ended that dies at one of its writes."""
    ended: int = site.start(*WORK, fate=(when, write)).wait(timeout=PATIENCE)
    return ended


def after(site: Site) -> dict[str, Any]:
    """Return the one run as it stands when another worker has nothing left to do."""
    site.run(*WORK)
    [run] = site.runs()
    return run


@pytest.mark.parametrize(
    ("when", "write", "calls"),
    [("after", INTENT, 0), ("before", OUTCOME, 1)],
    ids=["uncalled", "called"],
)
def test_an_effect_without_a_key_is_begun_once_and_then_in_doubt(
    site: Site, service: Service, when: str, write: int, calls: int
) -> None:
    """Killed just after the intent, or just before the outcome: nobody guesses which."""
    prepare(site, "letter")

    killed_by = killed_at(site, when, write)
    run = after(site)

    assert killed_by == -signal.SIGKILL
    assert run["state"] == "PARKED"
    assert run["note"].startswith("in doubt: post #1 was begun at")
    assert service.keys == Counter({"": calls} if calls else {})


@pytest.mark.parametrize(
    ("said", "result", "calls"),
    [(("--happened", "--result", "70"), 70, 1), (("--did-not-happen",), 7, 2)],
)
def test_a_person_resolves_the_doubt(
    site: Site, service: Service, said: tuple[str, ...], result: int, calls: int
) -> None:
    """What happened is not done again; what did not happen is. The ledger tells who said so."""
    prepare(site, "letter")
    assert killed_at(site, "before", OUTCOME) == -signal.SIGKILL
    parked = after(site)

    site.run("runs", "resolve", parked["id"], *said)
    run = after(site)

    assert parked["state"] == "PARKED"
    assert (run["state"], run["result"]) == ("SUCCEEDED", result)
    assert service.keys == Counter({"": calls})
    entries = map(json.loads, site.run("ledger", "show", "--json").splitlines())
    [entry] = [one for one in entries if one["act"] == "resolve effect"]
    assert entry["subject"] == parked["id"]
    assert json.loads(entry["facts"])["happened"] == (said[0] == "--happened")


def test_an_effect_with_a_key_is_attempted_again(site: Site, service: Service) -> None:
    """Negative control: without the declaration the same kill makes a second call."""
    with (site.folder / "app.py").open("a", encoding="utf-8") as app:
        app.write("\n\n@workflow\ndef keyed(n: int) -> None:\n    send(n, 0)\n")
    prepare(site, "keyed")

    killed_by = killed_at(site, "before", INTENT)
    run = after(site)

    assert killed_by == -signal.SIGKILL
    assert run["state"] == "SUCCEEDED"
    [calls] = service.keys.values()
    assert calls > 1
