"""A project whose steps tell when they were called, and a service that counts its effects."""

from __future__ import annotations

import asyncio
import json
import os
import random  # noqa: TID251 - every fault draws from one seed, told when its test fails
import sqlite3
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from doubles.stores import SQLITE
from proveout.adapters.postgres.wire import Server, part

if TYPE_CHECKING:
    from collections.abc import Generator

FULL = os.environ.get("PROVEOUT_FAULTS") == "full"
"""Whether the long forms run: `make faults`."""

SEED = "PROVEOUT_SEED"
"""The variable that gives a fault the seed of an earlier one, to play it again."""

PATIENCE = 600 if FULL else 120
TESTS = Path(__file__).parents[1]

APP = """
import asyncio
import os
import time
import urllib.request
from proveout import effect, step, workflow
from proveout.domain.workflow import CURRENT

def told(name, n):
    fence = CURRENT.get().attempt.run.fence
    line = f"{name} {n} {time.time():.6f} {fence}\\n".encode()
    log = os.open("calls.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(log, line)
    os.close(log)

@step
async def read(n: int) -> int:
    told("read", n)
    return n + 1

@step
async def think(n: int) -> int:
    told("think", n - 1)
    await asyncio.sleep(0.005)
    return n * 2

@effect
def send(n: int, answer: int, *, idempotency_key: str = "") -> None:
    call = urllib.request.Request(os.environ["SERVICE"], data=str(n).encode(),
                                  headers={"Idempotency-Key": idempotency_key})
    urllib.request.urlopen(call, timeout=30).read()

@workflow
async def answer(n: int) -> int:
    thought = await think(await read(n))
    await asyncio.to_thread(send, n, thought)
    return thought

@step
async def first(name: str, pace: float) -> str:
    told(f"first-{name}", 0)
    await asyncio.sleep(pace)
    return f"{name}1"

@step
async def second(name: str, before: str) -> str:
    told(f"second-{name}", 0)
    return f"{before}-{name}2"

async def branch(name: str, pace: float) -> str:
    return await second(name, await first(name, pace))

@workflow
async def gathered(n: int) -> list[str]:
    return list(await asyncio.gather(branch("slow", 0.05), branch("quick", 0.0)))
"""

SETTINGS = """
[workflow]
name = "answers"
entry = "app:ENTRY"
"""


class Call(NamedTuple):
    """One call of a step: when, in seconds since 1970, and under which fence of its run."""

    moment: float
    fence: int


class Crowded(ThreadingHTTPServer):
    """A server at which a crowd may knock at once; by default the sixth of them is reset."""

    request_queue_size = 1024


