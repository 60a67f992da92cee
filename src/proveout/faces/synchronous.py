"""A project for synchronous code: the asynchronous one, waited for."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from proveout.errors import Mistake
from proveout.faces.project import Project, callers_own

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from contextlib import AbstractAsyncContextManager

P = ParamSpec("P")
T = TypeVar("T")

WINDING_UP = 5.0
"""Seconds for which an interrupted call is waited for, so that it is on no connection any more."""


def waited(
    method: Callable[Concatenate[Project, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[SyncProject, P], T]:
    """Return a method of `Project` as one that waits for the answer; all else stays the same."""

    @wraps(method)
    def wait(self: SyncProject, *args: P.args, **kwargs: P.kwargs) -> T:
        if kwargs.get("connection") is not None:
            kwargs["connection"] = callers_own(kwargs["connection"])
        return self._background.do(lambda: method(self._project, *args, **kwargs))  # pyright: ignore[reportPrivateUsage] - it becomes its method

    return wait


class SyncProject:
    """A project whose methods wait for their answers; any thread may call them.

    Each does and raises what the method of `Project` of that name does. Waiting is ended by
    Ctrl-C, and by closing the project. A process that forks must open it anew.
    """

    def __init__(self, project: Project, background: Background) -> None:
        """Wait for what `background` does with `project`."""
        self._project = project
        self._background = background

    @property
    def name(self) -> str:
        """The workflow's name."""
        return self._project.name

    enqueue = waited(Project.enqueue)
    run = waited(Project.run)
    replay = waited(Project.replay)
    signal = waited(Project.signal)
    wait = waited(Project.wait)


@contextmanager
def opened(opening: AbstractAsyncContextManager[Project]) -> Generator[SyncProject]:
    """Keep a project open in a thread of its own while the block lasts."""
    background = Background(opening)
    project = background.start()
    try:
        yield SyncProject(project, background)
    finally:
        background.close()


class Background:
    """A thread with an event loop, which keeps a project open and does what callers wait for."""

    def __init__(self, opening: AbstractAsyncContextManager[Project]) -> None:
        """Be ready to open a project."""
        self._opening = opening
        self._opened: Future[Project] = Future()
        self._ended: Future[None] = Future()
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._tasks: dict[Future[Any], asyncio.Task[Any]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = asyncio.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="proveout", daemon=True
        )

    def start(self) -> Project:
        """Return the project, open."""
        _check_thread()
        self._thread.start()
        try:
            return self._opened.result()
        except BaseException:
            self._opened.cancel()
            raise

    def do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what `work` returns, done in the background.

        Raises:
            Mistake: this thread runs a loop, the process was forked, or the project is closed.
        """
        _check_thread()
        if os.getpid() != self._process:
            raise Mistake(
                "the project was opened before this process was forked",
                why="its thread and its connections stayed with the other process",
                fix=("with Project.open_sync(…) as project: …    in the new process",),
            )
        answer: Future[T] = Future()
        self._call(self._begin, work, answer)
        try:
            return answer.result()
        except asyncio.CancelledError:
            raise _closed() from None
        except BaseException:
            if not answer.done():
                self._call(self._give_up, answer)
                wait_for([answer], WINDING_UP)
            raise

    def close(self) -> None:
        """Close the project; whoever still waits is told so."""
        if os.getpid() != self._process:
            return
        self._call(self._closing.set)
        with self._lock:
            self._loop = None
        self._thread.join()
        self._ended.result()

    def _call(self, what: Callable[..., object], *arguments: object) -> None:
        """Have the loop call `what`; it calls in the order in which it was asked."""
        with self._lock:
            if self._loop is None:
                raise _closed()
            self._loop.call_soon_threadsafe(what, *arguments)

    async def _serve(self) -> None:
        """Keep the project open until it is to be closed, and then end what still goes on."""
        try:
            async with self._opening as project:
                self._loop = asyncio.get_running_loop()
                if not self._opened.set_running_or_notify_cancel():
                    return
                self._opened.set_result(project)
                await self._closing.wait()
                for task in self._tasks.values():
                    task.cancel()
                await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller is told
            (self._ended if self._opened.done() else self._opened).set_exception(error)
        else:
            self._ended.set_result(None)

    def _begin(self, work: Callable[[], Coroutine[Any, Any, T]], answer: Future[T]) -> None:
        task = asyncio.ensure_future(work())
        self._tasks[answer] = task
        task.add_done_callback(lambda done: self._pass_on(done, answer))

    def _pass_on(self, done: asyncio.Task[T], answer: Future[T]) -> None:
        del self._tasks[answer]
        if done.cancelled():
            answer.set_exception(asyncio.CancelledError())
        elif error := done.exception():
            answer.set_exception(error)
        else:
            answer.set_result(done.result())

    def _give_up(self, answer: Future[Any]) -> None:
        if task := self._tasks.get(answer):
            task.cancel()


def _check_thread() -> None:
    """Leave quietly where no event loop would stand still while this thread waits."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise Mistake(
        "an event loop runs in this thread, and waiting here would stop it",
        why="open_sync is for code that is not asynchronous",
        fix=("async with Project.open(…) as project: …", "await asyncio.to_thread(…)"),
    )


def _closed() -> Mistake:
    return Mistake(
        "the project is closed",
        why="its block has ended",
        fix=("use it inside: with Project.open_sync(…) as project: …",),
    )
