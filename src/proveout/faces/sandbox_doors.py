"""The HTTP doors of a sandbox, as a process that a drill can kill."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proveout.domain.access import Actor, Role
from proveout.domain.record import Kind, decode, encode
from proveout.faces import entry, loop
from proveout.faces.access import Access
from proveout.faces.log import logger
from proveout.faces.project import Project, hooks, office_of, open_store
from proveout.faces.released_worker import READY, NoSandbox
from proveout.faces.serving import House, Server, application
from proveout.faces.settings import load_stored
from proveout.ready.sandbox import Protection
from proveout.ready.unprotected import without

if TYPE_CHECKING:
    from proveout.domain.workflow import Workflow
    from proveout.ports.store import Store

ORDERS = "PROVEOUT_DOOR_ORDERS"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorOrders:
    """What the doors of a sandbox stand before.

    Attributes:
        store: URL of the sandbox's store.
        key: file of the sandbox's own key.
        project: path of the settings.
        root: the folder with the release's files.
        off: the protection that they do without.
    """

    store: str
    key: str
    project: str
    root: str
    entry: str
    off: str = ""

    def environ(self) -> dict[str, str]:
        """Return the variable that hands the orders over."""
        return {ORDERS: encode(self).decode()}


class Unguarded(Access):
    """Takes everyone who shows any key for an owner."""

    async def program(self, secret: str) -> Actor:  # noqa: ARG002 - that is the point
        """Ask nothing."""
        return Actor(name="anyone", role=Role.OWNER)


async def keep_open(orders: DoorOrders) -> None:
    """Serve until the process is ended.

    Raises:
        NoSandbox: the store is a real one.
    """
    store = await open_store(orders.store)
    try:
        if await store.record(Kind.SANDBOX, "sandbox") is None:
            raise NoSandbox("this store is no sandbox")
        await _serve(orders, store)
    finally:
        await store.close()


async def _serve(orders: DoorOrders, store: Store) -> None:
    off = Protection(orders.off) if orders.off else None
    log = logger(logging.WARNING)
    settings = load_stored(
        await asyncio.to_thread(Path(orders.project).read_bytes), Path(orders.project)
    )
    plain = Project(settings, store, log, orders.store)
    weak = without(store, off, plain.bench.ids)
    project = Project(plain.settings, weak, log, orders.store)
    office = office_of(weak, Path(orders.key))
    access = (Unguarded if off is Protection.ACCESS else Access)(office)

    def workflow() -> Workflow[..., Any]:
        return entry.as_workflow(entry.load(orders.entry, Path(orders.root)), orders.entry)

    house = House(access=access, hooks=hooks(os.environ), load=workflow)
    app = application(project, house)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        ready = partial(print, READY, address, flush=True)
        await Server(app, ready).serve(sockets=[listening])


if __name__ == "__main__":
    sys.exit(loop.run(keep_open(decode(DoorOrders, os.environ.pop(ORDERS).encode()))))
