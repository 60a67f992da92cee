"""What the demo tells is counted rightly, and fails where a promise did not hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from proveout.domain.bar import BAR, Profile, Trait
from proveout.faces.asked import ownership_of
from proveout.faces.cli.main import COMMANDS
from proveout.faces.settings import load
from proveout.ready.people import is_known
from proveout.release import route
from proveout.release.canary import WATCH

if TYPE_CHECKING:
    from collections.abc import Generator

    from proveout.faces.settings import Settings

canary = import_module("story.canary")
client = import_module("story.client")
command = import_module("story.command")
prove = import_module("story.prove")
release = import_module("story.release")
serve = import_module("story.serve")
tell = import_module("story.tell")

EXAMPLE = Path(__file__).parents[3] / "examples" / "request-routing"
REASON = "4 of 5 failures were the canary's, at 20% of the traffic, after 131 requests"


# The project


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the example's settings; its cases, which are downloaded, do not matter here."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cases.jsonl").write_text('{"id": "1", "input": "x", "expected": "y"}\n')
    for name in ("proveout.toml", "RUNBOOK.md"):
        shutil.copy(EXAMPLE / name, tmp_path / name)
    return load(tmp_path / "proveout.toml")


def test_the_example_needs_every_claim_of_the_bar(settings: Settings) -> None:
    """It names everybody, has a source, and serves customers: nothing is waved through."""
    asked = ownership_of(settings)

    assert all(map(is_known, asked.named.values()))
    assert settings.sources
    assert settings.production is not None
    profile = Profile(settings.production.profile)
    assert [one.name for one in BAR.claims if one.not_needed(profile, frozenset(Trait))] == []


def test_the_runbook_holds_commands_that_exist(settings: Settings) -> None:
    """An operator can paste what stands there, first the look and then the act."""
    words = ownership_of(settings).runbook

    named = [one[1] for one in words]

    assert named[0] == "status"
    assert {"halt", "resume", "rollback"} <= set(named) <= set(COMMANDS)


# Telling


@pytest.mark.parametrize("summary", ["recovery off: 5 lost; on: 0", "x " * 60])
def test_a_drill_is_told_in_80_columns(summary: str) -> None:
    """Whatever a drill says, its line fits a narrow terminal, and no word is left out."""
    text = tell.drilled("store-restart", summary, holds=True)

    assert max(map(len, text.splitlines())) <= 80
    assert text.split()[2:] == summary.split()


def test_a_drill_that_proves_nothing_is_told_apart() -> None:
    """A passed drill whose control passed too has shown nothing."""
    shown = [
        release.holds({"result": result, "control": control})
        for result, control in (("PASSED", "failed"), ("PASSED", "passed"), ("FAILED", None))
    ]

    assert shown == [True, False, False]


def test_calls_are_saved_against_a_test_that_is_read_once() -> None:
    """Both candidates would have taken the fixed number of calls."""
    criterion = {"estimate": 0.9}
    candidates = [
        {"name": "workflow", "verdict": "GO", "cases": 60, "calls": 60, "criteria": [criterion]},
        {"name": "other", "verdict": "NO-GO", "cases": 40, "calls": 40, "criteria": [criterion]},
    ]

    found = prove.figures_of(
        {"candidates": candidates, "cost": {"usd": 0.01}}, {"cases": 90, "fixed_sample_calls": 70}
    )

    assert (found["calls"], found["calls_saved"]) == (100, 40)


# Serving


def test_a_request_that_is_nowhere_is_lost() -> None:
    """Only what ended, waits or is listed as failed counts as kept."""
    runs = [
        {"id": "a", "state": "SUCCEEDED"},
        {"id": "b", "state": "WAITING"},
        {"id": "c", "state": "DEAD"},
        {"id": "foreign", "state": "SUCCEEDED"},
    ]

    kept = serve.account({"a", "b", "c"}, runs, {"key": 2})
    lost = serve.account({"a", "b", "c", "d"}, runs, {"key": 2})

    assert (kept["done"], kept["waiting_for_review"], kept["dead"], kept["lost"]) == (1, 1, 1, 0)
    assert lost["lost"] == 1


@pytest.mark.parametrize(
    ("counted", "whole"), [({"k": 1}, True), ({"k": 1, "surplus": 1}, False), ({}, False)]
)
def test_an_effect_has_one_key(
    counted: dict[str, int], whole: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key too many or too few breaks the promise, and the sign says so."""
    found = serve.account({"a"}, [{"id": "a", "state": "SUCCEEDED"}], counted)

    held = serve.tell_account(found)

    assert held is whole
    assert ("✗" in capsys.readouterr().out) is not whole


def test_workers_are_found_by_their_parent() -> None:
    """Neither another server's worker nor another child is killed for one of ours."""
    listed = """
      11    7 python -m proveout.faces.released_worker
      12    8 python -m proveout.faces.released_worker
      13    7 python -m another
      14   11 python -P -m proveout.faces.released_worker
    """

    found = serve.workers_in(listed.strip("\n").rstrip(), 7)

    assert found == {11}


def test_the_console_is_found_in_what_serve_says() -> None:
    """Its address is read, and the link by which the first owner comes in."""
    address = "http://127.0.0.1:8484"
    said = f"  ! no owner  {address}/welcome/a-b_c\n  open it once\n  console   {address}   ^C\n"

    console, welcome = serve.ADDRESS.search(said), serve.WELCOME.search(said)

    assert console is not None
    assert console[1] == address
    assert welcome is not None
    assert welcome[0] == f"{address}/welcome/a-b_c"
    assert serve.ADDRESS.search(f"console {address.replace('.', '-')}") is None


