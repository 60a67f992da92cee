"""Part 4: 200 requests over HTTP, a worker killed in the middle, people who decide."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from story import tell
from story.client import Client, Traffic, wait_for
from story.command import BrokenPromise, end

if TYPE_CHECKING:
    from collections.abc import Generator

    from story.command import Project

REQUESTS = 200
KILL_AFTER = 40
"""Effects after which a worker is killed."""

WORKERS = 2
LEASE = "3 s"
"""How long a killed worker's runs stay its own; short, so that nobody waits."""

DECIDED_SHARE = 2
"""One in so many of the open reviews is decided; the others wait on."""

RECEIVER = Path(__file__).parents[1] / "receiver.py"
HERE = re.escape("http://127.0.0.1:")
ADDRESS = re.compile(rf"console\s+({HERE}\d+)")
WELCOME = re.compile(rf"{HERE}\d+/welcome/\S+")


@contextmanager
def receiver() -> Generator[str]:
    """Give the address of the service that counts; it has ended when the block has."""
    process = subprocess.Popen(
        [sys.executable, RECEIVER], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        end(process)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A `proveout serve` that runs.

    Attributes:
        said: what it printed when it had started.
    """

    process: subprocess.Popen[bytes]
    address: str
    said: str


@contextmanager
def served(project: Project) -> Generator[Server]:
    """Serve a project while the block lasts, on a free port."""
    words = ("serve", "--port", "0", "--workers", str(WORKERS), "--concurrency", "4")
    tell.command(" ".join(words))
    before = len(_said(project.log))
    environ = {**project.environ, "PROVEOUT_LEASE": LEASE}
    with replace(project, environ=environ).start(*words) as process:

        def is_open() -> bool:
            if process.poll() is not None:
                raise BrokenPromise(f"proveout serve ended; see {tell.shown(project.log)}")
            return ADDRESS.search(_said(project.log)[before:]) is not None

        wait_for(is_open, "proveout serve")
        said = _said(project.log)[before:]
        found = ADDRESS.search(said)
        assert found is not None  # noqa: S101 - it was there a moment ago
        yield Server(process=process, address=found[1], said=said)


def _said(log: Path) -> str:
    return log.read_text("utf-8", "replace") if log.exists() else ""


def clients(project: Project, address: str) -> tuple[Client, Client]:
    """Return a program that asks for runs, and a reviewer, each with a key of their own."""
    made: list[Client] = []
    for name, role in (("demo", "operator"), ("desk", "reviewer")):
        tell.command(f"key create {name} --role {role}")
        secret = project.ask("key", "create", name, "--role", role)["secret"]
        made.append(Client(address=address, key=secret))
    return made[0], made[1]


def run_through_a_crash(
    server: Server, program: Client, desk: Client, cases: list[Any], service: str
) -> dict[str, Any]:
    """Send every case, kill a worker, decide reviews; return what came of it."""
    traffic = Traffic(program, cases, 0.0, "request")
    with traffic.flowing():
        at_kill, seconds = _kill_a_worker(server.process.pid, service)
        wait_for(lambda: traffic.is_over, "the requests to be acknowledged")
    accepted = traffic.sent
    tell.line(f"{len(accepted)} requests were acknowledged over HTTP, so they are durable")
    tell.line(
        f"meanwhile killed a worker with SIGKILL after {at_kill} effects; another was there"
        f" {seconds:.1f} s later"
    )
    wait_for(program.is_idle, "the requests to end")
    asked = desk.reviews()
    chosen = asked[: len(asked) // DECIDED_SHARE]
    edited = _decide(desk, chosen, accepted)
    tell.line(
        f"{len(asked)} unsure choices went to review; a reviewer decided {len(chosen)} of"
        f" them over HTTP, {edited} with an edit"
    )
    wait_for(program.is_idle, "the decided requests to end")
    counted = calls(service)
    return {
        **account(set(accepted), program.runs(), counted),
        "effects_at_kill": at_kill,
        "seconds_to_another_worker": round(seconds, 1),
        "reviews_asked": len(asked),
        "reviews_decided": len(chosen),
        "reviews_edited": edited,
    }


def account(accepted: set[str], runs: list[Any], counted: dict[str, int]) -> dict[str, Any]:
    """Return the runs held against what was acknowledged, and against the service's count."""
    states = Counter(run["state"] for run in runs if run["id"] in accepted)
    done = states["SUCCEEDED"]
    return {
        "accepted": len(accepted),
        "done": done,
        "waiting_for_review": states["WAITING"],
        "dead": states["DEAD"] + states["FAILED"],
        "lost": len(accepted) - done - states["WAITING"] - states["DEAD"] - states["FAILED"],
        "effect_keys": len(counted),
        "effect_calls": sum(counted.values()),
        "one_key_per_effect": len(counted) == done,
    }


def tell_account(found: dict[str, Any]) -> bool:
    """Say what came of the requests; return whether it is what was promised."""
    is_whole = not found["lost"] and not found["dead"]
    return all(
        [
            tell.promise(
                f"{found['done']} done, {found['waiting_for_review']} wait for a person,"
                f" {found['dead']} failed, {found['lost']} lost",
                held=is_whole,
            ),
            tell.promise(
                f"the service outside counted {found['effect_calls']} calls under"
                f" {found['effect_keys']} keys for {found['done']} effects",
                held=found["one_key_per_effect"],
            ),
        ]
    )


def calls(service: str) -> dict[str, int]:
    """Return how often the service saw each key."""
    with urllib.request.urlopen(service, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def _kill_a_worker(server: int, service: str) -> tuple[int, float]:
    """Kill one worker of a server; return the effects by then, and the time to another one."""
    wait_for(lambda: len(calls(service)) >= KILL_AFTER, "the first effects")
    before = workers_of(server)
    os.kill(min(before), signal.SIGKILL)
    at_kill, start = len(calls(service)), time.monotonic()
    wait_for(lambda: bool(workers_of(server) - before), "another worker")
    return at_kill, time.monotonic() - start


def workers_of(server: int) -> set[int]:
    """Return the ids of the worker processes that a server started."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,command="],  # noqa: S607 - wherever this system has it
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return workers_in(listed, server)


def workers_in(listed: str, server: int) -> set[int]:
    """Return the ids of a server's workers in what `ps` listed."""
    found: set[int] = set()
    for line in listed.splitlines():
        pid, parent, command = line.split(maxsplit=2)
        if int(parent) == server and "released_worker" in command:
            found.add(int(pid))
    return found


def _decide(desk: Client, reviews: list[Any], accepted: dict[str, Any]) -> int:
    """Answer as a person who knows the right tool would; return how many were edited."""
    edited = 0
    for review in reviews:
        right = accepted[review["run"]]["expected"]
        edited += review["content"] != right
        desk.decide(review, right)
    return edited
