"""Intake limits: how many runs of a workflow may wait for their first claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3

UNBEGUN = (
    "SELECT count(*) FROM (SELECT 1 FROM runs WHERE workflow = ? AND fence = 0"
    " AND state IN ('QUEUED', 'WAITING') AND experiment IS NULL LIMIT ?)"
)


class Count(NamedTuple):
    """What was counted, and when: the database's version, and our changes until then."""

    runs: int
    version: int
    changes: int


class Intake:
    """Knows whether there is room, and counts only where that is in doubt.

    While no other process writes, the runs that wait are at most those counted last and
    those let in since; claims only make them fewer.
    """

    def __init__(self) -> None:
        self._counts: dict[str, Count] = {}

    def has_room(self, connection: sqlite3.Connection, workflow: str, limit: int) -> bool:
        """Whether one more run may enter; it is taken to do so, and to be new."""
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        known = self._counts.get(workflow)
        if known is None or known.version != version or known.runs >= limit:
            known = self._counted(connection, workflow, limit, version)
        if known.runs >= limit:
            return False
        self._counts[workflow] = known._replace(runs=known.runs + 1)
        return True

    def _counted(
        self, connection: sqlite3.Connection, workflow: str, limit: int, version: int
    ) -> Count:
        known = self._counts.get(workflow)
        changes = connection.total_changes
        if known is not None and known.version == version and known.changes == changes:
            return known  # nothing has changed since: it is still full
        runs: int = connection.execute(UNBEGUN, (workflow, limit)).fetchone()[0]
        self._counts[workflow] = Count(runs, version, changes)
        return self._counts[workflow]
