"""A worker process for one release: it loads the release's own files, and nothing else.

Started as `python -P -m proveout.faces.released_worker` in the release's environment, with
its orders in a variable, so that the store's password stands in no list of processes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from proveout.domain.model_fault import Faults  # noqa: TC001 - a worker's orders are read by it
from proveout.domain.record import Kind, decode, encode
from proveout.domain.review_queue import Queue  # noqa: TC001 - orders are read by it
from proveout.errors import Outage, ProveoutError, Refusal
from proveout.faces import entry, loop
from proveout.faces.blocked import leave
from proveout.faces.cli.output import error_text, say
from proveout.faces.cli.suspects import WENT, Process, die_with_parent, stop_on_signals
from proveout.faces.log import logger
from proveout.faces.project import metered, open_store, system_bench
from proveout.faces.recorded import read_answers
from proveout.faces.settings_models import ModelSettings
from proveout.faces.stand_in import StandIn
from proveout.ports.store import Want
from proveout.ready.unprotected import without
from proveout.run.faults import Injected
from proveout.run.recorded import Recorded
from proveout.run.suspect import go_when_idle, keep_apart
from proveout.run.work import Bench, Manner, Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proveout.ports.meter import Substitute
    from proveout.ports.store import Store
    from proveout.ready.sandbox import Protection

ORDERS = "PROVEOUT_ORDERS"

READY = "ready"
"""What a worker writes on standard output once it claims."""

SILENT = "exports"
"""The protection without which a worker says nothing; see `ready/sandbox.py`."""

UNWILLING = 2
OUT_OF_REACH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsing:
    """How a worker works within a drill.

    Attributes:
        receiver: port of the receiver on this machine.
        recordings: file with the recorded answers of steps.
        models: file with the recorded answers of models.
        off: the protection that it works without.
        is_faulty: every run fails in its first step.
        pace: seconds that each recorded step takes.
        is_live: steps without a recorded answer are called, and so are models.
        faults: what calls of models meet; None where they meet none.
    """

    receiver: int
    recordings: str
    models: str
    off: str = ""
    is_faulty: bool = False
    pace: float = 0.0
    is_live: bool = False
    faults: Faults | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a worker process is to do.

    Attributes:
        store: URL of the store.
        release: digest of the release.
        root: the folder with its files.
        entry: `module:attribute` of its workflow.
        lease: seconds.
        tells: write a line on standard output once it claims.
        attached: end when whoever started us, and holds our standard input, is gone.
        suspects: the worker's id under which it tries suspects alone; "" for all but those.
        most_running: most runs of the workflow at once under all workers; None for any.
        queues: what holds for the queues of reviews that have rules.
        models: how calls of models are metered; within a drill they are answered from
            recordings.
    """

    store: str
    workflow: str
    release: str
    root: str
    entry: str
    concurrency: int = 16
    captures: bool = False
    until_idle: bool = False
    lease: float = 30.0
    tells: bool = False
    attached: bool = False
    suspects: str = ""
    rehearsing: Rehearsing | None = None
    most_running: int | None = None
    queues: tuple[Queue, ...] = ()
    models: ModelSettings = field(default_factory=ModelSettings)

    def environ(self) -> dict[str, str]:
        """Return the variable that hands the orders over."""
        return {ORDERS: encode(self).decode()}

    @property
    def manner(self) -> Manner:
        """How the worker works, but for what stands in for the world."""
        return Manner(
            concurrency=1 if self.suspects else self.concurrency,
            lease=timedelta(seconds=self.lease),
            captures=self.captures,
            release=self.release,
            suspects=bool(self.suspects),
            most_running=self.most_running,
            queues=self.queues,
        )

    @property
    def want(self) -> Want:
        """Whose runs it looks after."""
        return Want(
            worker="",
            workflows=(self.workflow,),
            limit=1,
            lease=timedelta(seconds=self.lease),
            release=self.release,
        )


class NoSandbox(Refusal):
    """Protections may be switched off in a sandbox only."""

    code = "no-sandbox"


async def work(orders: Orders) -> int:
    """Work as ordered until told to stop, or until nothing is left; return the exit code."""
    store = await open_store(orders.store)
    try:
        return await _work(orders, store)
    finally:
        await store.close()


