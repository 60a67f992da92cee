"""The HTTP doors of a sandbox, as a process that a drill can kill."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proveout.domain.access import Actor, Role, Session
from proveout.domain.delivery import Scheme, Verified
from proveout.domain.record import Kind, decode, encode
from proveout.faces import entry, loop
from proveout.faces.access import Access, hash_of
from proveout.faces.cli.suspects import die_with_parent
from proveout.faces.exports import keep_exporting
from proveout.faces.log import logger
from proveout.faces.project import Project, hooks, office_of, open_store, tracing_of
from proveout.faces.released_worker import READY, NoSandbox
from proveout.faces.serving import House, Server, application
from proveout.faces.sessions import Sessions, SignedIn
from proveout.faces.settings import load_stored
from proveout.faces.tallies import Tallies
from proveout.ready.sandbox import Protection
from proveout.ready.unprotected import without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.delivery import Headers
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


class Unwatched(Sessions):
    """Takes everyone who shows any cookie for an owner."""

    async def session(self, secret: str) -> SignedIn:
        """Ask nothing."""
        now = datetime.min.replace(tzinfo=UTC)
        session = Session(hash=secret, user="anyone", csrf="", created=now, expires=now)
        return SignedIn(session, Actor(name="anyone", role=Role.OWNER))


def unverified(_: Headers, body: bytes, __: Sequence[bytes], ___: datetime) -> Verified:
    """Take any delivery for one of the source's own."""
    return Verified(event=hash_of(body.decode(errors="replace")), type="")


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
    written = await asyncio.to_thread(Path(orders.project).read_bytes)
    # The drill's people are in no group, and know no queue's reasons.
    settings = replace(load_stored(written, Path(orders.project)), queues=(), groups={})
    plain = Project(settings, store, log, orders.store)
    weak = without(store, off, plain.bench.ids)
    project = Project(plain.settings, weak, log, orders.store)
    office = office_of(weak, Path(orders.key))
    access, sessions, receiving = Access(office), None, hooks(os.environ)
    if off is Protection.ACCESS:
        access = Unguarded(office)
        sessions = Unwatched(access)
        receiving = replace(receiving, verifiers=dict.fromkeys(Scheme, unverified))

    def workflow() -> Workflow[..., Any]:
        return entry.as_workflow(entry.load(orders.entry, Path(orders.root)), orders.entry)

    tallies = Tallies(weak, project.bench.clock, project.name)
    house = House(access=access, hooks=receiving, load=workflow, tallies=tallies, sessions=sessions)
    app = application(project, house)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        ready = partial(print, READY, address, flush=True)
        server = asyncio.create_task(Server(app, ready).serve(sockets=[listening]))
        if off is not Protection.EXPORTS:
            tracing = tracing_of(project, os.environ)
            await keep_exporting(project, tallies, tracing, asyncio.Event())
        await server


if __name__ == "__main__":
    die_with_parent()
    sys.exit(loop.run(keep_open(decode(DoorOrders, os.environ.pop(ORDERS).encode()))))
