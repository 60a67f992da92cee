"""What stands in for the world while a release is drilled, and the receiver that counts.

A worker tells the receiver, which lives in another process, of each effect and of each
attempt's first step, a JSON line each, and goes on once the receiver has noted it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from proveout.errors import Mistake
from proveout.ready.sandbox import Begun, Carried, Counted, Mishap

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.domain.run import Run
    from proveout.ports.clock import Clock


class NotRecorded(Mistake):
    """No answer was recorded for a step, and calling it could cost money."""

    code = "not-recorded"


class DrilledFault(Mistake):
    """A step failed because the drill wanted it to."""

    code = "drilled-fault"


class StandIn:
    """Answers steps from recordings, and carries effects to the receiver."""

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        recorded: dict[str, Any],
        release: str,
        **manner: Any,
    ) -> None:
        self._reader, self._writer = streams
        self._answers: dict[str, str] = recorded["answers"]
        calling: list[str] = recorded["calling"] if manner["calls_models"] else []
        self._calling = frozenset(calling)
        self._release = release
        self._pace: float = manner["pace"]
        self._is_faulty: bool = manner["is_faulty"]
        self._is_live: bool = manner["is_live"]
        self._turn = asyncio.Lock()
        self._begun: set[tuple[str, int]] = set()

    @classmethod
    async def connect(cls, *, port: int, recordings: Path, release: str, **manner: Any) -> StandIn:
        """Return a stand-in that is connected to the receiver on `port`."""
        streams = await asyncio.open_connection("127.0.0.1", port)
        recorded = json.loads(await asyncio.to_thread(recordings.read_text, "utf-8"))
        return cls(streams, recorded, release, **manner)

    async def close(self) -> None:
        """Let go of the receiver."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def answer(self, run: Run, step: str, digest: str) -> bytes | None:
        """Return the recorded answer of a step, or do what the drill wants instead."""
        if (run.id, run.fence) not in self._begun:
            self._begun.add((run.id, run.fence))
            await self._tell({"begun": run.id, "release": self._release})
        await asyncio.sleep(self._pace)  # noqa: TID251 - real time passes in a real process
        if run.key == Mishap.KILLS:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._is_faulty or run.key == Mishap.RAISES:
            raise DrilledFault(f"the drill lets {step} fail")
        if (key := f"{step}:{digest}") in self._calling:
            return None
        recorded = self._answers.get(key)
        if recorded is None and not self._is_live:
            raise NotRecorded(
                f"no answer was recorded for {step} on these arguments",
                why="a drill replays what the trials recorded, and calls nothing",
                fix=("proveout prove", "proveout drill … --live"),
            )
        return None if recorded is None else recorded.encode()

    async def carry(self, run: Run, effect: str, key: str, arguments: bytes) -> None:
        """Tell the receiver of an effect; return once it was counted."""
        await self._tell(
            {
                "run": run.id,
                "effect": effect,
                "key": key,
                "release": self._release,
                "arguments": arguments.decode()[:200],
            }
        )

    async def _tell(self, words: dict[str, str]) -> None:
        async with self._turn:
            self._writer.write(json.dumps(words).encode() + b"\n")
            await self._writer.drain()
            await self._reader.readline()


class Receiver:
    """Counts what workers tell it, outside of their processes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._effects: list[Carried] = []
        self._begun: list[Begun] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Start to listen on this machine; return the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()

    def counted(self) -> Counted:
        """Return what was counted so far."""
        return Counted(tuple(self._effects), tuple(self._begun))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while line := await reader.readline():
                self._note(json.loads(line))
                writer.write(b"ok\n")
                await writer.drain()
        writer.close()

    def _note(self, words: dict[str, str]) -> None:
        at = self._clock.now()
        if "begun" in words:
            self._begun.append(Begun(at=at, run=words["begun"], release=words["release"]))
            return
        carried = Carried(
            at=at,
            run=words["run"],
            effect=words["effect"],
            key=words["key"],
            release=words["release"],
        )
        self._effects.append(carried)
