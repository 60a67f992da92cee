"""The proveout command with one thing changed: it dies at a write, or lacks a protection.

python -m doubles.mortal before 3 work --until-idle
python -m doubles.mortal after 3 work --until-idle
python -m doubles.mortal unrecovering 0 work
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proveout.adapters.postgres.store import PostgresStore
from proveout.adapters.sqlite.store import SqliteStore
from proveout.domain.unit import Record, Settle
from proveout.faces.cli.main import main
from proveout.ports.store import Tended

if TYPE_CHECKING:
    from proveout.domain.unit import Answered, Unit

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


FATES = {"unrecovering": never_recover, "deaf": hear_nothing, "unfenced": carry_no_fence}

if __name__ == "__main__":
    fate, count = sys.argv[1], int(sys.argv[2])
    del sys.argv[1:3]
    if fate in FATES:
        FATES[fate]()
    else:
        die_at(fate, count)
    main()
