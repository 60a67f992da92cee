"""Reads that are shared: few of them, and none from before it was asked for."""

from __future__ import annotations

import asyncio

from proveout.faces.api.together import Together


class Source:
    """Counts its reads; each gives the number that stood there when it began."""

    def __init__(self) -> None:
        self.value = 0
        self.reads = 0
        self.go_on = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        found = self.value
        await self.go_on.wait()
        if found < 0:
            raise LookupError(found)
        return found


async def turn() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)  # noqa: TID251 - turns of the loop, no time


async def test_those_who_ask_at_once_share_a_read() -> None:
    """However many they are."""
    source = Source()
    together = Together(source.read)
    source.go_on.set()

    assert await asyncio.gather(*(together.get() for _ in range(32))) == [0] * 32
    assert source.reads == 1


async def test_nobody_gets_what_was_read_before_they_asked() -> None:
    """Who asks while a read is under way gets the next one."""
    source = Source()
    together = Together(source.read)
    early = asyncio.create_task(together.get())
    await turn()
    source.value = 1

    late = [asyncio.create_task(together.get()) for _ in range(3)]
    await turn()
    source.go_on.set()

    assert (await early, await asyncio.gather(*late)) == (0, [1, 1, 1])
    assert source.reads == 2


async def test_one_who_gives_up_takes_it_from_nobody() -> None:
    """A client that hangs up does not end the read of the others."""
    source = Source()
    together = Together(source.read)
    one, other = (asyncio.create_task(together.get()) for _ in range(2))
    await turn()

    one.cancel()
    await turn()
    source.go_on.set()

    assert await other == 0


async def test_an_error_is_told_to_all_and_kept_for_nobody() -> None:
    """The next read is a new one."""
    source = Source()
    source.value = -1
    source.go_on.set()
    together = Together(source.read)

    found = await asyncio.gather(together.get(), together.get(), return_exceptions=True)
    source.value = 2

    assert [type(one) for one in found] == [LookupError, LookupError]
    assert await together.get() == 2
