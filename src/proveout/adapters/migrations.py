"""Numbered SQL files, applied once each; a store may be ahead of an engine that still runs.

A migration expands first, and one of a later version contracts: between the two, old and
new workers share the store. Each file says in a line of its own which older engines may go
on with what it leaves; the store remembers that number beside the migration's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from proveout.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = re.compile(r"^-- Engines that know schema (\d+) or newer may go on\b", re.MULTILINE)
"""The line by which a migration says who may go on; without it nobody older may."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change of a schema.

    Attributes:
        needs: the oldest schema that an engine must know to go on once this is applied.
    """

    number: int
    needs: int
    sql: str


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that a store remembers, perhaps one that we do not know."""

    number: int
    needs: int


class StoreFromTheFuture(Refusal):
    """The store was made by a newer Proveout than this one."""

    code = "store-newer"


def migrations(package: str) -> list[Migration]:
    """Return the migrations that `package` ships, in the order of their numbers."""
    folder = files(package) / "migrations"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [read(int(name[:4]), (folder / name).read_text("utf-8")) for name in names]


def read(number: int, sql: str) -> Migration:
    """Return the migration of that number; it is for engines that know it, unless it says more."""
    said = HEADER.search(sql)
    return Migration(number, number if said is None else int(said[1]), sql)


def pending(known: list[Migration], applied: Sequence[Applied]) -> list[Migration]:
    """Return the migrations that a store lacks.

    A store that is ahead of us lacks none, where all that we do not know lets us go on.

    Raises:
        StoreFromTheFuture: the store holds a migration that does not let us go on.
    """
    newest = known[-1].number
    if refusing := [one for one in applied if one.number > newest and one.needs > newest]:
        raise StoreFromTheFuture(
            f"the store has schema {refusing[-1].number}, this Proveout knows up to {newest}",
            why="a newer version has opened it and may rely on what this one does not know",
            fix=("pip install --upgrade proveout",),
        )
    last = max((one.number for one in applied), default=0)
    return [migration for migration in known if migration.number > last]
