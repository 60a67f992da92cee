"""How fast pages answer beside many runs, and while many change.

    python pages.py many URL COUNT       p95 of pages beside so many finished runs
    python pages.py busy URL SECONDS     p95 of the run list with 200 changes a second

Everything goes over real HTTP to a server process's own application, with a session as a
browser has it. Pages are asked for one after another, as one person does, and each kind by
itself; the figure of a row is that of its slowest kind.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
import sys
import tempfile
import time
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

from doubles.deeds import release
from doubles.desk import PHRASE
from doubles.doors import OWNER, open_house
from proveout.adapters.postgres.wire import Server, part
from proveout.adapters.system import SystemClock, SystemIds
from proveout.domain.access import Role
from proveout.domain.ledger import Deed
from proveout.domain.run import Failure, RunState
from proveout.domain.unit import NewRelease, Settle, UnitId
from proveout.faces.project import Project, open_store
from proveout.faces.web.app import console_app
from proveout.faces.web.hints import Hints
from proveout.faces.web.known import Known
from proveout.faces.web.visit import Console
from proveout.faces.web.zone import local_zone
from proveout.ports.store import RunFilter, Want
from proveout.release.decide import amend
from proveout.release.move import promote
from proveout.run.enqueue import Request, enqueue
from proveout.run.work import Manner

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from proveout.ports.store import Store

WORKFLOW = "answers"
VALUE = b'{"from": "ana@example.org", "text": "Where is my parcel? It was due on Tuesday."}'
SERVES = release(workflow=WORKFLOW)
SEEDS = 1_000
"""Runs that the engine makes itself; the others are copies of them, made by the store."""

FAILING = 50
"""One run in so many fails, and one in twice as many is a dead letter."""

ASKED = 60
"""How often each kind of page is asked for."""

CHANGES = 200
"""Changes a second while a store is busy."""

KINDS = (
    "/",
    "/runs",
    "/runs?before={middle}",
    "/runs?q=state:failed",
    "/runs?q=state:running",
    "/runs?q=state:failed error:no-such-text",
    "/runs?q=release:r1 since:1h",
    "/runs?q=key:none",
    "/runs/{middle}",
    "/dead",
    "/reviews",
    "/releases",
    "/drills",
    "/experiments",
    "/ledger",
)


@asynccontextmanager
async def served(url: str) -> AsyncGenerator[tuple[Store, httpx.AsyncClient]]:
    """Serve the console of a project in production, and open a browser before it."""
    store, clock, ids = await open_store(url), SystemClock(), SystemIds()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        house = open_house(folder, store, clock, ids)
        project = Project(house.doors.settings, store, house.doors.log)
        project.office = house.office
        console = Console(
            project=project,
            access=house.access,
            sessions=house.sessions,
            zone=local_zone({}, clock.now()),
            known=Known(clock),
            hints=Hints(store=store, clock=clock),
            accept=house.doors.accept,
        )
        await house.access.add_user(OWNER, "bench", Role.OPERATOR, PHRASE)
        deed = Deed(actor="bench", act="create release", subject="r1", facts={})
        await amend(house.office, deed, (NewRelease(release=SERVES, archive=b"", settings=b""),))
        await promote(house.office, SERVES, "bench", {})
        begun = await house.sessions.sign_in("bench", PHRASE, "127.0.0.1")
        config = uvicorn.Config(
            console_app(console), port=0, log_level="error", access_log=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - it tells by nothing else
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        cookies = {"proveout_session": begun.secret}
        address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=address, cookies=cookies, timeout=120) as browser:
            yield store, browser
        server.should_exit = True
        await serving
        house.access.close()
        await store.close()


def want(count: int) -> Want:
    """Return a wish for runs of the workflow."""
    return Want(
        worker="bench",
        workflows=(WORKFLOW,),
        release=SERVES.digest,
        limit=count,
        lease=Manner().lease,
    )


async def seed(store: Store, count: int) -> None:
    """Leave so many runs that have ended, some of them badly, and a few that go on."""
    clock, ids = SystemClock(), SystemIds()
    asked = Request(workflow=WORKFLOW, value=VALUE)
    for first in range(0, count + 20, 500):
        some = min(500, count + 20 - first)
        await asyncio.gather(*(enqueue(store, clock, ids, asked) for _ in range(some)))
    claimed = await store.claim(want(count + 10))
    for number, one in enumerate(claimed[:count]):
        state, failure = RunState.SUCCEEDED, None
        if number % FAILING == 0:
            state = RunState.DEAD if number % (2 * FAILING) == 0 else RunState.FAILED
            failure = Failure(type="TimeoutError", message="the model was late", step="draft")
        await store.write(
            Settle(
                id=UnitId(ids.new()),
                run=one.run.id,
                fence=one.run.fence,
                state=state,
                elapsed=0.4,
                result=b'"sent"' if failure is None else None,
                failure=failure,
            )
        )


async def multiply(url: str, count: int) -> None:
    """Have copies of the runs that have ended stand in the store, as those of the last 30 days."""
    times = count // SEEDS
    if url.startswith("sqlite"):
        await asyncio.to_thread(multiply_file, url.removeprefix("sqlite:///"), times)
        return
    link = await Server.at(url).connect("bench")
    try:
        for first in range(1, times, 10):
            await link.execute(COPY, first, min(first + 9, times - 1))
        await link.execute("VACUUM ANALYZE")
    finally:
        await part(link)


COPY = (
    "INSERT INTO proveout.runs SELECT (jsonb_populate_record(run, jsonb_build_object("
    "'seq', run.seq - n * 1000000, 'id', run.id || '-' || n,"
    " 'created', run.created - n * interval '43 min',"
    " 'updated', run.updated - n * interval '43 min'))).*"
    " FROM proveout.runs AS run, generate_series($1::int, $2::int) AS n"
    " WHERE run.state IN ('SUCCEEDED', 'FAILED', 'DEAD') AND run.seq > 0"
)


def multiply_file(path: str, times: int) -> None:
    """Do the same to a file of SQLite."""
    with closing(sqlite3.connect(path, timeout=60)) as link:
        names = [row[1] for row in link.execute("PRAGMA table_info(runs)")]
        ours = {
            "seq": "seq - n.value * 1000000",
            "id": "id || '-' || n.value",
            "created": "created - n.value * 2580000000",
            "updated": "updated - n.value * 2580000000",
        }
        link.execute(
            f"INSERT INTO runs ({', '.join(names)})"  # noqa: S608 - names of its own columns
            f" SELECT {', '.join(ours.get(name, f'runs.{name}') for name in names)}"
            " FROM (WITH RECURSIVE up (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM up"
            " WHERE value < ?) SELECT value FROM up) AS n, runs"
            " WHERE state IN ('SUCCEEDED', 'FAILED', 'DEAD') AND seq > 0",
            (times - 1,),
        )
        link.commit()


async def ask(browser: httpx.AsyncClient, path: str, times: int = ASKED) -> list[float]:
    """Return how many milliseconds a page took, each time."""
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        answer = await browser.get(path)
        taken.append(1000 * (time.perf_counter() - start))
        if answer.is_error:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:500]}")
    return taken


def p95(taken: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(taken, n=20)[18]


async def many(url: str, count: int) -> dict[str, Any]:
    """Return the 95th percentile of each kind of page beside so many runs."""
    async with served(url) as (store, browser):
        await seed(store, SEEDS)
        await multiply(url, count)
        found = await store.runs(RunFilter(workflow=WORKFLOW, limit=1))
        middle = await middle_of(store, found[0].id)
        kinds: dict[str, float] = {}
        for path in KINDS:
            await ask(browser, path.format(middle=middle), 1)
            kinds[path] = p95(await ask(browser, path.format(middle=middle)))
    slowest = max(kinds, key=lambda path: kinds[path])
    print(json.dumps(kinds, indent=1), file=sys.stderr)
    return {"p95": kinds[slowest], "list": kinds["/runs"], "overview": kinds["/"]}


async def middle_of(store: Store, run: str) -> str:
    """Return the id of a run that is not among the newest."""
    which = RunFilter(workflow=WORKFLOW, limit=500)
    return (await store.runs(which))[-1].id or run


async def busy(url: str, seconds: int) -> dict[str, Any]:
    """Return how the run list fares while so many runs a second come in and end."""
    async with served(url) as (store, browser):
        await seed(store, SEEDS)
        changing = asyncio.create_task(change(store, seconds))
        taken: list[float] = []
        while not changing.done():
            taken += await ask(browser, "/runs", 1)
            await asyncio.sleep(0.1)
        rate = await changing
    return {"p95": p95(taken), "rate": rate, "asked": len(taken)}


async def change(store: Store, seconds: int) -> float:
    """Have runs come in at the pace of `CHANGES` a second; return the pace that was kept."""
    clock, ids = SystemClock(), SystemIds()
    begun, made = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds:
        due = int(passed * CHANGES) - made
        asked = Request(workflow=WORKFLOW, value=VALUE, key=None)
        keyed = [replace(asked, key=secrets.token_hex(8)) for _ in range(due)]
        await asyncio.gather(*(enqueue(store, clock, ids, one) for one in keyed))
        made += due
        await asyncio.sleep(0.02)
    return made / (time.perf_counter() - begun)


def main() -> None:
    """Take one measurement, and print its figures."""
    what, url, number = sys.argv[1:]
    take = {"many": many, "busy": busy}[what]
    print(json.dumps(asyncio.run(take(url, int(number)))))


if __name__ == "__main__":
    main()
