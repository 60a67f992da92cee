"""The web application of a project, and the server that it runs on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import uvicorn

from proveout.faces import entry
from proveout.faces.api.app import api
from proveout.faces.api.doors import Doors
from proveout.run.payload import signature, to_json

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from fastapi import FastAPI

    from proveout.faces.access import Access
    from proveout.faces.api.doors import Hooks
    from proveout.faces.project import Project

GRACE = 10
"""Seconds that requests in flight get to end in."""


def application(project: Project, access: Access, hooks: Hooks, root: Path | None) -> FastAPI:
    """Return the application with the API, the hooks, health and figures of a project.

    Args:
        project: whose doors these are.
        access: who may come in.
        hooks: how deliveries are verified.
        root: the folder whose code says which inputs fit; None to take any JSON.
    """
    bench = project.bench
    doors = Doors(
        settings=project.settings,
        store=project.store,
        clock=bench.clock,
        ids=bench.ids,
        log=project.log,
        access=access,
        hooks=hooks,
        accept=acceptor(project.settings.workflow.entry, root),
    )
    return api(doors)


def acceptor(name: str, root: Path | None) -> Callable[[str, bytes], bytes]:
    """Return what makes an input canonical, and refuses one that the workflow cannot take."""
    workflow = None if root is None else entry.as_workflow(entry.load(name, root), name)

    def accept(_workflow: str, value: bytes) -> bytes:
        if workflow is not None:
            signature(workflow.function).inputs(value)
        return to_json(json.loads(value), "the input", canonical=True)

    return accept


async def serve_on(app: Any, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve `app` on a socket until the process is told to stop."""
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        lifespan="off",
    )
    server = Telling(config, ready)
    await server.serve(sockets=[listening])


class Telling(uvicorn.Server):
    """A server that tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self._ready()
