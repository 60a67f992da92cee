"""The process that tries suspects, and the worker's hold on it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from proveout.ports.store import Want
from proveout.run.suspect import keep_apart
from proveout.run.work import Manner, Worker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from proveout.faces.project import Project

WENT = 86
"""What the child exits with when it goes of its own accord; no other end is one."""

ORPHANED = 87
"""What it exits with when its parent is gone; nobody is left to read it."""


def worker_of(project: Project, *, concurrency: int, captures: bool, suspects: bool) -> Worker:
    """Return a worker for the draft that takes either suspects only, or all but suspects."""
    from proveout.faces.blocked import leave
    from proveout.faces.project import lease

    manner = Manner(
        concurrency=concurrency,
        lease=lease(),
        captures=captures,
        suspects=suspects,
        most_running=project.settings.workflow.concurrency,
        queues=project.settings.queues,
    )
    worker = Worker(project.bench, {project.name: project.workflow()}, manner)
    worker.on_stuck = leave
    return worker


@asynccontextmanager
async def apart(
    project: Project, arguments: Sequence[str], told: asyncio.Event
) -> AsyncGenerator[None]:
    """Keep suspects in a child of this process while the block lasts.

    Args:
        project: whose runs; its workers are for the draft.
        arguments: of this process after `proveout`; the child gets the same.
        told: set when this worker is told to stop; set when the block ends.
    """
    keeping = asyncio.create_task(
        keep_apart(
            project.bench,
            want_of(project),
            spawner(arguments),
            drain=Manner().drain,
            told=told,
        )
    )
    try:
        yield
    finally:
        told.set()
        await keeping


def want_of(project: Project) -> Want:
    """Return the wish that tells whose suspects a worker looks after."""
    return Want(worker="", workflows=(project.name,), limit=1, lease=Manner().lease)


class Process:
    """A child that works on suspects, held by the pipe that is its standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def gone(self) -> bool:
        """Return when the process has ended: whether it went of its own accord."""
        return await self._process.wait() == WENT

    def stop(self) -> None:
        """Tell it to finish what it has, or hand it back, and go."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()


def spawner(arguments: Sequence[str]) -> Callable[[str], Awaitable[Process]]:
    """Return what starts a child with `arguments`, under the worker's id that it is given."""

    async def spawn(worker: str) -> Process:
        command = [sys.executable, "-m", "proveout", *arguments, "--suspects", worker]
        started = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
        return Process(started)

    return spawn


def die_with_parent() -> None:
    """From now on this process ends when nobody holds the other end of its standard input.

    What a step reads from standard input is empty, as it would be for any service.
    """
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_outlive_nobody, args=(pipe,), name="parent", daemon=True).start()


def _outlive_nobody(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    # At once and without a word: a step that blocks must not keep us, and what was in
    # flight is returned by its lease, without blame.
    os._exit(ORPHANED)


def stop_on_signals(*stops: Callable[[], None]) -> None:
    """Call every one of `stops` when this process is told to end."""

    def stop_all() -> None:
        for stop in stops:
            stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_all)
