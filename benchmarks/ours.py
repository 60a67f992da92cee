"""One measurement of ours, in a process of its own: prints its figures as one line of JSON.

python ours.py drain URL WORKFLOW COUNT     runs a second, from a full queue to an empty one
python ours.py latency URL COUNT            milliseconds from enqueue to the body's first line
python ours.py waiting URL COUNT            what runs that wait for a person cost
python ours.py finished URL COUNT           claims and lists beside so many finished runs
python ours.py work URL WORKFLOW            a worker, until it is idle
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import work

from proveout.adapters.postgres.wire import Server, part
from proveout.domain.journal import Entry, EntryKind, Place, Returned
from proveout.domain.review import Answer, ReviewState
from proveout.domain.run import RunState
from proveout.domain.unit import Decide, Record, Settle, UnitId
from proveout.faces import loop
from proveout.faces.log import logger
from proveout.faces.project import open_store, system_bench
from proveout.ports.store import RunFilter, Want
from proveout.run.enqueue import Request, enqueue
from proveout.run.work import Manner, Worker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from proveout.domain.run import Run
    from proveout.ports.store import Claimed
    from proveout.run.work import Bench

AT_ONCE = 200
"""Runs that a worker has in flight."""

SEEDS = 2000
"""Finished runs that the engine makes; the others are copies of them, made by the server."""

TOGETHER = 2000
"""Requests that are handed in at once."""


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Bench]:
    """Open the store at `url` with what a worker needs."""
    store = await open_store(url)
    try:
        yield system_bench(store, logger())
    finally:
        await store.close()


async def enter(bench: Bench, workflow: str, numbers: Iterable[int]) -> list[Run]:
    """Make runs durable."""
    answers = await asyncio.gather(
        *(
            enqueue(
                bench.store, bench.clock, bench.ids, Request(workflow=workflow, value=b"%d" % n)
            )
            for n in numbers
        )
    )
    return [answer.run for answer in answers]


async def fill(bench: Bench, workflow: str, count: int) -> None:
    """Make `count` runs durable."""
    for first in range(0, count, TOGETHER):
        await enter(bench, workflow, range(first, min(count, first + TOGETHER)))


def worker(bench: Bench, workflow: str, at_once: int = AT_ONCE) -> Worker:
    """Return a worker on one workflow of `work.py`."""
    function = getattr(work, workflow)
    return Worker(bench, {workflow: function}, Manner(concurrency=at_once, captures=False))


async def drain(url: str, workflow: str, count: str) -> dict[str, Any]:
    """Return how many runs a second one worker takes from the queue to their end."""
    async with opened(url) as bench:
        start = time.perf_counter()
        await fill(bench, workflow, int(count))
        entered = time.perf_counter()
        await worker(bench, workflow).work(until_idle=True)
        ended = time.perf_counter()
        done = (await bench.store.count()).get(RunState.SUCCEEDED)
    if done != int(count):
        raise SystemExit(f"{done} of {count} runs succeeded")
    return {"enqueued": int(count) / (entered - start), "rate": int(count) / (ended - entered)}


async def work_on(url: str, workflow: str) -> dict[str, Any]:
    """Work until nothing is left to do."""
    async with opened(url) as bench:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        one = worker(bench, workflow)
        await one.work(until_idle=True)
        return {"settled": one.settled.total()}


async def latency(url: str, count: str) -> dict[str, Any]:
    """Return how long an idle worker of another process takes to start a run that is enqueued.

    Both share one machine, and with it the monotonic clock.
    """
    async with opened(url) as bench:
        one = worker(bench, "stamp")
        working = asyncio.create_task(one.work())
        waits: list[float] = []
        async with opened(url) as elsewhere:  # with connections of its own, as another process
            for n in range(int(count)):
                asked = time.perf_counter()
                await enter(elsewhere, "stamp", [n])
                await work.stamped.wait()
                work.stamped.clear()
                waits.append(1000 * (work.started[n] - asked))
                await asyncio.sleep(0.02)
        one.stop()
        await working
    return spread(waits)


def spread(milliseconds: list[float]) -> dict[str, float]:
    """Return the median and the 99th percentile."""
    parts = quantiles(milliseconds, n=100, method="inclusive")
    return {"p50": parts[49], "p99": parts[98]}


async def waiting(url: str, count: str) -> dict[str, Any]:
    """Return what runs that wait for a person cost, and how soon they resume once decided."""
    async with opened(url) as bench:
        one = worker(bench, "waits")
        await fill(bench, "waits", 1000)
        working = asyncio.create_task(one.work())
        await settled(one, 1000)
        before = memory()
        start = time.perf_counter()
        await fill(bench, "waits", int(count))
        await settled(one, 1000 + int(count))
        parked = time.perf_counter() - start
        after = memory()
        resumed = [await decided(bench) for _ in range(200)]
        one.stop()
        await working
    return {"rate": int(count) / parked, "growth": after - before, **spread(resumed)}


async def settled(one: Worker, count: int) -> None:
    """Return when a worker has settled `count` runs."""
    while one.settled.total() < count:
        one.news.clear()
        await one.news.wait()


async def decided(bench: Bench) -> float:
    """Return the milliseconds from a person's decision to the end of the run that waited."""
    [review] = await bench.store.reviews(ReviewState.OPEN, limit=1)
    answer = Answer(approved=True, content=review.content, by="ana")
    start = time.perf_counter()
    await bench.store.write(
        Decide(id=UnitId(bench.ids.new()), review=review.id, digest=review.digest, answer=answer)
    )
    while True:
        run = await bench.store.run(review.run)
        if run is not None and run.state.is_final:
            return 1000 * (time.perf_counter() - start)
        await asyncio.sleep(0.001)