def test_the_service_outside_counts_by_key_and_is_gone_afterwards() -> None:
    """A repeated call is another call under the same key; no process stays behind."""
    with serve.receiver() as service:
        for key in ("a", "b", "a"):
            posted = urllib.request.Request(  # noqa: S310 - loopback
                service, data=b"tool", headers={"Idempotency-Key": key}
            )
            urllib.request.urlopen(posted, timeout=10).close()  # noqa: S310 - loopback

        counted = serve.calls(service)

    assert counted == {"a": 2, "b": 1}
    with pytest.raises(OSError, match="refused"):
        serve.calls(service)


# The client


@contextmanager
def answering(status: int, body: object) -> Generator[tuple[str, list[str]]]:
    """Give the address of a server that answers everything alike, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers["Idempotency-Key"])
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_steady_traffic_sends_each_input_once() -> None:
    """Each request has a name of its own, so that a repeated one would be the same run."""
    cases = [{"input": "x"}, {"input": "y"}]
    with answering(202, {"id": "run"}) as (address, asked):
        traffic = client.Traffic(client.Client(address=address, key="k"), cases, 0.0, "t")

        with traffic.flowing():
            client.wait_for(lambda: traffic.is_over, "the traffic", 10.0)

    assert asked == ["t-0", "t-1"]
    assert traffic.sent == {"run": {"input": "y"}}


def test_traffic_that_is_refused_is_no_success() -> None:
    """What went wrong in the thread is raised where the traffic ends."""
    with answering(403, {"code": "no-right"}) as (address, _):
        traffic = client.Traffic(
            client.Client(address=address, key="k"), [{"input": "x"}], 0.0, "t"
        )

        with pytest.raises(command.BrokenPromise, match=r"403.*no-right"), traffic.flowing():
            client.wait_for(lambda: traffic.is_over, "the traffic", 10.0)


def test_what_never_happens_is_a_broken_promise() -> None:
    """Waiting ends, and says for what."""
    with pytest.raises(command.BrokenPromise, match="for a miracle"):
        client.wait_for(lambda: False, "a miracle", 0.0)


def test_a_key_is_not_printed() -> None:
    """A client in a traceback keeps its secret."""
    shown = repr(client.Client(address="http://127.0.0.1:1", key="pk_secret"))

    assert "secret" not in shown


# The command


def project_in(folder: Path) -> Any:
    """Return a project that is none yet."""
    return command.Project(folder=folder, environ=dict(os.environ), log=folder / "log")


def test_a_command_speaks_in_objects(tmp_path: Path) -> None:
    """Each line that a command prints with --json is one object."""
    found = list(project_in(tmp_path).stream("drill", "--list"))

    assert [one["drill"] for one in found] == [one.name for one in BAR.claims]


def test_a_command_that_fails_breaks_the_promise(tmp_path: Path) -> None:
    """The demo does not go on as if it had worked; the command's own words are in the log."""
    project = project_in(tmp_path)

    with pytest.raises(command.BrokenPromise, match="proveout verdict exited with 2"):
        project.text("verdict")

    assert "error[no-project]" in project.log.read_text("utf-8")


def test_a_process_that_does_not_listen_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told first, then killed: nothing of the demo is left running."""
    monkeypatch.setattr(command, "LEAVING", 0.2)
    deaf = "import signal; signal.signal(2, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    process = subprocess.Popen(
        [sys.executable, "-c", deaf], stdout=subprocess.PIPE, cwd=tmp_path, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()

    command.end(process)

    assert process.returncode == -9


# The canary


def test_the_fault_strikes_where_it_is_said_to(tmp_path: Path) -> None:
    """What the demo counts as struck is what the faulty effect drops: about one in five."""
    requests = [f"request {n}" for n in range(500)]
    path = tmp_path / "faulty_effect.py"
    path.write_text(f"def dispatch(request):\n{canary.FAULT}", "utf-8")
    spec = spec_from_file_location("faulty_effect", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)

    struck = [one for one in requests if drops(module.dispatch, one)]

    assert struck == [one for one in requests if canary.is_hit(one)]
    assert 0.15 < len(struck) / len(requests) < 0.25


def drops(dispatch: Any, request: str) -> bool:
    """Return whether the effect fails on a request."""
    try:
        dispatch(request)
    except ConnectionError:
        return True
    return False


def test_only_the_effect_of_the_copy_changes(tmp_path: Path) -> None:
    """The copy holds what a project needs; the steps that trials call are as they were."""
    canary.faulty_copy(EXAMPLE, tmp_path / "copy")

    workflow = Path("request_routing") / "workflow.py"
    before = (EXAMPLE / workflow).read_text("utf-8")
    after = (tmp_path / "copy" / workflow).read_text("utf-8")
    assert after.replace(canary.FAULT, "") == before != after
    assert before.partition("@effect")[0] == after.partition("@effect")[0]
    assert not list((tmp_path / "copy").rglob("*.whl"))


def test_a_workflow_that_changed_gets_no_fault() -> None:
    """A fault that was put nowhere would make the canary look better than it is."""
    with pytest.raises(command.BrokenPromise, match="not the one"):
        canary.with_fault("def dispatch(): ...")


def test_the_watch_s_own_words_are_read() -> None:
    """The figures of the summary are those in the ledger, under its names."""
    found = canary.counts_in(REASON)

    assert found == {"canary_failures": 4, "failures": 5, "requests": 131}
    assert (canary.ACT, canary.WATCH) == (route.ROLL_BACK, WATCH)
