"""Health: whether the process lives, and whether it can do its work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import Request  # noqa: TC002 - the framework reads the annotations

from proveout.errors import Outage
from proveout.faces.api.call import answer, doors_of

if TYPE_CHECKING:
    from starlette.responses import Response

PATIENCE = 5
"""Seconds in which the store must answer."""


class NotReady(Outage):
    """The server lives and cannot do its work now."""

    code = "not-ready"


async def lives(request: Request) -> Response:  # noqa: ARG001 - every handler gets it
    """Say that the process lives; it asks nothing of the store."""
    return answer({"status": "lives"})


async def ready(request: Request) -> Response:
    """Say whether requests can be answered: the store tells what serves."""
    doors = doors_of(request)
    if doors.is_draining():
        raise NotReady("the server is on its way out", why="it drains after SIGTERM")
    try:
        async with asyncio.timeout(PATIENCE):
            await doors.store.pointer(doors.settings.workflow.name)
    except TimeoutError:
        raise NotReady(f"the store did not answer within {PATIENCE} s") from None
    except Exception as error:  # whatever it is, it is not ready; the log has more
        doors.log.warning("server.not-ready", error=type(error).__name__)
        raise NotReady("the store does not answer", why="nothing could be kept now") from error
    return answer({"status": "ready"})
