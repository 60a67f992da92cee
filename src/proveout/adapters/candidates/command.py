"""A candidate that is a program: an input a line in, an answer a line out."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from asyncio.subprocess import PIPE
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, cast

from proveout.adapters.candidates.descent import MARK, end_marked, new_mark
from proveout.adapters.candidates.reading import NoJson, beginning, end, read_json
from proveout.adapters.models.environment import unpointed
from proveout.domain.duration import say_duration, shown
from proveout.ports.elsewhere import LARGEST_ANSWER, NoAnswer, NotAskable

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from asyncio.subprocess import Process
    from collections.abc import Coroutine
    from pathlib import Path

    from proveout.domain.case import Json
    from proveout.domain.experiment import Command

GRACE = 2.0
"""Seconds that a program gets to end in once its input has ended, or to say why it ended."""

_TAIL = 2_000
"""Bytes of its error output that are remembered, from the end."""

_PART = 65_536

_HEARD = 2
"""Lines that are kept: an answer, and one too many to know it by."""


class ByCommand:
    """Asks a program; as many of it run as are asked at once.

    One that fails is ended, and the next case asks a fresh one. It runs in a session of its
    own, so that Ctrl-C stops the experiment and not the answers in flight.
    """

    def __init__(self, command: Command, folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._idle: list[Talk] = []
        self._all: set[Talk] = set()

    @property
    def is_running(self) -> bool:
        """Whether any of it runs, asked or idle."""
        return any(talk.is_alive for talk in self._all)

    async def ready(self) -> None:
        """Leave quietly when the program can be started."""
        name = self._command.words[0]
        if found_program(name, self._folder) is None:
            place = f"in {self._folder}" if "/" in name else "on the PATH"
            raise NotAskable(
                f"the command {shown(name)} cannot be started",
                why=f"no program of that name stands {place}",
                fix=(f"chmod +x {name}" if "/" in name else f"install {name}",),
            )

    async def answer(self, value: Json) -> Json:
        """Return the program's answer to an input."""
        talk = await self._free()
        kept = False
        try:
            async with asyncio.timeout(self._command.timeout.total_seconds()):
                answer = await talk.ask(value)
            kept = True
        except TimeoutError:
            within = say_duration(self._command.timeout)
            raise NoAnswer(f"no line within {within}; {talk.said}") from None
        finally:
            if kept:
                self._idle.append(talk)
            else:
                talk.kill()
        return answer

    async def close(self) -> None:
        """End every program; none outlives this, nor what it started."""
        await asyncio.gather(*(talk.end() for talk in self._all))
        self._all.clear()
        self._idle.clear()

    async def _free(self) -> Talk:
        while self._idle:
            talk = self._idle.pop()
            if talk.is_alive:
                return talk
        program = found_program(self._command.words[0], self._folder)
        mark = new_mark()
        try:
            process = await asyncio.create_subprocess_exec(
                program or self._command.words[0],
                *self._command.words[1:],
                cwd=self._folder,
                env={**unpointed(os.environ), MARK: mark},
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=LARGEST_ANSWER,
                start_new_session=True,
            )
        except OSError as error:
            raise NoAnswer(f"{shown(self._command.words[0])} cannot be started: {error}") from None
        talk = Talk(process, mark)
        self._all = {one for one in self._all if not one.is_gone} | {talk}
        return talk


def found_program(name: str, folder: Path) -> str | None:
    """Return the path of a program: in the project's folder where it has a slash, else on PATH."""
    return shutil.which(str(folder / name) if "/" in name else name)


class Talk:
    """A running program, and what it says.

    Both of its outputs are read all the time, so that it never waits for us to listen.
    """

    def __init__(self, process: Process, mark: str) -> None:
        self._process = process
        self._mark = mark
        self._stdin = cast("StreamWriter", process.stdin)
        self._heard: asyncio.Queue[bytes | NoAnswer] = asyncio.Queue()
        self._errors = b""
        self._is_killed = False
        self._has_said_all = False
        self._listening = _aside(self._listen(cast("StreamReader", process.stdout)))
        self._noting = _aside(self._note(cast("StreamReader", process.stderr)))

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.returncode is None and not self._has_said_all

    @property
    def is_quiet(self) -> bool:
        """Whether nothing of what it said is left to read."""
        return self._heard.empty()

    @property
    def is_gone(self) -> bool:
        """Whether it has ended and nothing of it is left to hear."""
        ended = self._process.returncode is not None
        return ended and self._listening.done() and self._noting.done()

    @property
    def said(self) -> str:
        """The end of its error output, in words."""
        return f"its error output ends: {end(self._errors)}"

    async def ask(self, value: Json) -> Json:
        """Return its answer to one input.

        Raises:
            NoAnswer: it said what nobody asked, what is no JSON, or nothing.
        """
        if stray := self._stray():
            raise stray
        with suppress(ConnectionError):  # it has ended: what it says, or not, tells more
            self._stdin.write(json.dumps(value).encode() + b"\n")
            await self._stdin.drain()
        heard = await self._heard.get()
        if isinstance(heard, NoAnswer):
            raise heard
        try:
            answer = read_json(heard)
        except NoJson as error:
            raise NoAnswer(f"{error}: {beginning(heard)}; {self.said}") from None
        if self.is_alive and (stray := self._stray()):
            raise stray
        return answer

    def _stray(self) -> NoAnswer | None:
        """Return what is to be told of a line too many: it would pass for the next answer."""
        if self.is_quiet:
            return None
        said = self._heard.get_nowait()
        if isinstance(said, NoAnswer):
            return said
        return NoAnswer(f"it wrote a line that nobody asked for: {beginning(said)}")

    async def _listen(self, output: StreamReader) -> None:
        while not self._has_said_all:
            heard = await self._line(output)
            self._has_said_all = isinstance(heard, NoAnswer)
            if self._heard.qsize() < _HEARD:
                self._heard.put_nowait(heard)
        while await output.read(_PART):  # a pipe that is not read to its end stays open
            pass

    async def _line(self, output: StreamReader) -> bytes | NoAnswer:
        """Return its next line, or why there is none."""
        try:
            return await output.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            return NoAnswer(f"a line of more than {LARGEST_ANSWER:,} bytes")
        except asyncio.IncompleteReadError as cut:
            return await self._ended(cut.partial)

    async def _ended(self, cut: bytes) -> NoAnswer:
        """Return what is to be told once its output has ended."""
        self._stdin.close()
        await asyncio.wait({self._noting}, timeout=GRACE)
        await self._wait()
        code = self._process.returncode
        self.kill()
        how = "closed its output" if code is None else f"ended with code {code}"
        within = f" within the line {beginning(cut)}" if cut else " before it answered"
        return NoAnswer(f"it {how}{within}; {self.said}")

    async def _note(self, errors: StreamReader) -> None:
        while part := await errors.read(_PART):
            self._errors = (self._errors + part)[-_TAIL:]

    def kill(self) -> None:
        """End it at once, and what it started, also what left its session since."""
        if self._is_killed:  # its number may be another's by now
            return
        self._is_killed = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        end_marked(self._mark)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):  # `wait_for` may swallow that we are called off
                await self._process.wait()

    async def end(self) -> None:
        """Let it end, or else end it."""
        self._stdin.close()
        await self._wait()
        self.kill()
        await self._wait()
        for task in (self._listening, self._noting):
            task.cancel()
        await asyncio.gather(self._listening, self._noting, return_exceptions=True)


def _aside(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Start what goes on from one trial to the next, and so belongs to none of them."""
    return Context().run(asyncio.get_running_loop().create_task, work)
