"""The doors of the project in the working directory, on a port of this machine.

python -m doubles.server whole 0          as it is
python -m doubles.server before 3         killed just before its third write
python -m doubles.server after 3          killed just after its third write
python -m doubles.server early 0          answers before it has written

The project is promoted first; the port is printed when the doors are open.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import uvicorn

from doubles.mortal import STORES, die_at
from proveout.domain.ledger import Deed
from proveout.domain.release import Stage
from proveout.domain.unit import MovePointer, Receive, Received
from proveout.faces.access import Access
from proveout.faces.api.accept import accepts
from proveout.faces.api.app import api
from proveout.faces.api.doors import Doors
from proveout.faces.log import logger
from proveout.faces.project import Project, hooks
from proveout.release.decide import amend

if TYPE_CHECKING:
    from proveout.domain.unit import Answered, Unit

LATE = 0.2
"""Seconds after its answer that an early store writes."""


def answer_early() -> None:
    """Let every store of this process say that a delivery is durable before it is."""
    kept: set[asyncio.Task[Any]] = set()
    for store in STORES:
        write = store.write

        async def early(self: Any, unit: Unit, write: Any = write) -> Answered:
            if not isinstance(unit, Receive):
                return await write(self, unit)
            task = asyncio.create_task(_later(write, self, unit))
            kept.add(task)
            return Received(unit.run and unit.run.id, created=True)

        store.write = early


async def _later(write: Any, store: Any, unit: Unit) -> None:
    await asyncio.sleep(LATE)  # noqa: TID251 - what is wrong with this store is its time
    await write(store, unit)


async def serve(fate: str, number: int) -> None:
    """Open the doors and leave them open."""
    async with Project.open(log=logger(logging.INFO)) as project:
        await _promote(project)
        if fate == "early":
            answer_early()
        elif fate != "whole":
            die_at(fate, number)
        doors = Doors(
            settings=project.settings,
            store=project.store,
            clock=project.bench.clock,
            ids=project.bench.ids,
            log=project.log,
            access=Access(project.office),
            hooks=hooks(os.environ),
            accept=accepts(project.name, project.workflow),
        )
        listening = socket.create_server(("127.0.0.1", 0))
        print(listening.getsockname()[1], flush=True)  # noqa: T201 - whoever started us waits for it
        config = uvicorn.Config(api(doors), log_config=None, access_log=False, lifespan="off")
        await uvicorn.Server(config).serve(sockets=[listening])


async def _promote(project: Project) -> None:
    pointer = await project.store.pointer(project.name)
    if pointer.stage is not Stage.PRODUCTION:
        moved = replace(pointer, version=pointer.version + 1, stage=Stage.PRODUCTION)
        deed = Deed(actor="ana", act="promote", subject=project.name, facts={})
        await amend(project.office, deed, (MovePointer(pointer=moved),))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
