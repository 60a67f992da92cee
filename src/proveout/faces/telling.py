"""Telling other processes how far a drill is: a record in the store, written while it goes on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from proveout.domain.evidence import DrillResult
from proveout.domain.record import Kind, encode
from proveout.domain.underway import LINES, Underway, underway_name
from proveout.domain.unit import Keep, Put, UnitId
from proveout.errors import ProveoutError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from proveout.faces.project import Project
    from proveout.ready.rehearse import Rehearsed

PACE = 0.5
"""Seconds between two writes at least, however much is said."""

ALIVE = 10.0
"""Seconds after which a sign of life is given, although nothing was said."""

LONGEST = 300
"""Characters of a line."""


class Telling:
    """What one drill says, kept for other processes; a store that cannot keep it stops nothing."""

    def __init__(self, project: Project, claim: str, release: str, by: str) -> None:
        now = project.bench.clock.now()
        self._project = project
        self._lines: list[str] = []
        self._news = asyncio.Event()
        self._ended = ("", "")
        self._is = Underway(
            claim=claim, workflow=project.name, release=release, by=by, started=now, told=now
        )

    def say(self, line: str) -> None:
        """Have others read a line of the log soon."""
        at = self._project.bench.clock.now().astimezone()
        self._lines.append(f"{at:%H:%M:%S}  {line[:LONGEST]}")
        self._news.set()

    def ended(self, rehearsed: Rehearsed) -> None:
        """Have others read how it went."""
        self._ended = (rehearsed.result.value, rehearsed.summary)

    @asynccontextmanager
    async def going_on(self) -> AsyncGenerator[None]:
        """Keep what is said until the block ends; one that breaks off was ABORTED."""
        await self._write()
        telling = asyncio.create_task(self._tell())
        try:
            yield
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            if not self._ended[0]:
                self._ended = (DrillResult.ABORTED.value, "its process broke off")
            await self._write()

    async def _tell(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), ALIVE)
            self._news.clear()
            await self._write()
            await self._project.bench.clock.sleep(PACE)

    async def _write(self) -> None:
        project, result = self._project, self._ended
        now = replace(
            self._is,
            told=project.bench.clock.now(),
            lines=tuple(self._lines[-LINES:]),
            result=result[0],
            summary=result[1],
        )
        name = underway_name(now.workflow, now.claim)
        keep = Keep(kind=Kind.DRILL, name=name, body=encode(now))
        with suppress(ProveoutError):
            await project.store.write(Put(id=UnitId(project.bench.ids.new()), keeps=(keep,)))