def memory(pid: int | str = "self") -> float:
    """Return the resident memory of a process, of this one by default, in MiB."""
    pages = Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1]
    return int(pages) * resource.getpagesize() / 2**20


async def finished(url: str, count: str) -> dict[str, Any]:
    """Return how claims and a page of the run list fare beside `count` finished runs."""
    async with opened(url) as bench:
        empty = await claims_and_lists(bench)
        await finish(bench, SEEDS)
        await multiply(url, int(count) // SEEDS)
        full = await claims_and_lists(bench)
    return {
        "claim_empty": empty["claim"],
        "claim": full["claim"],
        "list_empty": empty["list"],
        "list": full["list"],
    }


async def claims_and_lists(bench: Bench) -> dict[str, float]:
    """Return the 99th percentile of a claim and the 95th of a page, in milliseconds."""
    await fill(bench, "no_op", 3000)
    claims = [await timed(lambda: bench.store.claim(want())) for _ in range(300)]
    pages = [await timed(lambda: bench.store.runs(RunFilter())) for _ in range(200)]
    return {"claim": spread(claims)["p99"], "list": quantiles(pages, n=20)[18]}


async def timed(call: Callable[[], Any]) -> float:
    """Return how many milliseconds a call takes."""
    start = time.perf_counter()
    await call()
    return 1000 * (time.perf_counter() - start)


def want(limit: int = 10) -> Want:
    """Return a wish for runs without steps."""
    return Want(worker="bench", workflows=("no_op",), limit=limit, lease=Manner().lease)


async def finish(bench: Bench, count: int) -> None:
    """Leave `count` runs in the store that have ended, each with one entry in its journal."""
    left = count
    while left > 0:
        await fill(bench, "no_op", min(TOGETHER, left))
        claimed = await bench.store.claim(want(TOGETHER))
        await asyncio.gather(*(ended(bench, one) for one in claimed))
        left -= len(claimed)


async def multiply(url: str, times: int) -> None:
    """Have each finished run, with its journal, stand in the store so many times, as older ones."""
    link = await Server.at(url).connect("bench")
    try:
        for first in range(1, times, 50):
            some = (first, min(first + 49, times - 1))
            await link.execute(COPY_RUNS, *some)
            await link.execute(COPY_JOURNALS, *some)
        await link.execute("VACUUM ANALYZE")
    finally:
        await part(link)


COPY_RUNS = (
    "INSERT INTO proveout.runs SELECT (jsonb_populate_record(run, jsonb_build_object("
    "'seq', -(run.seq * 1000000 + n), 'id', run.id || '-' || n))).*"
    " FROM proveout.runs AS run, generate_series($1::int, $2::int) AS n"
    " WHERE run.state = 'SUCCEEDED' AND run.seq > 0"
)
COPY_JOURNALS = (
    "INSERT INTO proveout.journal (run, path, name, occurrence, kind, digest, arguments,"
    " outcome, value, started, tries, elapsed, fence, unit)"
    " SELECT run || '-' || n, path, name, occurrence, kind, digest, arguments,"
    " outcome, value, started, tries, elapsed, fence, unit"
    " FROM proveout.journal, generate_series($1::int, $2::int) AS n WHERE run NOT LIKE '%-%'"
)


async def ended(bench: Bench, claimed: Claimed) -> None:
    """Record one step of a claimed run, and settle it."""
    run = claimed.run
    entry = Entry(
        place=Place("", "first", 0),
        kind=EntryKind.STEP,
        digest="0" * 32,
        arguments="{}",
        outcome=Returned(b"1"),
        started=claimed.now,
    )
    ids = bench.ids
    record = Record(id=UnitId(ids.new()), run=run.id, fence=run.fence, entries=(entry,))
    settle = Settle(
        id=UnitId(ids.new()),
        run=run.id,
        fence=run.fence,
        state=RunState.SUCCEEDED,
        elapsed=0.001,
        result=b"1",
    )
    await asyncio.gather(bench.store.write(record), bench.store.write(settle))


MEASURES: dict[str, Callable[..., Any]] = {
    "drain": drain,
    "latency": latency,
    "waiting": waiting,
    "finished": finished,
    "work": work_on,
}


def main() -> None:
    """Take one measurement, and print its figures."""
    name, *arguments = sys.argv[1:]
    print(json.dumps(loop.run(MEASURES[name](*arguments))))  # as workers run


if __name__ == "__main__":
    main()