class Service:
    """Outside every worker: it counts each call it receives by its key and its content."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        """Listen at `address`."""
        self.keys: Counter[str] = Counter()
        self.of: dict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()
        self._answers = threading.Event()
        self._answers.set()
        counting = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Count one call."""
                length = int(self.headers["Content-Length"])
                content = self.rfile.read(length).decode()
                if len(content) < length:
                    return  # its caller was killed in mid-sentence: no call was made
                counting.count(self.headers["Idempotency-Key"], content)
                counting.wait()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay quiet."""

        self._server = Crowded((address, 0), Handler)
        self.url = f"http://{address}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def count(self, key: str, content: str) -> None:
        """Count one call under its key."""
        with self._lock:
            self.keys[key] += 1
            self.of[content].add(key)

    @contextmanager
    def holding(self) -> Generator[None]:
        """Answer no call until the block ends: whoever calls waits."""
        self._answers.clear()
        try:
            yield
        finally:
            self._answers.set()

    def wait(self) -> None:
        """Wait until calls are answered."""
        self._answers.wait()

    def stop(self) -> None:
        """End the service."""
        self._answers.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class Site:
    """A project on a store, its workers, and the calls that its steps told of."""

    folder: Path
    environment: dict[str, str]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])

    def run(self, *arguments: str) -> str:
        """Run a command to its end; return what it answered."""
        done = subprocess.run(
            [sys.executable, "-m", "proveout", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: str, fate: tuple[str, int] | None = None) -> Any:
        """Start a command, or its mortal double, and leave it running."""
        module = ["proveout"] if fate is None else ["doubles.mortal", fate[0], str(fate[1])]
        with (self.folder / "workers.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *module, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.started.append(process)
        return process

    def stop(self) -> None:
        """End whatever still runs."""
        for process in self.started:
            process.kill()
            process.wait()

    def states(self) -> Counter[str]:
        """Return how many runs are in each state."""
        return Counter(dict(rows(self.environment["PROVEOUT_STORE"], STATES)))

    def runs(self) -> list[Any]:
        """Return every run."""
        lines = self.run("runs", "list", "--limit", "10000", "--json").splitlines()
        return [json.loads(line) for line in lines]

    def calls(self) -> dict[tuple[str, int], list[Call]]:
        """Return the calls of each step of each run, by the step's name and the run's input."""
        log = self.folder / "calls.log"
        found: dict[tuple[str, int], list[Call]] = defaultdict(list)
        for line in log.read_text("utf-8").splitlines() if log.exists() else ():
            name, number, moment, fence = line.split()
            found[name, int(number)].append(Call(float(moment), int(fence)))
        return found

    def repeated(self) -> list[str]:
        """Return the steps that were called again although their result was journaled.

        An attempt reads the journal after its claim gave it its fence: what an earlier fence
        journaled was there to be read.
        """
        journaled = journal_fences(self.environment["PROVEOUT_STORE"])
        return [
            f"{name} of {number}: journaled under {journaled[name, number]}, called under {fences}"
            for (name, number), calls in self.calls().items()
            if (name, number) in journaled
            and max(fences := [call.fence for call in calls]) > journaled[name, number]
        ]


JOURNALED = (
    "SELECT runs.value, journal.name, journal.fence FROM {0}journal JOIN {0}runs ON id = run"
)


STATES = "SELECT state, count(*) AS runs FROM {0}runs GROUP BY state"


def journal_fences(url: str) -> dict[tuple[str, int], int]:
    """Return under which fence each step was journaled, by its name and its run's input."""
    return {(name, int(value)): fence for value, name, fence in rows(url, JOURNALED)}


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Return what a store of either kind answers to a query of its tables."""
    if url.startswith(SQLITE):
        with (
            closing(sqlite3.connect(url.removeprefix(SQLITE), timeout=30)) as connection,
            connection,
        ):
            return connection.execute(query.format("")).fetchall()
    with ThreadPoolExecutor(1) as apart:  # an asynchronous test has a loop in its own thread
        return apart.submit(asyncio.run, _rows(url, query.format("proveout."))).result()


async def _rows(url: str, query: str) -> list[tuple[Any, ...]]:
    link = await Server.at(url).connect("test")
    try:
        found: list[Any] = await link.fetch(query)
        return [tuple(row.values()) for row in found]
    finally:
        await part(link)


@pytest.fixture
def seed() -> int:
    """Return the seed of this test's chance; a failed test shows it, and it can be given."""
    seed = int(os.environ.get(SEED) or random.randrange(1_000_000))  # noqa: S311 - no secret
    print(f"{SEED}={seed}")  # noqa: T201 - shown when the test fails
    return seed


@pytest.fixture
def luck(seed: int) -> random.Random:
    """Return chance that falls the same way for the same seed."""
    return random.Random(seed)  # noqa: S311 - no secret


@pytest.fixture
def service() -> Generator[Service]:
    """Return a service that counts, in the process of the test."""
    service = Service()
    yield service
    service.stop()


@pytest.fixture
def site(tmp_path: Path, store_url: str, service: Service) -> Generator[Site]:
    """Return a project on each store in turn, with short leases."""
    (tmp_path / "app.py").write_text(APP, "utf-8")
    (tmp_path / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    site = Site(
        tmp_path,
        {
            **os.environ,
            "PROVEOUT_STORE": store_url,
            "PROVEOUT_LEASE": "2 s",
            "PYTHONPATH": str(TESTS),
            "SERVICE": service.url,
        },
    )
    yield site
    site.stop()
