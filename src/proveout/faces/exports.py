"""Exports: what a server tells outside of runs as they end, for as long as it serves."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from proveout.errors import Outage
from proveout.faces.following import follow

if TYPE_CHECKING:
    from proveout.faces.following import Tracing
    from proveout.faces.project import Project
    from proveout.faces.tallies import Tallies

FOLLOW_EVERY = 1.0
"""Seconds between two looks at what has ended."""


async def keep_exporting(
    project: Project, tallies: Tallies, tracing: Tracing | None, told: asyncio.Event
) -> None:
    """Count runs as they end, and send their traces where somebody takes them, until told."""
    follower = None
    try:
        while not told.is_set():
            await follow(tallies.round, project.log)
            if tracing is not None:
                with suppress(Outage):
                    now = project.bench.clock.now()
                    follower = follower or await tracing.begin(project.name, now)
                if follower is not None:
                    await follow(partial(tracing.round, follower), project.log)
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), FOLLOW_EVERY)
    finally:
        if tracing is not None:
            tracing.close()
