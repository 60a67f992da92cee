"""Candidates that are no Python, through the real command line: an address, a command, a file."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import release
from proveout.faces.asked import signal_of
from proveout.faces.project import Project
from proveout.faces.readiness_facts import tree_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from journeys.conftest import Place

pytestmark = pytest.mark.journey

SECRET = "Bearer sk-d4c3b2a1"  # noqa: S105 - nobody's

PROGRAM = """
import json, os, sys, time

with open("programs.log", "a") as log:
    log.write(f"{os.getpid()}\\n")
for line in sys.stdin:
    n = json.loads(line)
    if n % int(os.environ.get("EXITS_EVERY", "50")) == 0:
        sys.exit("no luck")
    time.sleep(float(os.environ.get("PACE", "0")))
    print(json.dumps(n * 2), flush=True)
"""


class Doubler(BaseHTTPRequestHandler):
    """Doubles, once it has turned away each case; or gives pages that show the key."""

    protocol_version = "HTTP/1.1"
    turned_away: set[int]

    def do_POST(self) -> None:
        n = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, body = 200, str(n * 2)
        if self.path == "/page":
            status, body = 502, f"<p>{self.headers['authorization']}</p>"
        elif self.path == "/html":
            body = f"<p>{self.headers['authorization']}</p>"
        elif self.path == "/twice":
            body = f'{{"n": {n}, "n": {2 * n}}}'
        elif self.path == "/double" and n not in self.turned_away:
            self.turned_away.add(n)
            status, body = 429, "later"
        self.send_response(status)
        self.send_header("Retry-After", "0.01")
        is_cut = self.path == "/cut"
        self.send_header("Content-Length", str(len(body) + 1_000 * is_cut))
        self.end_headers()
        self.wfile.write(body.encode())
        self.close_connection = is_cut

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - part of the contract
        del format, args


@contextmanager
def doubler() -> Generator[int]:
    """Open a vendor on a port of this machine for as long as the block lasts."""
    handler = type("Fresh", (Doubler,), {"turned_away": set[int]()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            serving.join()


def judge(place: Place, table: str) -> None:
    """Give the project one more candidate."""
    text = (place.folder / "proveout.toml").read_text("utf-8")
    place.write("proveout.toml", f"{text}\n[prove.candidates.vendor]\n{table}\n")


def of(verdict: Any) -> Any:
    """Return what a verdict says of the vendor."""
    return next(one for one in verdict["candidates"] if one["name"] == "vendor")


def kept(folder: Path) -> bytes:
    """Return all that the project's state holds."""
    return b"".join(path.read_bytes() for path in (folder / ".proveout").rglob("*.*"))


def endpoint(port: int, path: str) -> str:
    return (
        f'url = "http://127.0.0.1:{port}{path}"\nallow_private = ["127.0.0.1"]\n'
        'headers_env = { Authorization = "VENDOR_KEY" }'
    )


def test_an_address_is_judged_on_the_same_cases(place: Place) -> None:
    """Whoever is turned away comes again, and it is no failure, nor another call."""
    place.environment = {"VENDOR_KEY": SECRET}
    with doubler() as port:
        judge(place, endpoint(port, "/double"))
        found = of(place.ask("prove"))

    assert (found["verdict"], found["errors"]) == ("GO", 0)
    assert found["calls_repeated"] == 0


def test_an_address_that_gives_pages_is_a_no_go_and_its_key_is_not_kept(place: Place) -> None:
    """Each page is a trial without an answer, told with its status and beginning."""
    place.environment = {"VENDOR_KEY": SECRET}
    with doubler() as port:
        judge(place, endpoint(port, "/page"))
        said = place.run("prove").stdout
    found = of(place.ask("verdict"))

    state = kept(place.folder)
    assert (found["verdict"], found["errors"]) == ("NO-GO", found["cases"])
    assert b"<p>[secret]</p>" in state
    assert 'trials of vendor ended without an answer: NoAnswer: status 502, then "<p>' in said
    assert b"sk-d4c3" not in state


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/html", 'NoAnswer: no JSON; status 200, then "<p>[secret]</p>"'),
        ("/twice", 'NoAnswer: no one value: the key "n" stands twice'),
        ("/cut", "NoAnswer: no whole answer: "),
    ],
)
def test_an_answer_that_cannot_be_read_is_a_value_and_told(
    place: Place, path: str, said: str
) -> None:
    """The vendor loses, the workflow's own verdict falls all the same, and each call is kept."""
    place.environment = {"VENDOR_KEY": SECRET}
    with doubler() as port:
        judge(place, endpoint(port, path))
        verdict = place.ask("prove")
    found, shown = of(verdict), place.run("prove").stdout

    assert verdict["verdict"] == "GO"
    assert (found["verdict"], found["errors"]) == ("NO-GO", found["cases"])
    assert said in shown


