"""The web application of a project, and the server that it runs on."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from proveout.faces.api.accept import accepts, always
from proveout.faces.api.app import api
from proveout.faces.api.doors import Doors
from proveout.faces.api.routes import ROUTES
from proveout.faces.refusals import Refusals
from proveout.faces.sessions import Sessions
from proveout.faces.web.app import console_app
from proveout.faces.web.hints import Hints
from proveout.faces.web.known import Known
from proveout.faces.web.visit import Console
from proveout.faces.web.zone import local_zone

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from proveout.domain.workflow import Workflow
    from proveout.faces.access import Access
    from proveout.faces.api.doors import Hooks
    from proveout.faces.project import Project
    from proveout.faces.tallies import Tallies
    from proveout.ports.identity import Provider

GRACE = 10
"""Seconds that requests in flight get to end in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the doors of a project open into.

    Attributes:
        access: who may come in.
        hooks: how deliveries are verified.
        load: imports the workflow that says which inputs fit.
        is_current: whether what `load` gives is what serves now.
        is_loopback: the server listens on this machine alone.
        hosts: names by which the console is reached besides, as `host` or `host:port`;
            where it is no loopback, () for any.
        is_draining: whether the server is on its way out.
        provider: who vouches for people; None where their passwords do.
        tallies: counts of runs that ended; None where nobody counts them.
        sessions: who is signed in; None for those that `access` keeps.
    """

    access: Access
    hooks: Hooks
    load: Callable[[], Workflow[..., Any]]
    is_current: Callable[[], bool] = always
    is_loopback: bool = True
    hosts: tuple[str, ...] = ()
    is_draining: Callable[[], bool] = bool
    provider: Provider | None = None
    tallies: Tallies | None = None
    sessions: Sessions | None = None


APART = frozenset(route.path.split("/")[1] for route in ROUTES)
"""Where the paths of programs begin; every other path is the console's."""


def application(project: Project, house: House) -> ASGIApp:
    """Return the application with the console, the API, the hooks, health and figures."""
    programs, people = _for_programs(project, house), _for_people(project, house)

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        begins = str(scope.get("path", "")).removeprefix("/").partition("/")[0]
        app = programs if begins in APART else people
        await app(scope, receive, send)

    return Refusals(either, project.log, programs.state.deliveries.registry)


def _for_programs(project: Project, house: House) -> FastAPI:
    bench = project.bench
    doors = Doors(
        settings=project.settings,
        store=project.store,
        clock=bench.clock,
        ids=bench.ids,
        log=project.log,
        access=house.access,
        hooks=house.hooks,
        accept=accepts(project.name, house.load, house.is_current),
        is_loopback=house.is_loopback,
        is_draining=house.is_draining,
        tallies=house.tallies,
    )
    return api(doors)


def _for_people(project: Project, house: House) -> ASGIApp:
    clock = project.bench.clock
    console = Console(
        project=project,
        access=house.access,
        sessions=house.sessions or Sessions(house.access),
        zone=local_zone(os.environ, clock.now()),
        known=Known(clock),
        provider=house.provider,
        hints=Hints(store=project.store, clock=clock, is_draining=house.is_draining),
        accept=accepts(project.name, house.load, house.is_current),
    )
    return console_app(console, is_loopback=house.is_loopback, hosts=house.hosts)


class Server(uvicorn.Server):
    """A server that tells when it accepts connections, and leaves signals to its process."""

    def __init__(self, app: Any, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="error",
                access_log=False,  # an address may hold the secret of a one-time link
                server_header=False,
                timeout_graceful_shutdown=GRACE,
                lifespan="off",
            )
        )
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self._ready()

    def stop(self) -> None:
        """Take no more requests; `serve` returns when those in flight have ended."""
        self.should_exit = True
