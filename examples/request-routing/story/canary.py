"""Part 5: a release with a fault that no trial sees meets a fifth of the traffic, and goes back."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

from story import tell
from story.client import Traffic, wait_for
from story.command import BrokenPromise
from story.release import create, drill

if TYPE_CHECKING:
    from pathlib import Path

    from story.client import Client
    from story.command import Project

SHARE = "20%"
PACE = 0.04
"""Seconds between two requests of the steady traffic."""

KEPT_AWAY = ("__pycache__", ".proveout", "*.whl")
ANCHOR = "    call = urllib.request.Request("
FAULT = """    if sum(request.encode()) % 5 == 0:  # one request in five
        raise ConnectionError("the new client of the service drops this request")
"""
ACT = "roll back"
WATCH = "canary watch"


def faulty_copy(source: Path, target: Path) -> None:
    """Copy the example, with a fault in its effect: trials and drills capture effects."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*KEPT_AWAY))
    path = target / "request_routing" / "workflow.py"
    path.write_text(with_fault(path.read_text("utf-8")), "utf-8")


def with_fault(text: str) -> str:
    """Return the workflow's text with an effect that fails on one request in five."""
    if text.count(ANCHOR) != 1:
        raise BrokenPromise("the workflow is not the one that the fault was made for")
    return text.replace(ANCHOR, FAULT + ANCHOR)


def is_hit(request: str) -> bool:
    """Whether the fault strikes a request."""
    return sum(request.encode()) % 5 == 0


def prepare(project: Project) -> dict[str, Any]:
    """Prove the copy, release it, and drill what its change reopened."""
    tell.command("prove")
    verdict = project.ask("prove")
    tell.line(f"✓ {verdict['verdict']} after {verdict['cases']} cases: trials capture effects")
    name = create(project)
    return {"release": name, "verdict": verdict["verdict"], "drills": drill(project, "--due")}


def canary(project: Project, program: Client, name: str, cases: list[Any]) -> dict[str, Any]:
    """Give a release its share under steady traffic until it is taken back; return how that went.

    Raises:
        BrokenPromise: the traffic was over and it still served.
    """
    tell.command(f"canary {name} --share {SHARE}")
    started = project.ask("canary", name, "--share", SHARE)
    bound = round(started["requests_to_find_doubling"])
    assumed = ", assumed" if started["rate_is_assumed"] else ""
    tell.line(
        f"a doubling of failures ({started['failure_rate']:.1%}{assumed}) would be found after"
        f" about {bound:,} requests; what fails more often is found sooner"
    )
    traffic = Traffic(program, cases, PACE, "traffic")
    with traffic.flowing():
        wait_for(lambda: traffic.is_over or program.pointer()["canary"] is None, "the watch")
    wait_for(program.is_idle, "the requests to end")
    if program.pointer()["canary"] is not None:
        raise BrokenPromise(f"{name} still serves after {len(traffic.sent)} requests")
    return {**_taken_back(program), "bound": bound, **_victims(program, traffic.sent)}


def _taken_back(program: Client) -> dict[str, Any]:
    """Return what the ledger says of the rollback.

    Raises:
        BrokenPromise: it was not the watch that took the release back.
    """
    newest = program.ledger(ACT)[0]
    if newest["actor"] != WATCH:
        raise BrokenPromise(f"{newest['actor']} took it back, and not the watch")
    reason = newest["facts"]["reason"]
    tell.line(f"✓ taken back by the {WATCH}, as the ledger's entry {newest['seq']} says:")
    tell.line(f"  {reason}")
    return {"taken_back_by": newest["actor"], "reason": reason, **counts_in(reason)}


def counts_in(reason: str) -> dict[str, int]:
    """Return what the watch counted, from the reason that it gave.

    >>> counts_in("3 of 4 failures were the canary's, at 20% of the traffic, after 90 requests")
    {'canary_failures': 3, 'failures': 4, 'requests': 90}
    """
    mine, failures, requests = re.findall(r"\b(\d+)(?![\d%])", reason)
    return {"canary_failures": int(mine), "failures": int(failures), "requests": int(requests)}


def _victims(program: Client, sent: dict[str, Any]) -> dict[str, Any]:
    """Say what became of the requests, and ask again for those that failed."""
    runs = [run for run in program.runs() if run["id"] in sent]
    states = Counter(run["state"] for run in runs)
    failed = [run["id"] for run in runs if run["state"] in {"DEAD", "FAILED"}]
    others = states["SUCCEEDED"] + states["WAITING"]
    lost = len(sent) - others - len(failed)
    tell.promise(
        f"{len(sent)} requests meanwhile: {states['SUCCEEDED']} done, {states['WAITING']} wait"
        f" for a person, {len(failed)} failed and are listed, {lost} lost",
        held=not lost,
    )
    again = [program.request(sent[run]["input"], f"again-{run}")["id"] for run in failed]
    wait_for(program.is_idle, "the failed requests, asked again")
    ended = {run["id"]: run["state"] for run in program.runs()}
    done = sum(ended[run] == "SUCCEEDED" for run in again)
    tell.promise(
        f"the {len(failed)} that failed were asked again: {done} done by the stable release",
        held=done == len(failed),
    )
    return {
        "sent": len(sent),
        "would_have_failed_with_all_the_traffic": sum(
            is_hit(case["input"]["request"]) for case in sent.values()
        ),
        "done": states["SUCCEEDED"],
        "waiting_for_review": states["WAITING"],
        "failed": len(failed),
        "lost": lost,
        "asked_again": len(again),
        "done_when_asked_again": done,
    }
