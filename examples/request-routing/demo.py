"""The main job on real input: prove two candidates, then run the winner through a crash.

Everything printed is measured in this run and written to `.demo/summary.json`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OUT = HERE.parent.parent / ".demo"
REQUESTS = 200
KILL_AFTER = 40
DECIDED_SHARE = 2
PATIENCE = 90.0
ENVIRONMENT = {**os.environ, "PROVEOUT_STORE": f"sqlite:///{OUT}/proveout.db"}
LEASE = "3 s"
PROVEOUT = [sys.executable, "-m", "proveout"]


def main() -> None:
    """Run the demo from an empty store."""
    OUT.mkdir(exist_ok=True)
    for old in OUT.glob("proveout.db*"):
        old.unlink()
    start = time.monotonic()
    headline("1  Prove: is the idea good enough, and worth it?")
    summary: dict[str, Any] = {"prove": prove()}
    headline("2  Run: 200 requests, durable, with a worker killed in the middle")
    with ExitStack() as stack:
        service = stack.enter_context(receiver())
        summary["run"] = run_durably(service)
    summary["seconds"] = round(time.monotonic() - start, 1)
    (OUT / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    headline("Where to look")
    print(f"  report    {shown(OUT / 'report.html')}    the verdict, for a founder")
    print(f"  figures   {shown(OUT / 'summary.json')}    measured in {summary['seconds']} s")
    print("  Next      proveout init my-workflow    then replace its steps with yours")
    lost = summary["run"]["lost"]
    sys.exit(1 if lost or not summary["run"]["one_key_per_effect"] else 0)


def prove() -> dict[str, Any]:
    """Prove both candidates; return what it took."""
    subprocess.run([*PROVEOUT, "prove"], cwd=HERE, env=ENVIRONMENT, check=True)
    verdict = ask("verdict", "--json")
    plan = ask("prove", "--plan", "--json")
    ask_text("report", "-o", str(OUT / "report.html"))
    fixed = plan["fixed_sample_calls"]
    candidates = {
        one["name"]: {
            "verdict": one["verdict"],
            "cases": one["cases"],
            "calls": one["calls"],
            "right": one["criteria"][0]["estimate"],
        }
        for one in verdict["candidates"]
    }
    calls = sum(one["calls"] for one in candidates.values())
    saved = len(candidates) * fixed - calls
    print()
    for name, one in candidates.items():
        right = f"{one['right']:.1%} right"
        print(f"  {name:10} {one['verdict']:6} after {one['cases']} cases, {right}")
    print(f"  {calls} calls in all. Read once at the same error rates, a test takes {fixed} for")
    print(f"  each candidate: {saved} calls were saved.")
    return {
        "cases": plan["cases"],
        "candidates": candidates,
        "calls": calls,
        "fixed_sample_calls_each": fixed,
        "calls_saved": saved,
        "usd": verdict["cost"]["usd"],
    }


def run_durably(service: str) -> dict[str, Any]:
    """Enqueue the requests, kill a worker, let people decide; return what came of it."""
    environment = {**ENVIRONMENT, "ROUTING_SERVICE": service, "PROVEOUT_LEASE": LEASE}
    cases = [json.loads(line) for line in (HERE / "data/cases.jsonl").open(encoding="utf-8")]
    cases = cases[:REQUESTS]
    inputs = OUT / "requests.jsonl"
    inputs.write_text("".join(json.dumps(case["input"]) + "\n" for case in cases), "utf-8")
    accepted = lines("enqueue", "request-routing", "--file", str(inputs), "--json")
    print(f"  {len(accepted)} requests are durable")

    doomed, other = (worker(environment) for _ in range(2))
    wait_for(lambda: len(calls(service)) >= KILL_AFTER, "the first effects")
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    at_kill = len(calls(service))
    print(f"  killed a worker with SIGKILL after {at_kill} effects; the other takes over its runs")
    finish(other)

    asked = lines("review", "list", "--limit", "1000", "--json")
    expected = dict(zip((run["id"] for run in accepted), cases, strict=True))
    edited = decide(asked[: len(asked) // DECIDED_SHARE], expected)
    decided = len(asked) // DECIDED_SHARE
    print(f"  {len(asked)} unsure choices went to review; decided {decided}, {edited} with an edit")
    finish(worker(environment))
    return account_for(accepted, calls(service), {"at_kill": at_kill, "decided": decided})


def account_for(
    accepted: list[Any], counted: dict[str, int], so_far: dict[str, int]
) -> dict[str, Any]:
    """Hold the runs against what the service counted."""
    states: dict[str, int] = {}
    for run in lines("runs", "list", "--limit", "10000", "--json"):
        states[run["state"]] = states.get(run["state"], 0) + 1
    done, waiting = states.get("SUCCEEDED", 0), states.get("WAITING", 0)
    lost = len(accepted) - done - waiting
    print(f"  {done} done, {waiting} wait for a person, {lost} lost")
    print(
        f"  the service outside counted {sum(counted.values())} calls"
        f" under {len(counted)} keys for {done} effects"
    )
    return {
        "accepted": len(accepted),
        "done": done,
        "waiting_for_review": waiting,
        "lost": lost,
        "effect_keys": len(counted),
        "effect_calls": sum(counted.values()),
        "one_key_per_effect": len(counted) == done,
        "effects_at_kill": so_far["at_kill"],
        "reviews_decided": so_far["decided"],
    }


def decide(reviews: list[Any], cases: dict[str, Any]) -> int:
    """Answer reviews as a person who knows the right tool would; return how many were edited."""
    edited = 0
    for review in reviews:
        right = cases[review["run"]]["expected"]
        is_right = review["content"] == right
        edited += not is_right
        edit = [] if is_right else ["--edit", json.dumps(right)]
        ask_text("review", "approve", review["id"], "--by", "demo", *edit)
    return edited


def receiver() -> Any:
    """Start the service that counts; a context that gives its address and ends it."""

    class Running:
        def __enter__(self) -> str:
            self.process = subprocess.Popen(
                [sys.executable, HERE / "receiver.py"], stdout=subprocess.PIPE, text=True
            )
            assert self.process.stdout is not None  # noqa: S101 - a pipe was asked for
            return self.process.stdout.readline().strip()

        def __exit__(self, *_: object) -> None:
            self.process.terminate()
            self.process.wait()

    return Running()


def worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a worker process that carries effects out."""
    return subprocess.Popen(
        [*PROVEOUT, "work", "--effects", "live", "--until-idle", "--concurrency", "4"],
        cwd=HERE,
        env=environment,
        stderr=(OUT / "workers.log").open("ab"),
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait until a worker found nothing left to do."""
    if process.wait(timeout=PATIENCE) != 0:
        sys.exit(f"a worker failed; see {shown(OUT / 'workers.log')}")


def calls(service: str) -> dict[str, int]:
    """Return how often the service saw each key."""
    with urllib.request.urlopen(service, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def wait_for(ready: Any, what: str) -> None:
    """Return when `ready` says so."""
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            sys.exit(f"waited {PATIENCE:g} s for {what}; see {shown(OUT / 'workers.log')}")
        time.sleep(0.02)  # noqa: TID251 - watches other processes


def ask(*arguments: str) -> Any:
    """Return the last object that a command printed."""
    return lines(*arguments)[-1]


def lines(*arguments: str) -> list[Any]:
    """Return the objects that a command printed, one a line."""
    return [json.loads(line) for line in ask_text(*arguments).splitlines()]


def ask_text(*arguments: str) -> str:
    """Return what a command printed."""
    done = subprocess.run(
        [*PROVEOUT, *arguments], cwd=HERE, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True
    )
    return done.stdout.decode()


def headline(text: str) -> None:
    """Print a headline."""
    print(f"\n{text}\n", flush=True)


def shown(path: Path) -> str:
    """Return a path as short as it can be said from here."""
    return os.path.relpath(path)


if __name__ == "__main__":
    main()
