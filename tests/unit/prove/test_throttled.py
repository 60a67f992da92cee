"""A real server that bears four calls at once, asked by an experiment that may make 32."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from structlog import get_logger

from doubles.account import plan_of
from proveout.adapters.candidates.http import OverHttp
from proveout.domain.case import Case, Dataset
from proveout.domain.criterion import AtLeast, Criterion, Scored
from proveout.domain.experiment import OWN, Budget, Candidate, Endpoint
from proveout.domain.run import RunState
from proveout.faces.project import system_bench, throwaway_store
from proveout.prove.begin import begin
from proveout.prove.conduct import Conductor, Setup
from proveout.prove.elsewhere import asking

if TYPE_CHECKING:
    from collections.abc import Generator

    from proveout.domain.run import Run
    from proveout.prove.account import Account

BEARS = 4
TAKES = 0.1
"""Seconds that an answer takes."""

SIZE = 120
CASES = tuple(Case(id=f"c{n}", value=n, expected=n) for n in range(SIZE))
RIGHT = Criterion(
    name="right", measure=Scored(score="exact"), rule=AtLeast(floor=0.985, target=0.9999)
)


@dataclass
class Log:
    """What the server saw.

    Attributes:
        turned_away: inputs of calls.
        took: seconds of the server's own for each answer, by the input.
        down_until: the moment before which it bears nobody.
    """

    turned_away: list[int] = field(default_factory=list[int])
    took: dict[int, float] = field(default_factory=dict[int, float])
    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(BEARS))
    down_until: float = 0.0


class Vendor(BaseHTTPRequestHandler):
    """Answers with the input, four calls at once, and turns away the rest."""

    protocol_version = "HTTP/1.1"
    log: Log

    def do_POST(self) -> None:
        began = time.monotonic()
        n = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_down = began < self.log.down_until
        if is_down or not self.log.places.acquire(blocking=False):
            self.log.turned_away.append(n)
            self._say(429, "later")
            return
        time.sleep(TAKES)  # noqa: TID251 - what a real server does with a real call
        self.log.took[n] = time.monotonic() - began
        self.log.places.release()
        self._say(200, str(n))

    def _say(self, status: int, body: str) -> None:
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - part of the contract
        del format, args


class Server(ThreadingHTTPServer):
    """Takes in as many connections as are made at once."""

    request_queue_size = 64
    daemon_threads = True


@contextmanager
def vendor(log: Log) -> Generator[int]:
    """Open the server for as long as the block lasts; give its port."""
    with Server(("127.0.0.1", 0), type("Logged", (Vendor,), {"log": log})) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            serving.join()


@dataclass
class Found:
    """What came of an experiment.

    Attributes:
        runs: its trials, in the recorded order.
        order: the cases in that order, by their number.
    """

    account: Account
    runs: list[Run]
    order: tuple[int, ...]
    slowed: set[str]


async def conducted(port: int) -> Found:
    """Return what came of all cases, 32 of which may be asked at once."""
    endpoint = Endpoint(
        url=f"http://127.0.0.1:{port}/",
        timeout=timedelta(seconds=20),
        allow_private=("127.0.0.1",),
    )
    plan = plan_of(
        RIGHT,
        candidates=(Candidate(name=OWN, entry=endpoint),),
        budget=Budget(),
        concurrency=32,
    )
    slowed: set[str] = set()
    asked = OverHttp(endpoint, {})
    dataset = Dataset(name="cases", digest="d", cases=CASES)
    async with throwaway_store() as store:
        bench = system_bench(store, get_logger())
        locked, layout = await begin(bench, plan, dataset, again=False)
        setup = Setup(
            experiment=locked,
            plan=plan,
            dataset=dataset,
            layout=layout,
            workflows={OWN: asking(asked)},
            scorers={"right": lambda result, case: result == case.expected},
            lease=timedelta(seconds=30),
            respondents=(asked,),
        )

        def note(account: Account) -> None:
            slowed.update(f"{one.candidate} {one.sign}" for one in account.slowed)

        account = await Conductor(bench, setup, note).conduct()
        runs = await store.trials(locked.id, OWN, 0, SIZE)
    return Found(account, runs, layout.order, slowed)


async def test_nobody_fails_for_being_turned_away_and_the_latency_is_the_servers() -> None:
    """Neither the line, nor the wait, nor the tries that were turned away count.

    The negative control is the time since a trial was enqueued, which holds them all.
    """
    log = Log()
    with vendor(log) as port:
        found = await conducted(port)

    answered = [run for run in found.runs if run.state is RunState.SUCCEEDED]
    excess = [run_time(run) - log.took[value_of(run)] for run in answered]
    since_enqueued = [waited(run) for run in answered]
    assert found.account.own.errors == 0
    assert len(answered) >= found.account.own.cases > 0
    assert log.turned_away
    assert median(excess) < TAKES
    assert quantiles(excess, n=20)[-1] < 5 * TAKES
    assert median(since_enqueued) > 4 * TAKES
    assert f"{OWN} turned away" in found.slowed


def run_time(run: Run) -> float:
    assert run.elapsed is not None
    return run.elapsed


def value_of(run: Run) -> int:
    return int(run.value)


def waited(run: Run) -> float:
    """Return the seconds from when a trial was enqueued to when it was settled."""
    assert run.updated is not None
    return (run.updated - run.created).total_seconds()
