"""What `serve` promises: workers that come back, releases that follow the pointer, a drain."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from doubles.stores import open_url
from proveout.adapters.system import SystemClock
from proveout.domain.run import RunState
from proveout.ports.store import RunFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from journeys.site import Site
    from proveout.domain.run import Run

pytestmark = pytest.mark.journey

PATIENCE = 60.0


@contextmanager
def serving(site: Site, *options: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Serve a project on a free port while the block lasts; gives the process and its address."""
    process = subprocess.Popen(
        [site.python, "-P", "-m", "proveout", "serve", "--port", "0", *options],
        cwd=site.folder,
        env={**os.environ, **site.environment, "PROVEOUT_LEASE": "2 s", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, _address(process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)
        assert process.stderr is not None
        process.stderr.close()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"console\s+(http://[0-9.]+:\d+)", line):
            return found[1]
    raise AssertionError("serve ended before it was ready")


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the worker processes of a server, without those that try suspects."""
    done = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(process.pid)],  # noqa: S607 - procps
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line.split()[0]) for line in done.stdout.splitlines() if "worker" in line]


def until(holds: Callable[[], bool], what: str) -> None:
    """Return once `holds` does."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.05)  # noqa: TID251 - watches other processes


def runs_of(site: Site) -> list[Run]:
    """Return the runs that are no trials."""

    async def read() -> list[Run]:
        store = await open_url(site.url, SystemClock())
        try:
            return await store.runs(RunFilter(workflow="toy", limit=10_000))
        finally:
            await store.close()

    return asyncio.run(read())


def ended(site: Site) -> list[Run]:
    """Return the runs once all of them have ended."""
    found: list[Run] = []

    def all_ended() -> bool:
        found[:] = runs_of(site)
        return all(run.state.is_final for run in found)

    until(all_ended, "the end of every run")
    return found


def lives(pid: int) -> bool:
    """Whether there is a process of that id."""
    return Path(f"/proc/{pid}").exists()


def post(address: str, value: int, key: str) -> dict[str, Any]:
    """Ask for a run over HTTP."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}/api/v1/workflows/toy/runs",
        data=json.dumps(value).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def key_of(site: Site, role: str) -> str:
    """Return the secret of a fresh key."""
    secret: str = site.ask("key", "create", f"a-{role}", "--role", role)["secret"]
    return secret


def test_a_worker_that_dies_is_replaced_and_its_runs_go_on(site: Site) -> None:
    """Whoever kills a worker of `serve` finds another one, and loses no run."""
    site.promoted(2)
    key = key_of(site, "operator")

    with serving(site, "--workers", "1") as (server, address):
        until(lambda: len(workers_of(server)) == 1, "the worker")
        [doomed] = workers_of(server)
        asked = [post(address, n, key)["id"] for n in range(1, 30)]
        os.kill(doomed, signal.SIGKILL)
        asked += [post(address, n, key)["id"] for n in range(30, 41)]
        until(lambda: workers_of(server) not in ([], [doomed]), "another worker")
        runs = ended(site)

    assert {run.id for run in runs} == set(asked)
    assert {run.state for run in runs} == {RunState.SUCCEEDED}


def test_a_server_told_to_stop_drains_and_leaves_nobody_behind(site: Site) -> None:
    """SIGTERM ends requests and runs, then the process, with 0."""
    site.promoted(2)
    key = key_of(site, "operator")

    with serving(site) as (server, address):
        until(lambda: len(workers_of(server)) == 2, "the workers")
        workers = workers_of(server)
        accepted = [post(address, n, key)["id"] for n in range(1, 11)]
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=PATIENCE)

    assert code == 0
    assert [pid for pid in workers if lives(pid)] == []
    runs = runs_of(site)
    assert {run.id for run in runs} == set(accepted)
    assert not [run for run in runs if run.state is RunState.RUNNING]


def test_workers_end_with_a_server_that_is_killed(local: Site) -> None:
    """Nobody is left to supervise them; the next server starts its own."""
    local.promoted(2)

    with serving(local) as (server, _):
        until(lambda: len(workers_of(server)) == 2, "the workers")
        workers = workers_of(server)
        server.kill()
        server.wait()

    until(lambda: not [pid for pid in workers if lives(pid)], "their end")


def test_the_workers_follow_the_pointer(local: Site) -> None:
    """After a rollback the old release answers, without a restart of the server."""
    local.promoted(2)
    local.promoted(3)
    key = key_of(local, "operator")

    with serving(local, "--workers", "1") as (_, address):
        first = post(address, 5, key)["id"]
        ended(local)
        with urllib.request.urlopen(f"{address}/metrics", timeout=60) as figures:  # noqa: S310 - ours
            told = figures.read().decode()
        local.do("rollback", "--yes")
        second = post(address, 5, key)["id"]
        runs = ended(local)

    assert {run.id: run.result for run in runs} == {first: b"15", second: b"10"}
    assert 'proveout_evidence_age_seconds{claim="rollback"}' in told


def test_a_changed_draft_is_loaded_anew(local: Site) -> None:
    """Without a restart of the server, also after a change that could not be loaded."""
    local.app(2)

    with serving(local, "--workers", "1") as (server, _):
        local.do("enqueue", "toy", "--input", "5")
        before = ended(local)
        [worker] = workers_of(server)
        local.write("app.py", "this is no Python")
        until(lambda: not lives(worker), "the end of the worker that has the old code")
        local.app(3)
        local.do("enqueue", "toy", "--input", "5")
        after = ended(local)

    assert [run.result for run in before] == [b"10"]
    assert sorted(run.result or b"" for run in after) == [b"10", b"15"]


def test_a_proof_of_concept_takes_requests_from_testers_only(local: Site) -> None:
    """And past its time box from nobody; every answer says which stage it is."""
    local.do("prove")
    viewer = key_of(local, "viewer")
    operator = key_of(local, "operator")

    with serving(local) as (_, address):
        answer = post(address, 5, operator)
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(address, 5, viewer)

    assert answer["stage"] == "proof-of-concept"
    refused.value.close()
    assert refused.value.code == 403


def test_a_port_that_is_taken_is_said_to_be(local: Site) -> None:
    local.promoted(2)

    with serving(local) as (_, address):
        port = address.rpartition(":")[2]
        second = local.run("serve", "--port", port)

    assert second.returncode == 2
    assert f"port {port} is taken" in second.stderr


def test_after_a_rollback_nothing_begins_on_the_bad_release(site: Site) -> None:
    """With 1,000 runs in the queue and workers of both releases at it."""
    good = site.promoted(2)
    bad = site.promoted(3, pace=0.1)
    inputs = "".join(f"{n}\n" for n in range(1000))
    site.write("inputs.jsonl", inputs)

    with serving(site, "--workers", "1", "--concurrency", "4"):
        site.do("enqueue", "toy", "--file", "inputs.jsonl")
        until(lambda: site.ask("status")["runs"] is not None, "the first runs")
        back = site.ask("rollback", "--reason", "it is bad")
        begun = {run.id for run in runs_of(site) if run.release is not None}
        names = {one["digest"]: one["name"] for one in listed(site)}
        on_bad = {run.id for run in runs_of(site) if names.get(run.release or "") == bad}
        runs = ended(site)

    assert (back["from"], back["to"]) == (bad, good)
    assert back["seconds"] < 1
    later = {run.id for run in runs if names[run.release or ""] == bad} - on_bad
    assert later == set()
    assert len(begun) < 1000
    assert {run.state for run in runs} == {RunState.SUCCEEDED}


def listed(site: Site) -> list[dict[str, Any]]:
    """Return the releases."""
    return [json.loads(line) for line in site.do("release", "list", "--json").splitlines()]
