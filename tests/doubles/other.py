"""Another process on the same store: `python -m doubles.other URL WHAT`.

It says on its output what came of it, and where it holds something, it waits to be
ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from doubles.given import locked
from doubles.stores import open_url
from proveout.adapters.system import SystemClock, SystemIds

if TYPE_CHECKING:
    from proveout.ports.store import Store

TESTS = Path(__file__).parents[1]


async def start(url: str, what: str) -> asyncio.subprocess.Process:
    """Start another process that does `what` with the store at `url`."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "doubles.other",
        url,
        what,
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=asyncio.subprocess.PIPE,
    )


async def told(process: asyncio.subprocess.Process) -> str:
    """Return what the other process said, once it has ended well."""
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode().strip()


async def first_word(process: asyncio.subprocess.Process) -> str:
    """Return the first line that the other process says."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def main(url: str, what: str) -> None:
    store = await open_url(url, SystemClock())
    try:
        say(await did(store, what))
        if what == "hold":
            await asyncio.Event().wait()
    finally:
        await store.close()


async def did(store: Store, what: str) -> str:
    match what:
        case "open":
            return f"{await store.count()}"
        case "lock":
            experiment = await store.lock(locked(id=SystemIds().new(), order_seed=os.getpid()))
            return f"{experiment.id} {experiment.order_seed}"
        case _:
            hold = await store.hold("triage")
            return "held" if hold is not None else "taken"


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