@pytest.mark.parametrize(
    ("table", "code", "status"),
    [
        ('url = "http://localhost:9/"\n', "private-address", 3),
        ('url = "https://vendor.example/"\nheaders_env = { A = "UNSET" }', "not-askable", 2),
        ('command = ["./nothing"]', "not-askable", 2),
        ('answers = "cases.jsonl"', "answers", 2),
    ],
)
def test_what_cannot_be_asked_is_told_before_the_first_call(
    place: Place, table: str, code: str, status: int
) -> None:
    """A wrong wiring is no verdict on anybody."""
    judge(place, table)

    done = place.run("prove", "--json")

    assert done.returncode == status
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == code
    assert place.calls() == []


def test_a_command_is_judged_and_nothing_of_it_stays(place: Place) -> None:
    """A crash is that trial's alone; the processes end with the experiment."""
    place.write("program.py", PROGRAM)
    judge(place, f'command = ["{sys.executable}", "program.py"]')

    found = of(place.ask("prove"))

    assert found["verdict"] == "GO"
    assert running(place.folder) == {}


def test_ctrl_c_leaves_no_process_behind(place: Place) -> None:
    """Answers in flight are waited for: the interrupt is ours, and not the program's."""
    place.write("program.py", PROGRAM)
    judge(place, f'command = ["{sys.executable}", "program.py"]')
    place.environment = {"PACE": "0.5", "EXITS_EVERY": "1000"}
    process = place.start("prove")
    while not running(place.folder):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    code = process.wait(timeout=30)

    assert code == 130
    assert running(place.folder) == {}
    assert of(place.ask("verdict"))["errors"] == 0


def test_a_killed_experiment_leaves_no_process_behind(place: Place) -> None:
    """The program's input ends with whoever wrote it."""
    place.write("program.py", PROGRAM)
    judge(place, f'command = ["{sys.executable}", "program.py"]')
    place.environment = {"PACE": "0.2"}
    process = place.start("prove")
    while not running(place.folder):
        assert process.poll() is None
    process.kill()
    process.wait()

    end = time.monotonic() + 30
    while running(place.folder) and time.monotonic() < end:
        time.sleep(0.05)  # noqa: TID251 - real processes need real time

    assert running(place.folder) == {}


def running(folder: Path) -> dict[int, str]:
    """Return the processes of the program that run, each with what it waits for.

    A number alone tells too little: it may be another process's by now.
    """
    log = folder / "programs.log"
    numbers = [int(line) for line in log.read_text("utf-8").split()] if log.exists() else []
    return {one: how for one in numbers if (how := as_it_stands(Path(f"/proc/{one}"), folder))}


def as_it_stands(process: Path, folder: Path) -> str:
    """Return a process's state, its wait and its files; nothing if it has gone from `folder`."""
    try:
        if (process / "cwd").readlink() != folder:
            return ""
        state = (process / "stat").read_text("utf-8").rpartition(")")[2].split()[0]
        waits = (process / "wchan").read_text("utf-8")
        files = [str(one.readlink()) for one in (process / "fd").iterdir()]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""
    return "" if state == "Z" else f"{state} in {waits}, open: {files}"


def test_answers_of_a_file_are_exploratory_wherever_they_are_shown(place: Place) -> None:
    """Nothing is called; a case without a line is a miss; the note stands beside the verdict."""
    lines = [json.dumps({"id": str(n), "output": n * 2}) for n in range(1, 301) if n % 50]
    place.write("answers.jsonl", "\n".join(lines))
    judge(place, 'answers = "answers.jsonl"')

    found = of(place.ask("prove"))
    shown = place.run("verdict").stdout

    note = "exploratory: the answers came from a file, not for promotion"
    assert (found["verdict"], found["note"]) == ("GO", note)
    assert note in shown
    report = (place.folder / ".proveout" / "reports" / "toy.html").read_text("utf-8")
    assert f"E{note[1:]}" in report


def test_other_answers_are_another_experiment(place: Place) -> None:
    """The lock covers the file: a mended answer is a new look, and the old verdict is not it."""
    lines = [json.dumps({"id": str(n), "output": n * 2}) for n in range(1, 301)]
    place.write("answers.jsonl", "\n".join(lines))
    judge(place, 'answers = "answers.jsonl"')
    first = place.ask("prove")

    place.write("answers.jsonl", "\n".join(lines[1:]))
    second = place.ask("prove")

    assert (first["dataset"]["look"], second["dataset"]["look"]) == (1, 2)
    assert first["lock"] != second["lock"]


@pytest.mark.parametrize(("own", "other"), [(0, 2), (2, 0)])
async def test_only_the_workflows_own_verdict_carries_a_promotion(
    place: Place, own: int, other: int
) -> None:
    """Whatever a file of answers reaches, the claim `signal` does not see it."""
    place.write("app.py", f"def answer(n: int) -> int:\n    return n * {own}\n")
    lines = [json.dumps({"id": str(n), "output": n * other}) for n in range(1, 301)]
    place.write("answers.jsonl", "\n".join(lines))
    judge(place, 'answers = "answers.jsonl"')
    verdict = await asyncio.to_thread(place.ask, "prove")

    async with Project.open(place.folder) as project:
        code = (await tree_of(project.settings)).code
        found = await signal_of(project, release(code=code), shuffled=False)

    says = {0: "NO-GO", 2: "GO"}
    assert (verdict["verdict"], of(verdict)["verdict"]) == (says[own], says[other])
    assert found is not None
    assert found.verdict == says[own]
