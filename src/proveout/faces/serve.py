"""Serving a workflow: web, API, hooks, scheduler and supervised workers, in one command."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proveout.domain.release import Stage
from proveout.errors import Mistake, Outage, ProveoutError
from proveout.faces import entry
from proveout.faces.access import Access
from proveout.faces.api.stage import box_end
from proveout.faces.exports import keep_exporting
from proveout.faces.project import hooks, identity_provider, tracing_of
from proveout.faces.released import launch
from proveout.faces.serving import House, Server, application
from proveout.faces.sessions import Sessions
from proveout.faces.supervise import Supervisor
from proveout.faces.tallies import Tallies
from proveout.faces.watching import keep_watch
from proveout.release.canary import act_on, look
from proveout.run.prune import tidy
from proveout.run.schedule import fire

if TYPE_CHECKING:
    from collections.abc import Callable

    from proveout.domain.workflow import Workflow
    from proveout.faces.project import Project

TEND_EVERY = 0.5
"""Seconds between two rounds of timers, deadlines and lapsed leases."""

FIRE_EVERY = 0.5
"""Seconds between two looks at the schedules."""

WATCH_EVERY = 1.0
"""Seconds between two looks at a canary."""

PRUNE_EVERY = 60.0
"""Seconds between two looks for what has outlived its time."""

INTERRUPTED = 130


class PortTaken(Mistake):
    """Another process listens there."""

    code = "port-taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How a workflow is served.

    Attributes:
        hosts: names by which the console is reached besides, behind a proxy.
        workers: processes for each release that has runs to do.
        concurrency: most runs in flight in each of them.
    """

    host: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()
    port: int = 8484
    workers: int = 2
    concurrency: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a person is told once everything runs.

    Attributes:
        welcome: secret of the link that lets the first owner in; None where there is a user.
    """

    address: str
    welcome: str | None
    supervisor: Supervisor


async def serve(project: Project, serving: Serving, announce: Callable[[Opened], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; then drain. A second Ctrl-C stops at once.

    Raises:
        PortTaken: another process listens there.
    """
    listening = listen(serving.host, serving.port)
    told = asyncio.Event()
    _stop_on_signals(told)
    access = Access(project.office)
    oidc, clock = project.settings.access.oidc, project.bench.clock
    provider = None if oidc is None else identity_provider(oidc, os.environ, clock)
    tallies = Tallies(project.store, project.bench.clock, project.name)
    supervisor = Supervisor(project, serving.workers, serving.concurrency)
    ready = asyncio.Event()
    shape = await _shape_of(project)
    house = House(
        access=access,
        hooks=hooks(os.environ),
        load=shape.load,
        is_current=lambda: shape.is_current,
        is_loopback=is_loopback(serving.host),
        hosts=serving.hosts,
        is_draining=told.is_set,
        provider=provider,
        tallies=tallies,
    )
    app = application(project, house)
    server = Server(app, ready.set)
    tasks = [
        asyncio.create_task(server.serve(sockets=[listening])),
        asyncio.create_task(supervisor.supervise(told)),
        asyncio.create_task(_tend(project, shape, supervisor, told)),
        asyncio.create_task(_watch(project, told)),
        asyncio.create_task(_fire(project, told)),
        asyncio.create_task(_prune(project, told)),
        asyncio.create_task(keep_watch(project, told)),
        asyncio.create_task(
            keep_exporting(project, tallies, tracing_of(project, os.environ), told)
        ),
    ]
    try:
        await ready.wait()
        welcome = await Sessions(access).first_owner_link()
        address = f"http://{serving.host}:{listening.getsockname()[1]}"
        announce(Opened(address=address, welcome=welcome, supervisor=supervisor))
        await _first_end(tasks, told)
    finally:
        told.set()
        server.stop()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        access.close()
        listening.close()
    for result in results:
        if isinstance(result, BaseException):
            raise result


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there.

    Raises:
        PortTaken: another process listens there.
        Mistake: this machine has no such address.
    """
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {port} is taken",
                why="another process listens there, perhaps another proveout serve",
                fix=(f"proveout serve --port {port + 1}",),
            ) from error
        raise Mistake(
            f"cannot listen on {host}:{port}", why=error.strerror or str(error)
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


@dataclass(slots=True)
class Shape:
    """The workflow whose annotations say which inputs fit.

    Attributes:
        of: digest of the release that it belongs to; None for the draft.
        is_current: whether that is what serves; code is imported once for a process.
    """

    load: Callable[[], Workflow[..., Any]]
    of: str | None = None
    is_current: bool = True


async def _shape_of(project: Project) -> Shape:
    """Return the shape of what serves now; where it cannot be had, none is asked for."""
    pointer = await project.store.pointer(project.name)
    release = None if pointer.stable is None else await project.store.release(pointer.stable)
    if release is None:
        return Shape(project.workflow)
    try:
        start = await launch(project.store, release)
    except (ProveoutError, OSError) as error:
        project.log.warning("inputs.not_checked", release=release.name, error=str(error))
        return Shape(project.workflow, release.digest, is_current=False)
    return Shape(
        lambda: entry.as_workflow(entry.load(start.entry, start.root), start.entry),
        release.digest,
    )


async def _first_end(tasks: list[asyncio.Task[None]], told: asyncio.Event) -> None:
    """Return when we are told to stop, or a part of us has ended."""
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _tend(
    project: Project, shape: Shape, supervisor: Supervisor, told: asyncio.Event
) -> None:
    """Fire timers, expire reviews and return lapsed runs, until told to stop."""
    while not told.is_set():
        try:
            await project.store.tend()
            stable = (await project.store.pointer(project.name)).stable
            if stable != shape.of or (stable is None and supervisor.reloads):
                shape.is_current = False
        except Outage as outage:
            project.log.warning("store.unreachable", error=str(outage))
        await _rest(told, TEND_EVERY)


async def _watch(project: Project, told: asyncio.Event) -> None:
    """Watch the canary, and take it back once it is shown to be worse, until told to stop."""
    overdue = False
    while not told.is_set():
        try:
            seen = await look(project.office, project.name)
            if seen is not None and (back := await act_on(project.office, project.name, seen)):
                project.log.warning(
                    "canary.rolled_back",
                    release=back.bad,
                    requests=seen.requests,
                    failures=seen.failures,
                    of_canary=seen.canary_failures,
                )
            if seen is not None and seen.overdue and not overdue:
                project.log.warning("canary.held_too_long", release=seen.canary.release)
            overdue = seen is not None and seen.overdue
        except ProveoutError as error:
            project.log.warning("canary.not_watched", error=str(error))
        await _rest(told, WATCH_EVERY)


async def _fire(project: Project, told: asyncio.Event) -> None:
    """Turn the ticks of schedules into runs, until told to stop.

    As at the other doors a proof of concept takes nothing past its time box: ticks pass then.
    """
    schedules = project.settings.workflow.schedules
    while schedules and not told.is_set():
        try:
            may = await _takes_runs(project)
            bench = project.bench
            keys = await fire(bench.store, bench.ids, project.name, schedules, may=may)
            for key in keys:
                project.log.info("schedule.fired", key=key)
        except ProveoutError as error:
            project.log.warning("schedules.not_fired", error=str(error))
        await _rest(told, FIRE_EVERY)
    await told.wait()


async def _takes_runs(project: Project) -> bool:
    """Whether the workflow is in production, or within the time box of its proof of concept."""
    store, name = project.store, project.name
    if (await store.pointer(name)).stage is Stage.PRODUCTION:
        return True
    end = box_end(project.settings, await store.experiments(name))
    return end is None or end > project.bench.clock.now()


async def _prune(project: Project, told: asyncio.Event) -> None:
    """Remove what has outlived its time, until told to stop."""
    keeping = project.settings.keeping
    while keeping is not None and not told.is_set():
        try:
            gone = await tidy(project.store, keeping, told.is_set)
            if gone.pruned or gone.forgotten:
                project.log.info("runs.pruned", pruned=gone.pruned, forgotten=gone.forgotten)
        except Outage as outage:
            project.log.warning("store.unreachable", error=str(outage))
        await _rest(told, PRUNE_EVERY)
    await told.wait()


async def _rest(told: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(told.wait(), seconds)


def _stop_on_signals(told: asyncio.Event) -> None:
    def stop() -> None:
        if told.is_set():  # the second time: at once; workers end with us
            os._exit(INTERRUPTED)
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
