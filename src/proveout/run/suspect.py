"""Suspects: runs that were in flight when their worker died, tried one at a time and apart.

One of them may be what killed the worker. A child process of a living worker takes them
one by one; the death of that child, and nothing else, counts against the run it held.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from proveout.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from proveout.domain.run import RunId
    from proveout.ports.store import Want
    from proveout.run.work import Bench, Worker

MAX_CRASHES = 3
"""How many times a run may take down the process that runs it alone; then it is DEAD."""

LOOK_EVERY = 1.0
"""Seconds between two looks for suspects."""

GRACE = 5.0
"""Seconds beyond its drain that a child gets to go before it is ended."""


class Child(Protocol):
    """A process of ours that works on suspects only."""

    async def gone(self) -> bool:
        """Return when the process has ended: whether it went of its own accord."""
        ...

    def stop(self) -> None:
        """Tell it to finish what it has, or hand it back, and go."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


async def keep_apart(
    bench: Bench,
    want: Want,
    spawn: Callable[[str], Awaitable[Child]],
    *,
    drain: timedelta,
    told: asyncio.Event,
) -> None:
    """Have one child at a time work on the suspects of `want`, until `told` to stop.

    A child that dies although nobody told it to is counted against the run that it held.
    A killed machine takes us along, so nobody is left to count.

    Args:
        bench: what workers work with.
        want: whose suspects; the worker, the limit and the lease in it do not matter.
        spawn: starts a child that works under the given worker's id.
        drain: how long a child may take to finish what it has.
        told: set when to stop; the child goes first.
    """
    while not told.is_set():
        blamed: list[RunId] = []
        try:
            if await bench.store.has_suspects(want):
                blamed = await _attend(bench, spawn, drain, told)
        except (Outage, OSError) as trouble:
            bench.log.warning("suspects.not_tried", error=str(trouble))
        if not blamed:
            await _rest(bench, told)


async def _attend(
    bench: Bench,
    spawn: Callable[[str], Awaitable[Child]],
    drain: timedelta,
    told: asyncio.Event,
) -> list[RunId]:
    """Let one child live its life; return the runs that its death counts against."""
    worker = bench.ids.new()
    child = await spawn(worker)
    gone = asyncio.ensure_future(child.gone())
    try:
        await _first(gone, told)
        if gone.done() and not told.is_set():
            return [] if gone.result() else await _blame(bench, worker, told)
        return []
    finally:
        await _part(child, gone, drain)


async def _first(gone: asyncio.Future[bool], told: asyncio.Event) -> None:
    """Return when the child has ended or we are told to stop."""
    waiting = asyncio.ensure_future(told.wait())
    try:
        await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


async def _part(child: Child, gone: asyncio.Future[bool], drain: timedelta) -> None:
    """Leave no child behind."""
    if gone.done():
        return
    child.stop()
    await asyncio.wait({gone}, timeout=drain.total_seconds() + GRACE)
    if not gone.done():
        child.kill()
    await gone


async def _blame(bench: Bench, worker: str, told: asyncio.Event) -> list[RunId]:
    """Count the death of a child; where the store is out of reach, as soon as it is back."""
    while not told.is_set():
        try:
            runs = await bench.store.blame(worker, MAX_CRASHES)
        except Outage as outage:
            bench.log.warning("crash.not_counted", error=str(outage))
            await _rest(bench, told)
            continue
        bench.log.warning("suspects.crashed", runs=[str(run) for run in runs])
        return runs
    return []


async def _rest(bench: Bench, told: asyncio.Event) -> None:
    """Return after a while, or at once when told to stop."""
    waits: set[asyncio.Task[Any]] = {
        asyncio.create_task(told.wait()),
        asyncio.create_task(bench.clock.sleep(LOOK_EVERY)),
    }
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def go_when_idle(bench: Bench, want: Want, worker: Worker) -> None:
    """Stop a child's worker once it has found no suspects of `want` for a while."""
    quiet = 0
    while quiet < 2:  # noqa: PLR2004 - twice, as one look may fall between a claim and its start
        await bench.clock.sleep(LOOK_EVERY)
        quiet = quiet + 1 if await _is_idle(bench, want, worker) else 0
    worker.stop()


async def _is_idle(bench: Bench, want: Want, worker: Worker) -> bool:
    try:
        return not worker.busy and not await bench.store.has_suspects(want)
    except Outage:
        return False
