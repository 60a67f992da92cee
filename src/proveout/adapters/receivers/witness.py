"""What deliveries led to, as a URL or a command of the receiver's own tells."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from proveout.domain.duration import shown
from proveout.ports.receiver import BadAddress, NoWitness

if TYPE_CHECKING:
    from proveout.adapters.receivers.http import Wire
    from proveout.ports.receiver import Answer

HERE = "{id}"
"""Where the id of an event or an object is written into a URL or a command."""

COMMAND_PATIENCE = 15.0
"""Seconds in which a command must have counted."""

NOT_FOUND = 404


def check_has_id(option: str, text: str) -> None:
    """Leave quietly when a URL or a command says where the id belongs.

    Raises:
        BadAddress: it does not.
    """
    if HERE not in text:
        raise BadAddress(
            f"{option} has no {HERE}",
            why="effects are counted for one event at a time, and state is that of one object",
            fix=(f"write {HERE} where the id belongs",),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """Whoever was named to count effects and to show the state; nobody, where None.

    Attributes:
        effects: a wire, and the URL with `HERE` in it.
        command: words of a program that prints the count, with `HERE` in them.
        state: a wire, and the URL with `HERE` in it.
    """

    effects: tuple[Wire, str] | None = None
    command: str | None = None
    state: tuple[Wire, str] | None = None

    @property
    def counts(self) -> bool:
        return self.effects is not None or self.command is not None

    @property
    def shows(self) -> bool:
        return self.state is not None

    async def count(self, event: str) -> int:
        if self.command is not None:
            return _count(await _printed(self.command.replace(HERE, event)), "the effects command")
        assert self.effects is not None  # noqa: S101 - asked only where effects are counted
        answer = await _asked(self.effects, event)
        if answer.status == NOT_FOUND:
            return 0
        return _count(_body(answer, "the effects URL"), "the effects URL")

    async def status(self, object_id: str) -> str | None:
        assert self.state is not None  # noqa: S101 - asked only where the state is shown
        answer = await _asked(self.state, object_id)
        if answer.status == NOT_FOUND:
            return None
        found = _value(_body(answer, "the state URL"), "the state URL")
        status = cast("dict[str, object]", found).get("status") if isinstance(found, dict) else ""
        if status is not None and (not isinstance(status, str) or not isinstance(found, dict)):
            raise NoWitness('the state URL does not answer {"status": …}')
        return status


async def _asked(where: tuple[Wire, str], name: str) -> Answer:
    wire, url = where
    return await wire.ask("GET", url.replace(HERE, quote(name, safe="")))


def _body(answer: Answer, who: str) -> bytes:
    if answer.status is None:
        raise NoWitness(f"{who} does not answer: {answer.trouble}")
    if not answer.is_acknowledged:
        raise NoWitness(f"{who} answers {answer.status}")
    return answer.body


def _count(said: bytes, who: str) -> int:
    """Return the number that was said: `{"count": 2}`, or 2 alone."""
    found = _value(said, who)
    number = cast("dict[str, object]", found).get("count") if isinstance(found, dict) else found
    if type(number) is not int or number < 0:
        raise NoWitness(f'{who} does not say {{"count": n}}')
    return number


def _value(said: bytes, who: str) -> object:
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        raise NoWitness(
            f"{who} says what is no JSON: {shown(said[:60].decode('latin-1'))}"
        ) from None


async def _printed(command: str) -> bytes:
    """Return what a command prints; it runs without a shell, and no longer than it may."""
    try:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise NoWitness(f"the effects command cannot be started: {error}") from None
    try:
        async with asyncio.timeout(COMMAND_PATIENCE):
            said, _ = await process.communicate()
    except TimeoutError:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        raise NoWitness(f"the effects command took over {COMMAND_PATIENCE:.0f} s") from None
    if process.returncode:
        raise NoWitness(f"the effects command ended with {process.returncode}")
    return said
