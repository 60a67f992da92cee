"""A wire that can be cut: between a store and its server, at the worst moment."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable

SOCKET = ".s.PGSQL.5432"

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""How the wire says that a transaction is to be made durable."""

Cut = Literal["before", "after"] | None
"""Before the server hears of a commit, after it has answered, or not at all."""


class Cutter:
    """Passes everything on to the server at a URL, and cuts commits as it is told.

    Attributes:
        url: the server, by way of this wire.
        cuts: count of connections cut in a commit.
    """

    def __init__(self, url: str, when: Callable[[int], Cut]) -> None:
        """Go between; `when` tells what to do with each commit, counted from 0."""
        parts = urlsplit(url)
        self._server = Path(parse_qs(parts.query)["host"][0]) / SOCKET
        self._folder = Path(tempfile.mkdtemp(prefix="proveout-cut-"))
        self._when = when
        self._commits = 0
        self._passing: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()
        self.url = urlunsplit(parts._replace(query=urlencode({"host": self._folder})))
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_unix_server(self._serve, self._folder / SOCKET)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        for end in tuple(self._ends):
            end.transport.abort()
        await asyncio.gather(*self._passing, return_exceptions=True)
        shutil.rmtree(self._folder)

    async def _serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)
        server, tell = await asyncio.open_unix_connection(self._server)
        back = asyncio.create_task(_pass_on(server, answer))
        self._ends |= {tell, answer}
        try:
            with suppress(ConnectionError):
                await self._listen(client, tell, back)
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            for end in (tell, answer):
                end.transport.abort()
            self._ends -= {tell, answer}

    async def _listen(
        self, client: asyncio.StreamReader, tell: asyncio.StreamWriter, back: asyncio.Task[None]
    ) -> None:
        while said := await client.read(2**16):
            cut = self._judge() if COMMIT in said else None
            if cut == "after":
                back.cancel()
            if cut != "before":
                tell.write(said)
                await tell.drain()
            if cut is not None:
                self.cuts += 1
                await self._let_commit(cut)
                return

    def _judge(self) -> Cut:
        self._commits += 1
        return self._when(self._commits - 1)

    async def _let_commit(self, cut: Cut) -> None:
        """Give the server time to commit what it was told before it learns that we are gone."""
        if cut == "after":
            await asyncio.sleep(0.005)  # noqa: TID251 - the wire's time, not the story's


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while said := await reader.read(2**16):
            writer.write(said)
            await writer.drain()
    writer.close()