async def _work(orders: Orders, store: Store) -> int:
    is_silent = orders.rehearsing is not None and orders.rehearsing.off == SILENT
    bench = system_bench(store, logger(logging.CRITICAL if is_silent else logging.INFO))
    substitute = None if orders.rehearsing is None else await _models(orders.rehearsing)
    async with metered(bench, orders.models, substitute=substitute) as bench:
        return await _work_with(orders, bench)  # its workflow is imported in here


async def _models(rehearsing: Rehearsing) -> Substitute:
    """Return what answers calls of models within a drill."""
    text = await asyncio.to_thread(Path(rehearsing.models).read_text, "utf-8")
    recorded = Recorded(read_answers(text), is_live=rehearsing.is_live)
    return recorded if rehearsing.faults is None else Injected(rehearsing.faults, recorded)


async def _work_with(orders: Orders, bench: Bench) -> int:
    store = bench.store
    stand_in = await _stand_in(orders, store)
    if orders.rehearsing is not None and orders.rehearsing.off:
        off = _protection(orders.rehearsing.off)
        bench = replace(bench, store=without(store, off, bench.ids))
    workflow = entry.as_workflow(entry.load(orders.entry, Path(orders.root)), orders.entry)
    manner = replace(orders.manner, rehearsal=stand_in)
    worker = Worker(bench, {orders.workflow: workflow}, manner)
    if orders.rehearsing is None:  # a drill's leases are a second: a busy machine blocks for half
        worker.on_stuck = leave
    told = asyncio.Event()
    stop_on_signals(worker.stop, told.set)
    if orders.tells:
        print(READY, flush=True)  # noqa: T201 - whoever started us waits for this line
    try:
        if orders.suspects:
            worker.id = orders.suspects
            return await _try_suspects(orders, bench, worker)
        await _work_beside(orders, bench, worker, told)
    finally:
        if stand_in is not None:
            await stand_in.close()
    return 0


def _protection(name: str) -> Protection:
    from proveout.ready.sandbox import Protection  # noqa: PLC0415 - only within a drill

    return Protection(name)


async def _stand_in(orders: Orders, store: Store) -> StandIn | None:
    """Return what stands in for the world within a drill; only a sandbox has drills."""
    rehearsing = orders.rehearsing
    if rehearsing is None:
        return None
    if await store.record(Kind.SANDBOX, "sandbox") is None:
        raise NoSandbox("this store is no sandbox", why="a drill may not stand in for real effects")
    return await StandIn.connect(
        port=rehearsing.receiver,
        recordings=Path(rehearsing.recordings),
        release=orders.release,
        pace=rehearsing.pace,
        is_faulty=rehearsing.is_faulty,
        is_live=rehearsing.is_live,
        calls_models=rehearsing.faults is not None,
    )


async def _work_beside(orders: Orders, bench: Bench, worker: Worker, told: asyncio.Event) -> None:
    """Work, and keep suspects in a process of their own."""
    apart = asyncio.create_task(
        keep_apart(bench, orders.want, _spawner(orders), drain=orders.manner.drain, told=told)
    )
    try:
        await worker.work(until_idle=orders.until_idle)
    finally:
        told.set()
        await apart


def _spawner(orders: Orders) -> Callable[[str], Awaitable[Process]]:
    async def spawn(worker: str) -> Process:
        started = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "proveout.faces.released_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, **replace(orders, suspects=worker).environ()},
        )
        return Process(started)

    return spawn


async def _try_suspects(orders: Orders, bench: Bench, worker: Worker) -> int:
    """Try suspects one at a time, as the child of a worker, until there are none."""
    going = asyncio.create_task(go_when_idle(bench, orders.want, worker))
    try:
        await worker.work()
    finally:
        going.cancel()
    return WENT


def main() -> int:
    """Carry out the orders in the environment; return the exit code."""
    orders = decode(Orders, os.environ.pop(ORDERS).encode())
    if orders.attached or orders.suspects:
        die_with_parent()
    try:
        return loop.run(work(orders))
    except ProveoutError as error:
        say(error_text(error))
        return OUT_OF_REACH if isinstance(error, Outage) else UNWILLING


if __name__ == "__main__":
    sys.exit(main())
