"""The proveout command with one thing changed: it dies at a write, or lacks a protection.

python -m doubles.mortal before 3 work --until-idle
python -m doubles.mortal after 3 work --until-idle
python -m doubles.mortal unrecovering 0 work
python -m doubles.mortal misled 0 work      its clock is off by what the file $OFFSET says
python -m doubles.mortal misled+forgetful 0 work
python -m doubles.mortal deaf+telling 0 work       it tells of its last writes in the file $TOLD
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proveout.adapters.postgres.store import PostgresStore
from proveout.adapters.sqlite.store import SqliteStore
from proveout.adapters.system import SystemClock
from proveout.domain.unit import Record, Settle, Stale
from proveout.domain.workflow import CURRENT
from proveout.faces.cli.main import main
from proveout.ports.store import Tended
from proveout.run import step
from proveout.run.pulse import Pulse
from proveout.run.step import Inside, late

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.unit import Answered, Unit
    from proveout.ports.store import Claimed, Want
    from proveout.run.attempt import Attempt
    from proveout.run.call import Call

STORES: tuple[type[Any], ...] = (SqliteStore, PostgresStore)


def die_at(when: str, number: int) -> None:
    """Let this process be killed just before, or just after, its `number`th write."""
    writes = 0
    for store in STORES:
        write = store.write

        async def counted(self: Any, unit: Unit, write: Any = write) -> Answered:
            nonlocal writes
            writes += 1
            mine = writes
            if (when, mine) == ("before", number):
                os.kill(os.getpid(), signal.SIGKILL)
            answer = await write(self, unit)
            if (when, mine) == ("after", number):
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        store.write = counted


def never_recover() -> None:
    """Let this process leave lapsed leases as they are."""

    async def tend(self: Any) -> Tended:  # noqa: ARG001 - a method of a store
        return Tended()

    for store in STORES:
        store.tend = tend


class Deaf:
    """A keeper of leases that never says that one was lost."""

    def renew(self, held: object, lease: object) -> set[Any]:  # noqa: ARG002 - a keeper's words
        """Say that all is well."""
        return set()

    def close(self) -> None:
        """Let go of nothing."""


def hear_nothing() -> None:
    """Let this process never learn that it lost a lease."""

    def keeper(self: Any) -> Deaf:  # noqa: ARG001 - a method of a store
        return Deaf()

    for store in STORES:
        store.keeper = keeper


def carry_no_fence() -> None:
    """Let this process write under whatever fence is current."""
    hear_nothing()
    for store in STORES:
        write = store.write

        async def unfenced(self: Any, unit: Unit, write: Any = write) -> Answered:
            if isinstance(unit, Record | Settle):
                run = await self.run(unit.run)
                unit = replace(unit, fence=run.fence)
            return await write(self, unit)

        store.write = unfenced


def tell() -> None:
    """Let this process name a run in a file when the last write of its attempt was answered."""
    told = Path(os.environ["TOLD"])

    def name(unit: Unit, answer: Answered) -> None:
        if isinstance(unit, Settle) or (isinstance(unit, Record) and isinstance(answer, Stale)):
            with told.open("a", encoding="utf-8") as log:
                log.write(f"{unit.run}\n")

    for store in STORES:
        write = store.write

        async def telling(self: Any, unit: Unit, write: Any = write) -> Answered:
            answer = await write(self, unit)
            name(unit, answer)
            return answer

        store.write = telling


def feel_no_pulse() -> None:
    """Let this process never see that its loop is blocked."""

    def watch(self: Any) -> None:
        """See nothing."""

    setattr(Pulse, "_watch", watch)  # noqa: B010 - no public name is to be replaced


def abandon_threads() -> None:
    """Let this process retry a plain step although its thread goes on."""

    async def in_thread(attempt: Attempt, call: Call, inside: Inside) -> object:
        context = copy_context()
        context.run(CURRENT.set, inside)
        threads = attempt.threads.steps
        future = attempt.loop.run_in_executor(threads, context.run, call.make)
        done, _ = await asyncio.wait({future}, timeout=call.step.care.timeout)
        if not done:
            raise late(call.step, None)
        return await future

    setattr(step, "_in_thread", in_thread)  # noqa: B010 - no public name is to be replaced


def share_fate() -> None:
    """Let the process that tries suspects suffer what this one does."""
    words = sys.orig_argv[1:5]
    start = asyncio.create_subprocess_exec

    async def doomed(program: str, *arguments: str, **options: Any) -> Any:
        if arguments[:2] == ("-m", "proveout"):
            arguments = (*words, *arguments[2:])
        return await start(program, *arguments, **options)

    asyncio.create_subprocess_exec = doomed


def mislead() -> None:
    """Let this process's clock be off by as many seconds as a file says, now and later."""
    share_fate()
    offset = Path(os.environ["OFFSET"])
    now = SystemClock.now

    def misled(self: SystemClock) -> datetime:
        return now(self) + timedelta(seconds=float(offset.read_text("utf-8")))

    SystemClock.now = misled


def forget() -> None:
    """Let this process resume runs as if their journals were empty."""
    share_fate()
    for store in STORES:
        claim = store.claim

        async def forgetful(self: Any, want: Want, claim: Any = claim) -> list[Claimed]:
            return [replace(one, entries=()) for one in await claim(self, want)]

        store.claim = forgetful


FATES = {
    "misled": mislead,
    "forgetful": forget,
    "unrecovering": never_recover,
    "deaf": hear_nothing,
    "unfenced": carry_no_fence,
    "telling": tell,
    "unwatched": feel_no_pulse,
    "impatient": abandon_threads,
}

if __name__ == "__main__":
    fate, count = sys.argv[1], int(sys.argv[2])
    del sys.argv[1:3]
    fates = [FATES[name] for name in fate.split("+") if name in FATES]
    for befall in fates:
        befall()
    if not fates:
        die_at(fate, count)
    main()
