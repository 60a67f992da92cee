"""Numbered SQL files, applied once each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from proveout.errors import Refusal


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change of a schema."""

    number: int
    sql: str


class StoreFromTheFuture(Refusal):
    """The store was made by a newer Proveout than this one."""

    code = "store-newer"


def migrations(package: str) -> list[Migration]:
    """Return the migrations that `package` ships, in the order of their numbers."""
    folder = files(package) / "migrations"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [Migration(int(name[:4]), (folder / name).read_text("utf-8")) for name in names]


def pending(known: list[Migration], applied: int) -> list[Migration]:
    """Return the migrations after number `applied`.

    Raises:
        StoreFromTheFuture: the store knows more migrations than we do.
    """
    newest = known[-1].number
    if applied > newest:
        raise StoreFromTheFuture(
            f"the store has schema {applied}, this Proveout knows up to {newest}",
            why="a newer version has opened it and may rely on what this one does not know",
            fix=("pip install --upgrade proveout",),
        )
    return [migration for migration in known if migration.number > applied]
