"""A project for synchronous code: from any thread, closed cleanly, and never on a loop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from proveout import Mistake, Outage, Project, Refusal

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from proveout.faces.synchronous import SyncProject

APP = """
def answer(n: int) -> int:
    if n < 0:
        raise ValueError("below nothing")
    return n * 2
"""

SETTINGS = """
[workflow]
name = "toy"
entry = "app_of_synchronous:answer"
"""


@pytest.fixture
def settings(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the settings of a project on each store in turn."""
    (tmp_path / "app_of_synchronous.py").write_text(APP, "utf-8")
    (tmp_path / "proveout.toml").write_text(SETTINGS, "utf-8")
    monkeypatch.setenv("PROVEOUT_STORE", store_url)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.delitem(sys.modules, "app_of_synchronous", raising=False)
    return tmp_path / "proveout.toml"


@pytest.fixture
def project(settings: Path) -> Generator[SyncProject]:
    """Return a project that is open."""
    with Project.open_sync(settings) as project:
        yield project


async def work(settings: Path) -> None:
    """Work until nothing is left."""
    async with Project.open(settings) as project:
        await project.worker(concurrency=4, captures=True).work(until_idle=True)


def threads() -> int:
    """Return how many threads of open projects there are."""
    return sum(thread.name == "proveout" for thread in threading.enumerate())


def test_a_run_is_enqueued_and_waited_for(project: SyncProject, settings: Path) -> None:
    """What `Project` does, the facade does, with the same answers."""
    run = project.enqueue("toy", 21, key="msg-1")
    again = project.enqueue("toy", 21, key="msg-1")
    asyncio.run(work(settings))

    result = project.wait(run.id, timeout=20)

    assert project.name == "toy"
    assert again.id == run.id
    assert result == 42
    assert project.run(run.id).state == "SUCCEEDED"


def test_errors_keep_their_types(project: SyncProject, settings: Path) -> None:
    """A mistake, a refusal and an outage are what they are from asynchronous code."""
    run = project.enqueue("toy", -1, key="k")

    with pytest.raises(Outage, match="QUEUED"):
        project.wait(run.id, timeout=0.01)
    with pytest.raises(Refusal, match="another input"):
        project.enqueue("toy", 2, key="k")
    with pytest.raises(Mistake, match="no workflow"):
        project.enqueue("other", 1)
    asyncio.run(work(settings))
    with pytest.raises(Refusal, match="DEAD"):
        project.wait(run.id, timeout=20)


def test_several_threads_use_one_project(project: SyncProject, settings: Path) -> None:
    """Each thread gets the answers to its own calls."""
    with ThreadPoolExecutor(8) as pool:
        entering = [pool.submit(project.enqueue, "toy", n) for n in range(40)]
        runs = [one.result() for one in entering]
        waiting = [pool.submit(project.wait, run.id, timeout=60) for run in runs]
        asyncio.run(work(settings))

        assert [one.result() for one in waiting] == [n * 2 for n in range(40)]


def test_an_error_in_the_block_closes_the_project(settings: Path) -> None:
    """The error comes out, the thread is gone, and the project cannot be used again."""
    opened: list[SyncProject] = []

    def fail() -> None:
        with Project.open_sync(settings) as project:
            opened.append(project)
            raise KeyError(threads())

    with pytest.raises(KeyError, match="1"):
        fail()

    assert threads() == 0
    with pytest.raises(Mistake, match="closed"):
        opened[0].enqueue("toy", 1)


def test_what_cannot_be_opened_leaves_no_thread(tmp_path: Path) -> None:
    """The reason comes out as it is, and nothing stays behind."""
    with pytest.raises(Mistake), Project.open_sync(tmp_path / "proveout.toml"):
        pytest.fail("there is no such file")

    for thread in threading.enumerate():
        if thread.name == "proveout":
            thread.join(10)
    assert threads() == 0


def test_closing_ends_those_who_wait(settings: Path) -> None:
    """A thread that waits for a run learns that the project was closed."""
    with ThreadPoolExecutor(1) as pool:
        with Project.open_sync(settings) as project:
            run = project.enqueue("toy", 1)
            begun = threading.Event()

            def wait() -> object:
                begun.set()
                return project.wait(run.id)

            waiting = pool.submit(wait)
            begun.wait()

        with pytest.raises(Mistake, match="closed"):
            waiting.result(10)


async def test_a_running_loop_is_not_stopped(settings: Path) -> None:
    """Where a loop runs, waiting would stop it: the mistake names what to use instead."""
    with pytest.raises(Mistake, match="event loop") as told, Project.open_sync(settings):
        pytest.fail("it was opened")

    assert "Project.open(" in told.value.fix[0]


async def test_it_works_in_a_thread_beside_a_loop(settings: Path) -> None:
    """An application with a loop of its own may use it in its threads, and only there."""

    def enqueue() -> str:
        with Project.open_sync(settings) as project:
            run = project.enqueue("toy", 1)
            opened.append(project)
            return project.run(run.id).state

    opened: list[SyncProject] = []

    assert await asyncio.to_thread(enqueue) == "QUEUED"
    with pytest.raises(Mistake, match="event loop"):
        opened[0].run("any")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_must_open_it_anew(project: SyncProject) -> None:
    """A fork takes neither thread nor connections along: it is told so, and does not hang."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            project.enqueue("toy", 1)
        except Mistake as mistake:
            code = 0 if "forked" in str(mistake) else 2
        finally:
            os._exit(code)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert project.enqueue("toy", 2).state == "QUEUED"


def test_a_wait_can_be_interrupted(project: SyncProject) -> None:
    """Ctrl-C ends the waiting, and the project serves on."""
    run = project.enqueue("toy", 1)
    main = threading.main_thread().ident
    assert main is not None
    # Whoever starts the tests in the background may have told them to ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    interrupt.start()

    with pytest.raises(KeyboardInterrupt):
        project.wait(run.id)

    interrupt.join()
    signal.signal(signal.SIGINT, before)
    assert project.run(run.id).state == "QUEUED"


def test_a_run_joins_a_transaction_of_the_callers(project: SyncProject, store_url: str) -> None:
    """Through the facade, too, it is there with the commit; SQLite has nobody to share with."""
    if not store_url.startswith("postgresql"):
        with pytest.raises(Mistake, match="needs a store in PostgreSQL"):
            project.enqueue("toy", 1, connection=object())
        return
    with psycopg.connect(store_url) as connection:
        run = project.enqueue("toy", 1, key="order-1", connection=connection)
        with pytest.raises(Mistake, match="no run"):
            project.run(run.id)

    assert project.run(run.id).state == "QUEUED"
    with pytest.raises(Refusal, match="another input"), psycopg.connect(store_url) as connection:
        project.enqueue("toy", 2, key="order-1", connection=connection)


async def test_an_asynchronous_connection_stays_on_its_loop(settings: Path, store_url: str) -> None:
    """It cannot be used from another thread; the mistake says what to do."""
    if not store_url.startswith("postgresql"):
        pytest.skip("there is nobody to share with")
    async with await psycopg.AsyncConnection.connect(store_url) as connection:

        def enqueue() -> None:
            with Project.open_sync(settings) as project:
                project.enqueue("toy", 1, connection=connection)

        with pytest.raises(Mistake, match="asynchronous connection"):
            await asyncio.to_thread(enqueue)
        async with Project.open(settings) as project:
            run = await project.enqueue("toy", 1, connection=connection)
            await connection.commit()

            assert (await project.run(run.id)).state == "QUEUED"
